"""What of a program a scheme uses: its rules, cut down to those lines that can matter, and the figures that they read.

A part of a booklet says for whom it is (a condition that then holds throughout) and what is worked out.  With that, and with
what the council has decided, many conditions are settled before any account is seen: lines that never apply fall away, and so
does whatever only they would have read.  The figures that settled them stay on the list, because they are decisions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from operator import add, eq, ge, gt, le, lt, mul, ne, sub
from typing import Any, Final

from rbcalc.explaining.words import conjuncts, walk
from rbcalc_kernels.language.types import YES_NO, Choice, Number
from rbcalc_kernels.program.graph import Case, Node, Op, Program, Ref, Rule, Source, Value

_COMPARED: Final[dict[Op, Callable[[Any, Any], bool]]] = {Op.EQ: eq, Op.NE: ne, Op.LT: lt, Op.LE: le, Op.GT: gt, Op.GE: ge}
_WORKED: Final[dict[Op, Callable[[Any, Any], Any]]] = {Op.ADD: add, Op.SUB: sub, Op.MUL: mul, Op.MIN: min, Op.MAX: max}
_READ: Final = (Op.COLUMN, Op.KNOWN, Op.PREVIOUS)
_FIGURES: Final = (Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP)
_NONE_MEET: Final[dict[str, Value]] = {"any": False, "count": Fraction(0), "sum": Fraction(0)}

Settled = tuple[Value, frozenset[str]]
"""A value that is the same for every account, and the names of the figures that make it so."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that can apply; `when` is None where nothing else can.  `refused` says why such a row has no result."""

    when: Node | None
    give: Node
    because: str = ""
    source: Source | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A rule as far as it matters.  `figures` are those that it reads or that settled it; `rank` counts from the result."""

    rule: Rule
    lines: tuple[Line, ...]
    figures: tuple[str, ...]
    reads: tuple[Ref, ...]
    rank: int = 0

    @property
    def ref(self) -> Ref:
        """Its name."""
        return Ref(self.rule.entity, self.rule.name)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a part of the booklet rests on: its steps in order of calculation, its figures with what decides most first."""

    rule: Rule
    whom: tuple[Step, ...]
    steps: tuple[Step, ...]
    figures: tuple[str, ...]
    given: tuple[Ref, ...]
    facts: tuple[Ref, ...]

    @property
    def because(self) -> str:
        """What the part says of itself."""
        return self.rule.cases[0].because


