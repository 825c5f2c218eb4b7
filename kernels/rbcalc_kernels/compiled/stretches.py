"""Dividing days into runs at given days, for many roots at a time; and rows under rows, as offsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.spells_machine import Days, Rows, Starts, count_events, fill_events, ready
from rbcalc_kernels.program.graph import Program

Events = npt.NDArray[np.int64]
"""Days inside roots' own: the root times 2^32, and the days since the program's first."""


@dataclass(slots=True)
class Runs:
    """Stretches of days, sorted by the row they belong to and then by day."""

    owner: Rows
    first: Days
    last: Days


def starts_of(counts: npt.NDArray[Any], base: int = 0) -> Starts:
    """Where the rows of each owner begin, from how many each has."""
    start = np.empty(counts.size + 1, dtype=np.int64)
    start[0] = base
    np.cumsum(counts, out=start[1:])
    if base:
        start[1:] += base
    return start


def grouped(owners: Rows, size: int) -> Starts:
    """Where the rows of each of `size` owners begin, of rows sorted by owner; those of no owner (-1) come first."""
    unowned = int(np.searchsorted(owners, 0))
    return starts_of(np.bincount(owners[unowned:], minlength=size), unowned)


def spread(start: Starts, keys: npt.NDArray[Any]) -> tuple[Rows, Starts]:
    """The rows `start[k]:start[k + 1]` of each key in turn, and where those of each begin."""
    counts = start[keys + 1] - start[keys]
    offsets = starts_of(counts)
    rows = np.arange(offsets[-1], dtype=np.int64) + np.repeat(start[keys] - offsets[:-1], counts)
    return rows.astype(np.int32), offsets


def events_of(
    program: Program,
    roots: Rows,
    keys: Rows,
    start: Starts,
    days: tuple[Days, Days],
    span: tuple[Days, Days],
) -> Events:
    """The days inside each root's span at which a record (first days, last days) begins or has just ended."""
    size = max(roots.size, days[0].size)
    total = ready(count_events, size)(roots, keys, start, *days, *span)
    out = np.empty(total, dtype=np.int64)
    if total:
        ready(fill_events, size)(roots, keys, start, *days, *span, program.first_day, out)
    return out


def period_events(program: Program, first: Days, last: Days) -> list[Events]:
    """The days inside each span at which one of the program's parameter periods begins."""
    found = []
    for period in program.periods[1:]:
        roots = np.flatnonzero((first < period.first_day) & (last >= period.first_day))
        found.append((roots << 32) + (period.first_day - program.first_day))
    return found


def events_at(program: Program, roots: npt.NDArray[Any], days: Days) -> Events:
    """The events of such days."""
    return (roots.astype(np.int64) << 32) + (days.astype(np.int64) - program.first_day)


def divide(program: Program, first: Days, last: Days, events: list[Events]) -> Runs:
    """Each row's days, divided at its events; rows without days have no runs."""
    found = np.concatenate(events) if events else np.empty(0, dtype=np.int64)
    size = first.size
    if found.size:
        found.sort()
        found = found[np.concatenate([[True], found[1:] != found[:-1]])]
        roots = found >> 32
        counts = np.bincount(roots, minlength=size) + 1
        at = roots + 1 + np.arange(found.size)
        owner = np.repeat(np.arange(size, dtype=np.int32), counts)
        begins = np.empty(owner.size, dtype=np.int32)
        begins[starts_of(counts)[:-1]] = first
        begins[at] = (found & 0xFFFFFFFF) + program.first_day
        ends = np.empty(owner.size, dtype=np.int32)
        ends[starts_of(counts)[1:] - 1] = last
        ends[at - 1] = begins[at] - 1
        runs = Runs(owner, begins, ends)
    else:
        runs = Runs(np.arange(size, dtype=np.int32), first, last)
    if (idle := runs.last < runs.first).any():
        keep = np.flatnonzero(~idle)
        runs = Runs(runs.owner[keep], runs.first[keep], runs.last[keep])
    return runs


def periods_of(program: Program, first: Days) -> npt.NDArray[np.uint8] | None:
    """Which parameter period each day lies in; None when there is only one."""
    if len(program.periods) < 2:
        return None
    edges = np.array([period.first_day for period in program.periods[1:]], dtype=np.int32)
    return np.searchsorted(edges, first, side="right").astype(np.uint8)


def day_columns(first: Days, last: Days) -> dict[str, npt.NDArray[Any]]:
    """The built-in columns of a spell entity."""
    return {"first_day": first, "last_day": last, "days": (last - first + 1).astype(np.int16)}
