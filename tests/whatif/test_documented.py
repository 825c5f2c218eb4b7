"""What the guide shows can be done as it is shown."""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from textwrap import dedent

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rbcalc
from rbcalc import Partnership
from rbcalc.rulebook.dials import dial_of, read, readers, setting_of, type_of
from rbcalc.supposing.seek import cost_of, limit_of
from rbcalc.supposing.sweep import ranges
from whatif.conftest import YEAR

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "what_if.md").read_text(encoding="utf-8")
BLOCKS = [dedent(block) for block in re.findall(r"(?m)(?:^    .*\n|^\n(?=    ))+", GUIDE)]


def test_the_scenario_of_the_guide_links(service: Partnership) -> None:
    (text,) = (block[block.index("kind: scenario") : block.index("rbcalc whatif")] for block in BLOCKS if "kind: scenario" in block)
    assert len(text.strip().splitlines()) == 9, "a ten-line scenario"
    for council in service.with_scenario(text).councils(YEAR):
        program = council.program(YEAR)
        assert program.hypothetical
        assert program.tables["personal_allowance_working_age"].by_period[0].rows["single_25_or_over",][1] == (95,)


def test_next_years_figures_are_carried_and_put_up(service: Partnership) -> None:
    (text,) = (block for block in BLOCKS if block.strip().startswith("carry:"))
    supposed = f"kind: scenario\ntitle: Next year\nfrom: 2027-04-01\nsource: {{document: draft}}\n{text}"
    for council in service.with_scenario(supposed).councils("2027-28"):
        found, before = council.program("2027-28"), council.rules.council(council.name).program(YEAR)
        told = dict(found.supposed)
        assert told["band_d_amount"] == "goes on from the year before, put up by 4.99%"
        after, old = (each.tables["band_d_amount"].by_period[0].rows for each in (found, before))
        assert after.keys() == old.keys()
        for keys, (_, (value,)) in old.items():
            exact = Decimal(Fraction(value).numerator) / Fraction(value).denominator * Decimal("1.0499")
            assert after[keys][1] == (Fraction(exact.quantize(Decimal("0.01"), ROUND_HALF_UP)),)


@pytest.mark.parametrize("name", ["income_grid_2027-28", "transitional_protection"])
def test_the_examples_link(service: Partnership, name: str) -> None:
    year = "2027-28" if name.endswith("28") else YEAR
    for council in service.with_scenario(DOCS / "examples" / f"{name}.yaml").councils(year):
        assert council.program(year).hypothetical


def test_dials_ranges_targets_and_limits_are_such(service: Partnership) -> None:
    programs = {council.name: council.program(YEAR) for council in service.councils(YEAR)}
    settings = [text.strip('"') for text in re.findall(r"--set (\"[^\"]+\"|[^\s`]+)", GUIDE)]
    assert len(settings) == 3
    for text in settings:
        dial, value = setting_of(text)
        read(value, type_of(programs[readers(programs, dial)[0]], dial))
    asked = re.findall(r"--(?:sweep|vary) ([a-z_]+)=(\S+)", GUIDE)
    assert len(asked) == 4
    for name, values in asked:
        assert len(ranges(programs, {dial_of(name): values})[dial_of(name)]) > 2
    for text in re.findall(r"--target '([^']+)'", GUIDE):
        cost_of(text)
    groups = {ref.name for program in programs.values() for impact in program.impacts for ref in impact.by}
    for text in re.findall(r"--limit '([^']+)'", GUIDE):
        assert limit_of(text).group in {"", *groups}


def test_the_python_of_the_guide_names_what_there_is() -> None:
    (text,) = (block for block in BLOCKS if "rbcalc.load()" in block)
    assert set(re.findall(r"rbcalc\.([a-z_]+)\(", text)) <= set(rbcalc.__all__)


def test_the_earlier_reduction_is_filled_from_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (sql,) = (block for block in BLOCKS if block.strip().startswith("COPY ("))
    monkeypatch.chdir(tmp_path)
    for folder in ("caseload", "protected", "this_year/stevenage"):
        (tmp_path / folder).mkdir(parents=True)
    days = {"first_day": [date(2026, 4, 1), date(2026, 9, 1), date(2026, 4, 1)], "last_day": [date(2026, 8, 31), *[date(2027, 3, 31)] * 2]}
    weeks = {"weekly_reduction": [Decimal("9.00"), Decimal("7.50"), Decimal("1.00")]}
    pq.write_table(pa.table({"claim": ["1", "2"], "account": ["A", "B"]}), tmp_path / "caseload" / "claims.parquet")
    pq.write_table(pa.table({"account": ["A", "A", "C"], **days, **weeks}), tmp_path / "this_year" / "stevenage" / "awards.parquet")
    duckdb.sql(sql)
    rows = {row["claim"]: row["reduction_before"] for row in pq.read_table(tmp_path / "protected" / "claims.parquet").to_pylist()}
    assert rows == {"1": Decimal("7.50"), "2": None}