@dataclass
class Cut:
    """A program cut down to what can matter where `assumed` holds; `given` is worked out elsewhere."""

    program: Program
    assumed: Mapping[Ref, Value]
    given: frozenset[Ref] = frozenset()
    _settled: dict[Ref, Settled | None] = field(default_factory=dict)
    _bounds: dict[Ref, bool] = field(default_factory=dict)
    _names: dict[str, None] = field(default_factory=dict)

    @cached_property
    def rules(self) -> dict[Ref, Rule]:
        """The rules by name."""
        return {Ref(rule.entity, rule.name): rule for rule in self.program.rules}

    # ------------------------------------------------------------------------------------------------ what is settled
    def settled(self, node: Node) -> Settled | None:
        """The value of an expression where it is the same for every account."""
        match node.op:
            case Op.CONST:
                return node.value, frozenset()  # type: ignore[return-value]
            case Op.PARAMETER:
                return _same(self.program.parameters[str(node.value)].by_period, str(node.value))
            case Op.COLUMN:
                return self._of(node.value)  # type: ignore[arg-type]
            case Op.LOOKUP:
                return self._cell(node)
            case Op.PREVIOUS:
                return self._both(self._of(node.value), self.settled(node.args[0]))  # type: ignore[arg-type]
            case Op.AND | Op.OR:
                return self._joined(node)
            case Op.IF:
                return self._branch(node)
            case Op.AGGREGATE:
                return self._over(node)
        inner = [self.settled(arg) for arg in node.args]
        if node.op in (Op.LT, Op.GE, Op.MIN) and (bound := self._bounded(node, inner)) is not None:
            return bound
        if node.op in (Op.MUL, Op.DIV):
            nought = next((found for found in inner[: 2 if node.op is Op.MUL else 1] if found is not None and found[0] == 0), None)
            if nought is not None and isinstance(node.type, Number):
                return nought
        known = [found for found in inner if found is not None]
        if not known or len(known) != len(inner):
            return None
        names = frozenset().union(*(found[1] for found in known))
        values = [found[0] for found in known]
        if node.op in _COMPARED:
            return _COMPARED[node.op](*values), names
        if node.op in _WORKED and isinstance(node.type, Number):
            return _WORKED[node.op](*values), names
        if node.op is Op.NOT:
            return not values[0], names
        return (values[0], names) if node.op is Op.AS else None

    def _bounded(self, node: Node, inner: list[Settled | None]) -> Settled | None:
        """What a bound of nought decides: nothing that is never negative is less than it, and the smaller is nought."""
        limit = inner[1]
        if limit is None or limit[0] != 0 or not isinstance(node.args[0].type, Number) or not self.never_negative(node.args[0]):
            return None
        return (Fraction(0) if node.op is Op.MIN else node.op is Op.GE), limit[1]

    def never_negative(self, node: Node) -> bool:
        """Whether an amount is nought or more for every account, as far as its form shows."""
        if not isinstance(node.type, Number):
            return False
        match node.op:
            case Op.CONST:
                return isinstance(node.value, Fraction) and node.value >= 0
            case Op.PARAMETER:
                return all(value >= 0 for value in self.program.parameters[str(node.value)].by_period)  # type: ignore[operator]
            case Op.LOOKUP:
                cells = [values for period in self.program.tables[str(node.value)].by_period for _, values in period.rows.values()]
                return all(value >= 0 for values in cells for value in values)  # type: ignore[operator]
            case Op.COLUMN if isinstance(node.value, Ref):
                return self._column_never_negative(node.value)
            case Op.MAX:
                return any(map(self.never_negative, node.args))
            case Op.IF:
                return all(self.never_negative(arg) for arg in node.args[1:] if arg.op is not Op.REFUSE)
            case Op.AGGREGATE:
                function = getattr(node.value, "function", "")
                return function == "count" or function in ("sum", "max", "min") and self.never_negative(node.args[0])
            case Op.ADD | Op.MUL | Op.DIV | Op.MIN | Op.AS | Op.ROUND:
                return all(map(self.never_negative, node.args))
        return False

    def _column_never_negative(self, ref: Ref) -> bool:
        if ref in self.program.inputs:
            found = self.program.inputs[ref]
            return isinstance(found.type, Number) and (found.low >= 0 or found.built_in)
        if ref not in self._bounds:
            self._bounds[ref] = False  # a value that rests on itself is not proved
            self._bounds[ref] = ref in self.rules and self.never_negative(self.rules[ref].body)
        return self._bounds[ref]

    def _of(self, ref: Ref) -> Settled | None:
        if ref in self.assumed:
            return self.assumed[ref], frozenset()
        if ref in self.given or ref not in self.rules:
            return None
        if ref not in self._settled:
            self._settled[ref] = None  # a value that rests on itself is not settled
            self._settled[ref] = self.settled(self.rules[ref].body)
        return self._settled[ref]

    def _cell(self, node: Node) -> Settled | None:
        table = self.program.tables[str(node.value)]
        keys = [self.settled(arg) for arg in node.args]
        if table.bands is not None or any(key is None for key in keys):
            return None
        names = frozenset((table.name,)).union(*(key[1] for key in keys if key is not None))
        place = tuple(str(key[0]) for key in keys if key is not None)
        values = [cells.rows[place][1][0] if place in cells.rows else None for cells in table.by_period]
        return (values[0], names) if values[0] is not None and len(set(values)) == 1 else None

    def _joined(self, node: Node) -> Settled | None:
        decides = node.op is Op.OR
        inner = [self.settled(arg) for arg in node.args]
        for found in inner:
            if found is not None and found[0] is decides:
                return found
        known = [found for found in inner if found is not None]
        if len(known) != len(inner):
            return None
        return not decides, frozenset().union(*(found[1] for found in known))

    def _branch(self, node: Node) -> Settled | None:
        condition, *branches = node.args
        taken = self.settled(condition)
        if taken is not None:
            found = self.settled(branches[0 if taken[0] else 1])
            return None if found is None else (found[0], found[1] | taken[1])
        return self._both(*(self.settled(branch) for branch in branches))

    @staticmethod
    def _both(*inner: Settled | None) -> Settled | None:
        """The value that all have."""
        known = [found for found in inner if found is not None]
        if not known or len(known) != len(inner) or len({found[0] for found in known}) != 1:
            return None
        return known[0][0], frozenset().union(*(found[1] for found in known))

    def _over(self, node: Node) -> Settled | None:
        function = getattr(node.value, "function", "")
        none: Value | None = _NONE_MEET.get(function)
        condition = self.settled(node.args[1])
        if none is not None and condition is not None and condition[0] is False:
            return none, condition[1]
        value = self.settled(node.args[0])
        return value if function == "sum" and value is not None and value[0] == 0 else None

    # ------------------------------------------------------------------------------------------------ what is left
    def left(self, node: Node) -> Node:
        """An expression without what is settled."""
        found = self.settled(node) if node.type == YES_NO or isinstance(node.type, Choice) or node.op is Op.COLUMN else None
        if found is not None and (not isinstance(node.type, Number) or found[0] == 0):
            return self._constant(node, found)
        if found is not None and node.value in self.rules:
            body = self.left(self.rules[node.value].body)
            if body.op in (Op.CONST, *_FIGURES):
                return body  # a rule that only passes a figure on stands for the figure
        if node.op is Op.COLUMN and isinstance(node.value, Ref) and node.value in self.rules and self.rules[node.value].hidden:
            return self.left(self.rules[node.value].body)
        match node.op:
            case Op.IF:
                return self._taken(node)
            case Op.AND | Op.OR:
                args = [arg for arg in node.args if not self._drop(arg, value=node.op is Op.AND)]
                return self.left(args[0]) if len(args) == 1 else replace(node, args=tuple(self.left(arg) for arg in args))
            case Op.MIN | Op.MAX if (chosen := self._chosen(node)) is not None:
                return self.left(chosen)
            case Op.ADD | Op.SUB if self._drop(node.args[1], value=0):
                return self.left(node.args[0])
            case Op.ADD if self._drop(node.args[0], value=0):
                return self.left(node.args[1])
            case Op.MUL if isinstance(node.type, Number) and self._drop(node.args[1], value=1):
                return self.left(node.args[0])
        return replace(node, args=tuple(self.left(arg) for arg in node.args)) if node.args else node

    def _chosen(self, node: Node) -> Node | None:
        """Which of two settled arguments is the smaller or the larger."""
        found = self.settled(node)
        inner = [self.settled(arg) for arg in node.args]
        if found is None or None in inner:
            return None
        self._names |= dict.fromkeys(sorted(found[1]))
        return next(arg for arg, one in zip(node.args, inner, strict=True) if one is not None and one[0] == found[0])

    def _drop(self, node: Node, *, value: Value) -> bool:
        """Whether an argument has a value that changes nothing."""
        found = self.settled(node)
        if found is None or found[0] != value or isinstance(node.type, Number) is isinstance(value, bool):
            return False
        self._names |= dict.fromkeys(sorted(found[1]))
        return True

    def _constant(self, node: Node, found: Settled) -> Node:
        self._names |= dict.fromkeys(sorted(found[1]))
        return Node(Op.CONST, node.type, (), found[0])

    def _taken(self, node: Node) -> Node:
        condition, first, second = node.args
        taken = self.settled(condition)
        if taken is not None:
            self._names |= dict.fromkeys(sorted(taken[1]))
            return self.left(first if taken[0] else second)
        return replace(node, args=tuple(self.left(arg) for arg in node.args))

    # ------------------------------------------------------------------------------------------------ the steps
    def step(self, ref: Ref) -> Step:
        """A rule as far as it matters."""
        self._names = {}
        rule = self.rules[ref]
        lines = tuple(_reached(self._lines(rule)))
        nodes = [found for line in lines for part in (line.when, line.give) if part is not None for found in walk(part)]
        figures = dict.fromkeys(str(node.value) for node in nodes if node.op in _FIGURES)
        reads = dict.fromkeys(node.value for node in nodes if node.op in _READ and isinstance(node.value, Ref))
        return Step(rule, lines, tuple(figures | self._names), tuple(found for found in reads if found != ref))

    def _lines(self, rule: Rule) -> Iterator[Line]:
        if not rule.cases:
            body = rule.body.args[0] if rule.rounding is not None and rule.body.op is Op.ROUND else rule.body
            yield from self._unrolled(body)
            return
        for case in rule.cases:
            if case.when is None:
                yield _line(case, None, self.left(case.give))
                return
            found = self.settled(case.when)
            if found is not None:
                self._names |= dict.fromkeys(sorted(found[1]))
                if not found[0]:
                    continue
            yield _line(case, None if found is not None else self.left(case.when), self.left(case.give))
            if found is not None:
                return

    def _unrolled(self, node: Node) -> Iterator[Line]:
        """An expression with branches as lines, one for each."""
        node = self.left(node)
        while node.op is Op.IF and not stands_in(node):
            condition, first, node = node.args
            yield _line(Case(condition, first), condition, first)
        yield _line(Case(None, node), None, node)

    def steps(self, root: Node) -> tuple[dict[Ref, Step], dict[Ref, None], dict[Ref, None]]:
        """The steps that a result needs, nearest first, with what is given and the facts."""
        found: dict[Ref, Step] = {}
        given: dict[Ref, None] = {}
        facts: dict[Ref, None] = {}
        waiting = deque((node.value, 0) for node in walk(root) if node.op in _READ and isinstance(node.value, Ref))
        while waiting:
            ref, rank = waiting.popleft()
            if ref in self.given:
                given[ref] = None
            elif ref not in self.rules:
                facts[ref] = None
            elif ref not in found and ref not in self.assumed:
                found[ref] = replace(self.step(ref), rank=rank)
                waiting.extend((read, rank + 1) for read in found[ref].reads)
        return found, given, facts


