"""Writes one expression as statements of a generated function."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final, cast

from rbcalc_kernels.compiled import calendar, rounding
from rbcalc_kernels.compiled.arithmetic import Arithmetic
from rbcalc_kernels.compiled.bounds import FIRST_DATE, LAST_DATE, Interval
from rbcalc_kernels.compiled.lookups import lookup
from rbcalc_kernels.compiled.numbers import Divisor, Form, Lines, Num, Unfit, Wrapped, constant, exact
from rbcalc_kernels.compiled.values import NOTHING, Facts, Flag, Held, Leaf, Member
from rbcalc_kernels.exact.faults import Reason
from rbcalc_kernels.language.types import YES_NO, Choice, Date, Number
from rbcalc_kernels.program.graph import Mode, Node, Op, Ref, Rounding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rbcalc_kernels.compiled.lowering import Lowering

_SIGNS: Final = {Op.EQ: "==", Op.NE: "!=", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
_OPPOSITE: Final = {Op.EQ: Op.NE, Op.NE: Op.EQ, Op.LT: Op.GE, Op.GE: Op.LT, Op.GT: Op.LE, Op.LE: Op.GT}
_RISKY: Final = frozenset(
    {Op.COLUMN, Op.LOOKUP, Op.PARAMETER_AT, Op.AGGREGATE, Op.MONTHS_AFTER, Op.AFTER_MONTHS, Op.ADD, Op.SUB, Op.REFUSE}
)
_COSTLY: Final = frozenset(
    {Op.MONTHS_AFTER, Op.AFTER_MONTHS, Op.YEARS_BETWEEN, Op.MONTHS_BETWEEN, Op.YEAR, Op.MONTH, Op.DAY_OF_MONTH, Op.NEXT_WEEKDAY}
)
"""Operators that take many statements."""

_PARTS: Final = frozenset({Op.YEAR, Op.MONTH, Op.DAY_OF_MONTH})
"""Those whose range is the same whatever is known of the date."""

_DATES: Final = Interval.of(FIRST_DATE, LAST_DATE)
_ONE: Final = Rounding(Mode.DOWN, Fraction(1))


class Writer:
    """Writes statements for rows of one entity; `reads` gathers the leaves that they need."""

    def __init__(self, lowering: Lowering, rule: Ref, stem: str) -> None:
        self.lowering = lowering
        self.rule = rule
        self.entity = rule.entity
        self.lines = Lines(stem)
        self.math = Arithmetic(self.lines, self._divisor)
        self.reads: dict[Leaf, None] = {}
        self.guards: list[str] = []
        self.passed: dict[tuple[str, str, str], str] = {}
        """How many edges of a table an amount has passed, by table, combination and amount."""
        self._memo: dict[object, Held] = {}
        self._handlers: dict[Op, Callable[[Node, Facts], Held]] = {
            Op.CONST: self._constant, Op.COLUMN: self._column, Op.KNOWN: self._known, Op.PARAMETER: self._parameter,
            Op.PARAMETER_AT: self._parameter_at, Op.LOOKUP: self._lookup, Op.AGGREGATE: self._aggregate,
            Op.PREVIOUS: self._previous, Op.REACHED: self._reached, Op.REFUSE: self._refuse, Op.ADD: self._sum, Op.SUB: self._sum,
            Op.MUL: self._product, Op.DIV: self._quotient, Op.NEG: self._negative, Op.MIN: self._extreme,
            Op.MAX: self._extreme, Op.ROUND: self._round, Op.AS: lambda node, facts: self.value(node.args[0], facts),
            Op.AND: self._both, Op.OR: self._both, Op.NOT: self._not, Op.IF: self._if,
            Op.MONTHS_AFTER: self._months_after, Op.AFTER_MONTHS: self._months_after,
            Op.YEARS_BETWEEN: self._between, Op.MONTHS_BETWEEN: self._between,
            Op.YEAR: self._part, Op.MONTH: self._part, Op.DAY_OF_MONTH: self._part, Op.NEXT_WEEKDAY: self._next_weekday,
        }  # fmt: skip

    # entry points

    def value(self, node: Node, facts: Facts = NOTHING) -> Held:
        """What stands for a node's value.  Raises Unfit, marked with the innermost node that has a place."""
        nodes = self.lowering.nodes
        number = nodes.number(node)
        facts = nodes.relevant(node, facts)
        key = (number, tuple(sorted(facts.ranges.items(), key=lambda item: item[0])), facts.given,
               tuple(self.guards) if nodes.ops(node) & _RISKY else ())  # fmt: skip
        found = self._memo.get(key)
        if found is None:
            handler = self._compare if node.op in _SIGNS else self._handlers.get(node.op)
            if node.op in _COSTLY and (node.op in _PARTS or facts.ranges.keys() <= {number}) and self.lowering.is_shared(self.entity, node):
                handler = self._from_column
            if handler is None:
                raise TypeError(f"{node.op} has no place in a rule")
            try:
                found = handler(node, facts)
            except Unfit as refusal:
                if not hasattr(refusal, "node"):
                    refusal.node = node  # type: ignore[attr-defined]
                elif refusal.node.span is None:
                    refusal.node = node
                raise
            if isinstance(found, Num):
                known = facts.ranges.get(number)
                found = self._narrowed(found, known) if known is not None else found
                found = self.math.bound(found) if len(found.text) > 72 else found
            self._memo[key] = found
        return found

    def number(self, node: Node, facts: Facts = NOTHING) -> Num:
        """What stands for the value of a number or a date."""
        return cast("Num", self.value(node, facts))

    def flag(self, node: Node, facts: Facts = NOTHING) -> Flag:
        """What stands for a condition."""
        return cast("Flag", self.value(node, facts))

    def leaf(self, kind: str, entity: str, name: str = "", steps: tuple[tuple[str, str | None], ...] = ()) -> str:
        """The variable of a leaf, which the function must define."""
        leaf = Leaf(kind, entity, name, steps)
        self.reads[leaf] = None
        return self.lowering.names.of_leaf(leaf)

    def fault(self, condition: str, reason: Reason, about: str = "") -> None:
        """Note that rows for which the condition holds have no result, if they come this way."""
        code = self.lowering.fault_code(self.rule, reason, about)
        self.lines.fault(" & ".join([*self.guards, condition]), code)

    @contextmanager
    def only_if(self, condition: str) -> Iterator[None]:
        """What is written inside counts only where the condition holds."""
        self.guards.append(condition)
        try:
            yield
        finally:
            self.guards.pop()

    # reading

    def _divisor(self, divisor: Divisor, form: Form) -> str:
        ref, lowering = divisor.ref, self.lowering
        if divisor.parameter:
            if lowering.spell_of(self.entity) == ref.entity:
                number = lowering.layout.parameter(ref.name).num(self.leaf("parameter", self.entity, ref.name))
                return number.text if number.form is form else f"{form}({number.text})"
            node = Node(Op.PARAMETER, lowering.program.parameters[ref.name].type, (), ref.name)
            ref = lowering.hoisted(ref.entity, node, ref.name)
        held = cast("Num", lowering.held(ref))
        text = self.leaf("column", ref.entity, ref.name, lowering.way(self.entity, ref.entity))
        return text if held.form is form else f"{form}({text})"

    def read(self, ref: Ref, facts: Facts = NOTHING) -> Held:
        """The value of a column for the row that this entity's rows see."""
        steps = self.lowering.way(self.entity, ref.entity)
        if self.lowering.may_lack(steps):
            way = self.leaf("way", "", ref.entity, steps)
            self.fault(f"({way} < 0)", Reason.NO_SOURCE, ref.entity)
        fact = self.lowering.program.inputs.get(ref)
        if fact is not None and fact.optional and ref not in facts.given:
            self.fault(f"(not {self.leaf('known', ref.entity, ref.name, steps)})", Reason.UNKNOWN, str(ref))
        held = self.lowering.held(ref)
        if isinstance(held, Num) and held.is_constant and held.low == 0:
            return held  # nothing is read of what is nothing in every row
        return self.lowering.standing(ref, held, self.leaf("column", ref.entity, ref.name, steps))

    def _from_column(self, node: Node, facts: Facts) -> Held:
        """A part of the calendar that several rules ask for, worked out once."""
        return self.read(self.lowering.hoisted(self.entity, node, str(node.op.value)))

    def _column(self, node: Node, facts: Facts) -> Held:
        return self.read(cast("Ref", node.value), facts)

    def _known(self, node: Node, facts: Facts) -> Held:
        ref = cast("Ref", node.value)
        fact = self.lowering.program.inputs.get(ref)
        if fact is not None and fact.absent:
            return Flag("False", False)
        steps = self.lowering.way(self.entity, ref.entity)
        tests = []
        if ref not in facts.given and self.lowering.may_lack(steps):
            tests.append(f"({self.leaf('way', '', ref.entity, steps)} >= 0)")
        if fact is not None and fact.optional and ref not in facts.given:
            tests.append(self.leaf("known", ref.entity, ref.name, steps))
        if not tests:
            return Flag("True", True)
        return Flag(tests[0] if len(tests) == 1 else f"({' & '.join(tests)})")

    def _constant(self, node: Node, facts: Facts) -> Held:
        value = cast("Any", node.value)
        if isinstance(node.type, Choice):
            code = node.type.code(value)
            return Member(str(code), len(node.type.members), code)
        return Flag(str(bool(value)), bool(value)) if node.type == YES_NO else constant(Fraction(value))

    def _parameter(self, node: Node, facts: Facts) -> Held:
        name = cast("str", node.value)
        held = self.lowering.layout.parameter(name)
        text = self.leaf("parameter", self.entity, name)
        if isinstance(held.type, Choice):
            return Member(text, len(held.type.members))
        if held.type == YES_NO:
            return Flag(text)
        number = held.num(text)
        if number.low > 0:
            divisor = Divisor(Ref(self.lowering.spell_of(self.entity), name), True, number.low, number.high)
            number = replace(number, leaf=divisor)
        return number

    def _parameter_at(self, node: Node, facts: Facts) -> Held:
        place = self.lowering.layout.table(cast("str", node.value), history=True)
        return lookup(self, place, [self.number(node.args[0], facts)], Reason.NO_FIGURE)

    def _refuse(self, node: Node, facts: Facts) -> Held:
        self.fault("True", Reason.REFUSED, cast("str", node.value))
        return self.value(node.args[0], facts)

    def _lookup(self, node: Node, facts: Facts) -> Held:
        place = self.lowering.layout.table(cast("str", node.value))
        return lookup(self, place, [self.value(arg, facts) for arg in node.args], Reason.NO_CELL)

    def _aggregate(self, node: Node, facts: Facts) -> Held:
        found = self.lowering.aggregate(self.entity, node)
        if found.rows is not None and found.function in ("min", "max"):
            count = cast("Num", self.read(found.rows))
            some = self.lines.bind(self.math.compare(">", count, constant(0)))
            if len(node.args) < 3:
                self.fault(f"(not {some})", Reason.NO_ROWS, found.child)
                return self.read(found.ref)
            with self.only_if(f"(not {some})"):
                otherwise = self.number(node.args[2], facts)
            return self.math.choose(some, cast("Num", self.read(found.ref)), otherwise)
        if found.function in ("any", "all"):
            sign = ">" if found.function == "any" else "=="
            return Flag.of(self.math.compare(sign, cast("Num", self.read(found.ref)), constant(0)))
        return self.read(found.ref)

    def _previous(self, node: Node, facts: Facts) -> Held:
        if self.lowering.is_collapsed(self.entity):
            return self.value(node.args[0], facts)
        ref = cast("Ref", node.value)
        carried = self.lowering.carried(ref)
        first = self.leaf("first", self.entity)
        with self.only_if(first):
            initial = self.value(node.args[0], facts)
        if carried is None:
            return initial
        ref, held = carried
        fact = self.lowering.program.inputs.get(ref)
        if fact is not None and fact.optional:
            known = self.leaf("previous", ref.entity, f"{ref.name}?")
            self.fault(f"(not {first}) & (not {known})", Reason.UNKNOWN, str(ref))
        standing = self.lowering.standing(ref, held, self.leaf("previous", ref.entity, ref.name), previous=True)
        if isinstance(standing, Num) and standing.form is Form.CERTIFIED:
            whole = self.lowering.numerator(cast("Ref", node.value))
            if whole is not None:
                self.math.note(standing, Wrapped(self.leaf("previous", ref.entity, whole[0].name), whole[1], ()))
        return self._chosen(first, initial, standing)

    def _reached(self, node: Node, facts: Facts) -> Held:
        first_day = self.read(Ref(self.lowering.spell_of(self.entity), "first_day"))
        return Flag.of(self.math.compare(">=", cast("Num", first_day), self.number(node.args[0], facts)))

    # numbers

    def _whole(self, days: Num, facts: Facts, what: str) -> Num:
        """A count that must be whole."""
        if days.den == 1 and not days.powers and days.form is not Form.CERTIFIED:
            return days
        days = self.math.bound(days)
        whole = self.math.bound(self.math.round(days, _ONE))
        self.fault(self.math.compare("!=", whole, days), Reason.NOT_WHOLE, what)
        return whole

    def _sum(self, node: Node, facts: Facts) -> Held:
        a, b = (self.number(arg, facts) for arg in node.args)
        if isinstance(node.type, Date):
            if not isinstance(node.args[0].type, Date):
                a = self._whole(a, facts, "days")
            if not isinstance(node.args[1].type, Date):
                b = self._whole(b, facts, "days")
        return self.math.add(a, b, minus=node.op is Op.SUB)

    def _product(self, node: Node, facts: Facts) -> Held:
        a, b = (self.number(arg, facts) for arg in node.args)
        return self.math.multiply(a, b)

    def _negative(self, node: Node, facts: Facts) -> Held:
        return self.math.negative(self.number(node.args[0], facts))

    def _extreme(self, node: Node, facts: Facts) -> Held:
        a, b = (self.number(arg, facts) for arg in node.args)
        return self.math.extreme(a, b, greatest=node.op is Op.MAX)

    def _round(self, node: Node, facts: Facts) -> Held:
        told = cast("Rounding", node.value)
        once = rounding.before(node)
        if once is not None:
            return self.math.round(self.number(once[0], facts), told, once[1])
        parts = rounding.inside(node, self._stands)
        if parts is not None and self._is_wide(node.args[0], facts) and not self._is_wide(parts, facts):
            return self.value(parts, facts)
        return self.math.round(self.number(node.args[0], facts), told)

    def _stands(self, node: Node, step: Fraction) -> bool:
        """Whether a column is always a multiple of a step."""
        if node.op is not Op.COLUMN or self.lowering.in_group(self.lowering.nodes.refs(node)):
            return False
        held = self.lowering.held(cast("Ref", node.value))
        return isinstance(held, Num) and held.form is not Form.CERTIFIED and not held.powers and not Fraction(1, held.den) % step

    def _is_wide(self, node: Node, facts: Facts) -> bool:
        """Whether no exact form holds a number."""
        with self._aside():
            try:
                return self.number(node, facts).form is Form.CERTIFIED
            except Unfit:
                return True

    def _quotient(self, node: Node, facts: Facts) -> Held:
        top, under = node.args
        b = self.number(under, facts)
        if b.value.low <= 0 <= b.value.high:
            raise Unfit("RB092", "the divisor may be 0" if not b.is_constant else "division by 0",
                        "write max(x, 1) or guard it")  # fmt: skip
        if b.value.high < 0:
            top, under = (Node(Op.NEG, arg.type, (arg,), None, arg.span) for arg in node.args)
            b = self.number(under, facts)
        a = self.number(top, facts)
        if not b.is_constant and b.form is not Form.CERTIFIED and b.leaf is None:
            hoisted = None
            if not self.lowering.in_group(self.lowering.nodes.refs(under)):
                plain = self.number(under)
                if plain.value.low <= 0:
                    least = Node(Op.CONST, under.type, (), b.value.low)
                    under = Node(Op.MAX, under.type, (under, least), None, under.span)
                hoisted = self.read(self.lowering.hoisted(self.entity, under, "divisor"))
            b = hoisted if isinstance(hoisted, Num) and hoisted.value.low > 0 else self.math.certified(b)
        return self.math.divide(a, b)

    # conditions

    def _compare(self, node: Node, facts: Facts) -> Held:
        a, b = (self.value(arg, facts) for arg in node.args)
        sign = _SIGNS[node.op]
        if isinstance(a, Num) and isinstance(b, Num):
            return Flag.of(self.math.compare(sign, a, b))
        if isinstance(a, Flag) and isinstance(b, Flag) and a.known is not None and b.known is not None:
            return Flag.of(str((a.known == b.known) == (sign == "==")))
        if isinstance(a, Member) and isinstance(b, Member) and a.code is not None and b.code is not None:
            return Flag.of(str((a.code == b.code) == (sign == "==")))
        assert not isinstance(a, Num) and not isinstance(b, Num)
        return Flag(f"({a.text} {sign} {b.text})")

    def _both(self, node: Node, facts: Facts) -> Held:
        is_and = node.op is Op.AND
        a = self.flag(node.args[0], facts)
        for at in range(1, len(node.args)):
            if a.known is not None and a.known is not is_and:
                return a
            for earlier in node.args[:at]:
                facts = self._learned(earlier, is_and, facts)
            if a.known is not None:
                a = self.flag(node.args[at], facts)
                continue
            a = Flag(self.lines.bind(a.text))
            with self.only_if(a.text if is_and else f"(not {a.text})"):
                b = self.flag(node.args[at], facts)
            joined = Flag(f"({a.text} {'&' if is_and else '|'} {b.text})")
            a = joined if b.known is None else a if b.known is is_and else b
        return a

    def _not(self, node: Node, facts: Facts) -> Held:
        a = self.flag(node.args[0], facts)
        return Flag.of(str(not a.known)) if a.known is not None else Flag(f"(not {a.text})")

    def _if(self, node: Node, facts: Facts) -> Held:
        condition, then, otherwise = node.args
        test = self.flag(condition, facts)
        if test.known is not None:
            return self.value(then if test.known else otherwise, facts)
        test = Flag(self.lines.bind(test.text))
        with self.only_if(test.text):
            a = self.value(then, self._learned(condition, True, facts))
        with self.only_if(f"(not {test.text})"):
            b = self.value(otherwise, self._learned(condition, False, facts))
        return self._chosen(test.text, a, b)

    def _chosen(self, condition: str, a: Held, b: Held) -> Held:
        if isinstance(a, Num) and isinstance(b, Num):
            return self.math.choose(condition, a, b)
        text = f"({a.text} if {condition} else {b.text})"
        if isinstance(a, Member) and isinstance(b, Member):
            return a if a.code is not None and a.code == b.code else Member(text, max(a.count, b.count))
        assert isinstance(a, Flag) and isinstance(b, Flag)
        return a if a.known is not None and a.known == b.known else Flag(text)

    # what a condition tells

    def _learned(self, node: Node, truth: bool, facts: Facts) -> Facts:
        """What is known where a condition is true, or false."""
        if node.op is Op.NOT:
            return self._learned(node.args[0], not truth, facts)
        if (node.op is Op.AND and truth) or (node.op is Op.OR and not truth):
            for arg in node.args:
                facts = self._learned(arg, truth, facts)
            return facts
        if node.op is Op.KNOWN and truth:
            return Facts(facts.ranges, facts.given | {cast("Ref", node.value)})
        if node.op not in _SIGNS or not isinstance(node.args[0].type, Number | Date):
            return facts
        op = node.op if truth else _OPPOSITE[node.op]
        with self._aside():
            a, b = (self.number(arg, facts) for arg in node.args)
        ranges = dict(facts.ranges)
        for (arg, own), other, sign in zip(zip(node.args, (a, b), strict=True), (b, a), (op, _turned(op)), strict=True):
            if arg.op is not Op.CONST:
                ranges[self.lowering.nodes.number(arg)] = _told(own, sign, other.value)
        return Facts(ranges, facts.given)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Nothing that is written inside is kept."""
        text, memo, reads, passed = list(self.lines.text), dict(self._memo), dict(self.reads), dict(self.passed)
        wrapped = dict(self.math.wrapped)
        try:
            yield
        finally:
            self.lines.text[:], self._memo, self.reads, self.passed = text, memo, reads, passed
            self.math.wrapped = wrapped

    @staticmethod
    def _narrowed(a: Num, known: Interval) -> Num:
        value = a.value.meet(known)
        if a.form is Form.CERTIFIED:
            return replace(a, value=value)
        return replace(exact(a.text, a.form, a.den, a.powers, a.low, a.high, value), leaf=a.leaf)

    # dates

    def _day(self, node: Node, facts: Facts) -> str:
        day = self.number(node, facts)
        if day.value.low < FIRST_DATE - 1000 or day.value.high > LAST_DATE + 1000:
            raise Unfit("RB094", "the date may lie outside 1900 to 2200", "declare a narrower range of dates")
        return self.lines.bind(self.math.cast(day, Form.FLOAT))

    def _dated(self, text: str, low: int, high: int) -> Num:
        return exact(text, Form.FLOAT, 1, (), low, high)

    def _months_after(self, node: Node, facts: Facts) -> Held:
        months = self._whole(self.number(node.args[1], facts), facts, "months")
        start = self.number(node.args[0], facts)
        day, count = self._day(node.args[0], facts), self.math.cast(months, Form.FLOAT)
        text = calendar.months_after(self.lines, day, count, whole=node.op is Op.AFTER_MONTHS)
        low, high = (start.value + months.value * Interval.of(28, 31)).whole()
        return self._dated(text, low - 3, high + 3)

    def _between(self, node: Node, facts: Facts) -> Held:
        start, end = (self._day(arg, facts) for arg in node.args)
        spread = self.number(node.args[1], facts).value - self.number(node.args[0], facts).value
        years = node.op is Op.YEARS_BETWEEN
        text = (calendar.years_between if years else calendar.months_between)(self.lines, start, end)
        return self._dated(text, 0, max(0, ceil(spread.high / (365 if years else 28))) + 1)

    def _part(self, node: Node, facts: Facts) -> Held:
        year, month, day = calendar.civil(self.lines, self._day(node.args[0], facts))
        if node.op is Op.YEAR:
            return self._dated(year, 1890, 2210)
        return self._dated(month, 1, 12) if node.op is Op.MONTH else self._dated(day, 1, 31)

    def _next_weekday(self, node: Node, facts: Facts) -> Held:
        start = self.number(node.args[0], facts)
        text = calendar.next_weekday(self.lines, self._day(node.args[0], facts), cast("int", node.value))
        return self._dated(text, floor(start.value.low) + 1, ceil(start.value.high) + 7)


def _turned(op: Op) -> Op:
    return {Op.LT: Op.GT, Op.GT: Op.LT, Op.LE: Op.GE, Op.GE: Op.LE}.get(op, op)


def _told(own: Num, op: Op, other: Interval) -> Interval:
    """Where a number lies of which `own op other` is known."""
    low, high = own.value.low, own.value.high
    grid = own.den if own.form is not Form.CERTIFIED and not own.powers else None
    if op in (Op.LT, Op.LE, Op.EQ):
        high = min(high, other.high)
        if op is Op.LT and grid is not None and high == other.high:
            high = Fraction(ceil(high * grid) - 1, grid)
    if op in (Op.GT, Op.GE, Op.EQ):
        low = max(low, other.low)
        if op is Op.GT and grid is not None and low == other.low:
            low = Fraction(floor(low * grid) + 1, grid)
    return Interval(low, high) if low <= high else own.value
