"""Follows a root row's figures along one amount, from stretch to stretch, leaving no step out.

Each stretch is one exact working with a number that varies (`piecewise`): its figures are straight lines, roundings apart, and
every choice on the way is proved to stay the same until it ends.  The next stretch begins one step later.  So the stretches
together cover every step of the range, however the rules are made; nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.machine import Bound
from rbcalc_kernels.exact.piecewise import Limit, Line, Varying
from rbcalc_kernels.exact.rows import Record, Row
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.exact.trace import Trace
from rbcalc_kernels.program.graph import Node, Op, Program, Ref, Rule, Value

MOST: Final = 20_000
"""More stretches than this are refused: a rule whose answer is another at each step cannot be followed."""


class TooManyStretchesError(Exception):
    """A rule cannot be followed along the amount, because its answer is another at nearly every step."""

    def __init__(self, rule: Ref | None) -> None:
        super().__init__(f"{rule} changes at too many places")
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Form:
    """A figure on a stretch: `at` its first step, and `slope` more with each; roundings keep it within `low` and `high` of that."""

    at: Fraction
    slope: Fraction = Fraction(0)
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)

    def after(self, steps: int) -> Fraction:
        """What it is so many steps later, roundings apart."""
        return self.at + self.slope * steps


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps `first` to `last` (both included) on which every answer is the same.

    `values` holds every rule's figures for the rows of its entity: forms of numbers, other values as they are.  `limits` say
    whose answer is another at the next step.  Where the rules refuse the row there are no values but a `fault`.
    """

    first: int
    last: int
    values: Mapping[Ref, Sequence[Form | Value]]
    limits: tuple[Limit, ...] = ()
    fault: CalculationFault | None = None

    def form(self, ref: Ref) -> Form:
        """A figure of the root row."""
        value = self.values[ref][0]
        assert isinstance(value, Form)
        return value


@dataclass(frozen=True, slots=True)
class Moved:
    """A fact that moves with the amount: the register, the place of the record in it, the column, and what becomes of it.

    `value` works with numbers only, so that it can follow the amount along a line.
    """

    register: str
    place: int
    column: str
    value: Callable[[Fraction], Fraction] = lambda amount: amount


class Walker:
    """One root row whose records hold an amount that moves, perhaps with others that move with it."""

    def __init__(
        self,
        program: Program,
        records: Mapping[str, Sequence[Record]],
        moved: Sequence[Moved],
        step: Fraction,
        wanted: Sequence[Ref],
        most: int = MOST,
    ) -> None:
        """Make the rows.  `step` is what the amount moves by.

        Raises CalculationFault where rows cannot be made, ValueError where no row takes the amount or rows depend on it.
        """
        self.step, self.most = step, most
        self.evaluator = _Evaluator(program, wanted)
        line = Line()
        held = {name: [dict(record) for record in rows] for name, rows in records.items()}
        marks: dict[int, tuple[Fraction, Moved]] = {}
        for each in moved:
            mark = Varying(line, Fraction(0), step)
            held[each.register][each.place][each.column] = mark
            marks[id(mark)] = mark, each
        self.root = Builder(program).build(held)
        found = [(row, name, marks.get(id(value))) for row in self.root.walk() for name, value in row.values.items()]
        self.places = [(row, name, mark[1].value) for row, name, mark in found if mark is not None]
        if not self.places or line.reach is not None:
            raise ValueError("the rows depend on the amount" if self.places else "no row takes the amount")
        self._exact: dict[int, Mapping[Ref, Sequence[Value]] | CalculationFault] = {}

    def stretches(self, first: int, last: int) -> Iterator[Stretch]:
        """The stretches from one step to another, both included.  Raises TooManyStretchesError."""
        made = 0
        while first <= last:
            stretch = self.stretch(first)
            ends = min(stretch.last, last)
            yield replace(stretch, last=ends, limits=stretch.limits if ends < last else ())
            first = ends + 1
            made += 1
            if made > self.most:
                raise TooManyStretchesError(stretch.limits[0].rule if stretch.limits else None)

    def stretch(self, first: int) -> Stretch:
        """The stretch that begins at a step; `last` is the largest of all numbers where it has no end."""
        line = Line()
        self._put(Varying(line, first * self.step, self.step))
        try:
            results = self.evaluator.along(self.root, line)
        except CalculationFault as fault:
            return Stretch(first, _last(first, line), {}, tuple(line.limits), fault)
        values = {ref: [_form(value) for value in found] for ref, found in results.items()}
        return Stretch(first, _last(first, line), values, tuple(line.limits))

    def exact(self, step: int) -> Mapping[Ref, Sequence[Value]]:
        """Every rule's values at one step, by the plain evaluator.  Raises CalculationFault."""
        known = self._exact.get(step)
        if known is None:
            self._put(step * self.step)
            try:
                known = self.evaluator.run(self.root)
            except CalculationFault as fault:
                known = fault
            self._exact[step] = known
        if isinstance(known, CalculationFault):
            raise known
        return known

    def value(self, ref: Ref, step: int) -> Fraction:
        """A figure of the root row at one step.  Raises CalculationFault."""
        value = self.exact(step)[ref][0]
        assert isinstance(value, Fraction)
        return value

    def traced(self, step: int) -> Trace:
        """How everything was worked out at one step.  Raises CalculationFault."""
        trace = Trace()
        self._put(step * self.step)
        self.evaluator.run(self.root, trace)
        return trace

    def _put(self, amount: Fraction) -> None:
        for row, name, value in self.places:
            row.values[name] = value(amount)


class _Evaluator(Evaluator):
    """The exact evaluator, saying to the line what it is at."""

    line: Line | None = None

    def along(self, root: Row, line: Line) -> dict[Ref, list[Value]]:
        """As `run`, with facts that vary on a line."""
        self.line = line
        try:
            return self.run(root)
        finally:
            self.line = None

    def _work_out(self, state: Any, row: Row, rule: Rule) -> Value:
        if self.line is None:
            return super()._work_out(state, row, rule)
        before, self.line.at = self.line.at, Limit(Ref(rule.entity, rule.name))
        value = super()._work_out(state, row, rule)
        self.line.at = before
        return value

    def _bind(self, node: Node, entity: str) -> Bound:
        bound = super()._bind(node, entity)
        if node.op is not Op.LOOKUP:
            return bound
        table = str(node.value)

        def read(context: Any, *keys: Any) -> Any:
            line = self.line
            if line is None:
                return bound.read(context, *keys)
            before = line.at
            line.at = Limit(before.rule, table, tuple(key.at if isinstance(key, Varying) else key for key in keys))
            value = bound.read(context, *keys)
            line.at = before
            return value

        return Bound(read, bound.args)


def _last(first: int, line: Line) -> int:
    return 2**63 - 1 if line.reach is None else first + line.reach


def _form(value: Value) -> Form | Value:
    if isinstance(value, Varying):
        return Form(value.at, value.slope, *value.spread())
    if isinstance(value, Fraction):
        return Form(value)
    return value
