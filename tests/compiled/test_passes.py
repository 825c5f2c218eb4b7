"""A whole batch in one call gives what its blocks give one by one, whatever changes between two runs of it."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from fractions import Fraction
from threading import Thread
from typing import Any

import numpy as np
import pytest

from compiled.programs import ROOT, Aggregate, Batch, Entity, Op, Ref, col, const, fact, figure, node, program, rounded, rows, rule
from compiled.programs import test as when
from rbcalc_kernels.compiled import driving, helpers, passes, schedule
from rbcalc_kernels.compiled.divided import Division
from rbcalc_kernels.compiled.driving import DONE, OFFERED, Own, Shared
from rbcalc_kernels.compiled.evaluator import Compiled, Results, compile_program
from rbcalc_kernels.language.types import COUNT
from rbcalc_kernels.program.graph import Node, Period, Program

SPELL = "period"
OUT = [Ref(SPELL, "charge"), Ref(ROOT, "chain"), Ref(ROOT, "either"), Ref(SPELL, "large")]
ROWS = 1_000


def made(periods: int = 1) -> Program:
    """Accounts with periods: a fact that not everybody gave, a chain that leaves doubts, and figures."""
    amount = Node(
        Op.AGGREGATE, COUNT, (col("charge", entity=SPELL), const(True, when(Op.EQ, const(1), const(1)).type)), Aggregate("sum", SPELL)
    )
    chain = col("whole")
    for name in ("fine", "finer", "finest", "finer", "finest"):
        chain = node(Op.MUL, chain, Node(Op.PARAMETER, COUNT, (), name))
    asked = node(Op.IF, when(Op.GT, col("large", entity=SPELL), const(900)), col("given", entity=SPELL), const(0))
    total = Node(
        Op.AGGREGATE, COUNT, (col("asked", entity=SPELL), const(True, when(Op.EQ, const(1), const(1)).type)), Aggregate("sum", SPELL)
    )
    rules = [
        rule("large", node(Op.MUL, col("paid", entity=SPELL), Node(Op.PARAMETER, COUNT, (), "rate")), SPELL),
        rule("charge", node(Op.ADD, col("large", entity=SPELL), const(3)), SPELL),
        rule("asked", asked, SPELL),
        rule("whole", amount),
        rule("chain", rounded(chain)),
        rule("either", node(Op.SUB, total, col("fixed"))),
    ]
    values = {"fine": "0.5", "finer": 1, "finest": 1}
    parameters = [replace(figure(name, *[value] * periods, step="1/10000"), also=(Fraction("0.8311"),)) for name, value in values.items()]
    ins = [fact("paid", 0, 1000, "1/100", entity=SPELL), fact("given", 0, 99, entity=SPELL, optional=True), fact("fixed", 0, 10)]
    ends = [(20_544, 20_908)] if periods == 1 else [(20_544, 20_700), (20_701, 20_908)]
    return program(
        rules, ins, [*parameters, replace(figure("rate", *range(1, periods + 1)), also=(Fraction(3),))],
        entities=(Entity(ROOT, None), Entity(SPELL, ROOT, spell=True)), periods=[Period(*each) for each in ends],
    )  # fmt: skip


def batch(seed: int = 0, count: int = ROWS, **more: Any) -> Batch:
    """One period for each account; of the 32 last rows none is faulty."""
    random = np.random.default_rng(seed)
    given = random.random(count) < 0.9
    given[-32:] = True
    first = np.full(count, 20_544, np.int32)
    return Batch({
        ROOT: rows(fixed=random.integers(0, 10, count).astype(np.int8)),
        SPELL: rows(
            of=range(count), parents=count, paid=random.integers(0, 100_000, count).astype(np.int32),
            given=random.integers(0, 99, count).astype(np.int8), given_known=given.astype(np.uint8),
            first_day=first, last_day=first + 364, days=np.full(count, 365, np.int16), **more,
        ),
    })  # fmt: skip


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    """The program with few statements in each function, so that columns pass between functions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "STATEMENTS", 3)
        return compile_program(made(), OUT, engine="numba", keep=False)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks so small that there are several."""
    monkeypatch.setattr(passes, "CHUNK", 128)


def same(found: Results, expected: Results) -> None:
    assert found.columns.keys() == expected.columns.keys()
    for ref, column in expected.columns.items():
        assert column.dtype == found.columns[ref].dtype
        sure = slice(None) if ref == OUT[0] else expected.fault == 0
        assert np.array_equal(found.columns[ref][sure], column[sure]), ref
    assert np.array_equal(found.doubt, expected.doubt)
    assert np.array_equal(found.fault, expected.fault)
    assert found.denominators == expected.denominators
    assert found.faults == expected.faults


def plain(compiled: Compiled, data: Batch, **how: Any) -> Results:
    """The same worked out in blocks, which have no part in this."""
    return compiled.run(copy.copy(data), block=70, **how)


def test_the_program_is_one_of_those_that_this_is_about(compiled: Compiled) -> None:
    """Several functions, marks of both kinds, and no block."""
    assert compiled.single is not None
    functions = compiled.single.uniform.functions
    assert len(functions) > 1
    assert {"doubt", "fault"} <= {slot.kind for function in functions for slot in function.slots}
    data = batch()
    results = compiled.run(data)
    assert len(data.found) == 1
    assert results.doubt.any()
    assert 0 < np.count_nonzero(results.fault) < ROWS


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("narrow", [False, True])
def test_the_same_as_in_blocks_again_and_again(compiled: Compiled, threads: int, narrow: bool) -> None:
    """Figures, doubts and faults; into columns of its own, those of the run before, and others."""
    for count in (ROWS, 1, 63, 64, 129):
        data = batch(count, count)
        expected = plain(compiled, data, narrow=narrow)
        results = compiled.run(data, threads, narrow=narrow)
        same(results, expected)
        held = dict(results.columns)
        for _ in range(3):
            results = compiled.run(data, threads, narrow=narrow, into=results)
            same(results, expected)
            assert all(results.columns[ref] is column for ref, column in held.items())
        fresh = compiled.run(data, threads, narrow=narrow)
        assert not any(fresh.columns[ref] is column for ref, column in held.items())
        same(fresh, expected)
        same(results, expected)


def test_narrow_and_wide_blocks_in_turn(compiled: Compiled) -> None:
    """Tables that were made while an output was widened afterwards do not serve when it is written where it stays."""
    data = batch(2)
    expected = compiled.run(data, narrow=True)
    for narrow in (False, True, False, True):
        into = compiled.run(data, block=300, narrow=narrow)
        for column in into.columns.values():
            column[:] = -9
        found = compiled.run(data, block=70, narrow=narrow, into=into)
        sure = expected.fault == 0
        assert all(np.array_equal(found.columns[ref][sure], expected.columns[ref][sure]) for ref in OUT)


def test_the_generated_python_agrees(compiled: Compiled) -> None:
    data = batch(3, 200)
    slow = compile_program(made(), OUT, engine="python", keep=False)
    same(compiled.run(data, 2), slow.run(data, block=50))
    assert slow.run(data).fault.any()


def test_marks_do_not_stay(compiled: Compiled) -> None:
    """A fault that is mended between two runs is gone in the second, and the results of the first keep it."""
    data = batch(4)
    first = compiled.run(data, 2)
    noted = first.fault.copy()
    data.entities[SPELL].columns["given?"][:] = 1
    data.entities[SPELL].columns["paid"][:] = 200
    second = compiled.run(data, 2)
    same(second, plain(compiled, data))
    assert not second.fault.any()
    assert np.array_equal(first.fault, noted)


def test_other_columns_are_noticed(compiled: Compiled) -> None:
    """Another column under the same name, one of another type, and rows that were added."""
    data = batch(5)
    compiled.run(data)
    data.entities[SPELL].columns["paid"] = data.entities[SPELL].columns["paid"][::-1].copy()
    same(compiled.run(data), plain(compiled, data))
    data.entities[SPELL].columns["paid"] = data.entities[SPELL].columns["paid"].astype(np.int64)
    same(compiled.run(data), plain(compiled, data))
    data.entities.update(batch(6, 300).entities)
    same(compiled.run(data), plain(compiled, data))
    del data.entities[SPELL].columns["paid"]
    with pytest.raises(ValueError, match="paid"):
        compiled.run(data)


def test_values_are_checked_in_every_run(compiled: Compiled) -> None:
    data = batch(7)
    compiled.run(data)
    data.entities[ROOT].columns["fixed"][3] = 11
    with pytest.raises(ValueError, match="fixed"):
        compiled.run(data)


def test_changed_figures(compiled: Compiled) -> None:
    """The same batch under other figures and back."""
    data = batch(8)
    parameters = dict(compiled.program.parameters)
    parameters["rate"] = replace(parameters["rate"], by_period=(Fraction(3),))
    parameters["fine"] = replace(parameters["fine"], by_period=(Fraction("0.8311"),))
    other = compiled.with_parameters(replace(compiled.program, parameters=parameters))
    assert other.single is compiled.single
    results = compiled.run(data, 2)
    for each in (other, compiled, other):
        results = each.run(data, 2, into=results)
        same(results, plain(each, data))


def test_accounts_of_several_parameter_periods() -> None:
    """One parameter period for all is worked out in one call, whichever it is; several are not."""
    program_ = made(2)
    compiled = compile_program(program_, OUT, engine="numba", keep=False)
    for period, way in ((np.zeros(200), passes.Pass), (np.ones(200), passes.Pass), (np.arange(200) % 2, Division)):
        data = batch(9, 200, period=period)
        same(compiled.run(data), plain(compiled, data))
        assert [type(found) for found in data.found] == [way]


def test_memory_must_not_be_shared(compiled: Compiled) -> None:
    """Results of a run cannot be written over the facts that they are made of."""
    data = batch(10)
    results = compiled.run(data)
    ref = next(ref for ref in OUT if results.columns[ref].dtype == np.int32)
    results.columns[ref] = data.entities[SPELL].columns["paid"]
    with pytest.raises(ValueError, match="shares memory"):
        compiled.run(data, into=results)


def test_copies_have_nothing_of_it(compiled: Compiled) -> None:
    """A batch that is copied or sent elsewhere leaves behind what was found out about its columns."""
    data = batch(11)
    compiled.run(data)
    for other in (copy.deepcopy(data), pickle.loads(pickle.dumps(data))):
        assert not other.found
        same(compiled.run(other), compiled.run(data))


def test_several_runs_at_once(compiled: Compiled) -> None:
    """Runs of one batch by several threads of the caller, each by two more."""
    data = batch(12, 20_000)
    expected = plain(compiled, data)
    found: list[Results] = []

    def work() -> None:
        results = None
        for _ in range(20):
            results = compiled.run(data, 3, into=results)
        assert results is not None
        found.append(results)

    callers = [Thread(target=work) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == len(callers)
    for each in found:
        same(each, expected)


def test_who_comes_late_is_turned_away(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that has not begun when no chunk is left is not waited for, and looks at nothing afterwards."""
    late: list[tuple[Any, int]] = []

    class Late(helpers.Helper):
        def offer(self, work: Any, table: Any, address: int, kept: object) -> None:
            late.append((work, address))
            self.held = table
            self.apart.release()

    monkeypatch.setattr(helpers, "_IDLE", [])
    monkeypatch.setattr(helpers, "Helper", Late)
    data = batch(13)
    results = compiled.run(data, 2)
    same(results, plain(compiled, data))
    ((work, address),) = late
    held = {ref: column.copy() for ref, column in results.columns.items()}
    for column in results.columns.values():
        column[:] = 0
    assert work(address) == 0
    assert all(not column.any() for column in results.columns.values())
    assert any(column.any() for column in held.values())


def test_a_failing_function_is_told_of(compiled: Compiled) -> None:
    """What went wrong in any chunk reaches the caller."""
    data = batch(14)
    compiled.run(data)
    data.found[0]._shared[Shared.FAILED] = 1
    with pytest.raises(RuntimeError, match="failed"):
        compiled.run(data)
    assert not data.found


def test_states() -> None:
    """Whole lines are looked at for marks, and the head of a thread's table is as long as the steps expect."""
    assert driving.LINE % 8 == 0
    assert max(Own) == Own.STEPS
    assert (OFFERED, DONE) == (0, 2)
