"""Sweeps: each point is what a single run of its figures comes to, counted again in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from rbcalc import Partnership, Rules, UsageError
from rbcalc._years import iso
from rbcalc.comparing.study import BASELINE, Option, Outcome, Study
from rbcalc.rulebook.dials import Dial, dial_of, sources_of
from rbcalc.supposing.scenarios import opened, option_of
from rbcalc.supposing.sweep import Bench, Limit, Point, Settings, grid, masks_of, table_of, values_of
from rbcalc_kernels.program.graph import Value
from whatif.conftest import STEVENAGE, YEAR

Table = dict[str, Any]
LIMITS = (Limit(500), Limit(0, "disability_in_household", "yes"), Limit(100, "claim_scheme", "working_age"))
TAPER, LIMIT, FREE = map(dial_of, ("taper_working_age", "capital_limit_working_age", "excess_ignored_working_age"))


def single(study: Study, option: Option, settings: Settings) -> dict[str, Outcome]:
    """What the figures come to when everything is linked, compiled and worked out anew."""
    sources = sources_of(study.programs(option), settings, study.year, "a single run")
    return study.tried(Option("single", "single", (*option.scenarios, *sources), hypothetical=True))


def recounted(study: Study, outcomes: Mapping[str, Outcome], limits: Sequence[Limit]) -> Point:
    """The figures of a point, account by account."""
    point = Point({}, costs={}, beyond=(0,) * len(limits), worst=(Fraction(0),) * len(limits))
    base_cost = 0
    for council, outcome in outcomes.items():
        base = study.outcomes[BASELINE][council]
        everybody = np.arange(len(outcome.amount))
        masks = masks_of(study, council, limits, everybody)
        assert point.costs is not None
        point.costs[council] = sum(int(amount) for amount, gone in zip(outcome.amount, outcome.rejected, strict=True) if not gone)
        base_cost += int(base.amount.sum())
        for place in everybody.tolist():
            if outcome.rejected[place] or base.rejected[place]:
                continue
            loss = int(base.amount[place]) - int(outcome.amount[place])
            weekly = Fraction(loss * 7, max(1, int(base.days[place]), int(outcome.days[place])))
            point.gaining += loss < 0
            point.losing += loss > 0
            point.largest_loss = max(point.largest_loss, weekly)
            protected = [bool(mask[place]) for mask in masks]
            over = [mine and weekly > limit.pence for mine, limit in zip(protected, limits, strict=True)]
            point.beyond = tuple(a + b for a, b in zip(point.beyond, over, strict=True))
            point.worst = tuple(max(a, weekly) if mine else a for a, mine in zip(point.worst, protected, strict=True))
    point.cost = sum((point.costs or {}).values())
    point.change = point.cost - base_cost
    return point


def check(
    study: Study, points: Sequence[Settings], option: Option | None = None, limits: Sequence[Limit] = LIMITS, **more: Any
) -> list[Point]:
    """Hold the points of a sweep against single runs."""
    laid = option or study.baseline
    dials = list(dict.fromkeys(dial for point in points for dial in point))
    found = Bench(study, laid, dials, limits, more.get("values", values_of(points))).through(points)
    for settings, point in zip(points, found, strict=True):
        expected = recounted(study, single(study, laid, settings), limits)
        expected.settings = settings
        assert point == expected
    return found


def settings_of(texts: Mapping[str, Fraction | bool | str]) -> dict[Dial, Value]:
    return {dial_of(name): value for name, value in texts.items()}


# ---------------------------------------------------------------------------------------------------------- each point


def test_points_of_two_councils_are_their_single_runs(study: Study) -> None:
    points = grid(study.programs(study.baseline), {TAPER: "20%,65%", LIMIT: "£1000,£16000"})
    assert len(points) == 4
    found = check(study, points)
    assert len({point.cost for point in found}) > 2
    assert any(point.losing for point in found)
    assert any(any(point.beyond) for point in found)
    same = found[1]
    assert (same.change, same.gaining, same.losing, same.largest_loss) == (0, 0, 0, 0)


ANY: list[dict[str, Any]] = [
    {"alternative_rate[£289]": Fraction(1, 20)},
    {"personal_allowance_working_age[single_18_to_24]": Fraction(60), "taper_working_age": Fraction(1, 4)},
    {"tariff_counts_working_age": False, "capital_limit_working_age": Fraction(3_000)},
    {"band_cap_working_age": "B"},
    {"change_ignored_working_age": Fraction(10)},
    {"excess_ignored_working_age": Fraction(17, 2)},
]


def test_any_figure(small: Study) -> None:
    """Parameters and cells, choices, figures that are nothing today, and one for whose values the kernels were not proved."""
    points = [settings_of(texts) for texts in ANY]
    foreseen = {dial: values for dial, values in values_of(points).items() if dial != FREE}
    found = check(small, points, values=foreseen)
    assert len({point.cost for point in found}) > 2


def test_figures_on_which_tables_or_days_rest_agree_too(small: Study) -> None:
    """The charge of a band is worked out from it; the days of periods are cut by pension age."""
    rows = small.programs(small.baseline)[STEVENAGE].tables["pension_age_months"].by_period[0].rows
    first = iso(int(rows[()][0][0]))
    for texts in ({"band_d_amount[billing_authority]": Fraction(300)}, {f"pension_age_months[{first}]": Fraction(792)}):
        check(small, [settings_of(texts)])


def test_a_sweep_on_top_of_a_scenario(small: Study, rules: Rules) -> None:
    """A dial is turned over what the scenario sets itself; other changes of the scenario stay."""
    supposed = {"title": "t", "from": "2026-04-01", "source": {"document": "d"}, "set": {
        "taper_working_age": {"value": "50%"}, "share_working_age": {"value": "50%"}}}  # fmt: skip
    option = option_of(small.baseline, [opened(rules, supposed)])
    (found,) = check(small, [settings_of({"taper_working_age": Fraction(1, 5)})], option)
    assert recounted(small, small.tried(option), LIMITS).cost < found.cost < Bench(small, small.baseline, []).baseline


def test_a_figure_that_only_one_council_reads(study: Study, rules: Rules) -> None:
    """The other council's cost is the same at each point; its own figures are those of the option."""
    cut = {
        "title": "A cut",
        "from": "2026-04-01",
        "only_for": [STEVENAGE],
        "source": {"document": "made up"},
        "parameters": {"cut": {"title": "Cut", "unit": "rate", "value": "0%"}},
        "replace": {
            "working_age_reduction": {
                "title": "Reduction for a day",
                "of": "award",
                "unit": "£/day",
                "is": "means_tested_reduction * (1 - cut)",
                "reason": "tried",
            }
        },
    }
    option = option_of(study.baseline, [opened(rules, cut)])
    found = check(study, [settings_of({"cut": Fraction(n, 4)}) for n in (0, 1)], option)
    assert len({(point.costs or {})["east_hertfordshire"] for point in found}) == 1
    assert len({(point.costs or {})[STEVENAGE] for point in found}) == 2
    table = table_of(Bench(study, option, [Dial("cut")], LIMITS), found)
    assert table.column("cut").to_pylist() == ["0%", "25%"]


