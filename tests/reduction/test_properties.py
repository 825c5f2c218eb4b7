"""What must hold for every claim: of pension age, under a taper, and under a grid of income bands.

More income gives more reduction only where the schemes themselves have such an edge.  All of them are listed in EDGES, each with
claims that show it.  Facts that are equal go on where a record is divided; only where something else changes within a fortnight
may the parts count as changes of their own, because of the rules for several changes in one week.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest

from agreement.accounts import Record, Records
from agreement.both import refs_of
from agreement.claims import Claims
from agreement.crowding import crowded
from agreement.scenes import Scene
from agreement.working_age_claims import WorkingAgeClaims
from rbcalc.rulebook.both import encoded
from rbcalc_kernels.compiled.cutting import CutDates
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Program, Ref

CLAIMS = 1_000
IN_DAYS = 25
CROWDED_APART = 0.01
REGISTERS = ("claims", "household", "incomes", "non_dependants")
COUPLE = ("applicant", "partner")
WANTED = [
    Ref("account", "charge_total"),
    Ref("account", "council_tax_reduction"),
    Ref("period", "net_annual_charge"),
    Ref("assessment", "claim_scheme"),
    Ref("assessment", "additional_disregard"),
    Ref("assessment", "special_earnings"),
    Ref("award", "daily_reduction"),
    Ref("award", "awarded"),
]


@dataclass(frozen=True)
class Case:
    """Claims of a kind, and the council whose scheme they fall under."""

    name: str
    scene: Scene
    kind: type[Claims]

    def __str__(self) -> str:
        return self.name

    @property
    def program(self) -> Program:
        return self.scene.program


PENSION_AGE = Case("pension_age", Scene("east_hertfordshire", "2026-27"), Claims)
TAPER = Case("taper", Scene("east_hertfordshire", "2026-27"), WorkingAgeClaims)
GRID = Case("grid", Scene("north_hertfordshire", "2026-27"), WorkingAgeClaims)
CASES = [PENSION_AGE, TAPER, GRID]


class Row(NamedTuple):
    """A row of an entity: its days, and the values that were asked for."""

    first: int
    last: int
    values: dict[str, Any]


class Worked:
    """Accounts worked out: for each account and entity its rows.  None of them may be refused or be in doubt."""

    def __init__(self, program: Program, records: Sequence[Records], *, kernel: tuple[CutDates, Any]) -> None:
        cuts, compiled = kernel
        batch, rejected = cut(program, encoded(program, records), cuts)
        results = compiled.run(batch)
        assert len(rejected.root) == 0
        assert not np.asarray(results.fault).any()
        assert not np.asarray(results.doubt).any()
        types = {Ref(rule.entity, rule.name): rule.type for rule in program.rules}
        entities = {**batch.entities, **results.entities}
        self.rows: dict[str, list[list[Row]]] = {}
        for entity in {ref.entity for ref in WANTED}:
            refs = [ref for ref in WANTED if ref.entity == entity]
            columns = [self._values(types[ref], results.columns[ref].tolist(), results.denominators.get(ref, 1)) for ref in refs]
            count = len(records)
            if entity == "account":
                parents, days = list(range(count)), [[program.first_day] * count, [program.last_day] * count]
            else:
                held = entities[entity]
                parents = np.asarray(held.parent).tolist()
                days = [held.columns[name].tolist() for name in ("first_day", "last_day")]
            found: list[list[Row]] = [[] for _ in range(count)]
            for parent, first, last, *values in zip(parents, *days, *columns, strict=True):
                found[parent].append(Row(first, last, {ref.name: value for ref, value in zip(refs, values, strict=True)}))
            self.rows[entity] = found

    @staticmethod
    def _values(type_: Any, codes: Sequence[int], denominator: int) -> list[Any]:
        if isinstance(type_, Choice):
            return [type_.members[int(code)] for code in codes]
        return [Fraction(int(code), denominator) for code in codes]

    def account(self, number: int, name: str) -> Any:
        return self.rows["account"][number][0].values[name]

    def days(self, number: int) -> list[tuple[int, int, Fraction]]:
        """From a first to a last day one reduction a day, neighbouring days with the same one together."""
        found: list[tuple[int, int, Fraction]] = []
        for row in self.rows["award"][number]:
            first, a_day = row.first, row.values["daily_reduction"]
            if found and found[-1][1] + 1 == first and found[-1][2] == a_day:
                first = found.pop()[0]
            found.append((first, row.last, a_day))
        return found


@cache
def _kernel(scene: Scene) -> tuple[CutDates, Any]:
    return CutDates(scene.program), compile_program(scene.program, refs_of(scene.program))  # whose machine code other comparisons have too


def worked(case: Case, records: Sequence[Records]) -> Worked:
    return Worked(case.program, records, kernel=_kernel(case.scene))


@cache
def made(case: Case) -> list[Records]:
    claims = case.kind(case.program, "properties")
    return [claims.plausible(number) for number in range(CLAIMS)]


def holds(rows: Sequence[Record], day: int) -> bool:
    """Whether one of the records is in force."""
    return any(int(row["from"] or 0) <= day and (row["to"] is None or day <= int(row["to"])) for row in rows)


def still(records: Records) -> Records:
    """The claim with the facts of its first day throughout, in payment before the year."""
    begins = min(int(row["from"] or 0) for row in records["claims"])
    found: Records = dict(records)
    for name in REGISTERS:
        found[name] = [{**row, "to": None} for row in records.get(name, ()) if holds([row], begins)]
    found["claims"] = [{**row, "claimed_on": None, "liable_since": None} for row in found["claims"]]
    return found


# ---------------------------------------------------------------- more income


EDGES = {
    "hours of work": "Earnings reach the sum at which £17.10 more is left out of them (SI 2012/2885 Sch. 4 para. 10, SI 2012/2886 Sch. 7)",
    "special occupation": "The first penny from such an occupation brings £20 for all the couple's earnings (SI 2012/2885 Sch. 4 para. 3)",
}
"""Where a scheme gives more for more income.

