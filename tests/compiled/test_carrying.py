"""Ranges of figures that are carried from row to row, where they only move or start afresh."""

from __future__ import annotations

from fractions import Fraction

from compiled.programs import COUNT, Op, Ref, col, const, node, rounded, rule, test
from rbcalc_kernels.compiled.bounds import Interval
from rbcalc_kernels.compiled.carrying import reach
from rbcalc_kernels.program.graph import Node

ENTITY = "year"
BEFORE = Node(Op.PREVIOUS, COUNT, (const(5),), Ref(ENTITY, "out"))


def carries(at: Node) -> bool:
    return at.op is Op.PREVIOUS or at == col("out", entity=ENTITY) or any(carries(arg) for arg in at.args)


def range_of(at: Node) -> Interval:
    return Interval.of(-2, 3) if at.op is Op.COLUMN else Interval.of(Fraction(str(at.value)), Fraction(str(at.value)))


def found(body: Node) -> Interval | None:
    return reach([rule("out", body, ENTITY)], carries, range_of, 10, (Ref(ENTITY, "days"), 365))


def test_running_totals() -> None:
    assert found(node(Op.ADD, BEFORE, col("x"))) == Interval.of(5 - 2 - 20, 5 + 3 + 30)
    assert found(node(Op.SUB, BEFORE, col("x"))) == Interval.of(5 - 3 - 30, 5 + 2 + 20)
    assert found(node(Op.IF, test(Op.GT, BEFORE, const(1)), const(9), node(Op.ADD, BEFORE, const(1)))) == Interval.of(5 + 1, 9 + 10)


def test_days_are_no_more_than_the_rows_can_have_together() -> None:
    days = col("days", entity=ENTITY)
    assert found(node(Op.ADD, BEFORE, days)) == Interval.of(5, 5 + 365)
    afresh = node(Op.IF, test(Op.GT, col("x"), const(1)), BEFORE, const(0))
    assert found(node(Op.ADD, afresh, days)) == Interval.of(0, 5 + 365)


def test_rounding_moves_by_less_than_a_step() -> None:
    assert found(rounded(BEFORE, step="1")) == Interval.of(5 - 1 - 10, 5 + 1 + 10)


def test_what_does_more_than_move_has_no_bound() -> None:
    assert found(node(Op.MUL, BEFORE, const(2))) is None
    assert found(node(Op.SUB, col("x"), BEFORE)) is None
    assert found(node(Op.ADD, BEFORE, BEFORE)) is None
