"""The shipped rules on a small sample caseload: linking, cutting into periods, and working out."""

from __future__ import annotations

from typing import Any

import pytest

import rbcalc
from benchmarks.council_tax import Work
from benchmarks.measuring import same
from rbcalc_kernels.compiled.spells import cut

DWELLINGS = 2_000


@pytest.fixture(scope="module")
def work() -> Work:
    return Work(DWELLINGS)


def test_linking(benchmark: Any, work: Work) -> None:
    name, year = work.council
    program = benchmark.pedantic(lambda: rbcalc.load().council(name).program(year), rounds=3)
    assert program.digest == work.kernel.program.digest


def test_cutting(benchmark: Any, work: Work) -> None:
    registers = work.caseload.columns()
    batch, _ = benchmark.pedantic(lambda: cut(work.kernel.program, registers, work.kernel.cuts), rounds=3, warmup_rounds=1)
    assert len(batch.kept) > DWELLINGS // 2


def test_rules(benchmark: Any, work: Work) -> None:
    own, exact = work.rbcalc(1), work.exact()
    benchmark.pedantic(own.once, rounds=3, warmup_rounds=1)
    exact.once()
    assert own.figures is not None and exact.figures is not None
    assert same(exact.figures(), own.figures())
