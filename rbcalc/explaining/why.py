"""Why nothing is due: the line of the rules that made a figure nought, and what would have to be otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from rbcalc.explaining.words import Words, conjuncts, nothing, walk
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.paths import path_between
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.trace import Entry, Trace
from rbcalc_kernels.language.types import Number
from rbcalc_kernels.program.graph import Node, Op, Program, Ref, Source, Table

_PENNY = Fraction(1, 100)
_NEEDED = re.compile(r".* would have to be at (?:most|least) (?P<limit>£.*?)\. It is (?P<found>£.*?), (?P<apart>£.* too (?:much|little))\.")
_ABOVE = (Op.GT, Op.GE)
_BELOW = (Op.LT, Op.LE)


@dataclass(frozen=True, slots=True)
class Reason:
    """What decided: in words, with its source; `needed` is what would have to be otherwise, where that can be told."""

    because: str
    needed: str = ""
    source: str = ""


class Why:
    """Finds what made a figure nought, along what was read."""

    def __init__(self, program: Program, trace: Trace, words: Words, titles: Mapping[Ref, str] | None = None) -> None:
        """For rows whose working is in `trace`; `titles` are those under which a notice tells values."""
        self.program, self.trace, self.words, self.titles = program, trace, words, titles or {}

    def visited(self, ref: Ref, row: Row) -> list[tuple[Ref, Row]]:
        """The values from one that came to nought to the one that decided it."""
        return [(ref_, row_) for ref_, row_, _, _ in self._path(ref, row)]

    def told(self, ref: Ref, row: Row) -> Reason:
        """Why a value came to nought."""
        path = list(self._path(ref, row))
        if not path:
            return Reason(f"{self._title(ref)} is nought.")
        _, last_row, entry, node = path[-1]
        needed = self._needed(entry, node)
        stated = [(found, of) for _, of, found, _ in path if self._because(found)]
        if not stated:
            return Reason(f"{entry.rule.title} is {self.words.amount(entry.value, entry.rule.type)}.", needed, self._source(entry))
        told, of = stated[-1]
        assert told.case is not None
        if told is not entry and node is not None and self._shortfall(node, last_row) is not None:
            return Reason(f"{entry.rule.title} comes to nothing.", needed, self._source(entry))
        because = self.words.because(told.rule.cases[told.case].because, of)
        return Reason(because, _not_twice(needed, because), self._source(told))

    @staticmethod
    def _because(entry: Entry) -> str:
        return entry.rule.cases[entry.case].because if entry.case is not None else ""

    @staticmethod
    def _source(entry: Entry) -> str:
        source: Source | None = (entry.rule.cases[entry.case].source if entry.case is not None else None) or entry.rule.source
        return source.text if source is not None else ""

    # --------------------------------------------------------------------------------------------------------- the way
    def _path(self, ref: Ref, row: Row) -> Iterator[tuple[Ref, Row, Entry, Node | None]]:
        """The values on the way, each with its working and the expression at which the way ended, if it ended there."""
        seen: set[tuple[Ref, int]] = set()
        while (ref, id(row)) not in seen:
            seen.add((ref, id(row)))
            entry = self.trace.entry(ref, row)
            if entry is None:
                return
            node = self._down(entry.rule.body if entry.case is None else entry.rule.cases[entry.case].give, row)
            yield ref, row, entry, node
            if node.op is not Op.COLUMN or not isinstance(node.value, Ref):
                return
            try:
                ref, row = node.value, path_between(self.program, row.entity, node.value.entity).follow(row)
            except (CalculationFault, KeyError):
                return

    def _down(self, node: Node, row: Row) -> Node:
        """The part of an expression that made it nought."""
        while True:
            match node.op:
                case Op.ROUND | Op.AS:
                    node = node.args[0]
                case Op.IF:
                    node = node.args[1 if self.words.value(node.args[0], row) else 2]
                case Op.MIN | Op.MAX:
                    least = self.words.value(node, row)
                    tried = [arg for arg in node.args if arg.op is not Op.CONST]
                    equal = [arg for arg in tried if self.words.value(arg, row) == least]
                    node = (equal or tried or list(node.args))[0]
                case Op.MUL:
                    node = next((arg for arg in node.args if nothing(self.words.value(arg, row))), node.args[0])
                case Op.DIV:
                    node = node.args[0]
                case Op.ADD:
                    node = next((arg for arg in node.args if arg.op is not Op.CONST), node.args[0])
                case Op.SUB if nothing(self.words.value(node.args[1], row)):
                    node = node.args[0]
                case _:
                    return node

    # ------------------------------------------------------------------------------------------------ what is needed
    def _needed(self, entry: Entry, node: Node | None) -> str:
        row = entry.row
        if node is not None and node.op is Op.LOOKUP:
            return self._edge(node, row)
        if node is not None and node.op is Op.SUB:
            return self._shortfall(node, row) or ""
        case = entry.rule.cases[entry.case] if entry.case is not None else None
        return self._distance(case.when, row) if case is not None and case.when is not None else ""

    def _distance(self, when: Node, row: Row, depth: int = 0) -> str:
        """By how much a condition holds, where it compares two amounts."""
        for part in conjuncts(when):
            if part.op is Op.OR:
                holding = [arg for arg in part.args if self.words.value(arg, row)]
                told = next((text for arg in holding if (text := self._distance(arg, row, depth))), "")
            elif part.op is Op.IF:
                told = self._distance(part.args[1 if self.words.value(part.args[0], row) else 2], row, depth)
            elif part.op is Op.COLUMN and isinstance(part.value, Ref) and depth < 4:
                told = self._inside(part.value, row, depth + 1)
            else:
                told = self._comparison(part, row)
            if told:
                return told
        return ""

    def _inside(self, ref: Ref, row: Row, depth: int) -> str:
        try:
            target = path_between(self.program, row.entity, ref.entity).follow(row)
        except (CalculationFault, KeyError):
            return ""
        entry = self.trace.entry(ref, target)
        if entry is None:
            return ""
        if entry.case is not None:
            when = entry.rule.cases[entry.case].when
            return self._distance(when, target, depth) if when is not None else ""
        return self._distance(entry.rule.body, target, depth)

    def _comparison(self, node: Node, row: Row) -> str:
        if node.op not in (*_ABOVE, *_BELOW):
            return ""
        left, right = (self.words.value(arg, row) for arg in node.args)
        if not isinstance(left, Fraction) or not isinstance(right, Fraction) or not _is_money(node.args[0]):
            return ""
        first, second = node.args
        if first.op in (Op.PARAMETER, Op.CONST):  # the limit stands first
            first, second, left, right = second, first, right, left
            above = node.op in _BELOW
        else:
            above = node.op in _ABOVE
        if first.op is Op.SUB and not above and (told := self._shortfall(first, row, right)) is not None:
            return told
        strict = node.op in (Op.GE, Op.LE)  # at the limit the line applies as well
        return self._limit(self._name(first, row), left, right, first, above=above, reached=strict)

    def _limit(self, name: str, found: Fraction, limit: Fraction, node: Node, *, above: bool, reached: bool) -> str:
        way = ("less than" if reached else "at most") if above else ("more than" if reached else "at least")
        gap = abs(found - limit)
        apart = f", {self.words.amount(gap, node.type)} too {'much' if above else 'little'}" if gap else ""
        return f"{name} would have to be {way} {self.words.amount(limit, node.type)}. It is {self.words.amount(found, node.type)}{apart}."

    def _edge(self, node: Node, row: Row) -> str:
        """How far a figure is from the nearest edge of a table beyond which something is due."""
        table: Table = self.program.tables[str(node.value)]
        keys = [self.words.value(arg, row) for arg in node.args]
        if table.bands is None or not isinstance(keys[-1], Fraction):
            return ""
        edges, values = table.by_period[row.period].rows.get(tuple(str(key) for key in keys[:-1]), ((), ()))
        found, banded = keys[-1], node.args[-1]
        name = self._name(banded, row)
        if table.bands.upper:
            under = [Fraction(edge) for edge, value in zip(edges, values, strict=False) if Fraction(edge) < found and not nothing(value)]
            return self._limit(name, found, max(under), banded, above=True, reached=False) if under else ""
        under = [
            Fraction(edges[place + 1])
            for place, value in enumerate(values[:-1])
            if Fraction(edges[place + 1]) <= found and not nothing(value)
        ]
        return self._limit(name, found, max(under), banded, above=True, reached=True) if under else ""

    def _shortfall(self, node: Node, row: Row, least: Fraction = Fraction(0)) -> str | None:
        """How much smaller what is taken off would have to be, so that `least` is left; None where nothing is taken off."""
        if node.op is not Op.SUB:
            return None
        left, right = (self.words.value(arg, row) for arg in node.args)
        if not isinstance(left, Fraction) or not isinstance(right, Fraction) or right <= 0:
            return None
        told = f"{self._name(node.args[1], row)} takes away all that there would be."
        leaf = next((part for part in _factors(node.args[1]) if part.op is Op.COLUMN and _is_money(part)), None)
        found = self.words.value(leaf, row) if leaf is not None else None
        if leaf is None or not isinstance(found, Fraction) or found <= 0 or left <= least:
            return told
        limit = found * (left - least) / right
        whole = Fraction(int(limit / _PENNY)) * _PENNY
        return self._limit(self._name(leaf, row), found, whole, leaf, above=True, reached=whole == limit)

    # --------------------------------------------------------------------------------------------------------- names
    def _name(self, node: Node, row: Row) -> str:
        if node.op in (Op.MIN, Op.MAX, Op.AS, Op.ROUND, Op.MUL, Op.DIV):
            inner = [arg for arg in node.args if arg.op not in (Op.CONST, Op.PARAMETER)]
            return self._name(inner[0], row) if inner else self.words.written(node, row).text
        if isinstance(node.value, Ref):
            return self._title(node.value)
        if node.op is Op.PARAMETER:
            return self.program.parameters[str(node.value)].title
        named = [found.value for found in walk(node) if isinstance(found.value, Ref)]
        return " and ".join(dict.fromkeys(self._title(ref) for ref in named[:2])) or self.words.written(node, row).text

    def _title(self, ref: Ref) -> str:
        if ref in self.titles:
            return self.titles[ref]
        found = self.program.inputs.get(ref)
        return found.title if found is not None else self.program.rule(ref.entity, ref.name).title


def of_none(entry: Entry) -> bool:
    """Whether a date is the one that stands for none in a total of the rows, because no row counted."""
    body = entry.rule.body
    return body.op is Op.AGGREGATE and str(body.type) == "date" and len(body.args) > 2 and body.args[2].value == entry.value


def _not_twice(needed: str, because: str) -> str:
    """What would have to be otherwise; by how much alone, where the reason has said both amounts already."""
    told = _NEEDED.fullmatch(needed)
    if told is None or told["limit"] not in because or told["found"] not in because:
        return needed
    return f"That is {told['apart']}."


def _is_money(node: Node) -> bool:
    return isinstance(node.type, Number) and node.type.is_money


def _factors(node: Node) -> Iterator[Node]:
    """What an expression is proportional to."""
    if node.op in (Op.MUL, Op.AS):
        for arg in node.args:
            yield from _factors(arg)
    elif node.op is Op.DIV:
        yield from _factors(node.args[0])
    else:
        yield node
