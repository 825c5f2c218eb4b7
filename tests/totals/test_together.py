"""Reports that are added up together say what each says alone."""

from __future__ import annotations

import numpy as np
import pytest

import rbcalc
from rbcalc.running import totals as _totals
from rbcalc.running.totals import Totals
from rbcalc_kernels.language.types import Choice

ROWS = 500


@pytest.mark.parametrize("chosen", [False, True])
def test_together_or_alone(chosen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    program = rbcalc.load().council("stevenage").program("2026-27")
    random = np.random.default_rng(7)
    together = Totals(program)
    columns = {}
    for ref in together.needed():
        type_ = together.types[ref]
        most = len(type_.members) if isinstance(type_, Choice) else random.choice([1, 2, 100_000])
        columns[ref] = random.integers(0, most, ROWS).astype(np.int32)
    rows = {report.entity: np.flatnonzero(random.integers(0, 2, ROWS)) for report in program.reports} if chosen else {}
    monkeypatch.setattr(_totals, "CELLS", 0)
    alone = Totals(program)
    assert len(alone._together) == len(program.reports) > len(together._together)
    for totals in (together, alone):
        totals.add(columns, {}, rows)
        totals.add(columns, {}, {})
    for report in program.reports:
        assert together.table(report) == alone.table(report)
    report = next(each for each in program.reports if not each.by)
    here = columns[report.sums[0]]
    assert together.table(report)[()][0] == int(here.sum()) + int(here[rows.get(report.entity, slice(None))].sum())
