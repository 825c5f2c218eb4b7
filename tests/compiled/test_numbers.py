"""Random expressions over random ranges agree with fractions, in every number form."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiled.programs import (
    COUNT,
    ROOT,
    Batch,
    Mode,
    Op,
    Ref,
    agrees,
    check_against,
    col,
    const,
    draw,
    fact,
    figure,
    node,
    program,
    rounded,
    rows,
    rule,
    test,
)
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.program.graph import Node
from rbcalc_kernels.source import RulesError

OUT = Ref(ROOT, "out")
STEPS = ("1", "1/100", "1/1000", "1/4", "2/7", "50")
SIZES = (1, 3, 100, 40_000, 10**7, 2 * 10**9, 2**31 - 1, 2**31)


@st.composite
def inputs(draw_: Any) -> list[Any]:
    """Three inputs and a divisor, of ranges from a few to milliards."""
    found = []
    for name in ("a", "b", "c"):
        size = draw_(st.sampled_from(SIZES))
        low = draw_(st.sampled_from([0, -size, size // 2]))
        found.append(fact(name, low, size, draw_(st.sampled_from(("1", "1/100", "1/1000")))))
    low = draw_(st.sampled_from([1, 7, 365, 1000]))
    found.append(fact("d", low, low + draw_(st.sampled_from([0, 1, 50, 5000])), draw_(st.sampled_from(("1", "1/100")))))
    return found


leaves = st.one_of(
    st.sampled_from(["a", "b", "c", "d"]).map(col),
    st.sampled_from(["p", "q"]).map(lambda name: Node(Op.PARAMETER, COUNT, (), name)),
    st.fractions(-20, 20, max_denominator=12).map(const),
)


def grown(inner: Any) -> Any:
    """Expressions one step larger."""
    sign = st.sampled_from([Op.LT, Op.LE, Op.GT, Op.GE, Op.EQ, Op.NE])
    condition = st.builds(test, sign, inner, inner)
    condition = st.one_of(condition, st.builds(test, st.sampled_from([Op.AND, Op.OR]), condition, condition))
    divisor = st.one_of(
        st.just(col("d")), st.just(Node(Op.PARAMETER, COUNT, (), "q")), st.sampled_from([2, -3, 7, Fraction(5, 9)]).map(const),
        inner.map(lambda x: node(Op.MAX, x, const(1))),
    )  # fmt: skip
    rounding = st.builds(rounded, inner, st.sampled_from(list(Mode)), st.sampled_from(STEPS))
    return st.one_of(
        st.builds(node, st.sampled_from([Op.ADD, Op.SUB, Op.MUL, Op.MIN, Op.MAX]), inner, inner),
        st.builds(node, st.just(Op.DIV), inner, divisor),
        st.builds(node, st.just(Op.IF), condition, inner, inner),
        inner.map(lambda x: node(Op.NEG, x)),
        rounding,
    )


bodies = st.recursive(leaves, grown, max_leaves=9)


def made(ins: list[Any], bodies_: list[Any], mode: Mode) -> Any:
    """A chain of rules, the last of them rounded."""
    rules = [rule(f"r{k}", body) for k, body in enumerate(bodies_)]
    last = node(Op.ADD, col("r0"), col(f"r{len(rules) - 1}"))
    rules.append(rule("out", rounded(last, mode)))
    return program(rules, ins, [figure("p", "-2.5"), figure("q", "365", step="1")])


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(inputs(), st.lists(bodies, min_size=1, max_size=2), st.sampled_from(list(Mode)), st.integers(0, 2**32 - 1))
def test_random_expressions_agree(ins: list[Any], bodies_: list[Any], mode: Mode, seed: int) -> None:
    """Any expression either agrees on every row that is not in doubt, or is refused with its bound."""
    whole = made(ins, bodies_, mode)
    random = np.random.default_rng(seed)
    batch = Batch({ROOT: rows(**{each.name: draw(each, 40, random) for each in ins})})
    try:
        compiled = compile_program(whole, [OUT], engine="python")
    except RulesError as refusal:
        codes = {found.code for found in refusal.diagnostics}
    else:
        codes = set()
        check_against(whole, batch, [OUT], compiled.run(batch))
    assert codes <= {"RB090", "RB091", "RB092"}


@pytest.mark.parametrize("size", [10**3, 10**6, 10**9, 10**11])
@pytest.mark.parametrize("mode", list(Mode))
def test_forms_jitted(size: int, mode: Mode) -> None:
    """Each form agrees when compiled, at ties and on either side of them, above and below nought."""
    ins = [fact("a", -size, size, "1/100"), fact("d", 365, 366)]
    body = rounded(node(Op.DIV, node(Op.MUL, col("a"), const(Fraction(5, 2))), col("d")), mode)
    whole = program([rule("out", body)], ins)
    random = np.random.default_rng(size)
    a = draw(ins[0], 4000, random).astype(np.int64)
    d = random.integers(365, 367, 4000)
    a[:3000] = (a[:3000] // (2 * d[:3000])) * d[:3000] + random.integers(-1, 2, 3000)
    a = np.clip(a, -size * 100, size * 100)
    results = compile_program(whole, [OUT], engine="numba").run(Batch({ROOT: rows(a=a, d=d.astype(np.int16))}))
    doubtful = check_against(whole, Batch({ROOT: rows(a=a, d=d)}), [OUT], results)
    assert doubtful == 0


def test_forms_are_the_expected_ones() -> None:
    """Small numbers are float64, larger ones int64, and long chains float64 with a whole number that puts them right."""
    ins = [fact("a", 0, 10**9, "1/100"), fact("f", 0, 20, "1/10000")]
    ins += [fact("g", 0, 2, "1/10000"), fact("h", 0, 2, "1/10000")]
    small = program([rule("out", rounded(node(Op.MUL, col("a"), const("0.5"))))], ins)
    middle = program([rule("out", rounded(node(Op.MUL, col("a"), col("f"))))], ins)
    chain = node(Op.MUL, node(Op.MUL, node(Op.MUL, col("a"), col("f")), col("g")), col("h"))
    long = program([rule("out", rounded(chain))], ins)
    texts = [compile_program(each, [OUT], engine="python").source for each in (small, middle, long)]
    assert "int64(float64(" not in texts[0] and "unsure" not in texts[0]
    assert "int64(float64(" in texts[1] and "unsure" not in texts[1]
    assert "int64(float64(" not in texts[2] and "unsure" not in texts[2], "what no word holds is put right by what is left of it"
    random = np.random.default_rng(5)
    columns = {each.name: draw(each, 3000, random) for each in ins}
    for each in (small, middle, long):
        results = agrees(each, Batch({ROOT: rows(**columns)}), [OUT], engine="numba")
        assert not results.doubt.any()


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("engine", ["numba", "python"])
def test_numerators_that_no_word_holds(mode: Mode, engine: str) -> None:
    """A product beyond int64 is rounded exactly where the divisor fits: at ties, next to them, and below nought."""
    ins = [fact("a", -(10**7), 10**7, "1/100"), fact("f", 0, 100, "1/100000000"), fact("d", 1, 6)]
    whole = program([rule("out", rounded(node(Op.MUL, node(Op.DIV, col("a"), col("d")), col("f")), mode))], ins)
    random = np.random.default_rng(8)
    count = 3000 if engine == "numba" else 300
    a = draw(ins[0], count, random).astype(np.int64)
    f = random.choice([0, 50_000_000, 250_000_000, 1_250_000_000, 10_000_000_000, 3_333_333_333], count).astype(np.int64)
    d = random.integers(1, 7, count)
    a[: count // 2] -= a[: count // 2] % np.where(a[: count // 2] > 0, d[: count // 2], -d[: count // 2])
    results = compile_program(whole, [OUT], engine=engine).run(Batch({ROOT: rows(a=a, f=f, d=d.astype(np.int16))}))
    assert check_against(whole, Batch({ROOT: rows(a=a, f=f, d=d)}), [OUT], results) == 0


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("engine", ["numba", "python"])
def test_steps_finer_than_float64(mode: Mode, engine: str) -> None:
    """Billionths of hundreds of millions are rounded exactly: a product and a quotient by what varies, at ties and beside them."""
    ins = [fact("a", -(10**8), 45 * 10**7, "1/1000000000"), fact("b", 0, 8 * 10**8), fact("c", 1, 8 * 10**8)]
    share = node(Op.MIN, const(1), node(Op.DIV, col("b"), col("c")))
    whole = program([rule("out", rounded(node(Op.MUL, col("a"), share), mode, step="1/1000000000"))], ins)
    random = np.random.default_rng(11)
    count = 4000 if engine == "numba" else 300
    a = draw(ins[0], count, random).astype(np.int64)
    c = np.concatenate([random.integers(1, 50, count // 2), random.integers(1, 8 * 10**8, count - count // 2)])
    b = np.minimum(random.integers(0, 8 * 10**8, count), c * random.integers(0, 2, count) + random.integers(0, 50, count))
    c[::5], b[::5] = 2, 1
    results = compile_program(whole, [OUT], engine=engine).run(Batch({ROOT: rows(a=a, b=b, c=c)}))
    assert check_against(whole, Batch({ROOT: rows(a=a, b=b, c=c)}), [OUT], results) == 0


@pytest.mark.parametrize("top", [2**51 - 2, 2**51 - 1, 2**51, 2**51 + 1, 2**52 - 1, 2**52, 2**53 + 1, 2**60])
@pytest.mark.parametrize("divisor", [2, 3, 730, 999_983])
def test_at_the_edge_of_each_form(top: int, divisor: int) -> None:
    """Rounding is right for numerators at the very limits of the forms."""
    whole = program([rule("out", rounded(node(Op.DIV, col("a"), const(divisor)), step="1"))], [fact("a", 0, top)])
    near = [top - k for k in range(40)] + [divisor * (top // divisor) - k for k in range(40)]
    near += [divisor * (top // divisor) - divisor // 2 - k for k in range(-2, 3)]
    a = np.array([min(max(0, each), top) for each in near], dtype=np.int64)
    results = agrees(whole, Batch({ROOT: rows(a=a)}), [OUT], engine="numba")
    assert not results.doubt.any()


def test_values_over_divisors_that_vary() -> None:
    """Shares over a row's own days, added, compared and cancelled, stay exact."""
    ins = [fact("a", -5000, 5000, "1/100"), fact("b", 0, 5000, "1/100"), fact("d", 365, 366), fact("e", 1, 31)]
    share = node(Op.DIV, col("a"), col("d"))
    other = node(Op.DIV, col("b"), col("e"))
    rules = [
        rule("share", share),
        rule("both", node(Op.ADD, col("share"), other)),
        rule("out", rounded(node(Op.MUL, col("both"), col("d")))),
        rule("back", node(Op.MUL, col("share"), col("d"))),
        rule("more", test(Op.GT, col("share"), other)),
    ]
    whole = program(rules, ins)
    random = np.random.default_rng(3)
    batch = Batch({ROOT: rows(**{each.name: draw(each, 500, random) for each in ins})})
    outputs = [OUT, Ref(ROOT, "back"), Ref(ROOT, "more"), Ref(ROOT, "share")]
    results = agrees(whole, batch, outputs, engine="numba")
    assert not results.doubt.any()
    assert results.denominators[Ref(ROOT, "back")] == 100
    assert results.denominators[Ref(ROOT, "share")] == 100 * 365 * 366
