"""The bill kernel, small enough for every run: what it gives is asserted, how long it takes is only recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.bill import Bill, batch, scenario
from benchmarks.measuring import Contender, same

ROWS = 20_000
TECHNOLOGIES = ("rbcalc", "c", "numpy", "numpy_narrow", "duckdb", "exact", "memory")


@pytest.fixture(scope="module")
def work() -> Bill:
    return Bill(ROWS)


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_one_pass(benchmark: Any, work: Bill, contender: Callable[[Any, str, int], Contender], technology: str) -> None:
    each = contender(work, technology, 1)
    benchmark.pedantic(each.once, rounds=5, warmup_rounds=1)
    if each.figures is not None and technology != "exact":
        own = contender(work, "rbcalc", 1)
        own.once()
        assert own.figures is not None
        assert same(each.figures(), own.figures())


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
