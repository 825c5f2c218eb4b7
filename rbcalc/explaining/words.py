"""The working of a figure as people write it, with signs of arithmetic and the values filled in.

An expression of a rule is read for one row: names become the values that they had, branches that were not taken fall
away, and so do terms that change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any, Final

from rbcalc._show import amount
from rbcalc._years import iso
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.paths import path_between
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.timelines import rows_below
from rbcalc_kernels.language.types import DATE, Number, Type
from rbcalc_kernels.program.graph import Aggregate, Node, Op, Program, Ref, Rounding, Rule, Value

_BRACES: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_LISTED: Final = re.compile(r", | and ")
_ITEM: Final = re.compile(r"[^{}]*\{[a-z0-9_]+\}")
_SIGNS: Final = {Op.ADD: " + ", Op.SUB: " − ", Op.MUL: " × ", Op.DIV: " ÷ "}  # noqa: RUF001 - as they are printed
_PLACE: Final = {Op.ADD: 1, Op.SUB: 1, Op.MUL: 2, Op.DIV: 2}
_ATOM: Final = 3
_MOST: Final = 12
"""As many terms of a sum are written out."""


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of working; `place` is how tightly it binds, `leaf` the one value that it is when it is no more."""

    text: str
    place: int = _ATOM
    leaf: tuple[Ref, Row] | None = None

    @property
    def worked(self) -> bool:
        """Whether there is any arithmetic in it."""
        return self.place < _ATOM


