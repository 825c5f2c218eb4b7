"""Puts together what reads the same: rows that follow each other in time and differ in nothing but their days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from rbcalc._show import amount
from rbcalc._years import shown
from rbcalc.explaining.model import Line, Outcome, Section
from rbcalc_kernels.exact.layout import Layout
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.language.types import Number

T = TypeVar("T", Section, Outcome)


def spanned(row: Row) -> tuple[int, int]:
    """The first and the last day of a row of a spell entity."""
    first, last = row.values["first_day"], row.values["last_day"]
    assert isinstance(first, int) and isinstance(last, int)
    return first, last


def strands(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows under one row, each strand of them by itself where they stand beside each other."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row.strand, []).append(row)
    return list(found.values())


def titled(layout: Layout, row: Row) -> str:
    """The title of a row's entity; of rows that stand beside each other it says whose the row is."""
    title = layout.program.entities[row.entity].title or row.entity.replace("_", " ")
    beside = row.parent is not None and len(strands(row.parent.children[row.entity])) > 1
    return f"{title} ({', '.join(f'{name} {key}'.replace('_', ' ') for name, key in key_of(layout, row).items())})" if beside else title


def key_of(layout: Layout, row: Row) -> dict[str, str]:
    """The key of a row that may stand beside others, by the column that holds it; nothing for other rows."""
    register = layout.told_apart_by(row.entity)
    return {} if register is None else {register.key: row.key}


def days_told(span: tuple[int, int] | None) -> str:
    """A stretch of days in words; nothing for none."""
    if span is None:
        return ""
    first, last = span
    return f"{shown(first)} to {shown(last)}, {amount(Fraction(last - first + 1), Number('days'))}"


def joined(sections: Sequence[Section]) -> list[Section]:
    """Sections of one entity with those that read the same put together, numbered anew."""
    found: list[Section] = []
    for section in sections:
        before = found[-1] if found else None
        if before is not None and before.span and section.span and before.span[1] + 1 == section.span[0] and _alike(before, section):
            span = before.span[0], section.span[1]
            lines = tuple(_both(one, other) for one, other in zip(before.lines, section.lines, strict=True))
            found[-1] = replace(before, span=span, days=days_told(span), lines=lines)
        else:
            found.append(section)
    if len(found) == len(sections):
        return found
    return [replace(section, title=f"{section.title.rpartition(' ')[0]} {place}") for place, section in enumerate(found, 1)]


def joined_outcomes(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Outcomes with those put together that follow each other, with the same figures for the same reasons."""
    found: list[Outcome] = []
    for outcome in outcomes:
        before = found[-1] if found else None
        if before is not None and before.title == outcome.title and before.last_day + 1 == outcome.first_day and _same(before, outcome):
            figures = tuple(_both(one, other) for one, other in zip(before.figures, outcome.figures, strict=True))
            deciding = tuple(_both(one, other) for one, other in zip(before.deciding, outcome.deciding, strict=True))
            found[-1] = replace(before, last_day=outcome.last_day, figures=figures, deciding=deciding)
        else:
            found.append(outcome)
    return found


def _alike(one: Section, other: Section) -> bool:
    if len(one.members) != len(other.members) or one.facts != other.facts:
        return False
    return _lines_alike(one.lines, other.lines) and all(_alike(a, b) for a, b in zip(one.members, other.members, strict=True))


def _same(one: Outcome, other: Outcome) -> bool:
    told = (one.refused, one.needed, one.amount) == (other.refused, other.needed, other.amount)
    return told and _lines_alike(one.figures, other.figures) and _lines_alike(one.deciding, other.deciding)


def _lines_alike(one: Sequence[Line], other: Sequence[Line]) -> bool:
    return [_told(line) for line in one] == [_told(line) for line in other]


def _told(line: Line) -> tuple[object, ...]:
    if line.adds_up:
        return line.name, line.because, line.source
    return line.name, line.value, line.because, line.source, line.working, line.parts


def _both(one: Line, other: Line) -> Line:
    """The line for both stretches of days."""
    if not line_adds(one, other):
        return one
    assert one.type is not None and not isinstance(one.value, str | bool | None) and not isinstance(other.value, str | bool | None)
    total = Fraction(one.value) + Fraction(other.value)
    working = f"{one.working if _summed(one) else one.words} + {other.words}"
    return replace(one, value=total, words=amount(total, one.type), working=working, exact="", rounding="")


def line_adds(one: Line, other: Line) -> bool:
    """Whether two lines of one name are to be added up."""
    return one.adds_up and one.value is not None and other.value is not None


def _summed(line: Line) -> bool:
    return " + " in line.working and "\u00d7" not in line.working
