"""Functions that are called together, over tables of where their columns are, give what they give one by one."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

from compiled.programs import ROOT
from compiled.test_entities import ALL, AWARD, SPELL, batch, whole
from rbcalc_kernels.compiled import machine
from rbcalc_kernels.compiled.columns import Batch
from rbcalc_kernels.compiled.divided import Division
from rbcalc_kernels.compiled.evaluator import Compiled, Results, compile_program

WIDE = {np.dtype(np.int8): np.int16, np.dtype(np.int16): np.int32, np.dtype(np.int32): np.int64}


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_program(whole(), ALL, engine="numba")


def same(found: Results, expected: Results) -> None:
    for ref in ALL:
        assert np.array_equal(found.columns[ref], expected.columns[ref]), ref
    assert np.array_equal(found.doubt, expected.doubt)
    assert np.array_equal(found.fault, expected.fault)
    assert np.array_equal(found.entities[AWARD].sources[SPELL], expected.entities[AWARD].sources[SPELL])


def together(compiled: Compiled) -> int:
    """How many stretches of functions are called together by what stands ready for the next run."""
    ready = [scratch for variant in compiled.variants for scratch in variant.idle]
    return sum(calls is not None for scratch in ready for calls in scratch.calls.values())


@pytest.mark.parametrize("single", ["mixed", "all"])
def test_blocks_after_the_first_are_called_together(compiled: Compiled, single: str) -> None:
    """The figures are those of one block, and of the generated Python; the second run has tables from the start."""
    data = batch(300, 5, single=single)
    plain = compile_program(whole(), ALL, engine="python").run(data, block=300)
    for _ in range(2):
        same(compiled.run(data, block=11), plain)
        assert together(compiled) > 0
    same(compiled.run(data, block=40, threads=2), plain)


def test_columns_of_other_types_and_places(compiled: Compiled) -> None:
    """Other batches, one of them with wider columns, and one whose blocks grow."""
    for seed, block in ((6, 20), (7, 50), (8, 3)):
        data = batch(200, seed)
        expected = compiled.run(data, block=200)
        same(compiled.run(data, block=block), expected)
        same(compiled.run(wider(data), block=block), expected)
        same(compiled.run(data, block=block), expected)


@pytest.mark.parametrize("single", ["mixed", "all"])
@pytest.mark.parametrize("threads", [1, 2])
def test_what_stays_with_a_batch(monkeypatch: pytest.MonkeyPatch, compiled: Compiled, single: str, threads: int) -> None:
    """Later runs over a batch take what earlier ones found, whatever became of results, values and other batches meanwhile."""
    monkeypatch.setattr("rbcalc_kernels.compiled.evaluator.BLOCK", 16)
    plain = compile_program(whole(), ALL, engine="python")
    data, other = batch(300, 5, single=single), batch(120, 6, single=single)
    expected, results = plain.run(data, block=300), None
    for into in (False, True, True, False):
        results = compiled.run(data, threads, into=results if into else None)
        same(results, expected)
        (found,) = data.found
        assert isinstance(found, Division)
        same(compiled.run(other, threads), plain.run(other, block=120))
    assert compiled.run(data, threads).columns and data.found[0] is found
    root = data.entities[ROOT]
    for column in root.columns.values():
        column[:] = np.roll(column, 7)  # in place
    same(compiled.run(data, threads, into=results), plain.run(data, block=300))
    assert data.found[0] is found
    root.columns = {name: np.roll(column, 5) for name, column in root.columns.items()}  # others
    same(compiled.run(data, threads, into=results), plain.run(data, block=300))
    assert data.found[0] is not found


def wider(data: Batch) -> Batch:
    """The same batch in wider columns."""
    made = batch(0, 0)
    for name, rows in data.entities.items():
        made.entities[name] = rows
    root = made.entities[ROOT]
    columns: dict[str, Any] = {key: column.astype(WIDE.get(column.dtype, column.dtype)) for key, column in root.columns.items()}
    made.entities[ROOT] = type(root)(root.count, columns)
    return made


def test_choices_are_jumps_only_where_rows_are_carried() -> None:
    """`if` and `else` become a call, unless a row reads what the row before it wrote."""
    free = "def work_out(n, a, b):\n    for i in range(n):\n        b[i] = a[i] if a[i] > 0 else (1 if b[i] else 2)\n"
    carried = "def work_out(n, a, b):\n    for i in range(n):\n        b[i] = a[i] if b[a[i]] > 0 else 0\n"
    assert not any(isinstance(node, ast.IfExp) for node in ast.walk(machine.picking(ast.parse(free))))
    assert any(isinstance(node, ast.IfExp) for node in ast.walk(machine.picking(ast.parse(carried))))
