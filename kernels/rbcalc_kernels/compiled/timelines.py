"""The rows of derived entities for many roots at a time; the same rows as `exact/timelines.py` makes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.columns import EntityColumns
from rbcalc_kernels.compiled.spells_machine import Days, Rows, Starts, locate, ready, supersede, widen
from rbcalc_kernels.compiled.stretches import (
    Runs,
    day_columns,
    divide,
    events_of,
    grouped,
    period_events,
    periods_of,
)
from rbcalc_kernels.program.graph import Program


def derive(
    program: Program,
    entity: str,
    entities: Mapping[str, EntityColumns],
    effective: Mapping[str, npt.NDArray[np.int32]],
) -> EntityColumns:
    """The rows of a derived entity, from those of its timelines' entities.

    `effective` holds, by entity, the effective dates of the rows of each timeline that has them.  A new row begins where
    the row in force of a timeline changes and where a parameter period begins; days on which no timeline has a row in
    force get none, nor do days on which a needed one has none.
    """
    described = program.entities[entity]
    if described.parent is None:
        raise ValueError(f"{entity} has timelines and no parent")
    count = entities[described.parent].count
    span = _spans(program, described.parent, entities)
    everyone: Rows = np.arange(count, dtype=np.int32)
    events = period_events(program, *span)
    stretches: dict[str, tuple[Starts, Days, Days]] = {}
    for timeline in described.derived:
        start = _offsets(program, described.parent, timeline.entity, entities)
        rows = entities[timeline.entity]
        if timeline.effective is None:
            days: tuple[Days, Days] = rows.columns["first_day"], rows.columns["last_day"]
        else:
            days = np.empty(rows.count, dtype=np.int32), np.empty(rows.count, dtype=np.int32)
            gaps = program.entities[timeline.entity].gaps
            own: tuple[Days, Days] = (rows.columns["first_day"], rows.columns["last_day"]) if gaps else days
            ready(supersede, max(rows.count, count))(start, effective[timeline.entity], *span, gaps, *own, *days)
        stretches[timeline.entity] = start, *days
        events.append(events_of(program, everyone, everyone, start, days, span))
    runs = divide(program, *span, events)
    offsets = grouped(runs.owner, count)
    sources: dict[str, Rows] = {}
    for name, (start, begins, ends) in stretches.items():
        sources[name] = np.empty(runs.owner.size, dtype=np.int32)
        ready(locate, max(runs.owner.size, count))(offsets, runs.first, start, begins, ends, sources[name])
    idle = np.logical_and.reduce([found < 0 for found in sources.values()])
    for timeline in described.derived:
        if timeline.needed:
            idle |= sources[timeline.entity] < 0
    if idle.any():
        keep = np.flatnonzero(~idle)
        runs = Runs(runs.owner[keep], runs.first[keep], runs.last[keep])
        sources = {name: found[keep] for name, found in sources.items()}
        offsets = grouped(runs.owner, count)
    return EntityColumns(
        count=runs.owner.size,
        columns=day_columns(runs.first, runs.last),
        parent=runs.owner,
        offsets=offsets,
        period=periods_of(program, runs.first),
        sources=sources,
    )


def _spans(program: Program, parent: str, entities: Mapping[str, EntityColumns]) -> tuple[Days, Days]:
    """The days from the first to the last of the ordinary spells under each parent row."""
    count = entities[parent].count
    first: Days = np.full(count, 2**31 - 1, dtype=np.int32)
    last: Days = np.full(count, -(2**31), dtype=np.int32)
    for name, described in program.entities.items():
        if described.spell and not described.derived and described.parent == parent:
            spells = entities[name]
            if spells.spread == (1, 1):
                first = np.minimum(first, spells.columns["first_day"])
                last = np.maximum(last, spells.columns["last_day"])
                continue
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
    start: Starts = np.arange(entities[parent].count + 1, dtype=np.int64)
    for name in reversed(path):
        offsets = entities[name].offsets
        assert offsets is not None
        start = offsets[start]
    return start