def test_accounts_without_a_result(service: Partnership, few: Table, faulty: Table) -> None:
    """Some have no result under any figures, some under some, some only in the baseline: costs and losers agree with single runs."""
    study = Study([service.rules.council(STEVENAGE)], YEAR, faulty)
    assert study.outcomes[BASELINE][STEVENAGE].rejected.sum() == 1
    check(study, [settings_of({"taper_working_age": Fraction(2, 5)})])
    refusing = _refusing(service)
    base = Option(BASELINE, "some are refused", (opened(service.rules, refusing),), hypothetical=True)
    other = Study([service.rules.council(STEVENAGE)], YEAR, few, baseline=base)
    claimed = other.outcomes[BASELINE][STEVENAGE]
    assert 0 < claimed.rejected.sum() < len(claimed.rejected)
    found = check(other, [settings_of({"most_capital": Fraction(n)}) for n in (0, 4_000)])
    assert found[0].cost < found[1].cost


def _refusing(service: Partnership) -> dict[str, Any]:
    return {
        "title": "Refuses",
        "from": "2026-04-01",
        "source": {"document": "made up"},
        "parameters": {"most_capital": {"title": "Most", "unit": "£", "value": "£2000"}},
        "replace": {
            "working_age_reduction": {
                "title": "Reduction for a day",
                "of": "award",
                "unit": "£/day",
                "first": [
                    {"when": "first_known(capital, £0) > most_capital", "refuse": "too much"},
                    {"otherwise": "means_tested_reduction", "because": "It is so."},
                ],
                "reason": "tried",
            }
        },
    }


