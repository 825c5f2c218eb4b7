"""Numbers that vary along an amount: at every step what is said of a stretch is what the plain evaluator gives there."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exact.graphs import FIRST, column, node, number, program, rule, total
from rbcalc_kernels.exact.figures import cell
from rbcalc_kernels.exact.machine import Bound, Code, flatten, run
from rbcalc_kernels.exact.piecewise import Line, Varying
from rbcalc_kernels.exact.walking import Form, Moved, TooManyStretchesError, Walker, _form
from rbcalc_kernels.language.types import POUNDS, YES_NO
from rbcalc_kernels.program.graph import Bands, Cells, Mode, Node, Op, Ref, Rounding, Table

STEP = Fraction(1, 100)
TOTAL = Ref("holder", "total")
LAST = 600
TABLES = {
    upper: Table("bands", POUNDS, (), Bands(POUNDS, upper), (Cells({(): ((Fraction(0), Fraction(2), Fraction(7, 2)), values)}),))
    for upper, values in ((False, tuple(map(Fraction, (9, 5, 2)))), (True, tuple(map(Fraction, (9, 5, 2, 0)))))
}

figures = st.fractions(-8, 8, max_denominator=12)
roundings = st.builds(
    Rounding, st.sampled_from(list(Mode)), st.sampled_from([Fraction(1, 100), Fraction(1, 10), Fraction(1), Fraction(1, 3)])
)


def grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Larger expressions of smaller ones."""
    comparisons = st.builds(
        lambda op, a, b: node(op, a, b, type_=YES_NO), st.sampled_from([Op.LT, Op.LE, Op.GT, Op.GE, Op.EQ, Op.NE]), inner, inner
    )
    return st.one_of(
        st.builds(node, st.sampled_from([Op.ADD, Op.SUB, Op.MIN, Op.MAX]), inner, inner),
        st.builds(lambda a, b: node(Op.MUL, a, number(b)), inner, figures),
        st.builds(lambda a, b: node(Op.DIV, a, number(b)), inner, figures.filter(bool)),
        st.builds(lambda a: node(Op.NEG, a), inner),
        st.builds(lambda a, rounding: node(Op.ROUND, a, value=rounding), inner, roundings),
        st.builds(lambda a, b, c: node(Op.IF, a, b, c), comparisons, inner, inner),
        st.builds(lambda a, upper: node(Op.LOOKUP, node(Op.MAX, a, number(0)), value=upper), inner, st.booleans()),
    )


expressions = st.recursive(st.one_of(st.just(column("period.amount")), figures.map(number)), grown, max_leaves=12)


def bind(inner: Node) -> Bound:
    """A column is the amount itself; a table is one of the two."""
    if inner.op is Op.COLUMN:
        return Bound(lambda amount: amount)
    table = TABLES[bool(inner.value)]
    return Bound(lambda _, *keys: cell(table, 0, keys), inner.args)


def stretches(code: Code, last: int) -> Iterator[tuple[int, int, Any]]:
    """First and last step and the value along each stretch."""
    first = 0
    while first <= last:
        line = Line()
        value = run(code, Varying(line, first * STEP, STEP))
        end = last if line.reach is None else min(last, first + line.reach)
        yield first, end, _form(value)
        first = end + 1


@given(expressions)
def test_a_stretch_holds_at_every_step(expression: Node) -> None:
    code = flatten(expression, bind)
    for first, last, form in stretches(code, LAST):
        for step in range(first, last + 1):
            exact = run(code, step * STEP)
            assert isinstance(form, Form)
            assert form.low <= exact - form.after(step - first) <= form.high
        assert run(code, first * STEP) == form.at


def test_a_straight_line_is_one_stretch() -> None:
    code = flatten(node(Op.SUB, node(Op.MUL, column("period.amount"), number(3)), column("period.amount")), bind)
    assert list(stretches(code, LAST)) == [(0, LAST, Form(Fraction(0), 2 * STEP))]


