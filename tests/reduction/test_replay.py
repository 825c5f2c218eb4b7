"""A year of a claim, change by change: what was billed before and each adjustment come to what all the facts together give.

Facts are kept twice.  One set is edited as an officer would do it: a record is closed and the next one opened.  The other is made anew
from the state of each day, so that every record is cut wherever anything changed, and on further days where nothing did.
"""

from __future__ import annotations

from copy import deepcopy
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import rbcalc
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.program.graph import Program

COUNCIL, YEAR = "stevenage", "2026-27"
BORN = -9131  # 1 January 1945
LONG_AGO = 18262  # 1 January 2020
MONDAY = 4  # the day 4 after 1 January 1970 was a Monday
Record = dict[str, Any]
Records = dict[str, list[Record]]

WEEKLY = st.integers(0, 50_000).map(lambda pence: Fraction(pence, 100))
KINDS = st.sampled_from(["state_pension", "occupational_pension", "employed_earnings", "attendance_allowance"])


@cache
def program() -> Program:
    return rbcalc.load().council(COUNCIL).program(YEAR)


@cache
def builder() -> Builder:
    return Builder(program())


def worked_out(records: Records) -> Row:
    root = builder().build(records)
    Evaluator(program(), None).run(root, None)
    return root


def by_day(root: Row, entity: str, name: str) -> dict[int, Fraction]:
    """A value of an entity's rows for each day that they cover."""
    found: dict[int, Fraction] = {}
    for row in root.children.get(entity, []):
        found |= dict.fromkeys(range(int(row.values["first_day"]), int(row.values["last_day"]) + 1), row.values[name])
    return found


def figures(root: Row) -> tuple[Any, ...]:
    """What must not depend on how records are cut."""
    totals = [root.values[name] for name in ("charge_total", "council_tax_reduction", "reductions", "bill", "claims")]
    return (*totals, by_day(root, "period", "daily_charge"), by_day(root, "award", "daily_reduction"))


def monday(day: int) -> int:
    return day - (day - MONDAY) % 7


class State:
    """The facts that hold on a day."""

    def __init__(self) -> None:
        self.adults = Fraction(2)
        self.claim: Record | None = None
        self.people: dict[str, Record] = {}
        self.incomes: dict[str, tuple[str, Record]] = {}  # by a name of their own: whose, and what
        self.others: dict[str, Record] = {}


def from_states(states: list[tuple[int, State]], cuts: list[int]) -> Records:
    """Records made anew from the states of all days, each cut wherever anything changed and on the days given."""
    days = sorted({day for day, _ in states} | {day for day in cuts if day > states[0][0]})
    made: Records = {
        "accounts": [{"account": "a", "dwelling": "d", "from": LONG_AGO, "to": None}],
        **{name: [] for name in ("dwellings", "claims", "household", "incomes", "non_dependants")},
    }
    for first, following in pairwise([*days, None]):
        assert first is not None
        span = {"from": first, "to": None if following is None else following - 1}
        state = next(state for day, state in reversed(states) if day <= first)
        made["dwellings"].append({"dwelling": "d", "band": "C", "area": "whole", "recorded_adults": state.adults, **span})
        if state.claim is None:
            continue
        made["claims"].append({**state.claim, "claim": "c", "account": "a", **span})
        made["household"] += [{**facts, "claim": "c", "person": person, **span} for person, facts in state.people.items()]
        made["incomes"] += [{**facts, "person": person, **span} for person, facts in state.incomes.values() if person in state.people]
        made["non_dependants"] += [{**facts, "claim": "c", "non_dependant": name, **span} for name, facts in state.others.items()]
    return made


