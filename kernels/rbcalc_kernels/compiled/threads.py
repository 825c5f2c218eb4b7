"""Blocks worked through by several threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.blocks import Block


def work_through(blocks: deque[Block], threads: int, done: Callable[[Block], None]) -> None:
    """Run all blocks and hand each over as it is done, one at a time; the calling thread works too."""
    lock = threading.Lock()

    def work(block: Block | None) -> None:
        """Run a block, and then those that are left."""
        try:
            while block is not None or blocks:
                try:
                    block = block or blocks.popleft()
                except IndexError:
                    return  # another thread was quicker
                block.run()
                with lock:
                    done(block)
                block = None
        except BaseException:
            blocks.clear()
            raise

    waiting: list[tuple[Future[None], Block]] = []
    # All are taken before any thread begins, since one that begins takes more when it is done.
    for block in [blocks.popleft() for _ in range(min(threads, len(blocks)) - 1)]:
        # Finding arrays needs the interpreter, which one thread has at a time; a thread that wakes up has nothing left but to run.
        block.prepare()
        waiting.append((_pool(threads, os.getpid()).submit(work, block), block))
    try:
        work(None)
    finally:
        late = [block for future, block in waiting if future.cancel()]
        faults = [future.exception() for future, _ in waiting if not future.cancelled()]
    for fault in faults:
        if fault is not None:
            raise fault
    for block in late:
        work(block)


def each_on_a_thread(calls: Sequence[Callable[[], None]], threads: int) -> None:
    """Make all calls, by so many threads; the calling thread works too.  What one raises is raised."""
    left = deque(calls)

    def work() -> None:
        try:
            while left:
                try:
                    call = left.popleft()
                except IndexError:
                    return  # another thread was quicker
                call()
        except BaseException:
            left.clear()
            raise

    others = [_pool(threads, os.getpid()).submit(work) for _ in range(min(threads, len(calls)) - 1)]
    try:
        work()
    finally:
        faults = [other.exception() for other in others if not other.cancel()]
    for fault in faults:
        if fault is not None:
            raise fault


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Threads that wait for work; `process` keeps a forked child from using those of its parent."""
    return ThreadPoolExecutor(threads - 1, thread_name_prefix="rbcalc")
