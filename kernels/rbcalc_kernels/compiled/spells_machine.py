"""The loops that cut many roots' days: plain Python over arrays, compiled by Numba when there is enough to do.

Rows below a key are found through `start`: those of key k are `start[k]:start[k + 1]`.  A key below 0 has none.  Records
and stretches have a first and a last day; a root's own days are `first[r]..last[r]`, none when the last is before the
first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.cache import Kernel

SMALL: Final = 3000
"""Below so many rows, running the plain Python is quicker than compiling it."""

FEW: Final = 100
"""Below so many, running it is quicker even than finding machine code that was kept."""

NEVER: Final = 2**31 - 1
"""The first day of a stretch that is never in force; its last day is `-NEVER`."""

NONE: Final = -1
SEVERAL: Final = -2

Days = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int32]
Starts = npt.NDArray[np.int64]

F = TypeVar("F", bound=Callable[..., Any])

_MADE: Final[dict[Callable[..., Any], Kernel]] = {}


def ready(function: F, size: int) -> F:
    """The function in the form that suits so many rows."""
    if size >= SMALL:
        return compiled(function)
    return cast("F", partial(_quickest, function, size)) if size >= FEW or function in _MADE else function


def compiled(function: F) -> F:
    """The function as machine code, kept like that of generated functions; the one place that says how."""
    return cast("F", _kernel(function))


def _kernel(function: Callable[..., Any]) -> Kernel:
    found = _MADE.get(function)
    if found is None:
        from rbcalc_kernels.compiled.cache import Kernel, identity

        found = _MADE.setdefault(function, Kernel(identity(function), function=function))
    return found


def _quickest(function: Callable[..., Any], size: int, *arguments: Any) -> Any:
    """Run what is there already: machine code for arguments of these types, or plain Python."""
    kernel = _kernel(function)
    there = kernel.has(arguments) or (size >= FEW and kernel.kept(arguments))
    return kernel(*arguments) if there else function(*arguments)


def widen(start: Starts, begins: Days, ends: Days, first: Days, last: Days) -> None:
    """Let each row's span reach over the rows below it, which are in the order of their days."""
    for i in range(first.size):
        if start[i + 1] > start[i]:
            first[i] = min(first[i], begins[start[i]])
            last[i] = max(last[i], ends[start[i + 1] - 1])


def count_events(roots: Rows, keys: Rows, start: Starts, begins: Days, ends: Days, first: Days, last: Days) -> int:
    """How many days, repeats included, `fill_events` gives."""
    total = 0
    for i in range(roots.size):
        key = keys[i]
        if key >= 0:
            low = first[roots[i]]
            high = last[roots[i]]
            for j in range(start[key], start[key + 1]):
                if begins[j] > low and begins[j] <= high:
                    total += 1
                if ends[j] >= low and ends[j] < high:
                    total += 1
    return total


def fill_events(
    roots: Rows,
    keys: Rows,
    start: Starts,
    begins: Days,
    ends: Days,
    first: Days,
    last: Days,
    origin: int,
    out: npt.NDArray[np.int64],
) -> None:
    """The days inside each root's own at which something begins, or something has ended the day before.

    Each is a whole number: the root times 2^32, and the days since `origin`.
    """
    at = 0
    for i in range(roots.size):
        key = keys[i]
        if key >= 0:
            low = first[roots[i]]
            high = last[roots[i]]
            base = np.int64(roots[i]) * 4294967296 - origin
            for j in range(start[key], start[key + 1]):
                if begins[j] > low and begins[j] <= high:
                    out[at] = base + begins[j]
                    at += 1
                if ends[j] >= low and ends[j] < high:
                    out[at] = base + ends[j] + 1
                    at += 1


def count_members(keys: Rows, days: Days, start: Starts, begins: Days, ends: Days, dated: bool, offsets: npt.NDArray[np.int64]) -> None:
    """Where the records of each key that are in force on its day would stand, one after another."""
    total = 0
    offsets[0] = 0
    for i in range(keys.size):
        key = keys[i]
        if key >= 0:
            if dated:
                day = days[i]
                for j in range(start[key], start[key + 1]):
                    if begins[j] <= day and ends[j] >= day:
                        total += 1
            else:
                total += start[key + 1] - start[key]
        offsets[i + 1] = total


