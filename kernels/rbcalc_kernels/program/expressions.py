"""From the syntax tree of an expression to typed nodes: names, units and optional facts are settled here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import NoReturn

from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.parser import ExpressionError, Syntax, parse
from rbcalc_kernels.language.types import COUNT, DATE, DAYS, RATE, RATIO, YES_NO, Choice, Number, Type, YesNo, is_dimensionless
from rbcalc_kernels.language.units import UnitError, added, conversion, divided, multiplied
from rbcalc_kernels.program.graph import Aggregate, Node, Op, Ref
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.source import Findings, Span, suggest

EPOCH = date(1970, 1, 1).toordinal()
_COMPARISONS = {"=": Op.EQ, "!=": Op.NE, "<": Op.LT, "<=": Op.LE, ">": Op.GT, ">=": Op.GE}


class Stop(Exception):
    """The expression has an error that is already among the findings."""


@dataclass(slots=True)
class Scope:
    """Where an expression stands: the entity of its rule, or the keys of a worked-out table."""

    entity: str | None
    keys: Mapping[str, Choice] = field(default_factory=dict)
    known: frozenset[Ref] = frozenset()  # optional facts that are certain to be given here

    def knowing(self, refs: frozenset[Ref]) -> Scope:
        """The same place, with more facts certain."""
        return Scope(self.entity, self.keys, self.known | refs)


class Typer:
    """Types one expression."""

    def __init__(self, names: Names, text: Text, findings: Findings, *, figure: bool = False) -> None:
        # A figure whose unit is declared beside it may leave the unit out: `unit: £/year` and `value: £1200`.
        self.names, self.text, self.findings, self.figure = names, text, findings, figure

    # ------------------------------------------------------------------ entry
    def typed(self, scope: Scope, expected: Type | None) -> Node:
        """The node of the whole expression, of the expected type.  Raises Stop when there are findings."""
        try:
            syntax = parse(str(self.text))
        except ExpressionError as error:
            self.findings.error(
                error.code, error.message, self.text.scalar.part(error.start, max(error.end, error.start + 1)), help=error.help
            )
            raise Stop from error
        node = self.infer(syntax, scope, expected)
        return node if expected is None else self.as_expected(node, expected, syntax)

    def as_expected(self, node: Node, expected: Type, syntax: Syntax) -> Node:
        """The node, if it has the expected type (a plain whole number may stand for a rate)."""
        if node.type == expected:
            return node
        plain = self.figure and isinstance(node.value, Fraction) and _is_literal(node) and is_dimensionless(node.type)
        if is_dimensionless(node.type) and is_dimensionless(expected) and (expected in (RATE, RATIO) or _is_literal(node)):
            return retyped(node, expected)
        if isinstance(node.type, Number) and isinstance(expected, Number) and _is_zero(node) and expected.is_money:
            return retyped(node, expected)
        money = plain and isinstance(expected, Number) and expected.is_money
        help_ = f"write £{self.text}" if money else conversion(node.type, expected)
        return self.fail("RB040", f"expected {expected}, found {node.type}", syntax, help_=help_)

    def fail(
        self, code: str, message: str, syntax: Syntax, *, label: str = "", help_: str = "", related: tuple[tuple[Span, str], ...] = ()
    ) -> NoReturn:
        """Add a finding at the construct and stop."""
        self.findings.error(code, message, self.span(syntax), label=label, related=related, help=help_)
        raise Stop

    def span(self, syntax: Syntax) -> Span:
        """Where a construct stands in its file."""
        return self.text.scalar.part(syntax.start, syntax.end)

    def node(self, op: Op, type_: Type, args: tuple[Node, ...], syntax: Syntax, value: object = None) -> Node:
        """A node that remembers where it was written."""
        return Node(op, type_, args, value, self.span(syntax))

    # ------------------------------------------------------------------ constructs
    def infer(self, syntax: Syntax, scope: Scope, expected: Type | None = None) -> Node:
        """The node of a construct; `expected` only helps to read names of list members and plain numbers."""
        method = getattr(self, f"_{syntax.kind.rstrip('_')}")
        result: Node = method(syntax, scope, expected)
        return result

    def _constant(self, syntax: Syntax, type_: Type, value: object) -> Node:
        return self.node(Op.CONST, type_, (), syntax, value)

    def _money(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        amount, _, per = syntax.word[1:].partition("/")
        return self._constant(syntax, Number(f"£/{per}" if per else self._pounds(expected, Fraction(amount))), Fraction(amount))

    def _pounds(self, expected: Type | None, amount: Fraction) -> str:
        # £0 is nothing in any unit; in an expression every other amount says its own.
        adopts = amount == 0 or self.figure
        return expected.unit if adopts and isinstance(expected, Number) and expected.is_money else "£"

    def _pence(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        amount = Fraction(int(syntax.word[:-1]), 100)
        return self._constant(syntax, Number(self._pounds(expected, amount)), amount)

    def _percent(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        return self._constant(syntax, RATE, Fraction(syntax.word[:-1].strip()) / 100)

    def _mixed_percent(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        whole, part = syntax.word[:-1].split()[:2]
        return self._constant(syntax, RATE, (int(whole) + self._fraction(part, syntax)) / 100)

    def _fraction_percent(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        return self._constant(syntax, RATE, self._fraction(syntax.word[:-1].strip(), syntax) / 100)

    def _fraction(self, word: str, syntax: Syntax) -> Fraction:
        over, under = word.split("/")
        if int(under) == 0:
            self.fail("RB043", "division by zero", syntax, help_="write a fraction of something, as 5/9%")
        return Fraction(int(over), int(under))

    def _duration(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        amount, unit = syntax.word.split()
        return self._constant(syntax, DAYS, Fraction(int(amount) * (7 if unit.startswith("week") else 1)))

    def _date(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        try:
            day = date.fromisoformat(syntax.word)
        except ValueError:
            self.fail("RB038", f"no such day: {syntax.word}", syntax, help_="dates are year-month-day, as 2026-04-01")
        return self._constant(syntax, DATE, day.toordinal() - EPOCH)

    def _number(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        value = Fraction(syntax.word)
        type_ = COUNT if value.denominator == 1 else RATE
        if expected in (RATE, RATIO) or (expected == DAYS and self.figure):
            type_ = expected
        return self._constant(syntax, type_, value)

    def _yes(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        return self._constant(syntax, YES_NO, True)

    def _no(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        return self._constant(syntax, YES_NO, False)

    def _name(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        name = syntax.word
        if name in scope.keys:
            return self.node(Op.KEY, scope.keys[name], (), syntax, name)
        is_member = isinstance(expected, Choice) and name in expected.members
        if scope.entity is not None:
            ref = self.names.find(scope.entity, name)
            if ref is not None and not (is_member and self.names.type_of(ref) != expected):
                self._require_known(ref, syntax, scope)
                return self.node(Op.COLUMN, self.names.type_of(ref), (), syntax, ref)
        if name in self.names.parameters and not (is_member and self.names.parameters[name][0] != expected):
            return self.node(Op.PARAMETER, self.names.parameters[name][0], (), syntax, name)
        if expected is not None and is_member:
            return self._constant(syntax, expected, name)
        return self._no_such_name(name, syntax, scope, expected)

    def _no_such_name(self, name: str, syntax: Syntax, scope: Scope, expected: Type | None) -> NoReturn:
        if name in self.names.broken:
            raise Stop
        if name in self.names.tables:
            self.fail("RB041", f"'{name}' is a table", syntax, help_=f"write {name}[{', '.join(self.names.tables[name].keys)}]")
        elsewhere = [ref for ref in (*self.names.inputs, *self.names.rules) if ref.name == name]
        if elsewhere and scope.entity is not None:
            owner = elsewhere[0].entity
            members = self.names.entities[owner].members or owner
            self.fail(
                "RB042",
                f"'{name}' belongs to {owner}, which a rule of {scope.entity} cannot read directly",
                syntax,
                help_=f"write sum({members}.{name}), any({members} where ...) or another aggregate",
            )
        known = self.names.visible(scope.entity) if scope.entity is not None else [*self.names.parameters, *scope.keys]
        if isinstance(expected, Choice):
            hint = f"it is neither a name nor one of {expected.name}: {', '.join(expected.members[:12])}"
            self.fail("RB039", f"no such name: {name}", syntax, help_=hint + suggest(name, [*known, *expected.members]))
        self.fail("RB039", f"no such name: {name}", syntax, help_=suggest(name, known).strip(" ()"))

    def _require_known(self, ref: Ref, syntax: Syntax, scope: Scope) -> None:
        declared = self.names.inputs.get(ref)
        if declared is not None and declared.optional and ref not in scope.known:
            self.fail(
                "RB044",
                f"'{ref.name}' may be absent",
                syntax,
                help_=f"write first_known({ref.name}, ...), or read it only after known({ref.name})",
            )

    def _path(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        self.fail(
            "RB042",
            f"{syntax.word}.{syntax.parts[0].word} stands for many rows",
            syntax,
            help_="write sum(...), max(...) or another aggregate round it",
        )

    def _as_at(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        if syntax.word not in self.names.parameters:
            self.fail("RB039", f"no such parameter: {syntax.word}", syntax, help_=suggest(syntax.word, self.names.parameters).strip(" ()"))
        day = self.as_expected(self.infer(syntax.parts[0], scope, DATE), DATE, syntax.parts[0])
        return self.node(Op.PARAMETER_AT, self.names.parameters[syntax.word][0], (day,), syntax, syntax.word)

    def _lookup(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        shape = self.names.tables.get(syntax.word)
        if shape is None and syntax.word in self.names.broken:
            raise Stop
        if shape is None:
            self.fail("RB039", f"no such table: {syntax.word}", syntax, help_=suggest(syntax.word, self.names.tables).strip(" ()"))
        wanted: list[Type] = [*shape.axes, *([shape.bands.type] if shape.bands else [])]
        if len(wanted) != len(syntax.parts):
            self.fail(
                "RB041",
                f"{syntax.word} has {len(wanted)} keys, {len(syntax.parts)} given",
                syntax,
                help_=f"write {syntax.word}[{', '.join(shape.keys)}]",
            )
        keys = tuple(
            self.as_expected(self.infer(part, scope, type_), type_, part) for part, type_ in zip(syntax.parts, wanted, strict=True)
        )
        return self.node(Op.LOOKUP, shape.type, keys, syntax, syntax.word)

    def _relabel(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        inner = self.infer(syntax.parts[0], scope)
        unit = Number(syntax.word)
        if not isinstance(inner.type, Number) or inner.type.is_money != unit.is_money:
            self.fail("RB040", f"{inner.type} cannot be read as {unit}", syntax)
        return self.node(Op.AS, unit, (inner,), syntax)

    def _negative(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        inner = self.infer(syntax.parts[0], scope, expected)
        if not isinstance(inner.type, Number):
            self.fail("RB040", f"cannot take the negative of {inner.type}", syntax)
        return self.node(Op.NEG, inner.type, (inner,), syntax)

    def _binary(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        hint = expected if syntax.word in "+-" else None
        left, right = (self.infer(part, scope, hint) for part in syntax.parts)
        if syntax.word in "+-":
            left, right = met(left, right)
        try:
            if syntax.word in "+-":
                return self.node(Op.ADD if syntax.word == "+" else Op.SUB, added(left.type, right.type, syntax.word), (left, right), syntax)
            if syntax.word == "*":
                return self.node(Op.MUL, multiplied(left.type, right.type), (left, right), syntax)
            if _is_zero(right):
                self.fail("RB043", "division by zero", syntax.parts[1], help_="divide by something that is never nothing")
            return self.node(Op.DIV, divided(left.type, right.type), (left, right), syntax)
        except UnitError as error:
            label = f"{right.type}{self._defined(right)}"
            self.fail("RB045", error.message, syntax.parts[1], label=label, help_=error.help)

    def _defined(self, node: Node) -> str:
        place = None
        if node.op is Op.COLUMN and isinstance(node.value, Ref):
            place = self.names.place_of(node.value)
        elif node.op is Op.PARAMETER:
            place = self.names.parameters[str(node.value)][1]
        return f", defined at {place.file}:{place.line}:{place.column}" if place is not None else ""

    def _compare(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        left, right = self._pair(syntax.parts[0], syntax.parts[1], scope)
        left, right = met(left, right)
        if left.type != right.type:
            self.fail(
                "RB046",
                f"cannot compare {left.type} with {right.type}",
                syntax.parts[1],
                label=f"{right.type}{self._defined(right)}",
                help_=conversion(right.type, left.type) or "compare two values of one unit or one list",
            )
        if isinstance(left.type, Choice | YesNo) and syntax.word not in ("=", "!="):
            self.fail("RB046", f"{left.type} has no order", syntax, help_="compare with = or !=, or write in [ ... ]")
        for side, part in ((left, syntax.parts[0]), (right, syntax.parts[1])):
            if side.op is Op.COLUMN and isinstance(side.value, Ref) and side.value.name in ("first_day", "last_day") and side.type == DATE:
                self.fail(
                    "RB047",
                    "the days of a period cannot be compared",
                    part,
                    help_="write reached(date): the period is then cut on that day",
                )
        return self.node(_COMPARISONS[syntax.word], YES_NO, (left, right), syntax)

    def _pair(self, one: Syntax, other: Syntax, scope: Scope) -> tuple[Node, Node]:
        """Two sides that tell each other's type: a name of a list member is read by the list on the other side."""
        if self._is_word(one, scope) and not self._is_word(other, scope):
            right = self.infer(other, scope)
            return self.infer(one, scope, right.type), right
        left = self.infer(one, scope)
        return left, self.infer(other, scope, left.type)

    def _is_word(self, syntax: Syntax, scope: Scope) -> bool:
        """Whether a construct is a name that has no value: a member of a list, or a mistake."""
        return syntax.kind == "name" and not self._is_value(syntax.word, scope)

    def _is_value(self, name: str, scope: Scope) -> bool:
        return (
            name in scope.keys
            or name in self.names.parameters
            or (scope.entity is not None and self.names.find(scope.entity, name) is not None)
        )

    def _one_of(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        value = self.infer(syntax.parts[0], scope)
        if not isinstance(value.type, Choice):
            self.fail("RB046", f"{value.type} is not a list", syntax.parts[0], help_="`in [ ... ]` asks for members of a list")
        tests = []
        for word in syntax.parts[1].parts:
            if word.word not in value.type.members:
                self.fail(
                    "RB039",
                    f"{word.word} is not one of {value.type.name}",
                    word,
                    help_=f"{', '.join(value.type.members)}{suggest(word.word, value.type.members)}",
                )
            tests.append(self.node(Op.EQ, YES_NO, (value, self._constant(word, value.type, word.word)), word))
        while len(tests) > 1:  # in pairs, so that a long list makes no deep node
            pairs = [tests[place : place + 2] for place in range(0, len(tests), 2)]
            tests = [self.node(Op.OR, YES_NO, (pair[0], pair[1]), syntax) if len(pair) == 2 else pair[0] for pair in pairs]
        return tests[0]

    def _none_of(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        return self.node(Op.NOT, YES_NO, (self._one_of(syntax, scope, expected),), syntax)

    def condition(self, syntax: Syntax, scope: Scope) -> Node:
        """A construct that must be yes or no."""
        node = self.infer(syntax, scope, YES_NO)
        if node.type != YES_NO:
            self.fail("RB040", f"expected yes/no, found {node.type}", syntax, help_="write a comparison")
        return node

    def _and(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        left = self.condition(syntax.parts[0], scope)
        right = self.condition(syntax.parts[1], scope.knowing(known_if(left, True)))
        return self.node(Op.AND, YES_NO, (left, right), syntax)

    def _or(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        left = self.condition(syntax.parts[0], scope)
        right = self.condition(syntax.parts[1], scope.knowing(known_if(left, False)))
        return self.node(Op.OR, YES_NO, (left, right), syntax)

    def _not(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        return self.node(Op.NOT, YES_NO, (self.condition(syntax.parts[0], scope),), syntax)

    def _choose(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        test = self.condition(syntax.parts[0], scope)
        then = self.infer(syntax.parts[1], scope.knowing(known_if(test, True)), expected)
        otherwise = self.infer(syntax.parts[2], scope.knowing(known_if(test, False)), expected or then.type)
        then, otherwise = met(then, otherwise)
        if then.type != otherwise.type:
            self.fail(
                "RB046",
                f"the two sides of the choice differ: {then.type} and {otherwise.type}",
                syntax.parts[2],
                label=str(otherwise.type),
                help_=conversion(otherwise.type, then.type) or "give both sides one unit",
            )
        return self.node(Op.IF, then.type, (test, then, otherwise), syntax)

    def _call(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        from rbcalc_kernels.program.functions import call

        return call(self, syntax, scope, expected)

    def _grouped(self, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        self.fail("RB030", "this belongs inside the brackets of a function", syntax)

    _where = _named = _mode = _members = _token = _grouped

    def aggregate(self, function: str, child: str, value: Node, test: Node, none: Node | None, type_: Type, syntax: Syntax) -> Node:
        """A node over the rows of `child`."""
        args = (value, test) if none is None else (value, test, none)
        return self.node(Op.AGGREGATE, type_, args, syntax, Aggregate(function, child))


def known_if(test: Node, outcome: bool) -> frozenset[Ref]:
    """The optional facts that are certain to be given when `test` came out as `outcome`."""
    if test.op is Op.KNOWN and outcome and isinstance(test.value, Ref):
        return frozenset({test.value})
    if test.op is Op.NOT:
        return known_if(test.args[0], not outcome)
    if test.op is Op.AND and outcome or test.op is Op.OR and not outcome:
        return known_if(test.args[0], outcome) | known_if(test.args[1], outcome)
    return frozenset()


def retyped(node: Node, type_: Type) -> Node:
    """The same node under another type."""
    return Node(node.op, type_, node.args, node.value, node.span) if node.op is Op.CONST else Node(Op.AS, type_, (node,), None, node.span)


def _is_literal(node: Node) -> bool:
    return node.op is Op.CONST or (node.op in (Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.NEG) and all(_is_literal(a) for a in node.args))


def _is_zero(node: Node) -> bool:
    return node.op is Op.CONST and not isinstance(node.value, bool | str) and node.value == 0 and isinstance(node.type, Number)


def met(left: Node, right: Node) -> tuple[Node, Node]:
    """Two sides under one type where one of them is a plain literal number, or nothing at all in pounds."""
    if left.type == right.type or not isinstance(left.type, Number) or not isinstance(right.type, Number):
        return left, right
    if is_dimensionless(left.type) and is_dimensionless(right.type) and (_is_literal(left) or _is_literal(right)):
        wanted = RATIO if RATIO in (left.type, right.type) else RATE
        return (left if left.type == wanted else retyped(left, wanted)), (right if right.type == wanted else retyped(right, wanted))
    if left.type.is_money and right.type.is_money:
        if _is_zero(left):
            return retyped(left, right.type), right
        if _is_zero(right):
            return left, retyped(right, left.type)
    return left, right
