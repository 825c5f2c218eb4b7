"""Memory between runs: taken again where it fits, never more of it than is meant, and never that of a block that still stands."""

from __future__ import annotations

import pytest

from compiled.test_calls import same
from compiled.test_entities import ALL, batch, whole
from rbcalc_kernels.compiled import evaluator, memory
from rbcalc_kernels.compiled.batches import whole as whole_part
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.compiled.memory import given_back, taken


@pytest.fixture(autouse=True)
def _nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_SPARE", [])


def test_what_fits_is_taken_again() -> None:
    """The smallest that is large enough, and nothing that is much too large."""
    large, small = taken(1500), taken(1000)
    given_back([large, small])
    assert taken(900) is small
    assert taken(1200) is large
    given_back([large])
    assert taken(100) is not large


def test_no_more_is_kept_than_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was given back first gives way."""
    monkeypatch.setattr(memory, "MOST", 2500)
    kept = [taken(1000) for _ in range(3)]
    given_back(kept)
    assert [id(each) for each in memory._SPARE] == [id(each) for each in kept[1:]]
    given_back([taken(5000)])
    assert not memory._SPARE


def test_runs_leave_their_memory_to_the_next() -> None:
    """Blocks that grow, another program between, and threads: figures are those of fresh memory."""
    compiled = compile_program(whole(), ALL, engine="numba")
    other = compile_program(whole(), ALL, engine="numba")
    for seed, size in ((1, 7), (2, 40), (3, 300)):
        data = batch(300, seed)
        memory._SPARE.clear()
        expected = compiled.run(data, block=300)
        assert memory._SPARE
        for each in memory._SPARE:
            each[:] = 0xA5
        same(other.run(data, threads=2, block=size), expected)
        same(compiled.run(data, block=size), expected)


def test_root_rows_with_much_below_them_are_fewer_in_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks are as large as memory between functions allows, but neither tiny nor endless, and as many for each thread."""
    compiled = compile_program(whole(), ALL, engine="python")
    part = whole_part(compiled.program, batch(300, 4), compiled.root)
    variant = compiled.general
    assert variant.block(part, 300) == evaluator.BLOCK
    monkeypatch.setattr(evaluator, "LEAST_BLOCK", 1)
    monkeypatch.setattr(evaluator, "NEAR", 5_000)
    assert 1 <= variant.block(part, 300) < 300
    monkeypatch.setattr(evaluator, "LEAST_BLOCK", 200)
    assert variant.block(part, 300) == 200
    alone = compiled.alone(part)
    assert alone is not None
    for threads in (1, 2, 3):
        shares = list(compiled.shares(part, threads, None, alone))
        assert len(shares) % threads == 0
        assert max(len(shares), 2) == max(threads, 2)


def test_a_block_to_which_much_belongs_is_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root rows that stand together may have far more below them than most; pieces cover every row once, and figures are the same."""
    compiled = compile_program(whole(), ALL, engine="python")
    data = batch(300, 5)
    expected = compiled.run(data, block=300)
    monkeypatch.setattr(evaluator, "LEAST_PIECE", 10)
    part = whole_part(compiled.program, data, compiled.root)
    runs = [(0, 200), (200, 220), (220, 260), (260, 300)]
    pieces = list(compiled.general.even(compiled.program, part, compiled.root, runs))
    assert len(pieces) > len(runs)
    assert [first for first, _ in pieces] == [0, *(last for _, last in pieces[:-1])]
    assert pieces[-1][1] == 300
    monkeypatch.setattr(evaluator, "BLOCK", 40)
    same(compiled.run(data), expected)
