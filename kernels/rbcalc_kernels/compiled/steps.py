"""The steps of a straight plan as `driving` takes them, as far as they are the same for every batch with columns of the same types.

Such is a plan whose functions all run over root rows: that of accounts whose facts do not change in the year, as long as no
rule asks for what belongs to them.  Its functions need nothing but their own rows' columns, marks, and figures.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.batches import Part, cut
from rbcalc_kernels.compiled.blocks import Block, Room, Scratch
from rbcalc_kernels.compiled.cache import Kernel, identity
from rbcalc_kernels.compiled.calls import FIGURES, Numbers, address
from rbcalc_kernels.compiled.columns import Column
from rbcalc_kernels.compiled.driving import Own
from rbcalc_kernels.compiled.module import Slot
from rbcalc_kernels.compiled.native import Entry
from rbcalc_kernels.program.graph import Ref

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.evaluator import Compiled, Variant
    from rbcalc_kernels.compiled.gathering import Gathered
    from rbcalc_kernels.compiled.layout import Array

MARKS: Final = ("doubt", "fault")
_KINDS: Final = FIGURES | {"column", "known", "code", *MARKS}
WIDENED: Final = "widened"
"""The kind of argument that is an output made of a column of another type or scale."""

Kinds = dict[Ref, np.dtype[Any]]

_FEW: Final = 64
"""Rows of the block by which the types of arguments are found out."""


def straight(compiled: Compiled, variant: Variant) -> bool:
    """Whether all functions run over root rows, and read and write nothing but columns of such rows, marks, and figures."""
    if variant.straight is None:
        root = {compiled.root, *variant.collapsed}
        variant.straight = compiled.engine != "python" and all(
            not function.derive
            and function.space in root
            and all(slot.kind in _KINDS and (slot.kind == "code" or slot.entity in root) for slot in function.slots)
            for function in variant.uniform.functions
        )
    return variant.straight


@dataclass(slots=True)
class _Sorted:
    """Arguments of one sort: which there are, where each stands among the steps, and which of them that is."""

    which: list[Any]
    at: npt.NDArray[np.intp]
    of: npt.NDArray[np.intp]


class Steps:
    """The steps with gaps where a batch's columns, a thread's own, and figures go."""

    def __init__(self, block: Block, calls: Sequence[tuple[Entry, Sequence[Slot]]], arrays: dict[Slot, Any], kinds: Kinds) -> None:
        """`block` is one through which functions and their arguments were found; `calls` are these, `kinds` the types of outputs."""
        self._layout = Scratch(block.variant.uniform.columns)
        self._kinds = kinds
        made, targets = block.variant.uniform.columns, block.targets
        numbers: list[int] = []
        found: dict[str, dict[int, Any]] = {sort: {} for sort in ("given", "target", "passed", "figures", "marks", "table")}
        room = 0
        for entry, slots in calls:
            numbers += [entry.table, 8 * room, len(slots)]
            found["table"][len(numbers) - 2] = None
            room += len(slots) + 1
            for slot in slots:
                place, column = slot[1:3], slot.kind == "column"
                written = column and place in made
                sort, which, stride = (
                    ("", None, 0) if slot.kind == "code"
                    else ("figures", slot, 0) if slot.kind in FIGURES
                    else ("marks", slot, 0) if slot.kind in MARKS
                    else ("target", place, arrays[slot].itemsize) if slot.kind == WIDENED or (written and place in targets)
                    else ("passed", place, 0) if written
                    else ("given", (slot.entity, slot.name if column else f"{slot.name}?"), arrays[slot].itemsize)
                )  # fmt: skip
                if sort:
                    found[sort][len(numbers)] = which
                numbers += [int(slot.name) if slot.kind == "code" else 0, stride]
        self.drive: Callable[[int], int] = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(calls[0][0].drive)
        self.room = room
        self.numbers: Numbers = np.array([*numbers, 0], dtype=np.int64)
        self.tables = np.array([*found["table"]], dtype=np.intp) + Own.STEPS
        self.given, self.targets, self._passed, self._figures, self._marks = (
            _sorted(found[sort]) for sort in ("given", "target", "passed", "figures", "marks")
        )
        self.marks: list[Slot] = self._marks.which
        self.kinds = {slot: arrays[slot].dtype for slot in self.marks}
        self._types = [block.entities[entity].columns[name].dtype for entity, name in self.given.which]
        self._rooms = list(dict.fromkeys(Room(made[place][0], stays=False) for place in self._passed.which))
        order = {place: at for at, place in enumerate(place for room in self._rooms for place in self._layout.order(room))}
        self._passed.of = np.array([order[self._passed.which[at]] for at in self._passed.of], dtype=np.intp)
        self._looked_up: tuple[dict[str, Array], tuple[int | None, ...], Numbers, list[Any]] | None = None

    def fit(self, part: Part, kinds: Kinds) -> bool:
        """Whether a batch has columns of the types that the machine code takes, and outputs are of the types of before."""
        if self._kinds is not kinds:
            return False
        columns = [part.entities[entity].columns.get(name) for entity, name in self.given.which]
        return all(column is not None and column.dtype == kind for column, kind in zip(columns, self._types, strict=True))

    def own(
        self, columns: Numbers, size: int, far: dict[Slot, Column], head: Callable[[int], list[int]]
    ) -> tuple[Numbers, tuple[Any, ...]]:
        """A thread's table, but for figures and what is written, for chunks of so many rows; and what it tells of.

        `columns` are where those given begin, `far` the marks of all rows; `head` gives what stands before the steps.
        """
        tables: Numbers = np.zeros(self.room, dtype=np.int64)
        near = {slot: np.zeros(size, dtype=marks.dtype) for slot, marks in far.items()}
        scratch = self._layout.another()
        for room in self._rooms:
            scratch.room(room, size)
        listed = [number for slot, marks in near.items() for number in (address(marks), address(far[slot]), marks.itemsize)]
        marked: Numbers = np.array([*listed, 0], dtype=np.int64)
        own: Numbers = np.concatenate([np.array(head(address(marked)), dtype=np.int64), self.numbers])
        own[self.tables] += address(tables)
        own[self.given.at] = columns[self.given.of]
        if self._rooms:
            own[self._passed.at] = np.concatenate([scratch.addresses(room) for room in self._rooms])[self._passed.of]
        if near:
            own[self._marks.at] = np.array([address(marks) for marks in near.values()], dtype=np.int64)[self._marks.of]
        return own, (tables, near, scratch, marked)

    def look_up(self, block: Block, owns: Iterable[Numbers]) -> list[Any]:
        """Let threads' tables tell of the figures for a block; gives these."""
        periods = tuple([block.period(slot.entity) for slot in self._figures.which])
        held = self._looked_up
        if held is None or held[0] is not block.arrays or held[1] != periods:
            found = [block.array(slot) for slot in self._figures.which]
            held = self._looked_up = block.arrays, periods, np.array([address(array) for array in found], dtype=np.int64), found
        for own in owns:
            own[self._figures.at] = held[2][self._figures.of]
        return held[3]


