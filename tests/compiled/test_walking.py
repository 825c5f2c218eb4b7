"""Blocks that go through all functions in pieces give what they give as one, wherever pieces end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compiled.programs import COUNT, Op, Ref, col, const, node, rule
from compiled.test_entities import ALL, AWARD, PLAIN, SPELL, batch, whole
from rbcalc_kernels.compiled import batches, evaluator
from rbcalc_kernels.compiled.evaluator import Compiled, Results, compile_program
from rbcalc_kernels.compiled.walking import Walk

OUTPUTS = [*PLAIN, Ref(SPELL, "bare")]


def everything() -> Any:
    """The program of everything that crosses rows; a fact is read that is not always given."""
    made = whole()
    return replace(made, rules=(*made.rules, rule("bare", node(Op.ADD, col("income", COUNT, SPELL), const(1)), SPELL)))


def underived() -> Any:
    """The same without the rows that are made."""
    made = everything()
    return replace(
        made,
        entities={name: entity for name, entity in made.entities.items() if name != AWARD},
        rules=tuple(each for each in made.rules if each.entity != AWARD and each.name not in ("awards", "effective")),
        inputs={ref: given for ref, given in made.inputs.items() if ref.entity != AWARD},
    )


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_program(underived(), OUTPUTS, engine="numba")


@pytest.fixture(scope="module")
def making() -> Compiled:
    """The whole program, with rows that are made on the way and columns that stay until they are."""
    return compile_program(everything(), [*ALL, Ref(SPELL, "bare")], engine="numba")


def same(found: Results, expected: Results) -> None:
    assert found.columns.keys() == expected.columns.keys()
    for ref in expected.columns:
        assert np.array_equal(found.columns[ref], expected.columns[ref]), ref
    assert np.array_equal(found.doubt, expected.doubt)
    assert np.array_equal(found.fault, expected.fault)


@pytest.mark.parametrize("program", ["compiled", "making"])
@pytest.mark.parametrize(("most", "single"), [(1, "mixed"), (7, "mixed"), (40, "none"), (9, "all")])
def test_pieces_change_nothing(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, program: str, most: int, single: str
) -> None:
    """With many roots below which nothing is, with faults, by several threads, and when the way is known from the start."""
    compiled: Compiled = request.getfixturevalue(program)
    walked: list[int] = []
    tables = Walk.tables

    def counted(*given: Any) -> Any:
        found = tables(*given)
        walked.append(len(found))
        return found

    monkeypatch.setattr(evaluator, "LEAST_PIECE", most)
    monkeypatch.setattr(evaluator, "NEAREST", 1)
    monkeypatch.setattr(evaluator, "LEAST_BLOCK", 45)
    monkeypatch.setattr(evaluator, "NEAR", 1_000 if program == "making" else evaluator.NEAR)
    monkeypatch.setattr(Walk, "tables", counted)
    for seed in (5, 6):
        data = batch(300, seed, single=single)
        expected = compiled.run(data, block=300)
        for threads in (1, 1, 2):
            same(compiled.run(data, threads), expected)
    assert expected.fault.any()
    assert max(walked, default=0) > 1


def test_rows_that_go_another_way_stand_apart(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of roots with one spell each, of which one has none, and others."""
    monkeypatch.setattr(evaluator, "LEAST_PIECE", 5)
    monkeypatch.setattr(evaluator, "NEAREST", 1)
    monkeypatch.setattr(evaluator, "BLOCK", 20)
    data = batch(200, 8)
    assert compiled.single is not None
    expected = compiled.run(data, block=200)
    alone = compiled.alone(batches.whole(compiled.program, data, compiled.root))
    assert alone is not None
    counts = np.diff(np.asarray(data.entities["spell"].offsets))
    for first, last in ((0, 200), (3, 4), (10, 30), *((at, at + 2) for at in range(150))):
        assert alone.all(first, last) is bool((counts[first:last] == 1).all())
    same(compiled.run(data), expected)
