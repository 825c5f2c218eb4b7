"""Amounts of a year held against those of the year before, as a bill shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path

from rbcalc._years import FinancialYear
from rbcalc.rulebook.rules import Council
from rbcalc_kernels.program.graph import Cells, Comparison, Program


@dataclass(frozen=True, slots=True)
class Line:
    """One amount of a table: its keys, this year's and last year's figure, and the change in per cent.

    `last` is None where last year had no such amount, or where the council's figures of that year are not known; then, and
    where there is nothing to put the difference over, `change` is None.
    """

    keys: tuple[str, ...]
    amount: Fraction
    last: Fraction | None
    change: Fraction | None


def changes(council: Council, year: str | FinancialYear, own: Sequence[Path] = ()) -> dict[str, list[Line]]:
    """The lines of each comparison that the rules declare, by its name; `own` are further council files for the year."""
    when = FinancialYear.of(year)
    program = council.program(when, own=own)
    before = FinancialYear(when.begins - 1)
    earlier = council.program(before) if before in council.years() else None
    return {comparison.name: _lines(program, earlier, comparison) for comparison in program.comparisons}


def _lines(program: Program, earlier: Program | None, comparison: Comparison) -> list[Line]:
    amounts = program.tables[comparison.table].by_period[0]
    last = earlier.tables[comparison.table].by_period[0] if earlier is not None else Cells({})
    members = program.tables[comparison.table].axes[0].members
    lines = []
    for keys, (_, (value,)) in amounts.rows.items():
        rest = keys[1:]
        own = [of for of in members if _says(program, comparison.less, (keys[0], of)) and (of, *rest) in last.rows]
        over = [of for of in members if _says(program, comparison.base, (keys[0], of)) and (of, *rest) in last.rows]
        taken = _sum(last, own, rest) if own else None
        base = _sum(last, over, rest)
        change = None
        if taken is not None and base:
            scale = 10**comparison.decimals
            change = Fraction(floor((Fraction(value) - taken) / base * 100 * scale + Fraction(1, 2)), scale)
        lines.append(Line(keys, Fraction(value), taken, change))
    return lines


def _sum(cells: Cells, members: list[str], rest: tuple[str, ...]) -> Fraction:
    return sum((Fraction(cells.rows[(member, *rest)][1][0]) for member in members), Fraction(0))


def _says(program: Program, table: str, keys: tuple[str, ...]) -> bool:
    row = program.tables[table].by_period[0].rows.get(keys)
    return row is not None and bool(row[1][0])