With the savings credit alone the pension service's figure is the income: there that figure is raised, and not the recorded earnings,
which the figure holds already.
"""
OF_SCHEME = {"pension_age": set(EDGES), "taper": {"hours of work"}, "grid": set()}


def raisable(records: Records) -> list[tuple[str, int, str]]:
    """Which amounts of income may rise: register, place and column."""
    credit = {str(row.get("passport")) for row in records["household"]}
    if "savings_credit" in credit and "guarantee_credit" not in credit:
        return [("claims", 0, "assessed_income")]
    universal = [("claims", 0, f"universal_credit_{name}") for name in ("award", "earnings", "other_income")]
    if records["claims"][0].get("universal_credit_award") is not None:
        return universal
    found = [("incomes", place, "amount") for place in range(len(records.get("incomes", ())))]
    others = enumerate(records.get("non_dependants", ()))
    return found + [("non_dependants", place, "gross_income") for place, row in others if row.get("gross_income") is not None]


def with_amount(records: Records, where: tuple[str, int, str], amount: Fraction) -> Records:
    register, place, name = where
    rows = list(records[register])
    rows[place] = {**rows[place], name: amount}
    return {**records, register: rows}


def edge_between(low: Worked, high: Worked, number: int) -> str | None:
    """The edge that lies between the lower and the higher income."""
    for one, other in zip(low.rows["assessment"][number], high.rows["assessment"][number], strict=True):
        if one.values["additional_disregard"] < other.values["additional_disregard"]:
            return "hours of work"
        if one.values["claim_scheme"] == "pension_age" and not one.values["special_earnings"] and other.values["special_earnings"]:
            return "special occupation"
    return None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_more_income_never_gives_more_reduction_but_at_edges_of_the_scheme(case: Case) -> None:
    chance, pairs = Random(f"income/{case}"), []
    for records in map(still, made(case)):
        places = raisable(records)
        if places:
            where = chance.choice(places)
            amount = Fraction(records[where[0]][where[1]][where[2]] or 0)
            more = Fraction(chance.choice((1, 1, 100, 1_710, 5_000, 50_000)), 100)
            less = Fraction(0) if chance.random() < 0.3 else amount
            pairs.append((with_amount(records, where, less), with_amount(records, where, amount + more), where))
    low, high = worked(case, [lower for lower, _, _ in pairs]), worked(case, [higher for _, higher, _ in pairs])
    fell, met, wrong = 0, Counter[str](), []
    for number, (_, _, where) in enumerate(pairs):
        before, after = low.rows["award"][number], high.rows["award"][number]
        assert [row[:2] for row in before] == [row[:2] for row in after]
        changes = [other.values["daily_reduction"] - one.values["daily_reduction"] for one, other in zip(before, after, strict=True)]
        fell += any(change < 0 for change in changes)
        if any(change > 0 for change in changes):
            edge = edge_between(low, high, number)
            met[edge or "none"] += 1
            if edge is None:
                wrong.append((number, where, max(changes)))
    assert wrong == []
    assert set(met) <= OF_SCHEME[case.name]
    assert fell > len(pairs) / 10, "income counts"


def one_claim(case: Case, *people: Record, pension: Fraction) -> Records:
    """A year's claim of people with their earnings, of whom the first also has a pension."""
    days: Record = {"from": case.program.first_day, "to": None}
    born = -9_131 if case is PENSION_AGE else 5_479  # in 1945 or in 1985
    found: Records = {
        "accounts": [{"account": "a", "dwelling": "d", **days}],
        "dwellings": [{"dwelling": "d", "band": "D", "area": case.program.lists["area"].members[0], "occupation": "main_home", **days}],
        "people": [{"dwelling": "d", "birth_date": born, **days} for _ in people],
        "claims": [{"account": "a", "claim": "k", "capital": Fraction(0), **days}],
        "household": [],
        "incomes": [{"person": "p0", "income_kind": "occupational_pension", "frequency": "weekly", "amount": pension, **days}],
        "non_dependants": [],
    }
    for place, (role, facts) in enumerate(zip(COUPLE, people, strict=False)):
        said = {name: value for name, value in facts.items() if name != "earned"}
        earned = {"income_kind": "employed_earnings", "frequency": "weekly", "amount": facts["earned"]}
        found["household"].append({"claim": "k", "person": f"p{place}", "role": role, "born": born, "cared_for": False, **said, **days})
        found["incomes"].append({"person": f"p{place}", **earned, **days})
    return found


