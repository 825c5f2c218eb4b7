"""How far a figure can get that is carried from row to row, where it only moves by something or starts afresh."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from rbcalc_kernels.compiled.bounds import Interval
from rbcalc_kernels.program.graph import Node, Op, Ref, Rounding, Rule


@dataclass(frozen=True, slots=True)
class _Move:
    """A value is one of the row before, moved by something in `by`, or it is something in `afresh`.

    `lasting` says how many times the row's own days are added besides.
    """

    by: Interval | None = None
    afresh: Interval | None = None
    lasting: int = 0

    def shifted(self, other: Interval) -> _Move:
        return _Move(self.by + other if self.by else None, self.afresh + other if self.afresh else None, self.lasting)

    def lengthened(self) -> _Move:
        return _Move(self.by, self.afresh, self.lasting + 1)

    def joined(self, other: _Move) -> _Move:
        return _Move(_joined(self.by, other.by), _joined(self.afresh, other.afresh), max(self.lasting, other.lasting))


def _joined(a: Interval | None, b: Interval | None) -> Interval | None:
    return b if a is None else a if b is None else a.join(b)


def reach(
    rules: Iterable[Rule],
    carries: Callable[[Node], bool],
    range_of: Callable[[Node], Interval],
    rows: int,
    days: tuple[Ref, int],
) -> Interval | None:
    """Where all values that are carried lie in any of so many rows; None when they do not only move.

    `carries` says whether an expression depends on a carried value, `range_of` gives the range of one that does not.
    `days` are the rows' own days and how many the rows can have together, since rows in time do not overlap.  Proof
    by induction: a value starts afresh in some row, and moves at most once in each row after it (the first row's
    own move is in where it starts).
    """
    moves: dict[Ref, _Move] = {}
    every = _Move()
    lasting = 0
    for rule in rules:
        move = _move(rule.body, moves, carries, range_of, days[0])
        if move is None:
            return None
        moves[Ref(rule.entity, rule.name)] = move
        every = every.joined(move)
        lasting += move.lasting
    start = every.afresh or Interval.of(0, 0)
    by = every.by or Interval.of(0, 0)
    # Each rule of a row may move what another of the same row moved before.
    steps = rows * len(moves)
    return Interval(start.low + min(by.low, Fraction(0)) * steps, start.high + max(by.high, Fraction(0)) * steps + lasting * days[1])


def _move(
    node: Node, moves: dict[Ref, _Move], carries: Callable[[Node], bool], range_of: Callable[[Node], Interval], days: Ref
) -> _Move | None:
    if not carries(node):
        return _Move(None, range_of(node))
    if node.op is Op.COLUMN:
        return moves.get(cast("Ref", node.value))
    parts = [_move(arg, moves, carries, range_of, days) for arg in node.args if node.op is not Op.IF or arg is not node.args[0]]
    if node.op is Op.PREVIOUS:
        first = parts[0]
        return None if first is None else _Move(Interval.of(0, 0)).joined(first)
    if node.op in (Op.ADD, Op.SUB):
        moving, other = (node.args[0], node.args[1]) if carries(node.args[0]) else (node.args[1], node.args[0])
        move = parts[0] if moving is node.args[0] else parts[1]
        if carries(other) or move is None or (node.op is Op.SUB and moving is node.args[1]):
            return None
        if node.op is Op.ADD and other.op is Op.COLUMN and other.value == days:
            return move.lengthened()
        return move.shifted(range_of(other) if node.op is Op.ADD else -range_of(other))
    if node.op in (Op.IF, Op.MIN, Op.MAX):
        one, two = parts
        return None if one is None or two is None else one.joined(two)
    if node.op is Op.ROUND and parts[0] is not None:
        step = cast("Rounding", node.value).step
        return parts[0].shifted(Interval(-step, step))
    return parts[0] if node.op is Op.AS else None
