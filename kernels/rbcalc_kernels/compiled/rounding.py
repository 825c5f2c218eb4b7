"""Roundings written otherwise, with the same result: on fewer figures that need rounding, and on narrower ones."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

from rbcalc_kernels.program.graph import Mode, Node, Op, Rounding

_CHOICES: Final = frozenset({Op.MIN, Op.MAX, Op.IF})
_SHIFTED: Final = {Mode.DOWN: 0, Mode.HALF_UP: 1}
"""Modes that give the whole part of the steps, after so many halves of one were added."""

Stands = Callable[[Node, Fraction], bool]
"""Whether a node that holds no others (a column, say) is always a multiple of a step."""


def before(node: Node) -> tuple[Node, Fraction] | None:
    """What a rounding of a rounding is a rounding of, and what is added to it first; None where one cannot do the work of two.

    The whole part of a whole part's share is that of the share, as long as the steps of the second are whole steps of the first.
    """
    inner, second = _plain(node.args[0]), node.value
    if inner.op is not Op.ROUND:
        return None
    first = inner.value
    assert isinstance(first, Rounding) and isinstance(second, Rounding)
    if first.mode not in _SHIFTED or second.mode not in _SHIFTED or second.step % first.step:
        return None
    if second.mode is Mode.HALF_UP and second.step / 2 % first.step:
        return None
    return inner.args[0], first.step / 2 * _SHIFTED[first.mode]


def inside(node: Node, stands: Stands) -> Node | None:
    """The rounding of a choice as a choice of roundings, of which all but one change nothing; None where there are others.

    To round changes no order: the least of two numbers, rounded, is the least of the rounded ones.
    """
    inner, rounding = _plain(node.args[0]), node.value
    assert isinstance(rounding, Rounding)
    if inner.op not in _CHOICES or _loose(inner, rounding.step, stands) > 1:
        return None
    kept = 1 if inner.op is Op.IF else 0
    arms = (Node(Op.ROUND, node.type, (arm,), rounding, arm.span) for arm in inner.args[kept:])
    return Node(inner.op, inner.type, (*inner.args[:kept], *arms), inner.value, inner.span)


def _plain(node: Node) -> Node:
    while node.op is Op.AS:
        node = node.args[0]
    return node


def _loose(node: Node, step: Fraction, stands: Stands) -> int:
    """How many figures among which a node chooses may not be multiples of a step."""
    node = _plain(node)
    if node.op in _CHOICES:
        return sum(_loose(arm, step, stands) for arm in node.args[1 if node.op is Op.IF else 0 :])
    if node.op in (Op.ADD, Op.SUB):
        return int(any(_loose(arg, step, stands) for arg in node.args))
    if node.op is Op.CONST and isinstance(node.value, Fraction | int):
        return int(bool(Fraction(node.value) % step))
    if node.op is Op.ROUND and isinstance(node.value, Rounding):
        return int(bool(node.value.step % step))
    return int(not stands(node, step))