@pytest.mark.parametrize(
    ("edge", "case", "pension", "people", "left_out"),
    [
        ("hours of work", PENSION_AGE, 300, ({"weekly_work": Fraction(30), "earned": Fraction("22.09")},), "17.10"),
        ("hours of work", TAPER, 150, ({"weekly_work": Fraction(30), "earned": Fraction("22.09")},), "17.10"),
        (
            "special occupation",
            PENSION_AGE,
            400,
            ({"earned": Fraction(100)}, {"special_occupation": True, "earned": Fraction(0)}),
            "10.00",
        ),
    ],
)
def test_the_edges_are_there(edge: str, case: Case, pension: int, people: tuple[Record, ...], left_out: str) -> None:
    more = (*people[:-1], {**people[-1], "earned": Fraction(people[-1]["earned"] or 0) + Fraction(1, 100)})
    both = [one_claim(case, *chosen, pension=Fraction(pension)) for chosen in (people, more)]
    found = worked(case, both)
    low, high = (found.days(number)[0][2] for number in range(2))
    assert 0 < low < high
    # Of the penny and of what is left out for it a fifth counts for a week, a seventh of that for a day.
    assert high - low == (Fraction(left_out) - Fraction(1, 100)) / 35
    alone = [worked(case, [each]) for each in both]
    assert edge_between(alone[0], alone[1], 0) == edge


# ---------------------------------------------------------------- bounds, days and money


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_reduction_is_above_the_liability(case: Case) -> None:
    records, program = made(case), case.program
    found, year = worked(case, records), program.last_day - program.first_day + 1
    some, whole = 0, 0
    for number in range(len(records)):
        assert 0 <= found.account(number, "council_tax_reduction") <= found.account(number, "charge_total")
        for award in found.rows["award"][number]:
            periods = [row for row in found.rows["period"][number] if row.first <= award.last and award.first <= row.last]
            charges = {row.values["net_annual_charge"] / year for row in periods}
            assert len(charges) == 1, "an award is cut where the charge changes"
            charge = charges.pop()
            assert 0 <= award.values["daily_reduction"] <= charge
            some, whole = some + (0 < award.values["daily_reduction"] < charge), whole + (award.values["daily_reduction"] == charge > 0)
    assert some > CLAIMS / 10
    assert whole > 0 or case is TAPER, "East Hertfordshire meets 91.5 per cent. at most"


def half_up(amount: Fraction) -> int:
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_days_add_up_to_the_year(case: Case) -> None:
    records, program = list(map(still, made(case))), case.program
    found, whole = worked(case, records), 0
    for number in range(len(records)):
        stretches = found.days(number)
        pence = sum(half_up(100 * a_day * (last - first + 1)) for first, last, a_day in stretches)
        assert 100 * found.account(number, "council_tax_reduction") == pence
        if len(stretches) == 1 and stretches[0][:2] == (program.first_day, program.last_day):
            yearly = stretches[0][2] * (program.last_day - program.first_day + 1)
            assert 100 * found.account(number, "council_tax_reduction") == half_up(100 * yearly)
            whole += 1
    assert whole > CLAIMS / 10


# ---------------------------------------------------------------- a couple's order


