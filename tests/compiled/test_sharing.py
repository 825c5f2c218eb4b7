"""What is worked out once for many: flags that share a column, searches that tables share, dates taken apart, and whole functions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from compiled.programs import (
    COUNT,
    DATE,
    ROOT,
    YES_NO,
    Aggregate,
    Bands,
    Batch,
    Cells,
    Entity,
    Op,
    Program,
    Ref,
    agrees,
    check_against,
    col,
    const,
    fact,
    node,
    program,
    rows,
    rule,
    table,
    test,
)
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.program.graph import Node

OUT = Ref(ROOT, "out")
CHILD = "child"
COUNTS = 14


def counting(most: int) -> tuple[Program, list[Ref]]:
    """Counts of members above several limits, whether there is any, and their sum."""
    rules = []
    for limit in range(COUNTS):
        above = test(Op.GT, col("a", entity=CHILD), const(limit))
        rules.append(rule(f"above_{limit}", Node(Op.AGGREGATE, COUNT, (const(1), above), Aggregate("count", CHILD))))
        rules.append(rule(f"any_{limit}", Node(Op.AGGREGATE, YES_NO, (const(1), above), Aggregate("any", CHILD))))
        rules.append(rule(f"all_{limit}", Node(Op.AGGREGATE, YES_NO, (const(1), above), Aggregate("all", CHILD))))
    yes = test(Op.LT, const(0), const(1))
    rules.append(rule("out", Node(Op.AGGREGATE, COUNT, (col("a", entity=CHILD), yes), Aggregate("sum", CHILD))))
    made = program(rules, [fact("a", 0, 100, entity=CHILD)], entities=(Entity(ROOT, None), Entity(CHILD, ROOT, most=most)))
    return made, [Ref(ROOT, each.name) for each in rules]


@pytest.mark.parametrize("engine", ["python", "numba"])
@pytest.mark.parametrize("most", [1, 30, 31, 32, 1_023, 1_024])
def test_flags_share_a_column(most: int, engine: str) -> None:
    """Counts are right with as many members as a run accepts, all of whom count; and nothing runs over into the next count."""
    made, outputs = counting(most)
    of = [0] * most + [2] * (most // 2) + [4]
    a = np.concatenate([np.full(most, 100), np.arange(most // 2) % 20, [7]]).astype(np.int8)
    batch = Batch({ROOT: rows(5), CHILD: rows(of=of, parents=5, a=a)})
    results = agrees(made, batch, outputs, engine=engine)
    assert results.columns[Ref(ROOT, "above_0")][0] == most
    bits = most.bit_length()
    assert (f"<< {bits})" in compile_program(made, outputs, engine="python").source) is (bits <= 10)


def test_blocks_leave_their_columns_to_the_next() -> None:
    """Blocks of any size and several threads give what one block gives, again and again."""
    made, outputs = counting(30)
    random = np.random.default_rng(5)
    of = np.repeat(np.arange(400), random.integers(0, 9, 400))
    batch = Batch({ROOT: rows(400), CHILD: rows(of=of.tolist(), parents=400, a=random.integers(0, 20, of.size).astype(np.int8))})
    compiled = compile_program(made, outputs)
    whole = compiled.run(batch)
    check_against(made, batch, outputs, whole)
    for block in (1, 7, 399, 400):
        for threads in (1, 2):
            found = compiled.run(batch, threads, block=block)
            assert all(np.array_equal(found.columns[ref], whole.columns[ref]) for ref in outputs)


def banded(name: str, edges: list[int], factor: int) -> object:
    values = [factor * k for k in range(len(edges) + 1)]
    return table(name, [], {(): (edges, values)}, Bands(COUNT, True))


@pytest.mark.parametrize("engine", ["python", "numba"])
@pytest.mark.parametrize("moving", ["one", "two"])
def test_tables_with_the_same_edges_are_searched_once(engine: str, moving: str) -> None:
    """One search serves both; where the edges of either move away, each is searched on its own, with its own values."""
    edges = [10 * k for k in range(1, 20)]
    one, two = banded("one", edges, 3), banded("two", edges, 5)
    looked = [Node(Op.LOOKUP, COUNT, (col("amount"),), name) for name in ("one", "two")]
    made = program([rule("out", node(Op.ADD, *looked))], [fact("amount", 0, 300)], tables=[one, two])  # type: ignore[list-item]
    batch = Batch({ROOT: rows(amount=np.arange(301, dtype=np.int16))})
    agrees(made, batch, [OUT], engine=engine)
    compiled = compile_program(made, [OUT], engine=engine)
    assert "one__edges[" in compiled.source and "two__edges[" not in compiled.source
    moved = replace(
        made.tables[moving], by_period=(Cells({(): (tuple(Fraction(edge + 5) for edge in edges), tuple(map(Fraction, range(20))))}),)
    )
    other = replace(made, tables={**made.tables, moving: moved})
    again = compiled.with_parameters(other)
    assert "two__edges[" in again.source
    check_against(other, batch, [OUT], again.run(batch))


@pytest.mark.parametrize("engine", ["python", "numba"])
def test_a_date_is_taken_apart_once(engine: str) -> None:
    """Rules that ask for the same part of a date read one column; where it may lie beyond the calendar, each keeps its own condition."""
    month = Node(Op.MONTH, COUNT, (col("day", DATE),))
    far = Node(Op.YEAR, COUNT, (node(Op.ADD, col("late", DATE), const(400), kind=DATE),))
    early = test(Op.LT, col("late", DATE), const(80_000, DATE))
    rules = [
        rule("out", node(Op.ADD, month, const(1))),
        rule("other", node(Op.MUL, month, const(2))),
        rule("far", node(Op.IF, early, far, const(0))),
        rule("further", node(Op.IF, early, node(Op.ADD, far, const(1)), const(0))),
    ]
    made = program(rules, [fact("day", -25_567, 84_371, kind=DATE), fact("late", 0, 84_371, kind=DATE)])
    days = np.arange(0, 84_371, 97, dtype=np.int32)
    outputs = [Ref(ROOT, each.name) for each in rules]
    agrees(made, Batch({ROOT: rows(day=days, late=days)}), outputs, engine=engine)
    source = compile_program(made, outputs[:2], engine="python").source
    assert sum("1.0 / 146097.0" in line for line in source.splitlines()) == 1


def test_most_functions_outlive_a_new_rule() -> None:
    """A rule more changes the functions near it; the others stay as they are, and so does their machine code."""

    def functions(*more: int) -> set[str]:
        names = sorted({*range(0, 400, 2), *more})
        rules = [rule(f"rule_{k}", node(Op.ADD, node(Op.MUL, col("a"), col("b")), const(k))) for k in names]
        made = program(rules, [fact("a", 0, 100), fact("b", 0, 100)])
        compiled = compile_program(made, [Ref(ROOT, each.name) for each in rules], engine="python")
        return {function.source for function in compiled.general.uniform.functions}

    before, after = functions(), functions(201)
    assert len(before) >= 4
    assert len(after - before) <= 2
