"""Tables of figures as a council prints them: members across, ranges down, and the ends of a range said as the scheme has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rbcalc._show import amount
from rbcalc.schemes.booklet_words import member
from rbcalc_kernels.language.types import POUNDS, Number
from rbcalc_kernels.program.graph import Bands, Cells, Table, Value

_ABSENT = "–"  # noqa: RUF001 - as it is printed

Row = tuple[tuple[str, ...], tuple[str, ...], tuple[Value, ...]]
"""One combination of list members: its keys, its ranges in words (none without bands) and its values."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table ready to be printed: the first cell of each row is its heading."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def ranges(bands: Bands, edges: Sequence[Fraction | int], values: int) -> tuple[str, ...]:
    """The ranges between edges in words, as many as there are values; which end belongs to a range is said."""
    ends = [amount(edge, bands.type) for edge in edges]
    money = isinstance(bands.type, Number) and bands.type.is_money
    firsts = [amount(edge, POUNDS) for edge in edges] if money else ends  # the first of two ends goes without "a week"
    return tuple(_upper(firsts, ends, at) if bands.upper else _lower(firsts, ends, edges, at) for at in range(values))


def _upper(firsts: list[str], ends: list[str], at: int) -> str:
    if not ends:
        return "any amount"
    if at == 0:
        return f"up to {ends[0]}"
    return f"over {firsts[at - 1]}, up to {ends[at]}" if at < len(ends) else f"over {ends[-1]}"


def _lower(firsts: list[str], ends: list[str], edges: Sequence[Fraction | int], at: int) -> str:
    last = at + 1 == len(ends)
    if at == 0 and edges[0] == 0:
        return "any amount" if last else f"below {ends[1]}"
    return f"from {ends[at]}" if last else f"from {firsts[at]}, below {ends[at + 1]}"


def rows_of(table: Table, cells: Cells) -> list[Row]:
    """The rows of a table in the order of its lists."""
    ordered = sorted(cells.rows.items(), key=lambda item: [axis.members.index(key) for axis, key in zip(table.axes, item[0], strict=True)])
    return [(keys, ranges(table.bands, edges, len(values)) if table.bands is not None else (), values) for keys, (edges, values) in ordered]


def sheet(table: Table, rows: Sequence[Row], headings: Sequence[str]) -> Sheet:
    """A table laid out; `headings` are those of its lists."""
    value, across = "What holds", len(table.axes)
    if table.bands is None:
        if across == 2:
            return _crossed(headings[0], [(keys[0], keys[1], amount(values[0], table.type)) for keys, _, values in rows])
        return Sheet((*headings, value), tuple((*map(member, keys), amount(values[0], table.type)) for keys, _, values in rows))
    if across == 1 and len(rows) > 1:
        if len({values for _, _, values in rows}) == 1 and len(set(rows[0][2])) == len(rows[0][2]):
            of_values = [
                (amount(v, table.type), keys[0], range_)
                for keys, ranges_, values in rows
                for v, range_ in zip(values, ranges_, strict=True)
            ]
            return _crossed(value, of_values)
        if len({ranges_ for _, ranges_, _ in rows}) == 1:
            of_ranges = [
                (range_, keys[0], amount(v, table.type))
                for keys, ranges_, values in rows
                for v, range_ in zip(values, ranges_, strict=True)
            ]
            return _crossed("Amount", of_ranges)
    long = [
        (*map(member, keys), range_, amount(v, table.type))
        for keys, ranges_, values in rows
        for v, range_ in zip(values, ranges_, strict=True)
    ]
    return Sheet((*headings, "Amount", value), tuple(long))


def _crossed(heading: str, cells: Sequence[tuple[str, str, str]]) -> Sheet:
    """Cells (row, column, words) as rows under columns."""
    across = dict.fromkeys(column for _, column, _ in cells)
    down = dict.fromkeys(row for row, _, _ in cells)
    found = {(row, column): words for row, column, words in cells}
    return Sheet(
        (heading, *map(member, across)), tuple((member(row), *(found.get((row, column), _ABSENT) for column in across)) for row in down)
    )


__all__ = ["Row", "Sheet", "ranges", "rows_of", "sheet"]
