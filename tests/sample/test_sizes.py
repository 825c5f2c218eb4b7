"""The counts of a sample are the published ones wherever something is published."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rbcalc.rulebook.rules import Rules
from rbcalc.sampling.counts import sizes
from rbcalc.sampling.plan import read_plan
from rbcalc.sampling.sample import Summary, _block, sample
from sample.tables import read


def test_the_partnership_with_a_table_of_sizes_has_those_sizes(westwey: Summary) -> None:
    assert westwey.dwellings == {"west_dorset": 46_261, "weymouth_and_portland": 29_236}
    dwellings = read(westwey, "dwellings")
    assert len(set(dwellings["dwelling"].to_pylist())) == 46_261 + 29_236
    shares = {name: held["A"] / westwey.dwellings[name] for name, held in westwey.members.items()}
    assert shares == pytest.approx({"west_dorset": 5382 / 49347, "weymouth_and_portland": 7373 / 31153}, abs=1e-4)


def test_elsewhere_the_dwellings_by_band_are_those_of_the_profile(rules: Rules) -> None:
    seen = 0
    for name in rules.council_names:
        council = rules.council(name)
        profile = council.profile
        if any("year" not in entry for entry in profile.get("council_tax_properties", ())):
            continue
        for year in {council.years()[0], council.years()[-1]}:
            plan = read_plan(rules, council.program(year), year)
            made = sizes(plan, profile, name, 1, None, None)
            published = min(
                profile["dwellings_by_band"], key=lambda entry: (abs(int(str(entry["at"])[:4]) - year.begins), -int(str(entry["at"])[:4]))
            )
            assert dict(zip("ABCDEFGH", made.by_member, strict=True)) == {str(k): int(v) for k, v in published["rows"].items()}
            assert [sum(row[place] for row in made.cells.values()) for place in range(8)] == made.by_member
            seen += 1
    assert seen > 15


def test_the_rows_have_the_bands_that_were_counted(rules: Rules, small: Summary) -> None:
    rows = sorted(read(small, "dwellings").to_pylist(), key=lambda row: row["from"])
    first = {row["dwelling"]: row["band"] for row in reversed(rows)}
    assert Counter(first.values()) == {band: count for band, count in small.members["redcar_and_cleveland"].items() if count}


def test_published_counts_are_met_when_the_sizes_are_of_that_year(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="hartlepool", year="2013-14", out=tmp_path)
    assert made.total == 42_443
    told = {name: count for name, (count, _) in made.situations["hartlepool"].items()}
    among = [count for name, count in told.items() if name.startswith("disabled_reduction")]
    assert sum(among) == 383 - 130 + 130
    assert [told[f"exempt_{letter}"] for letter in "BDEFHILNTU"] == [110, 7, 60, 96, 3, 8, 44, 87, 3, 154]
    second = sum(count for name, count in told.items() if name.startswith("second_home"))
    assert second == 309
    alone = read(made, "people").group_by("dwelling").aggregate([("birth_date", "count")])
    assert alone.num_rows > 35_000
    assert made.situations["hartlepool"]["exempt_F"][1] == "tax_base_return.exempt.by_class.F of 2013"


def test_counts_are_scaled_with_the_dwellings(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="hartlepool", year="2013-14", dwellings=84_886, out=tmp_path)
    assert made.situations["hartlepool"]["exempt_F"][0] == 192
    assert made.members["hartlepool"]["A"] == 2 * 24_073


@pytest.mark.parametrize("dwellings", [1, 7, 60, 400])
def test_a_handful_of_dwellings_can_be_made(rules: Rules, dwellings: int, tmp_path: Path) -> None:
    made = sample(rules, council="stevenage", dwellings=dwellings, out=tmp_path)
    assert len(set(read(made, "dwellings")["dwelling"].to_pylist())) == dwellings


def test_the_dwellings_of_a_partnership_are_divided_in_proportion(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, partnership="westwey", dwellings=75_497 // 7, out=tmp_path)
    assert made.dwellings == {"west_dorset": 6609, "weymouth_and_portland": 4176}


def test_the_share_that_changes_can_be_asked_for(rules: Rules, tmp_path: Path) -> None:
    made = sample(rules, council="stevenage", dwellings=20_000, changing="30%", out=tmp_path)
    names = [
        name
        for name, found in read_plan(
            rules, rules.council("stevenage").program(made.year), rules.council("stevenage").years()[-1]
        ).situations.items()
        if found.changing
    ]
    assert sum(made.situations["stevenage"][name][0] for name in names) == pytest.approx(6000, abs=len(names))
    assert made.total == 20_000


def test_areas_are_those_of_the_year(rules: Rules, small: Summary) -> None:
    members = rules.council("redcar_and_cleveland").program("2025-26").lists["area"].members
    counted = Counter(read(small, "dwellings")["area"].to_pylist())
    assert [name for name, _ in sorted(counted.items(), key=lambda item: -item[1])] == list(members)


def test_no_two_councils_have_references_alike(rules: Rules) -> None:
    blocks = [
        _block(council, read_plan(rules, council.program(council.years()[-1]), council.years()[-1]))
        for council in map(rules.council, rules.council_names)
        if council.years()
    ]
    assert len(set(blocks)) == len(blocks)
