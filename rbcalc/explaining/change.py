"""Why a figure changed between two days, years or sets of rules: the difference, divided by cause.

The account is worked with the first state of everything, then with one group of causes after another exchanged for the
second state, in the order of `CAUSES`.  What each exchange adds is that cause's part, so that the parts add up exactly.
Another order would divide a difference otherwise where causes act on each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

from rbcalc._show import amount
from rbcalc._years import shown
from rbcalc.errors import UsageError
from rbcalc.explaining.explain import worked_out
from rbcalc.explaining.joining import spanned
from rbcalc.explaining.strands import strands, which
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.language.types import Number
from rbcalc_kernels.program.graph import Node, Op, Parameter, Period, Program, Ref, Rule, Table, Value
from rbcalc_kernels.program.names import YEAR_PARAMETERS

CAUSES: Final = (
    "The charge",
    "The household and other facts",
    "Income and capital",
    "Uprating of the scheme's amounts",
    "The days themselves (ages, waiting times, days in the year)",
    "The rules",
)
REST: Final = "What went before (when changes count)"
Records = Mapping[str, list[dict[str, Value | None]]]


@dataclass(frozen=True, slots=True)
class Change:
    """A figure on two days and the parts of the difference; `order` names the causes in the order of their exchange."""

    title: str
    unit: str
    before: tuple[str, str]
    after: tuple[str, str]
    difference: Fraction
    parts: tuple[tuple[str, Fraction, str], ...]
    order: tuple[str, ...]
    together: str = ""


@dataclass(frozen=True, slots=True)
class _State:
    """An account on a day: the derived row in force, and the rows that it reads."""

    program: Program
    root: Row
    day: int
    row: Row | None
    paid: Rule

    @property
    def value(self) -> Fraction:
        found = self.row.values[self.paid.name] if self.row is not None else Fraction(0)
        return Fraction(found or 0)


def explain_change(before: tuple[Program, Records, int], after: tuple[Program, Records, int]) -> Change:
    """The change between two states, each a program, an account's records and a day.

    Raises DataError when an account cannot be worked out, UsageError when there is no figure to compare.
    """
    first, second = (_state(*given) for given in (before, after))
    title, type_ = second.paid.title, second.paid.type
    difference = second.value - first.value
    if first.row is None or second.row is None:
        which = "There was none before" if first.row is None else "It has ended"
        parts = [(which, difference)] if difference else []
    else:
        parts = list(_parts(first, second, difference))
    told = tuple((cause, part, signed(part, type_)) for cause, part in parts if part)
    old, new = ((shown(state.day), amount(state.value, type_)) for state in (first, second))
    return Change(title, str(type_), old, new, difference, told, CAUSES, signed(difference, type_))


def signed(part: Fraction, type_: Any) -> str:
    """A part with its sign, as it is printed."""
    return f"{'+' if part > 0 else '−'}{amount(abs(part), type_)}"  # noqa: RUF001 - as it is printed


def _state(program: Program, records: Records, day: int) -> _State:
    paid = next(
        (
            program.rule(ref.entity, ref.name)
            for ref in program.outputs
            if program.entities[ref.entity].derived and _per_time(program.rule(ref.entity, ref.name))
        ),
        None,
    )
    if paid is None:
        raise UsageError("RC046", "there is no figure whose change could be explained", hint="the rules in use award nothing")
    if not program.first_day <= day <= program.last_day:
        days = f"{shown(program.first_day)} to {shown(program.last_day)}"
        raise UsageError("RC046", f"{shown(day)} lies outside the year", hint=f"its days are {days}; --against YEAR compares two years")
    if found := strands(program, records, day):
        raise which(program, found)
    root, _, _ = worked_out(program, records, "")
    row = next((row for row in root.walk() if row.entity == paid.entity and spanned(row)[0] <= day <= spanned(row)[1]), None)
    return _State(program, root, day, row, paid)


def _per_time(rule: Rule) -> bool:
    return isinstance(rule.type, Number) and rule.type.is_money and "/" in rule.type.unit


def _parts(first: _State, second: _State, difference: Fraction) -> Iterator[tuple[str, Fraction]]:
    value = _Trial([first] * 6).value()
    waiting: list[str] = []
    spent = Fraction(0)
    for place, cause in enumerate(CAUSES, 1):
        waiting.append(cause)
        now = _Trial([second] * place + [first] * (len(CAUSES) - place)).value()
        if now is None:
            continue  # cannot be worked with this alone: it counts together with the next
        if value is None:
            value, waiting = now, []
            continue
        part = now - value
        yield " and ".join(waiting), part
        spent += part
        value, waiting = now, []
    yield REST, difference - spent


class _Trial:
    """An account with each cause in one of two states."""

    def __init__(self, states: list[_State]) -> None:
        self.charge, self.household, self.income, self.figures, self.time, self.rules = states
        self.program = self._program()

    def value(self) -> Fraction | None:
        """The figure; None where the mixture cannot be worked out."""
        root = self._root()
        try:
            Evaluator(self.program, [Ref(self.rules.paid.entity, self.rules.paid.name)]).run(root)
        except (CalculationFault, KeyError):
            return None
        day = self.time.day
        rows = [row for row in root.walk() if row.entity == self.rules.paid.entity and spanned(row)[0] <= day <= spanned(row)[1]]
        return Fraction(rows[0].values[self.rules.paid.name] or 0) if rows else None

    # ------------------------------------------------------------------------------------------------------ figures
    def _program(self) -> Program:
        program = self.rules.program
        sides = _Sides(program)
        parameters = {name: self._parameter(found, sides) for name, found in program.parameters.items()}
        tables = {name: self._table(found, sides) for name, found in program.tables.items()}
        days = [self.time.day, self.charge.day, program.first_day, program.last_day]
        return replace(program, parameters=parameters, tables=tables, periods=(Period(min(days), max(days)),))

    def _from(self, name: str, sides: _Sides) -> _State:
        if name in YEAR_PARAMETERS:
            return self.time
        return self.charge if name in sides.charge else self.figures

    def _parameter(self, own: Parameter, sides: _Sides) -> Parameter:
        state = self._from(own.name, sides)
        found = state.program.parameters.get(own.name)
        swaps = found is not None and found.type == own.type and (isinstance(own.type, Number) or own.name in YEAR_PARAMETERS)
        used, of = (found, state) if swaps and found is not None else (own, self.rules)
        return replace(own, history=used.history, by_period=(used.by_period[_period(of, own.name in sides.claim)],))

    def _table(self, own: Table, sides: _Sides) -> Table:
        state = self._from(own.name, sides)
        found = state.program.tables.get(own.name)
        same = found is not None and (found.type, found.axes, found.bands) == (own.type, own.axes, own.bands)
        used, of = (found, state) if same and found is not None and isinstance(own.type, Number) else (own, self.rules)
        return replace(own, by_period=(used.by_period[_period(of, own.name in sides.claim)],))

    # --------------------------------------------------------------------------------------------------------- rows
    def _root(self) -> Row:
        root = Row(self.charge.root.entity, self._facts(self.charge.root))
        for timeline in self.program.entities[self.rules.paid.entity].derived:
            charged, people, money = (
                state.row.sources.get(timeline.entity) if state.row is not None else None
                for state in (self.charge, self.household, self.income)
            )
            if self.program.entities[timeline.entity].gaps:
                if people is not None and money is not None:
                    root.children[timeline.entity] = [_placed(self._claim(people, money, root), self._days())]
            elif charged is not None:
                root.children[timeline.entity] = [_placed(self._copy(charged, root), days) for days in self._around()]
        return root

    def _days(self) -> tuple[int, int]:
        """The days of the claim's facts, with the day that is looked at among them."""
        row = self.household.row
        assert row is not None
        spans = [spanned(source) for name, source in row.sources.items() if source is not None and self.program.entities[name].gaps]
        days = [day for span in spans for day in span]
        return min([*days, self.time.day]), max([*days, self.time.day])

    def _around(self) -> list[tuple[int, int]]:
        """The same days, that which is looked at by itself."""
        (first, last), day = self._days(), self.time.day
        return [span for span in ((first, day - 1), (day, day), (day + 1, last)) if span[0] <= span[1]]

    def _facts(self, row: Row, *others: Row) -> dict[str, Value | None]:
        """The facts of a row, amounts of money from the other row where one is given."""
        facts: dict[str, Value | None] = {}
        for ref, found in self.program.inputs.items():
            if ref.entity == row.entity:
                money = isinstance(found.type, Number) and found.type.is_money
                facts[ref.name] = (others[0] if others and money else row).values.get(ref.name)
        return facts

    def _copy(self, row: Row, parent: Row) -> Row:
        made = Row(row.entity, self._facts(row), parent=parent)
        made.children = {name: [self._copy(child, made) for child in rows] for name, rows in row.children.items()}
        return made

    def _claim(self, people: Row, money: Row, parent: Row) -> Row:
        made = Row(people.entity, self._facts(people, money), parent=parent)
        for name in people.children.keys() | money.children.keys():
            if self._is_money(name):
                made.children[name] = [self._copy(child, made) for child in money.children.get(name, [])]
                continue
            left = list(money.children.get(name, []))
            made.children[name] = []
            for child in people.children.get(name, []):
                match = next((other for other in left if self._who(other) == self._who(child)), child)
                if match is not child:
                    left.remove(match)
                made.children[name].append(self._claim(child, match, made))
        return made

    def _is_money(self, entity: str) -> bool:
        """Whether rows of an entity are amounts: a required fact is one."""
        return any(
            ref.entity == entity and not found.optional and isinstance(found.type, Number) and found.type.is_money
            for ref, found in self.program.inputs.items()
        )

    def _who(self, row: Row) -> tuple[Value | None, ...]:
        """What tells rows of an entity apart: the facts that each has."""
        return tuple(
            row.values.get(ref.name) for ref, found in self.program.inputs.items() if ref.entity == row.entity and not found.optional
        )


def _placed(row: Row, days: tuple[int, int]) -> Row:
    row.values |= {"first_day": days[0], "last_day": days[1], "days": Fraction(days[1] - days[0] + 1)}
    return row


class _Sides:
    """The figures that the charge is made of, and those that the assessment of a claim reads."""

    def __init__(self, program: Program) -> None:
        gaps = {name for name, found in program.entities.items() if found.gaps}
        self.charge: set[str] = set()
        self.claim: set[str] = set()
        for rule in program.rules:
            line = {rule.entity, *program.ancestors(rule.entity)}
            if line & gaps:
                self.claim |= _figures(rule.body)
            elif not program.entities[rule.entity].derived:
                self.charge |= _figures(rule.body)
        self.charge -= self.claim


def _figures(node: Node) -> set[str]:
    found: set[str] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if part.op in (Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP) or (part.op is Op.KNOWN and isinstance(part.value, str)):
            found.add(str(part.value))
        waiting += part.args
    return found


def _period(state: _State, claim: bool) -> int:
    """The parameter period whose figures a state's rows read."""
    assert state.row is not None
    if claim:
        for name, source in state.row.sources.items():
            if source is not None and state.program.entities[name].gaps:
                return source.period
    return state.row.period
