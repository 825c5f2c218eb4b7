"""The exact evaluator with an eye on every condition, comparison, limit and look-up of a program's rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.machine import Bound
from rbcalc_kernels.exact.operations import OPERATIONS
from rbcalc_kernels.language.types import YES_NO
from rbcalc_kernels.program.graph import Node, Op, Program, Ref, Rule

ORDERS = (Op.LT, Op.LE, Op.GT, Op.GE)
PAIRS = (*ORDERS, Op.EQ, Op.NE, Op.MIN, Op.MAX)
WATCH: Any = "watch"
"""Stands in for an operator: the node's value is the place, its arguments are what is watched."""


@dataclass(frozen=True)
class Place:
    """A node of a rule: by the way from the rule's body, so that it is the same in every council's program."""

    rule: Ref
    way: tuple[int, ...]
    node: Node = field(compare=False)

    def __str__(self) -> str:
        span = self.node.span
        where = f"{span.file}:{span.line}:{span.column}" if span else "?"
        return f"{self.rule} {self.node.op} at {where} {'.'.join(map(str, self.way))}"


@dataclass
class Seen:
    """What was seen at each place."""

    answers: dict[Place, set[bool]] = field(default_factory=dict)
    signs: dict[Place, set[int]] = field(default_factory=dict)  # of the first less the second
    distances: dict[Place, set[Fraction]] = field(default_factory=dict)  # small ones, of a fact from its limit in steps
    keys: dict[tuple[str, str], set[Any]] = field(default_factory=dict)  # by rule and banded table
    lookups: dict[tuple[str, str], Node] = field(default_factory=dict)
    reached: dict[Place, set[int]] = field(default_factory=dict)  # -1 the day before is a last day, 0 and 1 are first days

    def expect(self, place: Place) -> None:
        """Make room for what a place is to show."""
        if place.node.type == YES_NO and place.node.op is not Op.CONST:
            self.answers.setdefault(place, set())
        if place.node.op in (Op.MIN, Op.MAX):
            self.signs.setdefault(place, set())
        if place.node.op in ORDERS:
            self.distances.setdefault(place, set())
        if place.node.op is Op.REACHED:
            self.reached.setdefault(place, set())


OF_THE_CHARGE = ("account", "period", "resident")
"""The entities whose rules are watched: those that the made-up accounts have rows of; claims have a generator of their own."""


class Observing(Evaluator):
    """Works out a program and notes what it meets in the rules of the charge."""

    def __init__(self, program: Program, seen: Seen) -> None:
        self.seen, self.plain = seen, program
        rules = tuple(
            replace(rule, body=self._watched(rule, rule.body, ())) if rule.entity in OF_THE_CHARGE else rule for rule in program.rules
        )
        super().__init__(replace(program, rules=rules))

    def _watched(self, rule: Rule, node: Node, way: tuple[int, ...]) -> Node:
        args = tuple(self._watched(rule, arg, (*way, number)) for number, arg in enumerate(node.args))
        inner = replace(node, args=args)
        # The language asks for `known` before every reading, so that one rule says it often: it is one place.
        here = (hash(node),) if node.op is Op.KNOWN else way
        place = Place(Ref(rule.entity, rule.name), here, node)
        self.seen.expect(place)
        if node.op is Op.LOOKUP and (bands := self.plain.tables[str(node.value)].bands) is not None and bands:
            self.seen.lookups[rule.name, str(node.value)] = node.args[-1]
            return Node(
                WATCH,
                node.type,
                (*args[:-1], Node(WATCH, args[-1].type, (args[-1],), ("key", rule.name, node.value))),
                ("look", node.value),
            )
        if node.op in PAIRS or node.op is Op.REACHED:
            return Node(WATCH, node.type, args, place)
        if node.type == YES_NO and node.op is not Op.CONST:
            return Node(WATCH, node.type, (inner,), place)
        return inner

    def _bind(self, node: Node, entity: str) -> Bound:
        if node.op != WATCH:
            return super()._bind(node, entity)
        what = node.value
        if isinstance(what, Place):
            return Bound(self._noting(what), node.args)
        if isinstance(what, tuple) and what[0] == "key":
            keys = self.seen.keys.setdefault((what[1], str(what[2])), set())
            return Bound(lambda _, key: keys.add(key) or key, node.args)
        assert isinstance(what, tuple)
        return replace(super()._bind(Node(Op.LOOKUP, node.type, node.args, what[1]), entity), args=node.args)

    def _noting(self, place: Place) -> Callable[..., Any]:
        """What works out a place and notes what it met there."""
        seen, op = self.seen, place.node.op
        if op in (Op.MIN, Op.MAX):
            signs, operation = seen.signs[place], OPERATIONS[op]

            def limit(_: Any, *values: Any) -> Any:
                signs.add((values[0] > values[1]) - (values[0] < values[1]))
                return operation(*values)

            return limit
        answers = seen.answers[place]
        if op is Op.REACHED:
            reached = seen.reached[place]

            def reach(context: Any, day: int) -> bool:
                first = self._first_day(context[1])
                spell = context[1]
                while not self.program.entities[spell.entity].spell:
                    spell = spell.parent
                reached.update({n for n in (0, 1) if first - day == n} | ({-1} if spell.values["last_day"] - day == -1 else set()))
                answers.add(first >= day)
                return bool(first >= day)

            return reach
        if op in ORDERS:
            compared, step, distances = OPERATIONS[op], self._step(place.node), seen.distances[place]

            def order(_: Any, left: Any, right: Any) -> bool:
                apart = left - right
                if -step <= apart <= step:
                    distances.add(Fraction(apart) / step)
                answer = bool(compared(left, right))
                answers.add(answer)
                return answer

            return order
        asked = OPERATIONS[op] if op in PAIRS else bool

        def ask(_: Any, *values: Any) -> bool:
            answer = bool(asked(*values))
            answers.add(answer)
            return answer

        return ask

    def _step(self, node: Node) -> Fraction:
        """The smallest difference of the fact that is compared."""
        for ref in (part.value for arg in node.args for part in _all(arg) if part.op is Op.COLUMN):
            if ref in self.plain.inputs:
                return self.plain.inputs[ref].step  # type: ignore[index]
        return Fraction(1)


def _all(node: Node) -> Iterator[Node]:
    yield node
    for arg in node.args:
        yield from _all(arg)
