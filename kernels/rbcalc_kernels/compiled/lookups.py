"""Writes the reading of a table: which combination, how many edges are passed, and the value that stands there."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Final

from rbcalc_kernels.compiled.layout import TablePlace
from rbcalc_kernels.compiled.numbers import FLOAT_LIMIT, Form, Num, Unfit
from rbcalc_kernels.compiled.values import Flag, Held, Member
from rbcalc_kernels.exact.faults import Reason
from rbcalc_kernels.language.types import YES_NO, Choice
from rbcalc_kernels.program.graph import Mode, Rounding

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.writing import Writer

_COUNTED: Final = 8
"""Up to so many edges are compared one by one; more are searched by halves."""

_CHOSEN: Final = 4
"""Up to so many edges the value is chosen by the comparisons, which takes less time than reading a place for each row."""


_FEW: Final = 8
"""Up to so many values that a row can ask for are held in registers and chosen by comparisons, for the same reason."""

_HELD: Final = 64
"""A table of which a few are chosen so has no more values than this."""


_TOGETHER: Final = 3  # choices in one statement


def lookup(writer: Writer, place: TablePlace, keys: Sequence[Held], reason: Reason) -> Held:
    """The value of a table for keys: members of its lists in order, then the amount where it has bands."""
    if place.shift is not None:
        return _shifted(place, keys[0])
    table = writer.leaf("table", writer.entity, place.name)
    amount = keys[-1] if place.bands is not None else None
    members = [key for key in keys if isinstance(key, Member)]
    asked = prod(size for size, member in zip(place.sizes, members, strict=True) if member.code is None)
    few = place.bands is None and asked <= _FEW and place.combinations <= _HELD and place.steady
    combination = _combination(place, members)
    if place.bands is not None:
        combination = writer.lines.bind(combination) if combination else ""
    reaches = not isinstance(amount, Num) or place.first_edge is None or amount.value.low >= place.first_edge
    if isinstance(amount, Num) and not combination and place.capacity <= _CHOSEN:
        raw = _chosen(writer, place, table, amount)
    elif few and members:
        raw = _picked(writer, place, members)
    else:
        at = combination if place.slots == 1 else f"{combination} * uint32({place.slots})" if combination else ""
        if isinstance(amount, Num):
            at += f"{' + ' if at else ''}{_passed(writer, place, table, combination, amount)}"
        # A place beyond the table's end is never asked for; said like this, the compiler can read several places at once.
        inside = f"min(uint32({at or 0}), uint32({place.combinations * place.slots - 1}))"
        raw = writer.lines.bind(f"{table}__cells[{table}__start + {inside}]")
    checked = not (place.complete and reaches)
    if checked:
        writer.fault(f"({raw} == {place.missing})", reason, place.name.removeprefix("history of "))
    kind = place.figure.type
    if isinstance(kind, Choice):
        # The code becomes an index, so what stands for a missing value must not.
        return Member(f"({raw} if {raw} >= 0 else 0)" if checked else raw, len(kind.members))
    if kind == YES_NO:
        return Flag(f"({raw} != 0)")
    number = place.figure.num(raw)
    return number if number.form is Form.SMALL else writer.math.bound(place.figure.num(f"float64({raw})"))


def _shifted(place: TablePlace, key: Held) -> Member:
    """The member that stands a fixed number of places from the key."""
    assert isinstance(key, Member) and isinstance(place.figure.type, Choice) and place.shift is not None
    count = len(place.figure.type.members)
    if key.code is not None:
        return Member(str(key.code + place.shift), count, key.code + place.shift)
    sign = "+" if place.shift > 0 else "-"
    return Member(f"uint32(uint32({key.text}) {sign} uint32({abs(place.shift)}))" if place.shift else key.text, count)


def _chosen(writer: Writer, place: TablePlace, table: str, amount: Num) -> str:
    """Variable with the value of an amount, chosen among a few that are the same for all rows of a parameter period."""
    assert place.bands is not None
    sign = ">" if place.bands.upper else ">="
    key = _on_grid(writer, place, amount, upper=place.bands.upper)
    raw = writer.lines.bind(f"{table}__cells[{table}__start]")
    for k in range(place.capacity):
        value = writer.lines.bind(f"{table}__cells[{table}__start + uint32({k + 1})]")
        raw = writer.lines.bind(f"({value} if {key} {sign} {table}__edges[{table}__edge_start + uint32({k})] else {raw})")
    return raw


def _picked(writer: Writer, place: TablePlace, members: Sequence[Member]) -> str:
    """Variable with the value of a combination, chosen among those that a row can ask for, which are the same for all rows."""
    values = writer.leaf("values", writer.entity, place.name)
    asked = [0]  # the places that a row can ask for, in the order of what it is told apart by
    parts: list[str] = []
    stride, left = place.combinations, prod(size for size, member in zip(place.sizes, members, strict=True) if member.code is None)
    for size, member in zip(place.sizes, members, strict=True):
        stride //= size
        if member.code is None:
            left //= size
            parts.append(f"uint32({member.text})" + (f" * uint32({left})" if left != 1 else ""))
        asked = [at + stride * code for at in asked for code in (range(size) if member.code is None else (member.code,))]
    single = next((member.text for member in members if member.code is None), "")
    key = writer.lines.bind(" + ".join(parts) if len(parts) > 1 else single) if parts else ""
    raw = f"{values}__{asked[0]}"
    for k, at in enumerate(asked[1:], 1):
        raw = f"({values}__{at} if {key} == {k} else {raw})"
        if k % _TOGETHER == 0:
            raw = writer.lines.bind(raw)
    return writer.lines.bind(raw)


def _combination(place: TablePlace, members: Sequence[Member]) -> str:
    """Text of the place of a combination of list members; nothing for a table without lists."""
    parts: list[str] = []
    stride = place.combinations
    for size, member in zip(place.sizes, members, strict=True):
        stride //= size
        if member.code is not None:
            parts.append(f"uint32({member.code * stride})")
        else:
            parts.append(f"uint32({member.text})" + (f" * uint32({stride})" if stride != 1 else ""))
    return " + ".join(parts)


def _passed(writer: Writer, place: TablePlace, table: str, combination: str, amount: Num) -> str:
    """Text of how many edges an amount has passed."""
    assert place.bands is not None
    upper = place.bands.upper
    sign = ">" if upper else ">="
    key = _on_grid(writer, place, amount, upper=upper)
    if place.edges_of != place.name:
        # Another table has the same edges, and one search serves both.
        place = writer.lowering.layout.table(place.edges_of)
        table = writer.leaf("table", writer.entity, place.name)
    known = (place.name, "" if place.daily else combination, amount.text)
    if known not in writer.passed:
        writer.passed[known] = _day(writer, place, table, key) if place.daily else _searched(writer, place, table, combination, key, sign)
    return writer.passed[known]


def _day(writer: Writer, place: TablePlace, table: str, key: str) -> str:
    """Text of the place of a date among the days of a table that has a value for each."""
    after = writer.lines.bind(f"{key} - {table}__edges[{table}__edge_start]")
    inside = writer.lines.bind(f"({after} if {after} > 0.0 else 0.0)")
    return writer.lines.bind(f"uint32({inside} if {inside} < {place.daily - 1}.0 else {place.daily - 1}.0)")


def _searched(writer: Writer, place: TablePlace, table: str, combination: str, key: str, sign: str) -> str:
    edges, start = f"{table}__edges", f"{table}__edge_start"
    if combination:
        start = writer.lines.bind(f"{start} + {combination} * uint32({place.capacity})")
    if place.capacity <= _COUNTED and not combination:
        tests = (f"(1 if {key} {sign} {edges}[{start} + uint32({k})] else 0)" for k in range(place.capacity))
        return writer.lines.bind(f"uint32({' + '.join(tests)})")
    passed = ""
    half = place.capacity // 2
    while half:
        at = f"{start} + {passed} + uint32({half - 1})" if passed else f"{start} + uint32({half - 1})"
        add = f"(uint32({half}) if {key} {sign} {edges}[{at}] else uint32(0))"
        passed = writer.lines.bind(f"{passed} + {add}" if passed else add)
        half //= 2
    return writer.lines.bind(f"{passed} + (uint32(1) if {key} {sign} {edges}[{start} + {passed}] else uint32(0))")


def _on_grid(writer: Writer, place: TablePlace, amount: Num, *, upper: bool) -> str:
    """Variable with the amount as a whole number of the edges' parts, rounded to the side that passes the same edges."""
    if amount.powers or amount.form not in (Form.SMALL, Form.FLOAT) or place.edge_den % amount.den:
        rounding = Rounding(Mode.UP if upper else Mode.DOWN, Fraction(1, place.edge_den))
        amount = writer.math.round(amount, rounding)
    if max(abs(amount.low), abs(amount.high)) * (place.edge_den // amount.den) >= FLOAT_LIMIT:
        raise Unfit("RB090", "the amount that a table is read with may be too large", "declare a narrower range")
    return writer.lines.bind(writer.math.scaled(amount, place.edge_den, (), Form.FLOAT))
