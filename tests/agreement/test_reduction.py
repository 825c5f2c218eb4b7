"""Reductions by the prescribed and the default scheme: the calculation written from the statute, and the two evaluators.

Held against the statute at zero difference: the days of every award, the reduction of each day, the pennies of every
stretch, and the applicable amount, income, excess and deductions behind them.  Every value of every rule is held between
the two evaluators.  50,000 claims, half of them of pension age, or as many as RBCALC_TEST_ACCOUNTS says.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from agreement.accounts import Records
from agreement.both import Compiling, Exactly, differences, refs_of
from agreement.claim_mapping import charges_from, claims_of
from agreement.claims import Claims
from agreement.crowding import crowded
from agreement.mapping import on
from agreement.scenes import Scene, share
from agreement.working_age_claims import WorkingAgeClaims
from independent.council_tax_reduction.award import Figures, awards, pieces
from independent.council_tax_reduction.working_age import Scheme
from rbcalc.rulebook.both import encoded
from rbcalc_kernels.compiled.cutting import CutDates
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Program, Ref

SCENES = [
    Scene("default_scheme", "2013-14", real=False),
    Scene("default_scheme", "2016-17", real=False),
    Scene("default_scheme", "2018-19", real=False),
    Scene("default_scheme", "2021-22", real=False),
    Scene("darlington", "2024-25"),
    Scene("default_scheme", "2026-27", real=False),
]
"""Age 65; the family premium ends on 2 May; a change on 6 December; two rates of the allowance; the two-child limit; and neither."""
BOTH_SCENES = [Scene("north_hertfordshire", "2018-19"), Scene("north_hertfordshire", "2026-27"), SCENES[-1]]
KINDS = {"pension_age": Claims, "working_age": WorkingAgeClaims}
LOCAL = {"darlington": Scheme(share=Fraction(80, 100))}
"""What councils have changed of the default scheme."""
BATCH = 5_000
EXACT = 150
BOTH = 350
ONE_DAY = timedelta(days=1)
CROWDED_APART = Fraction(1, 5000)
"""Of claims with several changes within a fortnight so many may differ: none of those of a usual run, and of many more those that
docs/council_tax_reduction_decisions.md tells of, in which a third change falls on the very day between two others."""
PERIOD = ("annual_amount", "discount", "premium", "exempt_as")
FIGURES = ("applicable_amount", "assessable_income", "excess_income", "non_dependant_deductions", "tariff_income")
MEANS = ("assessable_income", "excess_income", "tariff_income")


class Span(NamedTuple):
    """Days of an award, the reduction for each, and pence for those of them that the row is credited with."""

    first: Any
    last: Any
    a_day: Fraction
    pence: int


@cache
def made(scene: Scene, kind: str) -> Claims:
    return KINDS[kind](scene.program)


def statute(records: Records, scene: Scene, charges: list[Any]) -> list[Any]:
    """The claims worked out; the rules' reading is that the 26 weeks put off the deduction and not the loss of a premium."""
    claims = claims_of(records, scene.program.first_day, scene.program.last_day)
    scheme = LOCAL.get(scene.council, Scheme())
    return [piece for claim in claims for piece in pieces(claim, charges, scheme, delay_covers_premium=False)]


def told(spans: list[Span]) -> list[Span]:
    """Neighbouring days with one reduction as one."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].last + ONE_DAY == span.first and found[-1].a_day == span.a_day:
            span = Span(found[-1].first, span.last, span.a_day, found.pop().pence + span.pence)  # noqa: PLW2901
        found.append(span)
    return found


def by_statute(worked: list[Any]) -> list[Span]:
    return [Span(award.first, award.last, award.a_day, award.pence) for award in awards(worked)]


# ---------------------------------------------------------------- the compiled evaluator


class Awarding:
    """A program compiled for its awards and for what its periods are charged."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.wanted = [Ref("award", "daily_reduction"), Ref("award", "awarded"), *(Ref("period", name) for name in PERIOD)]
        self.cuts = CutDates(program)
        self.compiled = compile_program(program, refs_of(program))  # every value, whose machine code other comparisons have too
        self.types = {Ref(rule.entity, rule.name): rule.type for rule in program.rules}

    def run(self, records: list[Records]) -> list[tuple[list[Span], list[Any]] | None]:
        """For each account its awards and its charges; None where it is refused or in doubt."""
        batch, _ = cut(self.program, encoded(self.program, records), self.cuts)
        results = self.compiled.run(batch)
        found: list[tuple[list[Span], list[Any]] | None] = [None] * len(records)
        rows, charges = self._rows("award", results.entities["award"], results), self.charged(batch, results)
        for place, account in enumerate(batch.kept):
            if not results.fault[place] and not results.doubt[place]:
                spans = [Span(on(first), on(last), a_day, int(100 * pence)) for first, last, a_day, pence in rows.get(place, ())]
                found[int(account)] = told(spans), charges[place]
        return found

    def charged(self, batch: Any, results: Any) -> list[list[Any]]:
        """The charges of each account that was worked out."""
        rows = self._rows("period", batch.entities["period"], results)
        found = []
        for place in range(len(batch.kept)):
            charged = []
            for first, last, annual, discount, premium, exempt in rows.get(place, ()):
                share_ = 1 - discount + premium if exempt == "not_exempt" else Fraction(0)
                charged.append((first, last, annual * share_, annual))
            found.append(charges_from(charged))
        return found

    def _rows(self, entity: str, columns: Any, results: Any) -> dict[int, list[tuple[Any, ...]]]:
        refs = [ref for ref in self.wanted if ref.entity == entity]
        values = [[self._value(ref, code, results) for code in results.columns[ref].tolist()] for ref in refs]
        days = (columns.columns[name].tolist() for name in ("first_day", "last_day"))
        found: dict[int, list[tuple[Any, ...]]] = {}
        for parent, *row in zip(np.asarray(columns.parent).tolist(), *days, *values, strict=True):
            found.setdefault(parent, []).append(tuple(row))
        return found

    def _value(self, ref: Ref, code: int, results: Any) -> Any:
        type_ = self.types[ref]
        return type_.members[int(code)] if isinstance(type_, Choice) else Fraction(int(code), results.denominators.get(ref, 1))


