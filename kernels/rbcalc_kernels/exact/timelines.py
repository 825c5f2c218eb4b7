"""The rows of derived entities: runs of days in which the same rows are in force."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.program.graph import MOST_BESIDE, Entity, Program, Timeline

Effective = Callable[[Row, str], int]
"""Gives the value of a row's effective date, by name."""

_Stretch = tuple[int, int, Row]
"""First day, last day, and the row in force on them."""


def rows_below(program: Program, row: Row, entity: str) -> list[Row]:
    """The rows of `entity` that belong to `row`, directly or through rows between, in order."""
    path = [entity]
    while (parent := program.entities[path[-1]].parent) != row.entity:
        if parent is None:
            raise KeyError(f"{entity} does not belong to {row.entity}")
        path.append(parent)
    rows = [row]
    for name in reversed(path):
        rows = [child for above in rows for child in above.children.get(name, [])]
    return rows


def span_of(program: Program, parent: Row) -> tuple[int, int] | None:
    """The days from the first to the last of the spells under a row; None when there are none."""
    spells = [
        spell
        for name, described in program.entities.items()
        if described.spell and not described.derived and described.parent == parent.entity
        for spell in parent.children.get(name, [])
    ]
    if not spells:
        return None
    return min(_day(spell, "first_day") for spell in spells), max(_day(spell, "last_day") for spell in spells)


def derive(program: Program, entity: str, parent: Row, effective: Effective) -> list[Row]:
    """Make the rows of a derived entity under a row, and hang them there.

    A new row begins where the row in force of a timeline changes and where a parameter period begins.  Days on which no
    timeline has a row in force get no row; where only some have, the others' sources are None.  Where rows of a timeline
    stand beside each other, each strand meets the other timelines by itself; where there is none, they meet once.  Raises
    CalculationFault when the strands come to more rows than may belong to one row.
    """
    described = program.entities[entity]
    made: list[Row] = []
    parent.children[entity] = made
    span = span_of(program, parent)
    if span is None:
        return made
    followed = [timeline.entity for timeline in described.derived if program.entities[timeline.entity].beside]
    strands = {row.strand: row.key for name in followed for row in rows_below(program, parent, name)} or {0: ""}
    for strand, key in sorted(strands.items()):
        for row in _derived(program, described, parent, effective, span, strand):
            row.strand, row.key, row.previous = strand, key, made[-1] if made and made[-1].strand == strand else None
            made.append(row)
    if described.beside and len(made) > MOST_BESIDE:
        raise CalculationFault(Reason.TOO_MANY, f"too many rows of {entity} beside each other", row=parent)
    return made


def _derived(program: Program, described: Entity, parent: Row, effective: Effective, span: tuple[int, int], strand: int) -> list[Row]:
    """The rows of a derived entity under a row, or those of one strand of them."""
    made: list[Row] = []
    timelines = {timeline.entity: _stretches(program, timeline, parent, effective, span, strand) for timeline in described.derived}
    starts = {span[0]} | {period.first_day for period in program.periods}
    for stretches in timelines.values():
        starts |= {day for first, last, _ in stretches for day in (first, last + 1)}
    inside = sorted(day for day in starts if span[0] <= day <= span[1])
    for first, following in zip(inside, [*inside[1:], span[1] + 1], strict=True):
        sources = {name: _in_force(stretches, first) for name, stretches in timelines.items()}
        if not any(source is not None for source in sources.values()):
            continue
        if any(timeline.needed and sources[timeline.entity] is None for timeline in described.derived):
            continue
        made.append(
            Row(
                described.name,
                days_of(first, following - 1),
                parent=parent,
                sources=sources,
                period=period_of(program, first),
            )
        )
    return made


def days_of(first: int, last: int) -> dict[str, Fraction | int | bool | str | None]:
    """The built-in values of a spell."""
    return {"first_day": first, "last_day": last, "days": Fraction(last - first + 1)}


def period_of(program: Program, day: int) -> int:
    """Which of the program's parameter periods a day lies in."""
    return max(place for place, period in enumerate(program.periods) if place == 0 or period.first_day <= day)


def _day(row: Row, name: str) -> int:
    day = row.values[name]
    assert isinstance(day, int)
    return day


def _in_force(stretches: list[_Stretch], day: int) -> Row | None:
    return next((row for first, last, row in stretches if first <= day <= last), None)


def _stretches(
    program: Program, timeline: Timeline, parent: Row, effective: Effective, span: tuple[int, int], strand: int
) -> list[_Stretch]:
    """The days of the span on which each row of a timeline is in force; of one strand where its rows stand beside each other.

    With effective dates a later row always supersedes: a row is in force from its date until the day before the earliest
    date of the rows after it, and not at all when that is no later than its own.  Rows of an entity with gaps are in force
    no longer than the run of rows without a gap that they stand in.
    """
    first_day, last_day = span
    rows = rows_below(program, parent, timeline.entity)
    if program.entities[timeline.entity].beside:
        rows = [row for row in rows if row.strand == strand]
    if timeline.effective is None:
        return [(_day(row, "first_day"), _day(row, "last_day"), row) for row in rows]
    gaps = program.entities[timeline.entity].gaps
    found: list[_Stretch] = []
    following = last_day + 1
    after: Row | None = None
    for row in reversed(rows):
        if gaps and (after is None or _day(after, "first_day") > _day(row, "last_day") + 1):
            following = min(following, _day(row, "last_day") + 1)
        after = row
        begins = max(effective(row, timeline.effective), first_day)
        if begins < following:
            found.append((begins, following - 1, row))
        following = min(following, begins)
    return found[::-1]
