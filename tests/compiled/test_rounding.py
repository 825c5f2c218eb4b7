"""Roundings that are written otherwise give what the rule says, at every edge."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from compiled.programs import (
    COUNT,
    ROOT,
    YES_NO,
    Batch,
    Mode,
    Op,
    Ref,
    check_against,
    col,
    const,
    draw,
    fact,
    node,
    program,
    rounded,
    rows,
    rule,
)
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.compiled.rounding import before, inside
from rbcalc_kernels.program.graph import Node

FINE, MIDDLE, COARSE = "1/1000000000", "1/50000000", "1/100"


@pytest.mark.parametrize("engine", ["numba", "python"])
def test_a_rounding_of_a_rounding(engine: str) -> None:
    """Halves of either step, and what is next to them, for each pair of modes; also where the second is no multiple of the first."""
    facts = [fact("a", -(10**8), 45 * 10**8, FINE), fact("b", 0, 10**6, "1/1000")]
    steps = (("a", MIDDLE, COARSE), ("b", "1/100", "1/20"), ("b", "3/100", "1/10"))
    rules = [
        rule(f"out{k}", rounded(rounded(col(name), one, first), two, second))
        for k, ((name, first, second), one, two) in enumerate(product(steps, Mode, Mode))
    ]
    whole = program(rules, facts)
    random = np.random.default_rng(3)
    edges = np.array([0, 5_000_000, 4_999_990, 10, 30, 20])[:, None] + np.arange(-2, 3)
    a = (random.integers(-10, 450, (16, 1)) * 10**16 + random.integers(0, 99, (16, 1)) * 10**7 + edges.reshape(1, -1)).reshape(-1)
    a = np.clip(a, -(10**17), 45 * 10**17)
    columns = {"a": a, "b": draw(facts[1], a.size, random)}
    outputs = [Ref(ROOT, each.name) for each in rules]
    results = compile_program(whole, outputs, engine=engine).run(Batch({ROOT: rows(**columns)}))
    assert check_against(whole, Batch({ROOT: rows(**columns)}), outputs, results) == 0


@pytest.mark.parametrize("mode", list(Mode))
def test_a_rounding_of_a_choice(mode: Mode) -> None:
    """The least, the greatest and one of two, of which one needs no rounding: as the rule says, next to each other too."""
    facts = [fact("a", 0, 8 * 10**8, FINE), fact("b", 0, 8 * 10**8), fact("f", 0, 2, "1/1000"), fact("yes", 0, 0, kind=YES_NO)]
    wide = node(Op.MUL, col("a"), col("f"))
    bodies = [
        node(Op.MIN, col("b"), wide),
        node(Op.MAX, wide, node(Op.ADD, col("a"), const(1))),
        node(Op.IF, col("yes", YES_NO), wide, col("a")),
        node(Op.MIN, col("b"), node(Op.IF, col("yes", YES_NO), const(0), wide)),
        node(Op.MIN, wide, node(Op.MUL, col("b"), col("f"))),
    ]
    rules = [rule(f"out{k}", rounded(body, mode, FINE)) for k, body in enumerate(bodies)]
    whole = program(rules, facts)
    random = np.random.default_rng(4)
    b = random.integers(0, 8 * 10**8, 600)
    near = np.clip(b * 10**9 + random.integers(-2, 3, 600), 0, 8 * 10**17)
    a = np.where(random.random(600) < 0.5, near, draw(facts[0], 600, random))
    f = random.choice([0, 500, 999, 1000, 1001, 2000], 600)
    columns = {"a": a, "b": b.astype(np.int32), "f": f.astype(np.int16), "yes": random.integers(0, 2, 600).astype(np.uint8)}
    outputs = [Ref(ROOT, each.name) for each in rules]
    results = compile_program(whole, outputs, engine="python").run(Batch({ROOT: rows(**columns)}))
    assert check_against(whole, Batch({ROOT: rows(**columns)}), outputs, results) == 0


def test_what_is_left_as_it_is() -> None:
    """No choice in which two figures need rounding, and no step that is no multiple of the one before, or whose half is none."""

    def nothing(node: Node, step: object) -> bool:
        return False

    half = Mode.HALF_UP
    assert inside(rounded(node(Op.MIN, col("a"), col("b"))), nothing) is None
    assert inside(rounded(node(Op.MIN, col("a"), const(3))), nothing) is not None
    assert inside(rounded(node(Op.ADD, col("a"), const(3))), nothing) is None
    assert before(rounded(col("a"))) is None
    assert before(rounded(rounded(col("a"), half, "1/100"), half, "1/50")) is not None
    assert before(rounded(rounded(col("a"), half, "1/100"), half, "3/100")) is None
    assert before(rounded(rounded(col("a"), half, "1/100"), Mode.DOWN, "3/100")) is not None
    assert before(rounded(rounded(col("a"), Mode.UP, "1/100"), half, "1/10")) is None
    assert col("a").type is COUNT
