"""Interleaved repeats: every contender runs once in each turn, so that a busy moment of the machine meets all alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

QUICK = 0.2
"""Seconds below which a run is quick."""

Figures = dict[str, npt.NDArray[np.int64]]


@dataclass
class Contender:
    """A technology set to one work.  `run` does the work once; `seconds`, where given, does it and says how long it took itself."""

    technology: str
    threads: int
    rows: int
    run: Callable[[], None] | None = None
    figures: Callable[[], Figures] | None = None
    seconds: Callable[[], float] | None = None
    close: Callable[[], None] = lambda: None
    bytes_moved: int = 0
    steps: int = 0
    every: int = 1
    note: str = ""
    times: list[float] = field(default_factory=list)
    agrees: bool = True

    def once(self) -> float:
        """The seconds of one run."""
        if self.seconds is not None:
            return self.seconds()
        assert self.run is not None
        begin = time.perf_counter()
        self.run()
        return time.perf_counter() - begin

    @property
    def median(self) -> float:
        """The median of the repeats, in seconds."""
        return statistics.median(self.times)

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.median


def race(contenders: Sequence[Contender], repeats: int, budget: float = 20.0) -> None:
    """Time all contenders in turns.

    A quick one runs once untimed before each timed run: otherwise whoever runs after a contender that read the same columns
    finds them in the cache.  One that has used its budget of seconds sits out what remains, after three runs.
    """
    slow = {id(contender): contender.once() + contender.once() > 2 * QUICK for contender in contenders}
    gc.collect()
    gc.disable()
    try:
        for turn in range(repeats):
            for contender in contenders:
                tired = len(contender.times) >= 3 and sum(contender.times) > budget
                if not tired and turn % contender.every == 0:
                    if not slow[id(contender)]:
                        contender.once()
                    contender.times.append(contender.once())
    finally:
        gc.enable()


def same(figures: Figures, expected: Figures) -> bool:
    """Whether figures are the expected ones, as far as both go."""
    if figures.keys() != expected.keys():
        return False
    return all(np.array_equal(figures[name], expected[name][: len(figures[name])]) for name in expected)


def parts(rows: int, threads: int) -> list[tuple[int, int]]:
    """The rows divided among threads."""
    edges = [rows * place // threads for place in range(threads + 1)]
    return list(pairwise(edges))


def line(work: str, contender: Contender) -> dict[str, object]:
    """A result as it is printed with --json."""
    times = [seconds * 1e3 for seconds in contender.times]
    found: dict[str, object] = {
        "work": work,
        "technology": contender.technology,
        "threads": contender.threads,
        "rows": contender.rows,
        "rows_per_second": round(contender.rate),
        "agrees": contender.agrees,
        "median_ms": round(contender.median * 1e3, 4),
        "min_ms": round(min(times), 4),
        "max_ms": round(max(times), 4),
    }
    if contender.steps:
        found["nanoseconds_per_statement"] = round(min(times) * 1e6 / contender.steps, 4)
    if contender.bytes_moved:
        found["gigabytes_per_second"] = round(contender.bytes_moved / contender.median / 1e9, 2)
    return found


def total(values: Iterable[npt.NDArray[np.generic]]) -> int:
    """The bytes of some columns."""
    return sum(value.nbytes for value in values)
