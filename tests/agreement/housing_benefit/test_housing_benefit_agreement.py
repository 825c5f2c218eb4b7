"""Housing Benefit: the calculation written from the statute, the exact evaluator and the compiled one.

Held against the statute at zero difference on plausible claims: the days of every award, the benefit of each week, the pounds of
every stretch and of the year, and the eligible rent, applicable amount, income and deductions behind them.  Every value of every
rule is held between the two evaluators, on plausible claims and on disturbed ones.  The generated source runs as plain Python,
which so few claims repay; as machine code it runs where RBCALC_TEST_ACCOUNTS asks for many.  2,500 claims, or more.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import pytest

from agreement.accounts import Records
from agreement.both import differences
from agreement.housing_benefit.crowding import crowded
from agreement.housing_benefit.mapping import claims_of, lets_of
from agreement.housing_benefit.scenes import SCENES, Scene, program_of, share
from agreement.mapping import on
from agreement.rates.both import ExactlyRatepayers as ExactlyRows
from independent.housing_benefit.amounts import YEARS
from independent.housing_benefit.award import Figures, Piece, awards, pieces
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.program.graph import Ref

ONE_DAY = timedelta(days=1)
MANY = 2_000
"""From so many claims a scene on, machine code repays the time that it takes to make."""
KERNEL = 10
"""Of so many claims one goes through the compiled evaluator as well, and a disturbed one with it."""
CROWDED_APART = Fraction(8, 100)
"""Of claims with a change that waits beside another so many may differ (see `crowding`)."""
OF_AWARD = ("eligible_rent", "maximum_benefit", "benefit_before_cap", "weekly_benefit", "weekly_award")
OF_ASSESSMENT = ("applicable_amount", "assessable_income", "excess_income", "non_dependant_deductions")
MEANS = ("applicable_amount", "assessable_income", "excess_income")


class Span(NamedTuple):
    """Days of an award, the benefit for a week of them, and what they come to."""

    first: date
    last: date
    a_week: Fraction
    pounds: Fraction


@cache
def exactly(year: int) -> ExactlyRows:
    return ExactlyRows(program_of(year))


@cache
def worked(scene: Scene) -> tuple[list[Records], list[Row | str]]:
    """The plausible claims of a scene, worked out exactly."""
    records = [scene.tenants.plausible(number) for number in range(share())]
    return records, exactly(scene.year).rows(records)


def statute(records: Records, scene: Scene) -> list[Piece]:
    """The claims worked out; the rules' reading is that the 26 weeks put off the deduction and not the loss of a premium."""
    first, last = scene.program.first_day, scene.program.last_day
    lets = lets_of(records, first, last)
    found = [piece for claim in claims_of(records, first, last) for piece in pieces(claim, lets, delay_covers_premium=False)]
    return sorted(found, key=lambda piece: piece.first)


@cache
def by_statute(scene: Scene) -> list[list[Piece]]:
    return [statute(each, scene) for each in worked(scene)[0]]


def by_rules(account: Row, year: int) -> list[Span]:
    """The awards of the year, neighbouring days with one benefit as one."""
    found: list[Span] = []
    for row in account.children["award"]:
        value: Any = row.values
        span = Span(on(value["first_day"]), on(value["last_day"]), value["weekly_award"], value["awarded"])
        if span.last < date(year, 4, 1):
            continue
        if found and found[-1].last + ONE_DAY == span.first and found[-1].a_week == span.a_week:
            span = Span(found[-1].first, span.last, span.a_week, found.pop().pounds + span.pounds)
        found.append(span)
    return found


@cache
def otherwise(scene: Scene) -> tuple[list[str], int, int]:
    """Claims that the statute awards otherwise than the rules, and of the crowded ones how many and how many there are."""
    wrong, apart, close = [], 0, 0
    records, rows = worked(scene)
    for number, (each, top, found) in enumerate(zip(records, rows, by_statute(scene), strict=True)):
        assert isinstance(top, Row), f"claim {number} is refused: {top}"
        expected = [Span(award.first, award.last, award.a_week, award.pounds) for award in awards(found, scene.year)]
        spans, near = by_rules(top, scene.year), crowded(each, scene.program)
        close += near
        if expected != spans and near:
            apart += 1
        elif expected != spans:
            wrong.append(f"claim {number}: statute {expected}, rules {spans}")
        assert spans == [] or top.values["housing_benefit"] == sum(span.pounds for span in spans)
    return wrong, apart, close


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_the_statute_and_the_rules_award_the_same(scene: Scene) -> None:
    wrong, apart, close = otherwise(scene)
    assert wrong[:5] == [], f"{len(wrong)} differ"
    assert apart <= close * CROWDED_APART, f"{apart} of {close} with a change that waits beside another differ"
    assert share() - close > share() / 2, "most claims have no change that waits beside another"


