"""Which technologies run in a work, and how one is made ready: by the work's method that has its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.measuring import Contender
from benchmarks.native import Native

IN_C = ("c", "memory")
"""What the compiler builds: it stays out where there is none."""

ALONE = ("exact", "numpy_graph")
"""What has one thread."""


def ready(work: Any, technology: str, threads: int, native: Native | None) -> Contender:
    """A technology set to a work."""
    prepare = getattr(work, technology)
    if technology in IN_C:
        assert native is not None
        return prepare(native, threads)
    return prepare() if technology in ALONE else prepare(threads)


def contenders(work: Any, threads: Sequence[int], native: Native | None, only: Sequence[str] = ()) -> Iterator[Contender]:
    """Each technology of a work for each number of threads; `only` names technologies, of which the others stay out."""
    for count in threads:
        for technology in work.technologies:
            left_out = technology in IN_C and native is None or technology in ALONE and count != 1
            if not left_out and (not only or technology in only):
                yield ready(work, technology, count, native)