def swapped(records: Records) -> Records:
    """The same couple with the other one as the applicant."""
    roles = dict(zip(COUPLE, reversed(COUPLE), strict=True))
    rows = [{**row, "role": roles.get(str(row["role"]), row["role"])} for row in records["household"]]
    return {**records, "household": rows}


def order_counts(case: Case, records: Records) -> bool:
    """Whether the law itself asks which of a couple applies; facts of any day are looked at."""
    adults = [row for row in records["household"] if row["role"] in COUPLE]
    old = [int(row["born"] or 0) < -365 * 10 for row in adults]  # born before 1960, so of pension age in 2026-27
    if len(set(old)) > 1:  # SI 2012/2885 reg. 3: the applicant's age decides which scheme it is
        return True
    if case is GRID:
        return False
    # SI 2012/2885 Sch. 2 para. 6(3): a blind partner without a benefit for care is left out; an applicant is not.
    if any(row.get("blind") for row in adults):
        return True
    # SI 2006/213 Sch. 3 paras. 12(b), 13(9) and 15(1)(a) and the components: the applicant's sickness and allowance.
    return case is TAPER and any(row.get("esa_component") or row.get("long_term_sick") for row in adults)


def couple_throughout(records: Records) -> bool:
    """Whether there is a partner on all the days of the claim."""
    partners = [row for row in records["household"] if row["role"] == "partner"]
    days = {int(row["from"] or 0) for row in [*records["claims"], *partners]}
    days |= {int(row["to"]) + 1 for row in partners if row["to"] is not None}
    claimed = {day for day in days if holds(records["claims"], day)}
    return all(holds(partners, day) for day in claimed)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_order_of_a_couple_does_not_matter(case: Case) -> None:
    chosen = [records for records in made(case) if couple_throughout(records) and not order_counts(case, records)]
    assert len(chosen) > CLAIMS / 20
    before, after = worked(case, chosen), worked(case, [swapped(records) for records in chosen])
    assert [n for n in range(len(chosen)) if before.days(n) != after.days(n)] == []
    reduced = [before.account(number, "council_tax_reduction") > 0 for number in range(len(chosen))]
    assert sum(reduced) > len(chosen) / 10


# ---------------------------------------------------------------- records that are divided


def divided(row: Record, program: Program, chance: Random) -> list[Record]:
    """A record as two that say the same."""
    begins = max(int(row["from"] or 0), program.first_day)
    ends = program.last_day if row["to"] is None else min(int(row["to"]), program.last_day)
    if ends <= begins or chance.random() < 0.5:
        return [row]
    day = chance.randint(begins, ends - 1)
    return [{**row, "to": day}, {**row, "from": day + 1}]


def in_days(row: Record, program: Program) -> list[Record]:
    """A record as one for each day of the year."""
    begins = max(int(row["from"] or 0), program.first_day)
    ends = program.last_day if row["to"] is None else min(int(row["to"]), program.last_day)
    return [
        {**row, "from": row["from"] if day == begins else day, "to": row["to"] if day == ends else day} for day in range(begins, ends + 1)
    ]


def each_divided(records: Records, how: Callable[[Record], list[Record]]) -> Records:
    found: Records = dict(records)
    for name in REGISTERS:
        found[name] = [part for row in records.get(name, ()) for part in how(row)]
    return found


def same_reductions(case: Case, before: Sequence[Records], after: Sequence[Records]) -> list[int]:
    """The accounts whose reductions differ."""
    one, other = worked(case, before), worked(case, after)
    return [
        number
        for number in range(len(before))
        if one.days(number) != other.days(number)
        or one.account(number, "council_tax_reduction") != other.account(number, "council_tax_reduction")
    ]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_dividing_a_record_in_which_nothing_changes_changes_nothing(case: Case) -> None:
    chance, records = Random(f"divided/{case}"), made(case)
    parts = [each_divided(each, lambda row: divided(row, case.program, chance)) for each in records]
    assert sum(len(each["claims"]) for each in parts) > 1.2 * sum(len(each["claims"]) for each in records)
    apart = same_reductions(case, records, parts)
    near = [crowded(each, case.program) for each in records]
    assert [number for number in apart if not near[number]] == []
    assert len(apart) <= sum(near) * CROWDED_APART
    assert sum(near) < 0.9 * len(near), "enough claims have changes far apart"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_year_of_days_equals_the_year(case: Case) -> None:
    records = [still(each) for each in made(case)[:IN_DAYS]]
    days = [each_divided(each, lambda row: in_days(row, case.program)) for each in records]
    assert same_reductions(case, records, days) == []
