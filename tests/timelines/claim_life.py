"""The life of a claim, change by change, kept twice: as an officer records it, and as the state of each day.

An officer closes a record and opens the next one.  From the states records can be made anew, each cut wherever anything changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

from rbcalc_kernels.exact.rows import Row

LONG_AGO = 18262  # 1 January 2020
MONDAY = 4  # the day 4 after 1 January 1970 was a Monday
KINDS = ["state_pension", "occupational_pension", "employed_earnings", "attendance_allowance"]
REGISTERS = ("claims", "household", "incomes", "non_dependants")
Record = dict[str, Any]
Records = dict[str, list[Record]]


def monday(day: int) -> int:
    return day - (day - MONDAY) % 7


def by_day(root: Row, entity: str, name: str) -> dict[int, Any]:
    """A value of an entity's rows for each day that they cover."""
    found: dict[int, Any] = {}
    for row in root.children.get(entity, []):
        found |= dict.fromkeys(range(int(row.values["first_day"]), int(row.values["last_day"]) + 1), row.values[name])
    return found


class State:
    """The facts of a claim that hold on a day."""

    def __init__(self) -> None:
        self.claim: Record | None = None
        self.people: dict[str, Record] = {}
        self.incomes: dict[str, tuple[str, Record]] = {}  # by a name of their own: whose, and what
        self.others: dict[str, Record] = {}

    def put(self, made: Records, span: Record) -> None:
        """Add the records of the claim for some days."""
        if self.claim is None:
            return
        made["claims"].append({**self.claim, "claim": "c", "account": "a", **span})
        made["household"] += [{**facts, "claim": "c", "person": person, **span} for person, facts in self.people.items()]
        made["incomes"] += [{**facts, "person": person, **span} for person, facts in self.incomes.values() if person in self.people]
        made["non_dependants"] += [{**facts, "claim": "c", "non_dependant": name, **span} for name, facts in self.others.items()]


def days_of(states: list[tuple[int, Any]], cuts: list[int]) -> list[int]:
    """The days on which records made from states are cut: wherever anything changed, and those given."""
    return sorted({day for day, _ in states} | {day for day in cuts if day > states[0][0]})


def spans(states: list[tuple[int, Any]], days: list[int]) -> Iterator[tuple[Any, Record]]:
    """The state of each stretch between those days, and its first and last day as a record has them."""
    for first, following in pairwise([*days, None]):
        assert first is not None
        state = next(state for day, state in reversed(states) if day <= first)
        yield state, {"from": first, "to": None if following is None else following - 1}


class Officer:
    """Edits the records of a claim, and its state with them."""

    known: Records
    names = 0

    def _open(self, register: str, day: int, facts: Record) -> None:
        self.known[register].append({**facts, "from": day, "to": None})

    def _close(self, register: str, day: int, **which: Any) -> None:
        for record in self.known[register]:
            if record["to"] is None and all(record.get(name) == value for name, value in which.items()):
                record["to"] = day - 1

    def _claim(self, state: State, day: int, claimed_on: int | None, **more: Any) -> None:
        facts: Record = {"capital": Fraction(5000), "claimed_on": claimed_on, **more}
        self._open("claims", day, {**facts, "claim": "c", "account": "a"})
        state.claim = facts

    def _person(self, state: State, name: str, day: int, role: str, born: int) -> None:
        facts = {"role": role, "born": born}
        self._open("household", day, {**facts, "claim": "c", "person": name})
        state.people[name] = facts

    def _income(self, state: State, person: str, day: int, kind: str, amount: Fraction) -> None:
        self.names += 1
        facts = {"income_kind": kind, "frequency": "weekly", "amount": amount}
        self._open("incomes", day, {**facts, "person": person, "name": self.names})
        state.incomes[str(self.names)] = person, facts

    def _income_changes(self, state: State, name: str, day: int, amount: Fraction) -> None:
        person, facts = state.incomes.pop(name)
        self._close("incomes", day, name=int(name))
        self._income(state, person, day, facts["income_kind"], amount)

    def _partner_comes_or_goes(self, state: State, day: int, born: int, kind: str, amount: Fraction) -> None:
        if "p1" in state.people:
            self._close("household", day, person="p1")
            self._close("incomes", day, person="p1")
            del state.people["p1"]
            state.incomes = {name: held for name, held in state.incomes.items() if held[0] != "p1"}
        else:
            self._person(state, "p1", day, "partner", born)
            self._income(state, "p1", day, kind, amount)

    def _non_dependant_comes_or_goes(self, state: State, day: int, income: Fraction, *, works: bool) -> None:
        if state.others and not works:
            name = min(state.others)
            self._close("non_dependants", day, non_dependant=name)
            del state.others[name]
        else:
            self.names += 1
            name = f"n{self.names}"
            facts: Record = {"moved_in": day, "in_work": works, "gross_income": income}
            self._open("non_dependants", day, {**facts, "claim": "c", "non_dependant": name})
            state.others[name] = facts

    def _claim_ends(self, state: State, day: int) -> None:
        self._close("claims", day)
        state.claim = None