def scopes(program: Program, own: list[Rule]) -> Iterator[Scope]:
    """The parts of a booklet, as its own rules say them."""
    given = frozenset(rule.body.value for rule in own if not rule.cases and isinstance(rule.body.value, Ref))
    for rule in own:
        if not rule.cases or rule.cases[0].when is None:
            continue
        cut = Cut(program, dict(_assumed(rule.cases[0].when)), given)
        found, taken, facts = cut.steps(rule.cases[0].give)
        order = [Ref(each.entity, each.name) for each in program.rules]
        figures = dict.fromkeys(name for step in found.values() for name in step.figures)
        whom = [Cut(program, {}, given).step(ref) for ref in cut.assumed if ref in cut.rules]
        yield Scope(rule, tuple(whom), tuple(found[ref] for ref in order if ref in found), tuple(figures), tuple(taken), tuple(facts))


def stands_in(node: Node) -> bool:
    """Whether a branch only says what stands in for a fact that is not recorded."""
    condition, first, _ = node.args
    return condition.op is Op.KNOWN and first.op is Op.COLUMN and first.value == condition.value


def _assumed(when: Node) -> Iterator[tuple[Ref, Value]]:
    """What a condition says outright: that a value is one member of a list."""
    for part in conjuncts(when):
        if part.op is Op.EQ and part.args[1].op is Op.CONST and isinstance(part.args[0].value, Ref):
            yield part.args[0].value, part.args[1].value  # type: ignore[misc]
        elif part.op is Op.COLUMN and isinstance(part.value, Ref):
            yield part.value, True


def _reached(lines: Iterator[Line]) -> Iterator[Line]:
    """The lines without those whose condition holds only where that of an earlier one does."""
    before: list[set[Node]] = []
    for line in lines:
        parts = set() if line.when is None else set(conjuncts(line.when))
        if not any(earlier <= parts for earlier in before):
            yield line
        before += [parts] if parts else []


def _line(case: Case, when: Node | None, give: Node) -> Line:
    refused = str(give.value) if give.op is Op.REFUSE else ""
    return Line(when, give, case.because, case.source, refused)


def _same(values: tuple[Value, ...], name: str) -> Settled | None:
    return (values[0], frozenset((name,))) if len(set(values)) == 1 else None


__all__ = ["Cut", "Line", "Scope", "Step", "scopes", "stands_in"]
