"""Whole numbers in int32: taken up to the very edge of what it holds, and never beyond."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiled.programs import (
    COUNT,
    ROOT,
    Aggregate,
    Batch,
    Choice,
    Entity,
    Mode,
    Op,
    Ref,
    agrees,
    col,
    const,
    fact,
    figure,
    node,
    program,
    rounded,
    rows,
    rule,
    table,
    test,
)
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.program.graph import Node

EDGE = 2**31 - 1
OUT = Ref(ROOT, "out")


def near(*values: int) -> np.ndarray:
    """Values as a column."""
    return np.array(values, dtype=np.int64)


def form_of(source: str, name: str) -> str:
    """The type in which a generated module holds a rule's figure."""
    lines = [line.strip() for line in source.splitlines()]
    (line,) = (line for line in lines if line.startswith(f"{name} = "))
    text = line.partition(" = ")[2]
    return "int32" if text.startswith("int32(") else "float64"


@pytest.mark.parametrize("engine", ["python", "numba"])
@pytest.mark.parametrize(("low", "high", "sums"), [
    (-EDGE + 1, EDGE - 1, "int32"),
    (-EDGE + 1, EDGE, "float64"),  # one more than the highest does not fit
    (-EDGE, EDGE - 1, "float64"),
])  # fmt: skip
def test_sums_at_the_edge(low: int, high: int, sums: str, engine: str) -> None:
    """One more and one less are int32 while they fit and float64 where they go over by one; figures agree either way."""
    rules = [
        rule("more", node(Op.ADD, col("a"), const(1))),
        rule("less", node(Op.SUB, col("a"), const(1))),
        rule("turned", node(Op.NEG, col("a"))),
        rule("most", node(Op.MAX, col("a"), const(0))),
        rule("least", node(Op.MIN, col("a"), node(Op.NEG, col("a")))),
        rule("both", node(Op.ADD, col("more"), col("less"))),
        rule("none", node(Op.SUB, col("more"), col("more"))),
    ]
    made = program(rules, [fact("a", low, high)])
    outputs = [Ref(ROOT, each.name) for each in rules]
    batch = Batch({ROOT: rows(a=near(low, low + 1, -1, 0, 1, high - 1, high))})
    results = agrees(made, batch, outputs, engine=engine)
    assert not results.doubt.any()
    source = compile_program(made, outputs, engine="python").source
    fitting = {"more": high + 1 <= EDGE, "less": low - 1 >= -EDGE}
    assert {name: form_of(source, name) for name in fitting} == {name: "int32" if fits else "float64" for name, fits in fitting.items()}
    assert ("int32" if all(fitting.values()) else "float64") == sums
    assert form_of(source, "turned") == form_of(source, "most") == "int32"
    assert form_of(source, "both") == "float64"


@pytest.mark.parametrize("engine", ["python", "numba"])
@pytest.mark.parametrize("top", [EDGE - 1, EDGE, EDGE + 1, EDGE + 2])
def test_inputs_at_the_edge(top: int, engine: str) -> None:
    """An input is int32 up to 2^31 - 1 and float64 from there on, and stored whole in either case."""
    made = program([rule("out", col("a")), rule("down", node(Op.NEG, col("a")))], [fact("a", -top, top)])
    outputs = [OUT, Ref(ROOT, "down")]
    a = near(-top, 1 - top, 0, top - 1, top)
    results = agrees(made, Batch({ROOT: rows(a=a)}), outputs, engine=engine)
    assert results.columns[Ref(ROOT, "down")].tolist() == (-a).tolist()
    assert ("= int32(a__col" in compile_program(made, outputs, engine="python").source) is (top <= EDGE)


@pytest.mark.parametrize("engine", ["python", "numba"])
@pytest.mark.parametrize(("high", "form"), [(46_340, "int32"), (46_341, "float64")])
def test_products_at_the_edge(high: int, form: str, engine: str) -> None:
    """46340 squared is the last square below 2^31."""
    rules = [rule("out", node(Op.MUL, col("a"), col("b"))), rule("scaled", node(Op.ADD, col("a"), col("part")))]
    made = program(rules, [fact("a", -high, high), fact("b", 0, high), fact("part", 0, high, "1/46340")])
    outputs = [OUT, Ref(ROOT, "scaled")]
    batch = Batch({ROOT: rows(a=near(-high, -1, 0, high), b=near(high, high, 1, high), part=near(0, 1, high, high * 46_340))})
    agrees(made, batch, outputs, engine=engine)
    assert form_of(compile_program(made, outputs, engine="python").source, "out") == form