def test_a_table_ends_stretches_at_its_edges_and_nowhere_else() -> None:
    for upper, ends in ((False, [199, 349, LAST]), (True, [0, 200, 350, LAST])):
        code = flatten(node(Op.LOOKUP, column("period.amount"), value=upper), bind)
        assert [last for _, last, _ in stretches(code, LAST)] == ends


def test_a_penny_is_carried_and_a_pound_is_a_step() -> None:
    def of(step: Fraction) -> list[tuple[int, int, Any]]:
        return list(stretches(flatten(node(Op.ROUND, column("period.amount"), value=Rounding(Mode.DOWN, step)), bind), LAST))

    assert len(of(Fraction(1, 50))) == 1
    assert [last for _, last, _ in of(Fraction(1))] == [99, 199, 299, 399, 499, 599, 600]


def test_the_same_rounding_twice_is_nothing_between_them() -> None:
    rounded = node(Op.ROUND, node(Op.MUL, column("period.amount"), number(Fraction(12, 52))), value=Rounding(Mode.HALF_UP, STEP))
    code = flatten(node(Op.IF, node(Op.EQ, rounded, rounded, type_=YES_NO), number(1), number(0)), bind)
    assert list(stretches(code, LAST)) == [(0, LAST, Form(Fraction(1)))]


def walker(body: Node, most: int = 1000) -> Walker:
    """One holder with one period whose amount moves."""
    made = program(rule("period.result", body), rule("holder.total", total("sum", "period", column("period.result"))))
    records = {
        "holders": [{"holder": "h", "from": FIRST, "to": None}],
        "facts": [{"holder": "h", "from": FIRST, "to": None, "amount": Fraction(0), "colour": "red"}],
    }
    return Walker(made, records, [Moved("facts", 0, "amount")], STEP, [TOTAL], most)


def test_the_rules_of_a_row_are_followed_without_a_gap() -> None:
    amount = column("period.amount")
    body = node(Op.MAX, node(Op.SUB, number(4), node(Op.MAX, node(Op.SUB, amount, number(1)), number(0))), number(0))
    walked = walker(body)
    found = list(walked.stretches(0, LAST))
    assert (found[0].first, found[-1].last) == (0, LAST)
    assert all(before.last + 1 == after.first for before, after in pairwise(found))
    slopes = [(stretch.last, stretch.form(TOTAL).slope / STEP) for stretch in found]
    assert [slope for _, slope in slopes] == [0, -1, 0]
    assert {limit.rule for stretch in found for limit in stretch.limits} == {Ref("period", "result")}
    assert walked.value(TOTAL, 250) == Fraction(5, 2)


def test_a_square_is_right_at_every_step_and_refused_where_it_takes_too_long() -> None:
    body = node(Op.MUL, column("period.amount"), column("period.amount"))
    assert [stretch.form(TOTAL).at for stretch in walker(body).stretches(0, 50)] == [(step * STEP) ** 2 for step in range(51)]
    with pytest.raises(TooManyStretchesError, match=r"period\.result"):
        list(walker(body, most=20).stretches(0, LAST))


def test_what_no_row_takes_cannot_be_followed() -> None:
    made = program(rule("period.result", column("period.amount")))
    records = {
        "holders": [{"holder": "h", "from": FIRST, "to": None}],
        "facts": [
            {"holder": "h", "from": FIRST, "to": None, "amount": Fraction(0), "colour": "red"},
            {"holder": "x", "from": FIRST, "to": None, "amount": Fraction(0), "colour": "red"},
        ],
    }
    with pytest.raises(ValueError, match="no row takes the amount"):
        Walker(made, records, [Moved("facts", 1, "amount")], STEP, [Ref("period", "result")])


def test_what_a_line_does_not_know_is_right_for_its_first_step() -> None:
    line = Line()
    amount = Varying(line, Fraction(7, 2), STEP)
    assert (int(amount), amount % 2, amount.denominator, 1 / amount) == (3, Fraction(3, 2), 2, Fraction(2, 7))
    assert line.reach == 0