def figures_differ(figures: Figures, row: Row) -> list[str]:
    """Where the figures behind an award differ; means that do not count are not compared, nor what brings nothing at all."""
    assessment = row.sources["assessment"]
    assert assessment is not None
    values: Any = {**assessment.values, **row.values}
    if figures.weekly_award == values["weekly_award"] == 0:
        return []
    left = MEANS if values["nothing_counted"] or values["capital_too_high"] else ()
    names = [name for name in (*OF_AWARD, *OF_ASSESSMENT, "nothing_counted") if name not in left]
    found = [(name, getattr(figures, name), values[name]) for name in names]
    found.append(("scheme", "pension_age" if figures.pension_age else "working_age", values["claim_scheme"]))
    return [f"{name}: statute {one}, rules {other}" for name, one, other in found if one != other]


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_the_figures_behind_every_day_are_the_same(scene: Scene) -> None:
    wrong, seen = [], 0
    begins = date(scene.year, 4, 1)
    for number, (each, top, found) in enumerate(zip(*worked(scene), by_statute(scene), strict=True)):
        if crowded(each, scene.program):
            continue
        assert isinstance(top, Row)
        for piece in found:
            for row in top.children["award"]:
                value: Any = row.values
                if piece.first >= begins and on(value["first_day"]) <= piece.first <= on(value["last_day"]):
                    wrong += [f"claim {number} from {piece.first}: {text}" for text in figures_differ(piece.figures, row)]
                    seen += 1
    assert wrong[:5] == [], f"{len(wrong)} differ"
    assert seen > share()


@pytest.mark.parametrize("year", YEARS)
def test_every_value_of_every_rule_agrees(year: int) -> None:
    exact = exactly(year)
    compiling = compiling_of(year)
    records: list[Records] = []
    rows: list[Row | str] = []
    for scene in (scene for scene in SCENES if scene.year == year):
        some, worked_out = worked(scene)
        numbers = range(0, share(), KERNEL)
        disturbed = [scene.tenants.disturbed(number) for number in numbers]
        records += [some[number] for number in numbers] + disturbed
        rows += [worked_out[number] for number in numbers] + exact.rows(disturbed)
    compiled = compiling.run(records)
    assert differences(exact.columns(rows, compiling.compiled.denominators), compiled) == []
    assert len(compiled.doubt) <= len(records) / 100, "the kernel is seldom in doubt"
    assert 0 < len(compiled.refused) < len(records) / 4, "some disturbed claims are refused, and most are worked out"


@cache
def compiling_of(year: int) -> Any:
    from agreement.both import Compiling

    return Compiling(program_of(year), engine=None if share() > MANY else "python")


def test_every_authored_rule_is_compared() -> None:
    for year in (YEARS[0], YEARS[-1]):
        authored = {Ref(rule.entity, rule.name) for rule in program_of(year).rules if not rule.hidden}
        assert set(exactly(year).columns([], {}).values) == authored


def met(scene: Scene) -> Counter[str]:
    """What the claims of a scene have been through."""
    found: Counter[str] = Counter()
    for each, held in zip(worked(scene)[0], by_statute(scene), strict=True):
        first, last = scene.program.first_day, scene.program.last_day
        things = {f"rules {let.facts.rules}" for let in lets_of(each, first, last)}
        for piece in held:
            figures = piece.figures
            things |= {"pension age" if figures.pension_age else "working age"}
            things |= {"taper"} if figures.excess_income and 0 < figures.weekly_award < figures.maximum_benefit else set()
            things |= {"nothing counted"} if figures.nothing_counted else set()
            things |= {"capital"} if figures.capital_too_high else set()
            things |= {"capped"} if figures.weekly_benefit < figures.benefit_before_cap else set()
            things |= {"deductions"} if figures.non_dependant_deductions and figures.weekly_award else set()
            things |= {"without rent"} if figures.weekly_benefit and not figures.weekly_award else set()
            things |= {"goes on"} if figures.weekly_award > figures.weekly_benefit else set()
            things |= {"less than 50p"} if figures.maximum_benefit > 0 and not figures.benefit_before_cap else set()
        things |= {"change"} if len(held) > 1 else set()
        found.update(things)
    return found


def test_the_claims_have_been_through_everything() -> None:
    found: Counter[str] = Counter()
    for scene in SCENES:
        found += met(scene)
    wanted = {
        "pension age",
        "working age",
        "taper",
        "nothing counted",
        "capital",
        "capped",
        "deductions",
        "without rent",
        "goes on",
        "change",
    }
    wanted |= {
        f"rules {name}" for name in ("social_sector", "local_housing_allowance", "rent_officer", "exempt_accommodation", "before_1989")
    }
    assert {name for name in wanted | {"less than 50p"} if found[name] < share() / 50} == set(), found


def test_a_difference_is_found() -> None:
    scene = SCENES[-1]
    records, rows = worked(scene)
    number = next(number for number, found in enumerate(by_statute(scene)) if any(award.pounds for award in awards(found, scene.year)))
    changed = {name: [dict(row) for row in held] for name, held in records[number].items()}
    for rent in changed["rents"]:
        rent["rent"] = Fraction(rent["rent"] or 0) + 50
        rent["reasonable_rent"] = Fraction(1)
    top = rows[number]
    assert isinstance(top, Row)
    expected = [Span(award.first, award.last, award.a_week, award.pounds) for award in awards(statute(changed, scene), scene.year)]
    assert expected != by_rules(top, scene.year)
