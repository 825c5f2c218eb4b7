"""Threads that wait to help with tables of `driving`, and are let alone again without anybody waiting for those that came too late."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from rbcalc_kernels.compiled.calls import Numbers
from rbcalc_kernels.compiled.driving import DONE


class Helper:
    """A thread that works at the tables that it is given."""

    def __init__(self) -> None:
        self._wanted = threading.Lock()
        self._wanted.acquire()
        self.apart = threading.Lock()
        """Held while the thread looks at a table."""
        self._table: Numbers = np.array([0, DONE], dtype=np.int64)
        self._address = 0
        self._work: Callable[[int], int] | None = None
        self._kept: object = None
        threading.Thread(target=self._wait, name="rbcalc", daemon=True).start()

    def _wait(self) -> None:
        while True:
            self._wanted.acquire()
            with self.apart:
                # A table that others have done meanwhile is looked at all the same, so that it must still be there.
                table = self._table
                if self._work is not None:
                    self._work(self._address)
                del table

    def offer(self, work: Callable[[int], int], table: Numbers, address: int, kept: object) -> None:
        """Let the thread, which the caller holds apart, work at a table; `kept` is what the table tells of."""
        self._work, self._table, self._address, self._kept = work, table, address, kept
        self.apart.release()
        if self._wanted.locked():
            self._wanted.release()

    def dismiss(self) -> None:
        """Let go of what the table told of."""
        self._kept = None


_IDLE: Final[list[Helper]] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_IDLE.clear)  # a child has none of its parent's threads


def _apart(count: int) -> list[Helper]:
    """Threads that look at no table, held apart."""
    found: list[Helper] = []
    late: list[Helper] = []
    while len(found) < count:
        try:
            helper = _IDLE.pop()
        except IndexError:
            helper = Helper()
        (found if helper.apart.acquire(blocking=False) else late).append(helper)
    _IDLE.extend(late)  # still on their way out of an earlier table
    return found


def together(work: Callable[[int], int], tables: Sequence[tuple[Numbers, int]], kept: object) -> None:
    """Work at tables, each of which its own thread takes; the calling thread takes the first.  None is worked at afterwards."""
    if len(tables) == 1:
        work(tables[0][1])
        return
    helpers = _apart(len(tables) - 1)
    for helper, (table, address) in zip(helpers, tables[1:], strict=True):
        helper.offer(work, table, address, kept)
    if work(tables[0][1]):
        for helper in helpers:
            with helper.apart:
                pass
    for helper in helpers:
        helper.dismiss()
    _IDLE.extend(helpers)
