"""The rows of derived entities for many roots at a time; the same rows as `exact/timelines.py` makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.columns import EntityColumns
from rbcalc_kernels.compiled.spells_machine import Days, Rows, Starts, overlay, ready, supersede, widen
from rbcalc_kernels.compiled.stretches import periods_of, starts_of
from rbcalc_kernels.program.graph import Program

_NO_DAYS: Final = 2**31 - 1, -(2**31)


def derive(
    program: Program,
    entity: str,
    entities: Mapping[str, EntityColumns],
    effective: Mapping[str, npt.NDArray[np.int32]],
    spans: dict[str, tuple[Days, Days]] | None = None,
) -> EntityColumns:
    """The rows of a derived entity, from those of its timelines' entities.

    `effective` holds, by entity, the effective dates of the rows of each timeline that has them; `spans` what earlier runs over
    the same rows found of the days of parent rows, and what this one finds.  A new row begins where
    the row in force of a timeline changes and where a parameter period begins; days on which no timeline has a row in
    force get none, nor do days on which a needed one has none.  Where rows of a timeline stand beside each other, each strand meets
    the other timelines by itself.
    """
    described = program.entities[entity]
    if described.parent is None:
        raise ValueError(f"{entity} has timelines and no parent")
    count = entities[described.parent].count
    spans = {} if spans is None else spans
    if described.parent not in spans:
        spans[described.parent] = _spans(program, described.parent, entities)
    span = spans[described.parent]
    names = [timeline.entity for timeline in described.derived]
    strands = _Strands.of(entities, names, count)
    size = count if strands is None else strands.parent.size
    met = span if strands is None else (span[0][strands.parent], span[1][strands.parent])
    base = starts_of(np.array([entities[name].count for name in names], dtype=np.int64))
    starts = np.empty(len(names) * (size + 1), dtype=np.int64)
    stops = starts[1:] if strands is None else np.empty_like(starts)
    begins, ends = (np.empty(base[-1], dtype=np.int32) for _ in range(2))
    stretches = int(base[-1])
    for place, timeline in enumerate(described.derived):
        offsets = _offsets(program, described.parent, timeline.entity, entities)
        rows = entities[timeline.entity]
        part, days = slice(place * (size + 1), (place + 1) * (size + 1)), span
        if strands is None:
            starts[part] = offsets
        else:
            if rows.strand is not None:
                offsets, days = strands.offsets(rows), met
            else:
                # What stands beside nothing is met by each strand.
                stretches -= rows.count
                stretches += int((offsets[strands.parent + 1] - offsets[strands.parent]).sum())
            starts[part][:-1], stops[part][:-1] = strands.within(rows, offsets)
        begin, end = begins[base[place] : base[place + 1]], ends[base[place] : base[place + 1]]
        if timeline.effective is None:
            begin[:], end[:] = rows.columns["first_day"], rows.columns["last_day"]
            continue
        gaps = program.entities[timeline.entity].gaps
        own: tuple[Days, Days] = (rows.columns["first_day"], rows.columns["last_day"]) if gaps else (begin, end)
        ready(supersede, max(rows.count, count))(offsets, effective[timeline.entity], *days, gaps, *own, begin, end)
    needed = np.array([timeline.needed for timeline in described.derived], dtype=np.uint8)
    edges = np.array([period.first_day for period in program.periods[1:]], dtype=np.int32)
    # Days are cut at most where a stretch begins, after it ends, and where a period begins.
    most = size * (edges.size + 1) + 2 * stretches
    owner, first, last = (np.empty(most, dtype=np.int32) for _ in range(3))
    days_of, found = np.empty(most, dtype=np.int16), np.empty(most * len(names), dtype=np.int32)
    ends_of, at = np.empty(size + 1, dtype=np.int64), np.zeros(len(names), dtype=np.int64)
    made = ready(overlay, max(size, most))(
        *met, edges, starts, stops, begins, ends, needed, at, base, owner, first, last, days_of, found, ends_of
    )
    return EntityColumns(
        count=made,
        columns={"first_day": first[:made], "last_day": last[:made], "days": days_of[:made]},
        parent=owner[:made] if strands is None else strands.parent[owner[:made]],
        offsets=ends_of if strands is None else ends_of[np.searchsorted(strands.parent, np.arange(count + 1))],
        period=periods_of(program, first[:made]),
        sources={name: found[place * most : place * most + made] for place, name in enumerate(names)},
        strand=None if strands is None else strands.number[owner[:made]],
    )


@dataclass(frozen=True, slots=True)
class _Strands:
    """The strands below each parent row, one at least: whose each is, and which number it has there."""

    parent: Rows
    number: Rows
    codes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, entities: Mapping[str, EntityColumns], names: list[str], count: int) -> _Strands | None:
        """The strands in which rows of some timelines stand; None where no parent has more than one."""
        apart = [rows for rows in map(entities.__getitem__, names) if rows.strand is not None]
        if not any(_several(rows) for rows in apart):
            return None
        codes = np.unique(np.concatenate([_codes(rows) for rows in apart]))
        alone = np.setdiff1d(np.arange(count, dtype=np.int64), codes >> 32, assume_unique=False)
        codes = np.sort(np.concatenate([codes, alone << 32]))
        return cls((codes >> 32).astype(np.int32), (codes & 0xFFFFFFFF).astype(np.int32), codes)

    def offsets(self, rows: EntityColumns) -> Starts:
        """Where the rows of each strand begin, of rows that stand in strands."""
        return np.append(np.searchsorted(_codes(rows), self.codes), rows.count).astype(np.int64)

    def within(self, rows: EntityColumns, offsets: Starts) -> tuple[Starts, Starts]:
        """Where the rows that each strand meets begin, and where they end; `offsets` says it of strands, or of parents."""
        if rows.strand is not None:
            return offsets[:-1], offsets[1:]
        return offsets[self.parent], offsets[self.parent + 1]


def _codes(rows: EntityColumns) -> npt.NDArray[np.int64]:
    assert rows.parent is not None
    assert rows.strand is not None
    return (rows.parent.astype(np.int64) << 32) + rows.strand


def _several(rows: EntityColumns) -> bool:
    """Whether a parent has rows of more than one strand."""
    assert rows.parent is not None
    assert rows.strand is not None
    return bool(((rows.parent[1:] == rows.parent[:-1]) & (rows.strand[1:] != rows.strand[:-1])).any())


def _spans(program: Program, parent: str, entities: Mapping[str, EntityColumns]) -> tuple[Days, Days]:
    """The days from the first to the last of the ordinary spells under each parent row."""
    found: tuple[Days, Days] | None = None
    left = []
    for name, described in program.entities.items():
        if described.spell and not described.derived and described.parent == parent:
            spells = entities[name]
            if spells.spread != (1, 1):
                left.append(spells)
                continue
            days = spells.columns["first_day"], spells.columns["last_day"]
            found = days if found is None else (np.minimum(found[0], days[0]), np.maximum(found[1], days[1]))
    if found is not None and not left:
        return found
    count = entities[parent].count
    # What columns hold stays as it is.
    first, last = (day.copy() for day in found) if found is not None else (np.full(count, none, dtype=np.int32) for none in _NO_DAYS)
    for spells in left:
        assert spells.offsets is not None
        if spells.strand is not None and spells.parent is not None:  # strand after strand, not in the order of their days
            np.minimum.at(first, spells.parent, spells.columns["first_day"])
            np.maximum.at(last, spells.parent, spells.columns["last_day"])
            continue
        ready(widen, count)(spells.offsets, spells.columns["first_day"], spells.columns["last_day"], first, last)
    return first, last


def _offsets(program: Program, parent: str, entity: str, entities: Mapping[str, EntityColumns]) -> Starts:
    """Where the rows of `entity` of each row of `parent` begin, whatever entities stand between."""
    path = [entity]
    while (above := program.entities[path[-1]].parent) != parent:
        if above is None:
            raise KeyError(f"{entity} does not belong to {parent}")
        path.append(above)
    start: Starts | None = None
    for name in reversed(path):
        offsets = entities[name].offsets
        assert offsets is not None
        start = offsets if start is None else offsets[start]
    assert start is not None
    return start
