"""What every work's test needs: the opponent in C, and a contender that is closed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmarks.contending import IN_C, ready
from benchmarks.measuring import Contender
from benchmarks.native import Native, available


@pytest.fixture(scope="session")
def native() -> Iterator[Native | None]:
    made = Native() if available() else None
    yield made
    if made is not None:
        made.close()


@pytest.fixture
def contender(native: Native | None) -> Iterator[Callable[[Any, str, int], Contender]]:
    """Makes a technology ready for a work; the test is skipped where it needs a compiler and there is none."""
    made: list[Contender] = []

    def prepare(work: Any, technology: str, threads: int) -> Contender:
        if technology in IN_C and native is None:
            pytest.skip("gcc is not here")
        made.append(ready(work, technology, threads, native))
        return made[-1]

    yield prepare
    for each in made:
        each.close()