class Words:
    """Writes workings for the rows of one program, once they were worked out."""

    def __init__(self, program: Program, evaluator: Evaluator, *, brief: bool = False, pennies: bool = False) -> None:
        """Write for rows that `evaluator` worked out.

        Brief words leave out what is nought and changes nothing; with `pennies` money is shown to the penny.
        """
        self.program, self.evaluator, self.brief, self.pennies = program, evaluator, brief, pennies
        self.types: dict[Ref, Type] = {ref: found.type for ref, found in program.inputs.items()}
        self.types |= {Ref(rule.entity, rule.name): rule.type for rule in program.rules}

    def value(self, node: Node, row: Row) -> Value | None:
        """The value of an expression for a row; None where it has none."""
        try:
            found: Any = self.evaluator.reader(node, row.entity)(row)
        except (CalculationFault, KeyError, TypeError):
            return None
        return found if isinstance(found, Value) else None

    def amount(self, value: Value | None, type_: Type) -> str:
        """A value in words, money as exactly as these words show it."""
        if self.pennies and isinstance(type_, Number) and type_.is_money and isinstance(value, Fraction):
            value = Fraction(floor(value * 100 + Fraction(1, 2)), 100)
        return amount(value, type_)

    def because(self, text: str, row: Row) -> str:
        """A `because` line with the values of this row in place of the names in braces."""
        told = self._told(text, row) if self.brief else text
        return _BRACES.sub(lambda match: self.named(match[1], row), told)

    def _told(self, text: str, row: Row) -> str:
        """A `because` line without the clauses, and the items of a list of figures, that are nought."""
        clauses = text.removesuffix(".").split("; ")
        if len(clauses) > 1:
            kept = [clause for clause in clauses if not self._empty(clause, row)] or clauses[:1]
            text = "; ".join(kept) + "."
            text = text[:1].upper() + text[1:]
        items = _LISTED.split(text.removesuffix("."))
        if len(items) < 3 or not all(_ITEM.fullmatch(item) for item in items):
            return text
        items = [item for item in items if not self._empty(item, row)] or items[:1]
        joined = " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
        return joined[:1].upper() + joined[1:] + "."

    def _empty(self, text: str, row: Row) -> bool:
        """Whether all figures that a text names are nought."""
        names = _BRACES.findall(text)
        return bool(names) and all(nothing(self._named(name, row)[0]) for name in names)

    def _named(self, name: str, row: Row) -> tuple[Value | None, Type | None]:
        """The value behind a name, as a rule of the row's entity would read it; no type where there is no such name."""
        near = [row.entity, *self.program.ancestors(row.entity), *(t.entity for t in self.program.entities[row.entity].derived)]
        for entity in near:
            type_ = self.types.get(Ref(entity, name))
            if type_ is not None:
                try:
                    target = path_between(self.program, row.entity, entity).follow(row)
                except (CalculationFault, KeyError):
                    return None, type_
                return target.values.get(name), type_
        parameter = self.program.parameters.get(name)
        return (parameter.by_period[row.period], parameter.type) if parameter is not None else (None, None)

    def named(self, name: str, row: Row) -> str:
        """The value behind a name, as a rule of the row's entity would read it, in words."""
        value, type_ = self._named(name, row)
        return self.amount(value, type_) if type_ is not None else name

    def written(self, node: Node, row: Row) -> Written:
        """The working of an expression for a row."""
        match node.op:
            case Op.ADD | Op.SUB | Op.MUL | Op.DIV:
                return self._arithmetic(node, row)
            case Op.MIN | Op.MAX:
                return self._extreme(node, row)
            case Op.IF:
                taken = self.value(node.args[0], row)
                return self._plain(node, row) if taken is None else self.written(node.args[1 if taken else 2], row)
            case Op.AS:
                inner = self.written(node.args[0], row)
                return inner if inner.worked else self._plain(node, row)
            case Op.ROUND:
                inner = self.written(node.args[0], row)  # a rounding on the way: what is rounded tells more
                return inner if inner.worked else self._plain(node, row)
            case Op.NEG:
                return Written(f"−{self._inside(node.args[0], row, _ATOM)}", 1)  # noqa: RUF001
            case Op.AGGREGATE:
                return self._sum(node, row)
            case Op.COLUMN if isinstance(node.value, Ref):
                target = path_between(self.program, row.entity, node.value.entity).follow(row)
                return Written(self._shown(node, row), leaf=(node.value, target))
            case Op.PREVIOUS if isinstance(node.value, Ref) and row.previous is not None:
                return Written(self._shown(node, row), leaf=(node.value, row.previous))
        return self._plain(node, row)

    def _shown(self, node: Node, row: Row) -> str:
        return self.amount(self.value(node, row), node.type)

    def _plain(self, node: Node, row: Row) -> Written:
        return Written(self._shown(node, row))

    def _inside(self, node: Node, row: Row, least: int) -> str:
        inner = self.written(node, row)
        return f"({inner.text})" if inner.place < least else inner.text

    def _arithmetic(self, node: Node, row: Row) -> Written:
        left, right = node.args
        first, second = self.value(left, row), self.value(right, row)
        if node.op in (Op.ADD, Op.SUB) and _is(second, 0):
            return self.written(left, row)
        if node.op is Op.ADD and _is(first, 0):
            return self.written(right, row)
        if node.op in (Op.MUL, Op.DIV) and _is(second, 1) and str(right.type) in ("rate", "ratio", "count"):
            return self.written(left, row)
        if node.op is Op.MUL and _is(first, 1) and str(left.type) in ("rate", "ratio", "count"):
            return self.written(right, row)
        place = _PLACE[node.op]
        after = place if node.op in (Op.ADD, Op.MUL) else place + 1
        under = self._inside(right, row, after)
        if node.op is Op.DIV and str(right.type) == "rate" and isinstance(second, Fraction) and second > 1:
            under = decimal(second)  # divided by 5, not by 500 %
        return Written(self._inside(left, row, place) + _SIGNS[node.op] + under, place)

    def _extreme(self, node: Node, row: Row) -> Written:
        arguments = self._same(node, node.op)
        telling = [arg for arg in arguments if arg.op is not Op.CONST or not _is(self.value(arg, row), 0)]
        if self.brief:
            value = self.value(node, row)
            telling = [arg for arg in arguments if self.value(arg, row) == value or not self._idle(arg, node.op, row)]
            arguments = telling
        if len(telling) == 1 and self.value(telling[0], row) == self.value(node, row):
            return self.written(telling[0], row)  # never below nought, and it is not
        parts = [(self.written(arg, row), self._shown(arg, row)) for arg in arguments]
        if len({value for _, value in parts}) == 1:  # of those that are the same none is the smaller
            return next((part for part, _ in parts if part.worked), self._plain(node, row))
        word = "the smallest of" if node.op is Op.MIN else "the largest of"
        if len(parts) == 2:
            word = "the smaller of" if node.op is Op.MIN else "the larger of"
        texts = [f"{value} ({part.text})" if part.worked else part.text for part, value in parts]  # what each comes to is what is compared
        return Written(f"{word} {', '.join(texts[:-1])} and {texts[-1]}", 0)

    def _idle(self, node: Node, op: Op, row: Row) -> bool:
        """Whether an argument that did not decide says nothing: a limit that was not met, or nought beside something larger."""
        return node.op is Op.CONST or (op is Op.MAX and nothing(self.value(node, row)))

    def _same(self, node: Node, op: Op) -> list[Node]:
        """The arguments of nested uses of one operator, in order."""
        return [part for arg in node.args for part in (self._same(arg, op) if arg.op is op else [arg])]

    def _sum(self, node: Node, row: Row) -> Written:
        aggregate = node.value
        if not isinstance(aggregate, Aggregate) or aggregate.function != "sum":
            return self._plain(node, row)
        members = [member for member in rows_below(self.program, row, aggregate.child) if self.value(node.args[1], member)]
        terms = [
            text for member in members if not _is(self.value(node.args[0], member), 0) and (text := self._inside(node.args[0], member, 1))
        ]
        if not 2 <= len(terms) <= _MOST:
            return self._plain(node, row)
        return Written(" + ".join(terms), 1)


