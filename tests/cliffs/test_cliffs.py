"""Cliffs: every edge of a scheme is found, to the penny, with what makes it; what is said between edges holds at every pound."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import rbcalc
from rbcalc.errors import DataError, OutputError, UsageError
from rbcalc.incomes.cliffs import Cliffs, cliffs, published
from rbcalc.incomes.cliffs_model import households_of, measure_of
from rbcalc.rulebook.cases import CaseReader
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.program.graph import Ref

YEAR = "2026-27"
GRID, TAPER = "hartlepool", "stevenage"
INCOME, COST = Ref("account", "income_before_council_tax"), Ref("account", "cost_of_council_tax")
PENNY = Fraction(1, 100)
ROUNDED = """
kind: scenario
title: A reduction in whole pounds
from: 2026-04-01
source: {note: made up}
replace:
  working_age_reduction:
    title: Reduction for a day, in whole pounds
    of: award
    unit: £/day
    round: pound, down
    is: means_tested_reduction
    reason: made up
"""
SMALLEST = """
kind: scenario
title: A smallest award
from: 2026-04-01
source: {note: made up}
set:
  smallest_grid_award: {value: £12}
"""


@cache
def rules() -> rbcalc.Rules:
    return rbcalc.load()


@cache
def found(council: str, *names: str, **options: Any) -> Cliffs:
    return cliffs(rules().council(council), YEAR, names=names, **options)


def edges(made: Cliffs, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in columns) for row in made.edges.to_pylist()]


def of_cases(council: str, file: str, name: str, **options: Any) -> Cliffs:
    return cliffs(rules().council(council), YEAR, household=rules().root / file, names=[name], **options)


# ---------------------------------------------------------------- exactness
@pytest.mark.parametrize(
    ("council", "name"), [(GRID, "Lone parent with one child"), (TAPER, "Couple, one in work"), (TAPER, "Single person in work")]
)
def test_what_is_said_holds_at_every_few_pounds_and_at_every_penny_near_an_edge(council: str, name: str) -> None:
    made = found(council, name)
    measure = measure_of(rules())
    program = rules().council(council).program(YEAR, own=[measure.rules])
    (household,), _ = households_of(rules(), measure, program, None, [name])
    builder, evaluator = Builder(program), Evaluator(program, (INCOME, COST))

    def exact(amount: Fraction) -> tuple[Fraction, Fraction]:
        records = {**household.records, "incomes": [{**household.records["incomes"][0], "amount": amount}]}
        values = evaluator.run(builder.build(records))
        return tuple(values[ref][0] for ref in (INCOME, COST))  # type: ignore[return-value]

    slopes = made.courses[name].slopes
    assert slopes[0].first == 0 and slopes[-1].last == 1000
    assert all(before.last + PENNY == after.first for before, after in pairwise(slopes))
    ends = [slope.last for slope in slopes]
    near = {end + PENNY * step for end in ends for step in range(-8, 9)}
    for amount in sorted({*map(Fraction, range(0, 1001, 7)), *(each for each in near if each <= 1000)}):
        slope = next(slope for slope in slopes if slope.first <= amount <= slope.last)
        assert slope.income is not None and slope.cost is not None and slope.rate is not None
        income, cost = exact(amount)
        gained = amount - slope.first
        assert income == slope.income[0] + gained
        # The bill is in whole pence for the year, and a slope may begin within the first penny.
        assert abs(cost - slope.cost[0] - gained * slope.rate) <= Fraction(7, 365) * 2 * PENNY + slope.rate * PENNY
    jumps = {edge.below for edge in made.courses[name].edges}
    for end in ends[:-1]:
        jump = exact(end + PENNY)[1] - exact(end)[1]
        assert (jump > Fraction(1, 2)) == (end in jumps)


# ---------------------------------------------------------------- known edges
def test_the_edges_of_a_grid_are_its_bands_after_what_is_left_out_of_earnings() -> None:
    made = of_cases(GRID, f"councils/{GRID}/reduction/{YEAR}.cases.yaml", "£25 of earnings are left out")
    assert edges(made, "amount", "lost_a_year", "costs_more") == [
        (Decimal("141.20"), Decimal("512.04"), True),
        (Decimal("234.17"), Decimal("768.06"), True),
        (Decimal("274.84"), Decimal("512.04"), True),
        (Decimal("321.32"), Decimal("512.04"), True),
    ]
    assert edges(made, "rule", "change")[0] == ("grid_share", "single, up to £116.20 a week: 90 % becomes 70 %")
    assert all("Schedule 1 para. 1" in source for (source,) in edges(made, "source"))
    assert [row["needed_to_be_back"] for row in made.edges.to_pylist()][1] == Decimal("14.73")
    left = {row["amount"]: row["left"] for row in made.curve.to_pylist()}
    assert left[Decimal("141.20")] - left[Decimal("141.21")] == Decimal("9.81")


def test_a_taper_has_no_edge_and_takes_a_fifth() -> None:
    made = found(TAPER, "Single person in work")
    assert made.edges.num_rows == 0
    assert [row["deduction_rate"] for row in made.stretches.to_pylist()] == [0.0, 0.2, 0.0]


def test_what_moves_with_the_amount_is_part_of_what_is_needed_to_be_back() -> None:
    """Of a pound more 45p is left while Universal Credit is in payment."""
    made = found(GRID, "Single person on Universal Credit, in work")
    assert {varied for (varied,) in edges(made, "varied")} == {"claims.universal_credit_earnings"}
    lost = [(row["lost_a_week"], row["needed_to_be_back"]) for row in made.edges.to_pylist()]
    assert lost[1] == (Decimal("9.82"), Decimal("42.56"))  # the award has ended: 9.82 x 52 / 12
    assert lost[0] == (Decimal("6.55"), Decimal("63.03"))  # (6.55 x 52 / 12 and what the rounded award takes) / 45 %
    assert any("universal_credit_award moves with the amount" in note for note in made.notes)
    assert [row["deduction_rate"] for row in found(TAPER, "Single person on Universal Credit, in work").stretches.to_pylist()] == [0.2, 0.0]


def test_the_limit_of_capital_is_an_edge_of_capital() -> None:
    made = found(TAPER, "Couple, one in work", vary="claims.capital", last="£20000")
    assert edges(made, "amount", "needed_to_be_back", "rule") == [(Decimal("16000.00"), None, "capital_too_high_working_age")]


def test_the_deductions_for_a_non_dependant_are_edges_of_that_persons_income() -> None:
    name = "Single person in work with a non-dependant"
    made = found(TAPER, name, vary="non_dependants.gross_income", last="£700")
    assert edges(made, "amount", "rule") == [(Decimal(at), "deduction_in_work") for at in ("278.99", "484.99", "604.99")]
    assert found(TAPER, name).edges.num_rows == 0


def test_the_bands_of_a_second_adult_are_edges_of_that_adults_income() -> None:
    file = "england/council_tax_reduction/second_adults.cases.yaml"
    made = of_cases(TAPER, file, "Below the first edge, 15 %", vary="non_dependants.gross_income", last="£500")
    assert edges(made, "amount", "lost_a_year") == [(Decimal("288.99"), Decimal("159.47")), (Decimal("374.99"), Decimal("159.46"))]


def test_a_smallest_award_is_an_edge_with_its_rule(tmp_path: Path) -> None:
    file = tmp_path / "smallest.yaml"
    file.write_text(SMALLEST, encoding="utf-8")
    made = cliffs(rules().council(GRID), YEAR, scenarios=[file], names=["Single person in work"])
    assert made.hypothetical
    assert "hypothetical" in repr(made)
    last = made.edges.to_pylist()[-1]
    assert last["rule"] in ("grid_reduction", "grid_share")
    assert last["amount"] == Decimal("274.84") or last["amount"] == Decimal("234.17")
    assert made.edges.num_rows < 4


def test_rounding_to_pounds_is_told_apart_from_edges(tmp_path: Path) -> None:
    file = tmp_path / "rounded.yaml"
    file.write_text(ROUNDED, encoding="utf-8")
    made = cliffs(rules().council(TAPER), YEAR, scenarios=[file], names=["Single person in work"])
    assert {kind for (kind,) in edges(made, "kind")} == {"rounding"}
    assert {loss for (loss,) in edges(made, "lost_a_year")} == {Decimal("365.00")}
    assert len(edges(made, "kind")) == 3


def test_where_the_rules_refuse_a_household_it_is_said() -> None:
    made = found("dorset", "Single person in work")
    assert [bool(row["refused"]) for row in made.stretches.to_pylist()] == [False, True]
    assert found("dorset", "Single person with an occupational pension, below pension age").edges.num_rows == 5


@pytest.mark.parametrize("council", [name for name in rules().council_names if YEAR in map(str, rules().council(name).years())])
def test_every_edge_of_every_council_has_a_rule_and_a_source(council: str) -> None:
    made = found(council, "Lone parent with one child")
    assert all(rule and what and source for rule, what, source in edges(made, "rule", "what", "source"))
    assert made.curve.num_rows >= 2 or made.stretches["refused"][0].as_py()


# ---------------------------------------------------------------- a caseload
def test_those_close_below_an_edge_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RBCALC_ENGINE", "python")
    weekly = ["116.20", "111.21", "111.20", "116.21", "209.17", "50.00"]  # two within £5 of the first edge, one at the second
    numbers = range(len(weekly))
    tables = {
        "accounts": ["account,dwelling,from,to", *(f"a{n},d{n},2020-04-01," for n in numbers)],
        "dwellings": ["dwelling,band,area,recorded_adults,from,to", *(f"d{n},C,whole,1,2000-01-01," for n in numbers)],
        "claims": ["claim,account,capital,from,to", *(f"c{n},a{n},100,2020-04-01," for n in numbers)],
        "household": ["claim,person,role,born,from,to", *(f"c{n},p{n},applicant,1985-01-01,2020-04-01," for n in numbers)],
        "incomes": [
            "person,income_kind,frequency,amount,from,to",
            *(f"p{n},jsa_contribution_based,weekly,{amount},2020-04-01," for n, amount in enumerate(weekly)),
        ],
    }
    for name, lines in tables.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    made = cliffs(rules().council(GRID), YEAR, names=["Single person in work"], caseload=tmp_path)
    assert made.edges["close_below"].to_pylist() == [2, 1, 0, 0]
    assert made.tables["edges"]["close_below"].to_pylist() == ["<5", "<5", "0", "0"]
    for path in made.write(tmp_path / "out"):
        assert pq.read_table(path).schema.metadata[b"hypothetical"] == b"no"
    assert pq.read_table(tmp_path / "out" / "edges.parquet")["close_below"].to_pylist()[0] == "<5"
    with pytest.raises(OutputError):
        made.write(tmp_path / "claims.csv")


@pytest.mark.parametrize(("count", "told"), [(None, ""), (0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (12_345, "12,345")])
def test_small_counts_are_not_told(count: int | None, told: str) -> None:
    assert published(count) == told


# ---------------------------------------------------------------- what cannot be done
@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"names": ["Single person in wrk"]}, UsageError, "did you mean 'Single person in work'"),
        ({"vary": "claims.capitl"}, UsageError, "did you mean 'claims.capital'"),
        ({"vary": "household.role"}, UsageError, "is no amount of money"),
        ({"vary": "non_dependants.gross_income", "names": ["Single person in work"]}, UsageError, "no record of non_dependants"),
        ({"last": "abc"}, UsageError, "no amount: abc"),
        ({"first": "£20", "last": "£10"}, UsageError, "no range of amounts"),
        ({"household": Path("nothing.yaml")}, UsageError, "no such file"),
    ],
)
def test_what_cannot_be_looked_for_is_said(options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        cliffs(rules().council(TAPER), YEAR, **options)


def test_a_household_without_a_fact_that_is_needed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "household.cases.yaml"
    file.write_text(
        "kind: cases\ntitle: One\nyear: 2026-27\ngiven: {accounts: {account: X, dwelling: Y, from: 2020-04-01},"
        " incomes: {person: P, from: 2020-04-01, income_kind: state_pension, frequency: weekly, amount: £1}}\ncases: [{name: One}]\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="cannot be worked out"):
        cliffs(rules().council(TAPER), YEAR, household=file)


def test_the_typical_households_are_read_as_cases_are() -> None:
    measure = measure_of(rules())
    program = rules().council(TAPER).program(YEAR, own=[measure.rules])
    made, assumed = households_of(rules(), measure, program)
    assert len(made) >= 7
    assert len({household.name for household in made}) == len(made)
    assert any("area" in line.lower() for line in assumed)
    examples = CaseReader(rules()).read(rules().root / "england/council_tax_reduction/second_adults.cases.yaml")
    assert set(made[0].records) == set(examples[0].records)
