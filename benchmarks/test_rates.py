"""The work `rates`, small enough for every run: what it gives is asserted, how long it takes is only recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.measuring import Contender, same
from benchmarks.rates import LINES, Work

ACCOUNTS = 5_000


@pytest.fixture(scope="module")
def work() -> Work:
    return Work(ACCOUNTS)


@pytest.fixture(scope="module")
def own(work: Work) -> Contender:
    made = work.rbcalc(1)
    made.once()
    return made


@pytest.mark.parametrize(("technology", "threads"), [("rbcalc", 2), ("c", 1), ("c", 2), ("numpy", 1), ("numpy", 2), ("exact", 1)])
def test_one_pass(
    benchmark: Any, work: Work, contender: Callable[[Any, str, int], Contender], own: Contender, technology: str, threads: int
) -> None:
    each = contender(work, technology, threads)
    benchmark.pedantic(each.once, rounds=3, warmup_rounds=1)
    assert each.figures is not None and own.figures is not None
    assert same(each.figures(), own.figures())


def test_the_tables_hold_what_the_work_is_about(work: Work, own: Contender) -> None:
    assert own.figures is not None
    figures = own.figures()
    # In the scheme of 2023 a fall is not limited, so that nothing is added to a charge.
    assert {name for name in LINES if not figures[name].any()} <= {"transition_addition"}
    whose, periods = work.starts
    assert 0.05 < 1 - (whose.size - 1) / ACCOUNTS < 0.3
    assert 0.05 < (periods[-1] - ACCOUNTS) / ACCOUNTS < 0.3
    capped = figures["retail_total"].max()
    assert capped == 110_000_00