_STEPS: Final = {"1/100": "penny", "1/2": "50p", "1": "pound", "1/1000": "three decimals"}


def rounded(rounding: Rounding) -> str:
    """How a figure was rounded, in words: rounded to the penny, half up."""
    places = len(str(rounding.step.denominator)) - 1
    finer = f"{places} decimals" if rounding.step == Fraction(1, 10**places) else f"multiple of {rounding.step}"
    step = _STEPS.get(str(rounding.step), finer)
    article = "" if step == "50p" or step.endswith(" decimals") else "the "
    if rounding.mode in ("half up", "half down"):
        return f"rounded to {article}{step}, {rounding.mode}"
    return f"rounded {rounding.mode} to {article}{step}"


def _is(value: Value | None, number: int) -> bool:
    return value is not None and not isinstance(value, str | bool) and value == number


def exact(value: Value | None) -> Any:
    """A value for a program to read: fractions as text such as 5/9, days as dates are left to `plain`."""
    return str(value) if isinstance(value, Fraction) else value


def plain(value: Value | None, type_: Type) -> dict[str, Any]:
    """A value with its unit, exact as text, as a decimal, and in words."""
    if type_ == DATE and isinstance(value, int):
        return {"value": iso(value), "unit": "date", "words": amount(value, type_)}
    made: dict[str, Any] = {"value": exact(value), "unit": str(type_), "words": amount(value, type_)}
    if isinstance(type_, Number) and value is not None and not isinstance(value, str):
        made["decimal"] = decimal(Fraction(value))
    return made


def decimal(number: Fraction, places: int = 12) -> str:
    """A decimal of at most so many places; one that goes on is cut, which the exact text beside it shows."""
    sign, number = ("-" if number < 0 else ""), abs(number)
    whole, part = divmod(int(number * 10**places), 10**places)
    tail = f"{part:0{places}d}".rstrip("0")
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"


def walk(node: Node) -> Iterator[Node]:
    """A node and all that it is made of."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += found.args


def refs_of(node: Node) -> Iterator[Ref]:
    """The facts and rules that an expression reads."""
    return (found.value for found in walk(node) if isinstance(found.value, Ref))


def passed_on(rule: Rule) -> Ref | None:
    """The value of its own row that a rule passes on as it is, perhaps with reasons of its own, or leaves out with nought."""
    given = [case.give for case in rule.cases] or [rule.body]
    passed = {node.value for node in given if node.op is not Op.CONST}
    found = next(iter(passed)) if len(passed) == 1 else None
    bare = all(node.op in (Op.COLUMN, Op.CONST) for node in given)
    return found if bare and isinstance(found, Ref) and found.entity == rule.entity else None


def summed_up(node: Node) -> Iterator[Ref]:
    """The values of other rows that an expression adds up as they are."""
    return (found.args[0].value for found in walk(node) if found.op is Op.AGGREGATE and isinstance(found.args[0].value, Ref))


def conjuncts(node: Node) -> Iterator[Node]:
    """The conditions that must all hold."""
    if node.op is Op.AND:
        for arg in node.args:
            yield from conjuncts(arg)
    else:
        yield node


def nothing(value: Value | None) -> bool:
    """Whether a value is nought, no or not known."""
    return value is None or value is False or (isinstance(value, Fraction) and value == 0)