def _sorted(found: dict[int, Any]) -> _Sorted:
    which = list(dict.fromkeys(found.values()))
    number = {each: at for at, each in enumerate(which)}
    return _Sorted(which, np.array([*found], dtype=np.intp) + Own.STEPS, np.array([number[each] for each in found.values()], dtype=np.intp))


def widen(n: int, values: npt.NDArray[Any], factor: int, out: npt.NDArray[Any]) -> None:
    """Write whole numbers as multiples of others, in a column that may be wider."""
    for i in range(n):
        out[i] = values[i] * factor


@cache
def _widening() -> Kernel:
    return Kernel(identity(widen), function=widen)


def steps_of(compiled: Compiled, variant: Variant, part: Part, gathered: Gathered) -> Steps | None:
    """The steps for a batch, by whatever batch they were found out; None where a function has no machine code that is called by address."""
    held = variant.steps
    if held is not None and held.fit(part, gathered.kinds):
        return held
    few = min(_FEW, part.entities[compiled.root].count)
    first = cut(compiled.program, part, compiled.root, 0, few, variant.collapsed)
    block = Block(compiled, variant, compiled.arrays(variant), first, gathered.targets(first), pool=[])
    calls: list[tuple[Any, Sequence[Slot]]] = []
    arrays: dict[Slot, Any] = {}
    for place, function in enumerate(variant.uniform.functions):
        entry, own, _, _ = block.call(place, function)
        calls.append((entry, function.slots))
        arrays.update(zip(function.slots, own, strict=True))
    for ref, column, factor in gathered.widened(variant):
        source, target = block.column(column), gathered.columns[ref][:few]
        if source.dtype.kind == "f" or target.dtype.kind == "f":
            return None
        slots = Slot("column", *column), Slot("code", "", str(factor)), Slot(WIDENED, ref.entity, ref.name)
        calls.append((_widening().entry((0, source, factor, target)), slots))
        arrays.update(zip(slots, (source, factor, target), strict=True))
    if not all(isinstance(entry, Entry) and entry.table for entry, _ in calls):
        return None
    variant.steps = Steps(block, calls, arrays, gathered.kinds)
    return variant.steps
