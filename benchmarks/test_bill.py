"""The bill kernel, small enough for every run: what it gives is asserted, how long it takes is only recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from benchmarks.bill import Bill, batch, scenario
from benchmarks.measuring import Contender, same
from benchmarks.native import Native, available

ROWS = 20_000
TECHNOLOGIES = ("rbcalc", "c", "numpy", "numpy_narrow", "duckdb", "exact", "memory")


@pytest.fixture(scope="module")
def native() -> Iterator[Native | None]:
    made = Native() if available() else None
    yield made
    if made is not None:
        made.close()


@pytest.fixture(scope="module")
def work() -> Bill:
    return Bill(ROWS)


def contender(work: Bill, technology: str, native: Native | None, threads: int = 1) -> Contender:
    if technology in ("c", "memory"):
        if native is None:
            pytest.skip("gcc is not here")
        return getattr(work, technology)(native, threads)
    return work.exact() if technology == "exact" else getattr(work, technology)(threads)


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_one_pass(benchmark: Any, work: Bill, native: Native | None, technology: str) -> None:
    each = contender(work, technology, native)
    try:
        benchmark.pedantic(each.once, rounds=5, warmup_rounds=1)
        if each.figures is not None and technology != "exact":
            own = contender(work, "rbcalc", native)
            own.once()
            assert own.figures is not None
            assert same(each.figures(), own.figures())
    finally:
        each.close()


def test_two_threads(benchmark: Any, work: Bill) -> None:
    one, two = work.rbcalc(1), work.rbcalc(2)
    one.once()
    benchmark.pedantic(two.once, rounds=5, warmup_rounds=1)
    assert one.figures is not None and two.figures is not None
    assert same(two.figures(), one.figures())


def test_a_changed_figure(benchmark: Any, work: Bill) -> None:
    given = batch(work.columns)
    before = work.compiled.run(given)
    changed = scenario(work.program)
    after = benchmark.pedantic(lambda: work.compiled.with_parameters(changed).run(given), rounds=5, warmup_rounds=1)
    assert any(np.any(after.columns[ref] != before.columns[ref]) for ref in before.columns)
    assert work.compiled.with_parameters(changed).source == work.compiled.source
