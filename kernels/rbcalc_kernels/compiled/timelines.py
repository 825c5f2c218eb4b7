"""The rows of derived entities for many roots at a time; the same rows as `exact/timelines.py` makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.columns import EntityColumns
from rbcalc_kernels.compiled.spells_machine import Days, Starts, overlay, ready, supersede, widen
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
    force get none, nor do days on which a needed one has none.
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
    base = starts_of(np.array([entities[name].count for name in names], dtype=np.int64))
    starts = np.empty(len(names) * (count + 1), dtype=np.int64)
    begins, ends = (np.empty(base[-1], dtype=np.int32) for _ in range(2))
    for place, timeline in enumerate(described.derived):
        start = starts[place * (count + 1) : (place + 1) * (count + 1)]
        start[:] = _offsets(program, described.parent, timeline.entity, entities)
        rows = entities[timeline.entity]
        begin, end = begins[base[place] : base[place + 1]], ends[base[place] : base[place + 1]]
        if timeline.effective is None:
            begin[:], end[:] = rows.columns["first_day"], rows.columns["last_day"]
            continue
        gaps = program.entities[timeline.entity].gaps
        own: tuple[Days, Days] = (rows.columns["first_day"], rows.columns["last_day"]) if gaps else (begin, end)
        ready(supersede, max(rows.count, count))(start, effective[timeline.entity], *span, gaps, *own, begin, end)
    needed = np.array([timeline.needed for timeline in described.derived], dtype=np.uint8)
    edges = np.array([period.first_day for period in program.periods[1:]], dtype=np.int32)
    # Days are cut at most where a stretch begins, after it ends, and where a period begins.
    most = count * (edges.size + 1) + 2 * int(base[-1])
    owner, first, last = (np.empty(most, dtype=np.int32) for _ in range(3))
    days_of, found = np.empty(most, dtype=np.int16), np.empty(most * len(names), dtype=np.int32)
    offsets = np.empty(count + 1, dtype=np.int64)
    made = ready(overlay, max(count, most))(
        *span, edges, starts, begins, ends, needed, np.zeros(len(names), dtype=np.int64), base, owner, first, last, days_of, found, offsets
    )
    return EntityColumns(
        count=made,
        columns={"first_day": first[:made], "last_day": last[:made], "days": days_of[:made]},
        parent=owner[:made],
        offsets=offsets,
        period=periods_of(program, first[:made]),
        sources={name: found[place * most : place * most + made] for place, name in enumerate(names)},
    )


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