def fill_members(
    keys: Rows,
    days: Days,
    start: Starts,
    begins: Days,
    ends: Days,
    dated: bool,
    parents: Rows,
    records: Rows,
) -> None:
    """The records of each key that are in force on its day, and whose they are."""
    at = 0
    for i in range(keys.size):
        key = keys[i]
        if key >= 0:
            for j in range(start[key], start[key + 1]):
                if not dated or (begins[j] <= days[i] and ends[j] >= days[i]):
                    parents[at] = i
                    records[at] = j
                    at += 1


def only_member(keys: Rows, days: Days, start: Starts, begins: Days, ends: Days, dated: bool, records: Rows) -> int:
    """The one record of each key in force on its day, NONE or SEVERAL; gives how many have not exactly one."""
    wrong = 0
    for i in range(keys.size):
        key = keys[i]
        found = -1
        if key >= 0:
            for j in range(start[key], start[key + 1]):
                if not dated or (begins[j] <= days[i] and ends[j] >= days[i]):
                    found = j if found == -1 else -2
        records[i] = found
        if found < 0:
            wrong += 1
    return wrong


def supersede(
    start: Starts, effective: Days, first: Days, last: Days, gaps: bool, own_first: Days, own_last: Days, begins: Days, ends: Days
) -> None:
    """The days on which each row is in force when a later row supersedes from its effective date on.

    With gaps, a row is in force no longer than the run of rows without a gap that it stands in.
    """
    for p in range(first.size):
        following = np.int64(last[p]) + 1
        for j in range(start[p + 1] - 1, start[p] - 1, -1):
            if gaps and (j == start[p + 1] - 1 or own_first[j + 1] > own_last[j] + 1):
                following = min(following, np.int64(own_last[j]) + 1)
            day = max(effective[j], first[p])
            if day < following:
                begins[j] = day
                ends[j] = following - 1
                following = np.int64(day)
            else:
                begins[j] = 2147483647
                ends[j] = -2147483647


def overlay(
    first: Days, last: Days, edges: Days, starts: Starts, stops: Starts, begins: Days, ends: Days, needed: npt.NDArray[np.uint8],
    at: npt.NDArray[np.int64], base: Starts,
    owner: Rows, run_first: Days, run_last: Days, days: npt.NDArray[np.int16], found: Rows, offsets: Starts,
) -> int:  # fmt: skip
    """Each row's days, divided where a stretch of a timeline begins or has ended and at `edges`; gives how many runs there are.

    Timelines stand one after another in `begins` and `ends`, their stretches from `base` on; those under row p are `starts` to `stops`
    at p, in order of time, where each timeline has as many places as rows and one more.  `found` gets the stretch of each timeline
    that is in force in each run, or NONE.  There is no run where none is, or none of a timeline that is needed.  `at` is room for a
    place in each timeline.
    """
    total = 0
    size = first.size
    room = owner.size
    offsets[0] = 0
    for p in range(size):
        # Under most rows one stretch of each timeline is in force on all days.
        throughout = at.size > 0 and first[p] <= last[p]
        for e in range(edges.size):
            if edges[e] > first[p] and edges[e] <= last[p]:
                throughout = False
        for k in range(at.size):
            j = base[k] + starts[k * (size + 1) + p]
            at[k] = j
            if base[k] + stops[k * (size + 1) + p] != j + 1 or begins[j] > first[p] or ends[j] < last[p]:
                throughout = False
        if throughout:
            for k in range(at.size):
                found[k * room + total] = at[k] - base[k]
            owner[total] = p
            run_first[total] = first[p]
            run_last[total] = last[p]
            days[total] = last[p] - first[p] + 1
            total += 1
            offsets[p + 1] = total
            continue
        day = np.int64(first[p])
        while day <= last[p]:
            until = np.int64(last[p])
            for e in range(edges.size):
                if edges[e] > day and edges[e] <= until:
                    until = np.int64(edges[e]) - 1
            lacking = 0
            standing = 0
            for k in range(at.size):
                j = at[k]
                end = base[k] + stops[k * (size + 1) + p]
                while j < end and ends[j] < day:
                    j += 1
                at[k] = j
                here = np.int64(-1)
                if j < end:
                    if begins[j] <= day:
                        here = j - base[k]
                        until = min(until, np.int64(ends[j]))
                    else:
                        until = min(until, np.int64(begins[j]) - 1)
                found[k * room + total] = here
                if here >= 0:
                    standing += 1
                elif needed[k] != 0:
                    lacking += 1
            if standing > 0 and lacking == 0:
                owner[total] = p
                run_first[total] = day
                run_last[total] = until
                days[total] = until - day + 1
                total += 1
            day = until + 1
        offsets[p + 1] = total
    return total
