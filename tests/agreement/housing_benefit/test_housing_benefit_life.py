"""A year of a claim for Housing Benefit, change by change, against what all the facts together give.

Facts are kept twice, as in the year of a Council Tax account: once as an officer records them, a record closed and the next one opened;
once made anew from the state of each day, every record cut wherever anything changed and on further days.  Each week is paid by what was
known when it was due, so that a change that is told late brings an overpayment or arrears, which are added up a second time here.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agreement.housing_benefit.scenes import program_of
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.program.graph import Program
from timelines import claim_life
from timelines.claim_life import LONG_AGO, Officer, Record, Records, by_day, days_of, monday, spans

YEAR = 2026
BORN = {"pension_age": -9131, "working_age": 5479}  # 1 January 1945 and 1985
MANY = 150 if settings.get_current_profile_name() == "wide" else 6
MOST_RENTS = 4  # the rules ask for no more changes of the rent in a year than these

WEEKLY = st.integers(0, 25_000).map(lambda pence: Fraction(pence, 100))
RENT = st.integers(10_000, 40_000).map(lambda pence: Fraction(pence, 100))
KINDS = st.sampled_from(claim_life.KINDS)
CLASSES = st.sampled_from(["claimant_error", "authority_error", "departmental_error", "administrative_delay"])
DEBTORS = st.sampled_from([None, "claimant", "partner", "payee"])
LATE = st.sampled_from([0, 10, 45])


@cache
def program() -> Program:
    return program_of(YEAR)


@cache
def builder() -> Builder:
    return Builder(program())


@cache
def evaluator() -> Evaluator:
    return Evaluator(program(), None)


def worked_out(records: Records) -> Row:
    root = builder().build(records)
    evaluator().run(root, None)
    return root


def stretches(days: dict[int, Any]) -> Iterator[tuple[int, int, Any]]:
    """Days that follow each other with one value: the first, the last and the value."""
    held: tuple[int, int, Any] | None = None
    for day, value in sorted(days.items()):
        if held is not None and held[1] == day - 1 and held[2] == value:
            held = held[0], day, value
            continue
        if held is not None:
            yield held
        held = day, day, value
    if held is not None:
        yield held


OF_A_PAYMENT = ("award_for_the_week", "overpaid_for_the_week", "most_recovered", "counts_only_as_offset", "discovery")
TOTALS = ("housing_benefit", "overpayments", "recoverable_overpayments", "arrears_due")


def figures(root: Row) -> tuple[Any, ...]:
    """What must not depend on how records are cut."""
    of_payments = [by_day(root, "week_difference", name) for name in OF_A_PAYMENT]
    return (*(root.values[name] for name in TOTALS), by_day(root, "award", "weekly_award"), *of_payments)


def penny(amount: Fraction) -> Fraction:
    """Rounded to the penny, half a penny up."""
    return Fraction((amount * 100 + Fraction(1, 2)) // 1, 100)


class State(claim_life.State):
    """The facts that hold on a day."""

    def __init__(self) -> None:
        super().__init__()
        self.rent: Record = {}


REGISTERS = ("rents", *claim_life.REGISTERS)
HOME: Records = {"tenancies": [{"account": "a", "from": LONG_AGO, "to": None}]}


def from_states(states: list[tuple[int, State]], cuts: list[int], payments: list[Record]) -> Records:
    """Records made anew from the states of all days, each cut wherever anything changed and on the days given.

    A payment is cut within its first week too.
    """
    days = days_of(states, cuts)
    made: Records = {**HOME, **{name: [] for name in REGISTERS}, "payments": []}
    for state, span in spans(states, days):
        made["rents"].append({**state.rent, "account": "a", **span})
        state.put(made, span)
    for payment in payments:
        inside = sorted(day for day in {*days, payment["from"] + 2, payment["from"] + 5} if payment["from"] < day <= payment["to"])
        for first, following in pairwise([payment["from"], *inside, payment["to"] + 1]):
            made["payments"].append({**payment, "from": first, "to": following - 1})
    return made


class Life(Officer, RuleBasedStateMachine):
    """A home with a claim, through the year."""

    @initialize(age=st.sampled_from(sorted(BORN)), amount=WEEKLY, rent=RENT, rise=WEEKLY, claims=st.booleans())
    def begin(self, age: str, amount: Fraction, rent: Fraction, rise: Fraction, claims: bool) -> None:
        self.first, self.last = program().first_day, program().last_day
        self.day = self.first  # today
        self.names, self.rents = 0, 0
        self.cuts: list[int] = []
        self.payments: list[Record] = []
        self.kept_back: str | None = None
        self.state = State()
        self.known: Records = {**HOME, **{name: [] for name in REGISTERS}, "payments": self.payments}
        self.states: list[tuple[int, State]] = []
        self.age = age
        self._rent(LONG_AGO, rent=rent)
        self._person(self.state, "p0", LONG_AGO, "applicant", BORN[age])
        self._income(self.state, "p0", LONG_AGO, "state_pension" if age == "pension_age" else "employed_earnings", amount)
        if claims:
            self._claim(self.state, LONG_AGO, None, backdated=False)
        self.states.append((LONG_AGO, deepcopy(self.state)))
        self._begin_again()
        if rise:
            # with the new amounts of April
            self.day = changed = monday(self.first + 7)
            self._income_changes(self.state, "1", changed, amount + rise / 10)
            self._changed(changed)

    def _begin_again(self) -> None:
        self.before = worked_out(self.known)

    # ---- facts as an officer records them
    def _rent(self, day: int, **facts: Any) -> None:
        social: Record = {
            "tenure": "registered_provider",
            "rent_rules": "social_sector",
            "rent_frequency": "weekly",
            "bedrooms": Fraction(2),
        }
        self.state.rent = {**social, "rent_free_weeks": Fraction(2), "rent_free": False, **self.state.rent, **facts}
        self._close("rents", day)
        self._open("rents", day, {**self.state.rent, "account": "a"})

    def _pass(self, days: int, late: int = 0) -> int:
        """Today is so many days later; the day of what is told today, which may lie back as far as the change before."""
        self.day = min(self.day + days, self.last)
        self._pay()
        return max(self.day - late, self.states[-1][0] + 1, self.first + 7)

    def _pay(self) -> None:
        """Whole weeks before this one are paid, each by what was known until today."""
        since = max((payment["to"] + 1 for payment in self.payments), default=self.first)
        due = {day: value for day, value in by_day(self.before, "award", "weekly_award").items() if since <= day < monday(self.day)}
        for first, last, value in stretches(due):
            self.payments.append({"account": "a", "from": first, "to": last, "paid": value, "recovered_for": self.kept_back})

    def _changed(self, day: int) -> None:
        """Work out the facts known so far; what counted before the change is as it was."""
        self.states.append((day, deepcopy(self.state)))
        now = worked_out(self.known)
        old, new = by_day(self.before, "award", "weekly_award"), by_day(now, "award", "weekly_award")
        past = range(self.first, monday(day))
        assert [old.get(each) for each in past] == [new.get(each) for each in past], "a change reaches back"
        self.before = now

    # ---- what happens
    room = precondition(lambda self: self.day < self.last - 1)

    @room
    @rule(days=st.integers(1, 60), late=LATE, kind=KINDS, amount=WEEKLY, data=st.data())
    def an_income_begins_or_changes(self, days: int, late: int, kind: str, amount: Fraction, data: st.DataObject) -> None:
        day = self._pass(days, late)
        changes: bool = data.draw(st.booleans())
        if self.state.incomes and changes:
            self._income_changes(self.state, data.draw(st.sampled_from(sorted(self.state.incomes))), day, amount)
        else:
            self._income(self.state, data.draw(st.sampled_from(sorted(self.state.people))), day, kind, amount)
        self._changed(day)

    @precondition(lambda self: self.day < self.last - 1 and self.rents < MOST_RENTS)
    @rule(days=st.integers(1, 60), late=LATE, rent=RENT, bedrooms=st.integers(1, 3), moves=st.booleans())
    def the_rent_changes_or_the_claimant_moves(self, days: int, late: int, rent: Fraction, bedrooms: int, moves: bool) -> None:
        self.rents += 1
        day = self._pass(days, late)
        self._rent(day, rent=rent, **({"bedrooms": Fraction(bedrooms), "moved_in_on": day} if moves else {}))
        self._changed(day)

    @room
    @rule(days=st.integers(1, 60))
    def weeks_without_rent_begin_or_end(self, days: int) -> None:
        self._pass(days)
        day = monday(self.day + 6)
        if self.states[-1][0] < day < self.last:
            self.day = day
            self._rent(day, rent_free=not self.state.rent["rent_free"])
            self._changed(day)

    @room
    @rule(days=st.integers(1, 60), late=LATE, amount=WEEKLY)
    def a_partner_comes_or_goes(self, days: int, late: int, amount: Fraction) -> None:
        day = self._pass(days, late)
        self._partner_comes_or_goes(self.state, day, BORN[self.age] + 400, "occupational_pension", amount)
        self._changed(day)

    @room
    @rule(days=st.integers(1, 60), late=LATE, income=WEEKLY, works=st.booleans())
    def a_non_dependant_comes_or_goes(self, days: int, late: int, income: Fraction, works: bool) -> None:
        day = self._pass(days, late)
        self._non_dependant_comes_or_goes(self.state, day, income, works=works)
        self._changed(day)

    @room
    @rule(days=st.integers(1, 60), back=LATE)
    def the_claim_ends_or_another_is_made(self, days: int, back: int) -> None:
        day = self._pass(days, back)
        if self.state.claim is not None:
            self._claim_ends(self.state, day)
        else:
            self._claim(self.state, day, day, backdated=day < self.day)
        self._changed(day)

    @room
    @rule(days=st.integers(1, 30), why=CLASSES, offset=st.booleans(), debtor=DEBTORS)
    def an_overpayment_is_recorded(self, days: int, why: str, offset: bool, debtor: str | None) -> None:
        self._pass(days)
        for payment in self.payments:
            payment.setdefault("overpayment_class", why)
            payment.setdefault("discovered_on", self.day)
            payment.setdefault("offset_only", offset)
            payment.setdefault("overpayment_recoverable_from", debtor)
        self._begin_again()

    @rule(why=st.sampled_from([None, "ordinary", "fraud"]))
    def something_is_kept_back_from_now_on(self, why: str | None) -> None:
        self.kept_back = why

    @rule(days=st.lists(st.integers(0, 364), min_size=1, max_size=12))
    def records_are_split(self, days: list[int]) -> None:
        self.cuts += [self.first + day for day in days]

    # ---- what always holds
    @invariant()
    def the_year_is_what_all_facts_give(self) -> None:
        self._begin_again()
        assert figures(worked_out(from_states(self.states, self.cuts, self.payments))) == figures(self.before)

    @invariant()
    def the_benefit_is_what_was_paid_less_overpayments_with_arrears(self) -> None:
        """Each stretch of one difference is rounded once; what is due only against an overpayment lessens it and is never paid.

        It lessens none that is recoverable from somebody else than the claimant and the partner.
        """
        row = self.before
        award = by_day(row, "award", "weekly_award")
        year = int(self.first + 2)  # 1 April 2026 was a Wednesday
        paid = {day: payment for payment in self.payments for day in range(payment["from"], payment["to"] + 1)}
        counted = {day: payment["paid"] - award.get(day, 0) for day, payment in paid.items() if day >= year}
        offset = {day: bool(paid[day].get("offset_only")) for day in counted}
        theirs = {day: offset[day] and paid[day].get("overpayment_recoverable_from") != "payee" for day in counted}
        over = arrears = over_in_period = due_in_period = Fraction(0)
        for first, last, (difference, only, lessened) in stretches({day: (counted[day], offset[day], theirs[day]) for day in counted}):
            amount = penny(abs(difference) * (last - first + 1) / 7)
            if lessened and difference > 0:
                over_in_period += amount
            elif difference > 0:
                over += amount
            elif only:
                due_in_period += amount
            else:
                arrears += amount
        over += max(over_in_period - due_in_period, Fraction(0))
        assert row.values["overpayments"] == over
        assert row.values["arrears_due"] == arrears


Life.TestCase.settings = settings(
    max_examples=MANY,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestLife = Life.TestCase
