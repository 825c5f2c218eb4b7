"""Tables by lists and by bands, parameters by date, and what is missing from them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from compiled.programs import (
    COUNT,
    DATE,
    ROOT,
    YES_NO,
    Bands,
    Batch,
    Choice,
    Op,
    Ref,
    agrees,
    check_against,
    col,
    const,
    fact,
    figure,
    node,
    program,
    rows,
    rule,
    table,
    test,
)
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.exact.faults import Reason
from rbcalc_kernels.program.graph import Node

KIND = Choice("kind", ("single", "couple", "other"))
SIZE = Choice("size", ("small", "large"))
FACTS = [fact("kind", 0, 0, kind=KIND), fact("size", 0, 0, kind=SIZE), fact("amount", -10, 900, "1/100"), fact("day", 0, 40_000, kind=DATE)]
OUT = Ref(ROOT, "out")


def batch(count: int = 600) -> Batch:
    """Rows with amounts on, and a penny from, every edge."""
    random = np.random.default_rng(8)
    amount = random.choice([0, 1, -1], count) + 100 * random.choice([0, 50, 75, 100, 125, 200, 300, 400, 500, 899], count)
    return Batch({ROOT: rows(
        kind=random.integers(0, 3, count).astype(np.int8), size=random.integers(0, 2, count).astype(np.uint8),
        amount=amount.astype(np.int32), day=random.integers(0, 40_000, count).astype(np.int32),
    )})  # fmt: skip


def banded(edges: int, *, upper: bool, beyond: bool = True, first: int = 0) -> Any:
    """A table by two lists and a banded amount with so many edges."""
    cells = {}
    for k, kind in enumerate(KIND.members):
        for size in SIZE.members:
            at = [first + (900 - first) * j // edges for j in range(edges)]
            cells[kind, size] = (at, [Fraction(j + 10 * k, 4) for j in range(edges + (1 if upper and beyond else 0))])
    return table("share", [KIND, SIZE], cells, Bands(COUNT, upper))


@pytest.mark.parametrize("edges", [1, 3, 4, 5, 8, 9, 16, 30])
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("engine", ["python", "numba"])
def test_bands(edges: int, upper: bool, engine: str) -> None:
    """Amounts on an edge, below the first and above the last find their value, or a fault."""
    keys = (col("kind", KIND), col("size", SIZE), col("amount"))
    made = program([rule("out", Node(Op.LOOKUP, COUNT, keys, "share"))], FACTS, tables=[banded(edges, upper=upper)])
    results = agrees(made, batch(), [OUT], engine=engine)
    assert bool(results.fault.any()) is not upper
    assert all(fault.reason is Reason.NO_CELL and fault.about == "share" for fault in results.faults)


@pytest.mark.parametrize("upper", [False, True])
def test_bands_without_lists(upper: bool) -> None:
    """A plain scale, read with an exact amount that is finer than its edges."""
    scale = table("scale", [], {(): ([-10, 50, 75, 100], [1, 2, 3, 4, 5][: 5 if upper else 4])}, Bands(COUNT, upper))
    third = node(Op.DIV, col("amount"), const(3))
    made = program([rule("out", Node(Op.LOOKUP, COUNT, (third,), "scale"))], FACTS, tables=[scale])
    results = agrees(made, batch(), [OUT], engine="numba")
    assert not results.fault.any()


def test_missing_cells_are_faults_where_they_are_read() -> None:
    """A combination without a value is a fault, but not in a branch that is not taken."""
    cells = {("single",): ((), ("other",)), ("couple",): ((), ("couple",))}
    names = table("names", [KIND], cells, kind=KIND)
    looked = Node(Op.LOOKUP, KIND, (col("kind", KIND),), "names")
    plain = test(Op.EQ, looked, const("couple", KIND))
    other = test(Op.EQ, col("kind", KIND), const("other", KIND))
    guarded = node(Op.IF, other, const(False, YES_NO), plain, kind=YES_NO)
    twice = Node(Op.LOOKUP, KIND, (looked,), "names")
    rules = [rule("out", plain), rule("guarded", guarded), rule("twice", twice)]
    made = program(rules, FACTS, tables=[names])
    assert not agrees(made, batch(), [Ref(ROOT, "guarded")]).fault.any()
    assert agrees(made, batch(), [OUT]).fault.any()
    results = agrees(made, batch(), [Ref(ROOT, "twice")], engine="numba")
    assert results.fault.any()
    assert results.columns[Ref(ROOT, "twice")].dtype == np.uint8


def test_parameters_on_a_day() -> None:
    """A figure by date changes on its first day and is a fault before the first."""
    rate = figure("rate", 1, history=[(1_000, "0.5"), (20_000, "0.75"), (39_000, 1)])
    at = Node(Op.PARAMETER_AT, COUNT, (col("day", DATE),), "rate")
    made = program([rule("out", at)], FACTS, [rate])
    data = batch()
    data.entities[ROOT].columns["day"][:8] = [0, 999, 1_000, 1_001, 19_999, 20_000, 38_999, 39_000]
    results = agrees(made, data, [OUT], engine="numba")
    assert results.fault[:3].tolist() == [1, 1, 0]
    assert results.faults[0].reason is Reason.NO_FIGURE


def test_changed_tables_need_no_new_code() -> None:
    """More edges within the capacity, and other values, are new arrays; a gap compiles anew."""
    keys = (col("kind", KIND), col("size", SIZE), col("amount"))
    rules = [rule("out", Node(Op.LOOKUP, COUNT, keys, "share"))]
    made = program(rules, FACTS, tables=[banded(5, upper=True)])
    compiled = compile_program(made, [OUT], engine="numba")
    data = batch()
    for share, same in ((banded(8, upper=True), True), (banded(9, upper=True), False), (banded(5, upper=True, beyond=False), False)):
        other = program(rules, FACTS, tables=[share])
        changed = compiled.with_parameters(other)
        assert (changed.general is compiled.general) is same
        check_against(other, data, [OUT], changed.run(data))