@pytest.mark.parametrize("engine", ["python", "numba"])
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("low", [0, -3])
def test_rounded_figures_at_the_edge(low: int, mode: Mode, engine: str) -> None:
    """A rounded figure of 2^31 - 1 fits, one of 2^31 does not, and figures below nought are rounded down, not cut off."""
    for high, form in ((EDGE, "int32"), (EDGE + 1, "float64")):
        body = rounded(node(Op.DIV, col("a"), const(4)), mode, step="1")
        made = program([rule("out", body)], [fact("a", low * 4, high * 4)])
        a = near(*(low * 4 + k for k in range(12)), *(high * 4 - k for k in range(12)))
        agrees(made, Batch({ROOT: rows(a=a)}), [OUT], engine=engine)
        assert form_of(compile_program(made, [OUT], engine="python").source, "out") == form


@pytest.mark.parametrize("engine", ["python", "numba"])
def test_what_holds_in_one_branch_alone(engine: str) -> None:
    """A number that only a condition makes small does not disturb the rows for which the condition is false."""
    square = node(Op.MUL, col("a"), col("a"))
    wide = node(Op.IF, test(Op.LT, col("b"), const(1_000)), node(Op.ADD, col("b"), const(1)), const(-1))
    inside = test(Op.AND, test(Op.LT, col("b"), const(1_000)), test(Op.GT, node(Op.MUL, col("b"), const(3)), const(30)))
    share = rounded(node(Op.DIV, col("b"), const(7)), step="1")
    rules = [
        rule("out", node(Op.IF, test(Op.LT, col("a"), const(40_000)), square, const(-1))),
        rule("near", wide),
        rule("inside", inside),
        rule("share", node(Op.IF, test(Op.LT, col("b"), const(5_000)), share, const(-5))),
    ]
    made = program(rules, [fact("a", 0, 2 * 10**9), fact("b", 0, 10**14)])
    outputs = [Ref(ROOT, each.name) for each in rules]
    batch = Batch({ROOT: rows(a=near(0, 39_999, 40_000, 2 * 10**9, 10**6), b=near(0, 11, 999, 10**14, 5_000))})
    agrees(made, batch, outputs, engine=engine)


@pytest.mark.parametrize("engine", ["python", "numba"])
def test_sums_over_members(engine: str) -> None:
    """Sums of members' figures are int32 while the most members that are accepted cannot go over."""
    child = "child"
    facts = [fact("a", -500_000, 500_000, entity=child), fact("b", 0, 10**6, entity=child)]
    yes = const(True, test(Op.LT, const(0), const(1)).type)
    rules = [
        rule(name, Node(Op.AGGREGATE, COUNT, (col(of, entity=child), yes), Aggregate("sum", child)))
        for name, of in (("out", "a"), ("more", "b"))
    ]
    made = program(rules, facts, entities=(Entity(ROOT, None), Entity(child, ROOT)))
    of = [0] * 4_096 + [2] * 3
    values = np.full(len(of), 500_000, dtype=np.int32)
    batch = Batch({ROOT: rows(3), child: rows(of=of, parents=3, a=-values, b=values * 2)})
    outputs = [OUT, Ref(ROOT, "more")]
    results = agrees(made, batch, outputs, engine=engine)
    assert results.columns[OUT][0] == -500_000 * 4_096
    source = compile_program(made, outputs, engine="python").source
    # 4,096 members of up to 500,000 stay within int32, of up to 1,000,000 they do not.
    assert [line.partition(" = ")[2] for line in source.splitlines() if line.endswith("(0)")] == ["int32(0)", "float64(0)"]


@pytest.mark.parametrize("engine", ["python", "numba"])
@pytest.mark.parametrize("count", [2, 6, 8, 9])
def test_small_tables(count: int, engine: str) -> None:
    """Tables of a few members are chosen from by comparisons, larger ones are read at a place; gaps are faults in both."""
    kind = Choice("kind", tuple(f"k{k}" for k in range(count)))
    other = Choice("other", ("x", "y"))
    whole = table("whole", [kind], {(name,): ((), (1_000 * k - 1_500,)) for k, name in enumerate(kind.members)})
    pairs = table("pairs", [other, kind], {(o, k): ((), (len(k) + 10 * i,)) for i, o in enumerate(other.members)
                                           for k in kind.members if (o, k) != ("y", "k1")})  # fmt: skip
    rules = [
        rule("out", Node(Op.LOOKUP, COUNT, (col("kind", kind),), "whole")),
        rule("pair", Node(Op.LOOKUP, COUNT, (col("other", other), col("kind", kind)), "pairs")),
    ]
    facts = [fact("kind", 0, 0, kind=kind), fact("other", 0, 0, kind=other)]
    made = program(rules, facts, [figure("p", 1)], [whole, pairs])
    places = np.arange(2 * count)
    batch = Batch({ROOT: rows(kind=(places % count).astype(np.int8), other=(places // count).astype(np.uint8))})
    outputs: list[Any] = [OUT, Ref(ROOT, "pair")]
    assert not agrees(made, batch, outputs[:1], engine=engine).fault.any()
    assert agrees(made, batch, outputs, engine=engine).fault.any()
    assert ("whole__0 =" in compile_program(made, outputs, engine="python").source) is (count <= 8)
