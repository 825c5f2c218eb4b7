"""A year of a claim, change by change: what was billed before and each adjustment come to what all the facts together give.

Facts are kept twice.  One set is edited as an officer would do it: a record is closed and the next one opened.  The other is made anew
from the state of each day, so that every record is cut wherever anything changed, and on further days where nothing did.
"""

from __future__ import annotations

from copy import deepcopy
from fractions import Fraction
from functools import cache
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import rbcalc
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.program.graph import Program
from timelines import claim_life
from timelines.claim_life import LONG_AGO, REGISTERS, Officer, Records, by_day, days_of, monday, spans

COUNCIL, YEAR = "stevenage", "2026-27"
BORN = -9131  # 1 January 1945

WEEKLY = st.integers(0, 50_000).map(lambda pence: Fraction(pence, 100))
KINDS = st.sampled_from(claim_life.KINDS)


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


def figures(root: Row) -> tuple[Any, ...]:
    """What must not depend on how records are cut."""
    totals = [root.values[name] for name in ("charge_total", "council_tax_reduction", "reductions", "bill", "claims")]
    return (*totals, by_day(root, "period", "daily_charge"), by_day(root, "award", "daily_reduction"))


class State(claim_life.State):
    """The facts that hold on a day."""

    def __init__(self) -> None:
        super().__init__()
        self.adults = Fraction(2)


def from_states(states: list[tuple[int, State]], cuts: list[int]) -> Records:
    """Records made anew from the states of all days, each cut wherever anything changed and on the days given."""
    made: Records = {
        "accounts": [{"account": "a", "dwelling": "d", "from": LONG_AGO, "to": None}],
        **{name: [] for name in ("dwellings", *REGISTERS)},
    }
    for state, span in spans(states, days_of(states, cuts)):
        made["dwellings"].append({"dwelling": "d", "band": "C", "area": "whole", "recorded_adults": state.adults, **span})
        state.put(made, span)
    return made


class Year(Officer, RuleBasedStateMachine):
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
            **{name: [] for name in REGISTERS},
        }
        self.states: list[tuple[int, State]] = []
        self._person(self.state, "p0", LONG_AGO, "applicant", BORN)
        self._income(self.state, "p0", LONG_AGO, "state_pension", amount)
        if claims:
            self._claim(self.state, LONG_AGO, None)
        self.states.append((LONG_AGO, deepcopy(self.state)))
        self.before = worked_out(self.known)
        self.first_bill = self.billed = self.before.values["bill"]
        self.adjustments: list[Fraction] = []

    # ---- what was billed
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
            self._income_changes(self.state, data.draw(st.sampled_from(sorted(self.state.incomes))), day, amount)
        else:
            self._income(self.state, data.draw(st.sampled_from(sorted(self.state.people))), day, kind, amount)
        self._changed()

    @room
    @rule(days=st.integers(1, 60), amount=WEEKLY)
    def a_partner_comes_or_goes(self, days: int, amount: Fraction) -> None:
        day = self._pass(days)
        self._partner_comes_or_goes(self.state, day, BORN + 400, "state_pension", amount)
        self._changed()

    @room
    @rule(days=st.integers(1, 60), income=WEEKLY, works=st.booleans())
    def a_non_dependant_comes_or_goes(self, days: int, income: Fraction, works: bool) -> None:
        day = self._pass(days)
        self._non_dependant_comes_or_goes(self.state, day, income, works=works)
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
            self._claim_ends(self.state, day)
        else:
            self._claim(self.state, day, day)
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