@cache
def awarding(scene: Scene) -> Awarding:
    return Awarding(scene.program)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_the_statute_and_the_rules_award_the_same(scene: Scene, kind: str) -> None:
    program, claims = scene.program, made(scene, kind)
    wrong, apart, close, seen, count = [], 0, 0, 0, share([(scene, kind) for scene in SCENES for kind in KINDS])
    for first in range(0, count, BATCH):
        records = [claims.plausible(number) for number in range(first, min(first + BATCH, count))]
        for number, (each, worked) in enumerate(zip(records, awarding(scene).run(records), strict=True), first):
            if worked is not None:
                spans, charges = worked
                expected, seen = by_statute(statute(each, scene, charges)), seen + 1
                near = crowded(each, program)
                close += near
                if expected != spans and near:
                    apart += 1
                elif expected != spans:
                    wrong.append(f"claim {number}: statute {expected}, rules {spans}")
    assert wrong[:5] == [], f"{len(wrong)} differ"
    assert apart <= close * CROWDED_APART // 1, f"{apart} of {close} with changes close together differ"
    assert seen == count, "no claim is refused or in doubt"
    assert seen - close > count / 10, "enough claims have changes far apart"


# ---------------------------------------------------------------- the exact evaluator


def charges_of(account: Row) -> list[Any]:
    found = []
    for period in account.children["period"]:
        value: Any = period.values
        share_ = 1 - value["discount"] + value["premium"] if value["exempt_as"] == "not_exempt" else Fraction(0)
        found.append((value["first_day"], value["last_day"], value["annual_amount"] * share_, value["annual_amount"]))
    return charges_from(found)


def figures_differ(figures: Figures, row: Row) -> list[str]:
    """Where the figures behind an award differ; means that do not count are not compared."""
    assessment = row.sources["assessment"]
    assert assessment is not None
    values: Any = assessment.values
    left = MEANS if values["nothing_counted"] or values["capital_too_high"] else ()
    left = (*left, "tariff_income") if values["on_savings_credit"] else left
    left = (*left, "applicable_amount") if values["capital_too_high"] and not figures.pensioner else left
    pairs = {name: (getattr(figures, name), values[name]) for name in FIGURES if name not in left}
    pairs["daily_reduction"] = figures.a_day, row.values["daily_reduction"]
    return [f"{name}: statute {one}, rules {other}" for name, (one, other) in pairs.items() if one != other]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_the_figures_behind_every_day_are_the_same(scene: Scene, kind: str) -> None:
    program, claims, exactly = scene.program, made(scene, kind), Exactly(scene.program)
    wrong, seen = [], 0
    for number in range(EXACT):
        records = claims.plausible(number)
        if crowded(records, program):
            continue
        try:
            account = exactly.row(records)
        except CalculationFault:
            continue
        worked, rows = statute(records, scene, charges_of(account)), account.children["award"]
        seen += 1
        for piece in worked:
            for row in rows:
                value: Any = row.values
                if on(value["first_day"]) <= piece.first <= on(value["last_day"]):
                    wrong += [f"claim {number} from {piece.first}: {text}" for text in figures_differ(piece.figures, row)]
    assert wrong[:5] == [], f"{len(wrong)} differ"
    assert seen > EXACT / 20


@pytest.mark.parametrize("scene", [pytest.param(BOTH_SCENES[0], marks=pytest.mark.nightly), *BOTH_SCENES[1:]], ids=str)
def test_every_value_of_every_rule_agrees(scene: Scene) -> None:
    compiling, exactly = Compiling(scene.program), Exactly(scene.program)
    records = [made(scene, kind).plausible(number) for kind in KINDS for number in range(BOTH)]
    compiled = compiling.run(records)
    assert differences(exactly.run(records, compiling.compiled.denominators), compiled) == []
    assert not compiled.doubt