# ------------------------------------------------------------------------------------------------------------ mistakes


def test_the_order_and_the_number_of_points_do_not_matter(small: Study) -> None:
    points = grid(small.programs(small.baseline), {TAPER: "10%:60%:10%", FREE: "£0/week:£20/week:£10/week"})
    bench = Bench(small, small.baseline, [TAPER, FREE], LIMITS, values_of(points))
    once = bench.through(points)
    back = bench.through(points[::-1])
    assert back[::-1] == once
    assert [bench.through([point])[0] for point in points[:3]] == once[:3]
    assert bench.through([]) == []
    assert [point.cost for point in once[::3]] == sorted((point.cost for point in once[::3]), reverse=True), "a steeper taper costs less"


def test_the_table_says_what_the_points_say(small: Study) -> None:
    points = grid(small.programs(small.baseline), {TAPER: "20%,50%"})
    bench = Bench(small, small.baseline, [TAPER], LIMITS, values_of(points))
    found = bench.through(points)
    table = table_of(bench, found)
    assert table.column_names == [
        "taper_working_age", "cost", "change", "cost_stevenage", "gaining", "losing", "largest_weekly_loss",
        "beyond loss <= £5.00/week", "beyond loss <= £0.00/week where disability_in_household = yes",
        "beyond loss <= £1.00/week where claim_scheme = working_age",
    ]  # fmt: skip
    assert table.schema.metadata[b"hypothetical"] == b"yes"
    for row, point in zip(table.to_pylist(), found, strict=True):
        assert row["cost"] == Decimal(point.cost) / 100
        assert row["change"] == row["cost"] - Decimal(bench.baseline) / 100
        assert row["largest_weekly_loss"] == Decimal(round(point.largest_loss)) / 100
        assert row["losing"] == point.losing


def test_a_limit_on_a_group_that_is_not_there(small: Study) -> None:
    with pytest.raises(UsageError, match="accounts do not fall into groups by disability") as told:
        Bench(small, small.baseline, [TAPER], [Limit(0, "disability", "yes")])
    assert "disability_in_household" in told.value.hint
    with pytest.raises(UsageError, match="maybe is not one of disability_in_household") as told:
        Bench(small, small.baseline, [TAPER], [Limit(0, "disability_in_household", "maybe")])
    assert told.value.hint == "one of no, yes"


def test_figures_that_nobody_reads(small: Study) -> None:
    with pytest.raises(UsageError, match="the rules of stevenage read no figure called taper_workin_age"):
        Bench(small, small.baseline, [Dial("taper_workin_age")])
    with pytest.raises(UsageError, match="no edge at £290"):
        Bench(small, small.baseline, [dial_of("alternative_rate[£290]")])


def test_too_many_points_are_refused(small: Study) -> None:
    programs = small.programs(small.baseline)
    with pytest.raises(UsageError, match="1,002,001 combinations"):
        grid(programs, {TAPER: "0%:100%:0.1%", LIMIT: "£0:£1000:£1"})
