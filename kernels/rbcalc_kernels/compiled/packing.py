"""Small whole numbers that are summed together share columns: added as one number, each in bits of its own."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rbcalc_kernels.compiled.numbers import Form, Num
from rbcalc_kernels.program.graph import Ref

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.lowering import Lowering
    from rbcalc_kernels.compiled.schedule import Stage

_ROOM: Final = 31
"""The bits of an int32 without its sign."""

_MOST: Final = 10
"""Sums that need more bits than this have a column of their own."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a number from 0 on stands in a column that it shares."""

    column: Ref
    shift: int
    bits: int

    def text(self, word: str) -> str:
        """The number within the column's value."""
        moved = f"({word} >> {self.shift})" if self.shift else word
        return f"({moved} & {(1 << self.bits) - 1})"


@dataclass(slots=True)
class _Word:
    """A shared column while it fills: how many bits are taken, and its place among the child's and the parent's rows."""

    taken: int
    one: Ref
    all: Ref


def packed(lowering: Lowering, stages: Sequence[Stage], own: AbstractSet[Ref]) -> dict[Ref, Field]:
    """The fields of numbers that share columns; those in `own` keep a column of their own.

    Numbers of one function that one function sums stand together.  Each has bits for the greatest sum over as many rows as
    a run accepts, so that no sum runs over into the next; the sums stand in the same bits as the numbers.
    """
    makers = {ref: at for at, stage in enumerate(stages) if stage.kind == "vector" for task in stage.tasks for ref in task.refs}
    fields: dict[Ref, Field] = {}
    for at, stage in enumerate(stages):
        together: dict[tuple[str, int], list[tuple[Ref, Ref, int]]] = {}
        for task in stage.tasks if stage.kind == "aggregate" else ():
            one, total = task.over[0], task.refs[0]
            if task.kind != "sum" or one not in makers or one in fields or not own.isdisjoint((one, total)):
                continue
            bits = _bits(lowering, one, total)
            if bits is not None and all(one != other for other, _, _ in together.get((task.entity, makers[one]), ())):
                together.setdefault((task.entity, makers[one]), []).append((one, total, bits))
        for (entity, _), found in together.items():
            if len(found) > 1:
                _fill(fields, entity, f"{at}", found)
    return fields


def _bits(lowering: Lowering, one: Ref, total: Ref) -> int | None:
    """The bits of the greatest sum; None where the numbers cannot share a column."""
    for ref in (one, total):
        held = lowering.held(ref)
        if not isinstance(held, Num) or held.form is Form.CERTIFIED or held.low < 0 or held.powers:
            return None
    held = lowering.held(total)
    assert isinstance(held, Num)
    bits = held.high.bit_length()
    return bits if 0 < bits <= _MOST else None


def _fill(fields: dict[Ref, Field], entity: str, stem: str, found: Sequence[tuple[Ref, Ref, int]]) -> None:
    words: list[_Word] = []
    for one, total, bits in found:
        word = next((each for each in words if each.taken + bits <= _ROOM), None)
        if word is None:
            name = f"{stem} {len(fields) + 1}"
            word = _Word(0, Ref(one.entity, f"~flags {name}"), Ref(entity, f"~flags of {one.entity} {name}"))
            words.append(word)
        fields[one] = Field(word.one, word.taken, bits)
        fields[total] = Field(word.all, word.taken, bits)
        word.taken += bits