class Year(RuleBasedStateMachine):
    """An account with a claim, through the year."""

    @initialize(claims=st.booleans(), amount=WEEKLY)
    def begin(self, claims: bool, amount: Fraction) -> None:
        self.first, self.last = program().first_day, program().last_day
        self.day = self.first
        self.names = 0
        self.cuts: list[int] = []
        self.state = State()
        self.known: Records = {
            "accounts": [{"account": "a", "dwelling": "d", "from": LONG_AGO, "to": None}],
            "dwellings": [{"dwelling": "d", "from": LONG_AGO, "to": None, "band": "C", "area": "whole", "recorded_adults": Fraction(2)}],
            **{name: [] for name in ("claims", "household", "incomes", "non_dependants")},
        }
        self.states: list[tuple[int, State]] = []
        self._person("p0", LONG_AGO, "applicant", BORN)
        self._income("p0", LONG_AGO, "state_pension", amount)
        if claims:
            self._claim(LONG_AGO, None)
        self.states.append((LONG_AGO, deepcopy(self.state)))
        self.before = worked_out(self.known)
        self.first_bill = self.billed = self.before.values["bill"]
        self.adjustments: list[Fraction] = []

    # ---- facts as an officer records them
    def _open(self, register: str, day: int, facts: Record) -> None:
        self.known[register].append({**facts, "from": day, "to": None})

    def _close(self, register: str, day: int, **which: Any) -> None:
        for record in self.known[register]:
            if record["to"] is None and all(record.get(name) == value for name, value in which.items()):
                record["to"] = day - 1

    def _person(self, name: str, day: int, role: str, born: int) -> None:
        facts = {"role": role, "born": born}
        self._open("household", day, {**facts, "claim": "c", "person": name})
        self.state.people[name] = facts

    def _income(self, person: str, day: int, kind: str, amount: Fraction) -> None:
        self.names += 1
        facts = {"income_kind": kind, "frequency": "weekly", "amount": amount}
        self._open("incomes", day, {**facts, "person": person, "name": self.names})
        self.state.incomes[str(self.names)] = person, facts

    def _claim(self, day: int, claimed_on: int | None) -> None:
        facts: Record = {"capital": Fraction(5000), "claimed_on": claimed_on}
        self._open("claims", day, {**facts, "claim": "c", "account": "a"})
        self.state.claim = facts

    def _pass(self, days: int) -> int:
        self.day = min(self.day + days, self.last)
        return self.day

    def _changed(self) -> None:
        """Work out the facts known so far, and what is due now less what was billed before."""
        self.states.append((self.day, deepcopy(self.state)))
        now = worked_out(self.known)
        self.adjustments.append(now.values["bill"] - self.billed)
        self.billed = now.values["bill"]
        for entity, name, since in (("period", "daily_charge", self.day), ("award", "daily_reduction", monday(self.day))):
            old, new = by_day(self.before, entity, name), by_day(now, entity, name)
            past = range(self.first, since)
            assert [old.get(day) for day in past] == [new.get(day) for day in past], "a change reaches back"
        self.before = now

    # ---- what happens
    room = precondition(lambda self: self.day < self.last - 1)

    @room
    @rule(days=st.integers(1, 60), kind=KINDS, amount=WEEKLY, data=st.data())
    def an_income_begins_or_changes(self, days: int, kind: str, amount: Fraction, data: st.DataObject) -> None:
        day = self._pass(days)
        if self.state.incomes and data.draw(st.booleans()):
            name = data.draw(st.sampled_from(sorted(self.state.incomes)))
            person, facts = self.state.incomes.pop(name)
            self._close("incomes", day, name=int(name))
            self._income(person, day, facts["income_kind"], amount)
        else:
            self._income(data.draw(st.sampled_from(sorted(self.state.people))), day, kind, amount)
        self._changed()

    @room
    @rule(days=st.integers(1, 60), amount=WEEKLY)
    def a_partner_comes_or_goes(self, days: int, amount: Fraction) -> None:
        day = self._pass(days)
        if "p1" in self.state.people:
            self._close("household", day, person="p1")
            self._close("incomes", day, person="p1")
            del self.state.people["p1"]
            self.state.incomes = {name: held for name, held in self.state.incomes.items() if held[0] != "p1"}
        else:
            self._person("p1", day, "partner", BORN + 400)
            self._income("p1", day, "state_pension", amount)
        self._changed()

    @room
    @rule(days=st.integers(1, 60), income=WEEKLY, works=st.booleans())
    def a_non_dependant_comes_or_goes(self, days: int, income: Fraction, works: bool) -> None:
        day = self._pass(days)
        if self.state.others and not works:
            name = min(self.state.others)
            self._close("non_dependants", day, non_dependant=name)
            del self.state.others[name]
        else:
            self.names += 1
            name = f"n{self.names}"
            facts: Record = {"moved_in": day, "in_work": works, "gross_income": income}
            self._open("non_dependants", day, {**facts, "claim": "c", "non_dependant": name})
            self.state.others[name] = facts
        self._changed()

    @room
    @rule(days=st.integers(1, 60))
    def a_discount_begins_or_ends(self, days: int) -> None:
        day = self._pass(days)
        self.state.adults = Fraction(1) if self.state.adults == 2 else Fraction(2)
        self._close("dwellings", day)
        self._open("dwellings", day, {"dwelling": "d", "band": "C", "area": "whole", "recorded_adults": self.state.adults})
        self._changed()

    @room
    @rule(days=st.integers(1, 60))
    def the_claim_ends_or_another_is_made(self, days: int) -> None:
        day = self._pass(days)
        if self.state.claim is not None:
            self._close("claims", day)
            self.state.claim = None
        else:
            self._claim(day, day)
        self._changed()

    @rule(days=st.integers(0, 364))
    def a_record_is_split(self, days: int) -> None:
        self.cuts.append(self.first + days)

    # ---- what always holds
    @invariant()
    def the_adjustments_come_to_what_all_facts_give(self) -> None:
        anew = worked_out(from_states(self.states, self.cuts))
        assert figures(anew) == figures(self.before)
        assert self.first_bill + sum(self.adjustments, Fraction(0)) == anew.values["bill"]

    @invariant()
    def every_day_of_the_year_is_billed_once(self) -> None:
        assert sum(row.values["days"] for row in self.before.children["period"]) == self.last - self.first + 1
        assert len(by_day(self.before, "award", "days")) == sum(row.values["days"] for row in self.before.children.get("award", []))


Year.TestCase.settings = settings(
    max_examples=10, stateful_step_count=7, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
TestYear = Year.TestCase


def test_a_year_cut_on_every_day_is_the_year() -> None:
    first, last = program().first_day, program().last_day
    state = State()
    state.claim = {"capital": Fraction(5000), "claimed_on": None}
    state.people["p0"] = {"role": "applicant", "born": BORN}
    state.incomes["1"] = "p0", {"income_kind": "state_pension", "frequency": "weekly", "amount": Fraction(271)}
    raised = deepcopy(state)
    raised.incomes["1"] = "p0", {**raised.incomes["1"][1], "amount": Fraction(280)}
    raised.adults = Fraction(1)
    states = [(LONG_AGO, state), (first + 100, raised)]
    whole = worked_out(from_states(states, []))
    daily = worked_out(from_states(states, list(range(first, last + 1))))
    assert len(daily.children["period"]) == last - first + 1
    assert figures(daily) == figures(whole)
