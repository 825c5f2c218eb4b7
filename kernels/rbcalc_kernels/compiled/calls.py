"""The functions of a plan called one after another by machine code, over tables of where their columns are."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.batches import Part
from rbcalc_kernels.compiled.entries import FAILED
from rbcalc_kernels.compiled.module import Slot
from rbcalc_kernels.compiled.native import Entry
from rbcalc_kernels.compiled.walking import Walk

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.blocks import Block, Room
    from rbcalc_kernels.compiled.layout import Array
    from rbcalc_kernels.compiled.source import Function

Numbers = npt.NDArray[np.int64]

FIGURES: Final = frozenset({"parameters", "cells", "edges"})
"""The kinds of arguments that hold figures."""

_NOTHING: Final = np.zeros(64, dtype=np.uint8)
"""What is read of a column without rows: rows that point nowhere read the first place."""


def address(array: npt.NDArray[Any]) -> int:
    """Where an array's memory begins."""
    found: int = array.__array_interface__["data"][0]
    return found


class Calls:
    """Some functions of a plan, ready to be called for any block whose columns are of the types that they were compiled for.

    Where a column of the batch, or one of those that pass between functions, is in memory follows from where it begins and
    from the block's first row, so that nothing is looked up by name for each block.
    """

    def __init__(self, block: Block, functions: Sequence[tuple[Function, bool, Entry]]) -> None:
        """After the block went the plain way through these functions; with each, whether its rows are of one parameter period."""
        places: dict[tuple[Slot, bool], int] = {}
        own = [
            [places.setdefault((slot, uniform or slot.kind not in FIGURES), len(places)) for slot in function.slots]
            for function, uniform, _ in functions
        ]
        self._slots = list(places)
        spaces = list(dict.fromkeys(function.space for function, _, _ in functions))
        self._spaces = spaces
        self._values: Numbers = np.zeros(len(places) + len(spaces), dtype=np.int64)
        self._constant = self._values.copy()
        order = [[len(places) + spaces.index(function.space), *own[n]] for n, (function, _, _) in enumerate(functions)]
        self._order = np.array([at for each in order for at in each], dtype=np.intp)
        self._table: Numbers = np.zeros(self._order.size, dtype=np.int64)
        self._sort(block)
        self._steps: Numbers = np.zeros(2 * len(functions) + 1, dtype=np.int64)
        begin = address(self._table)
        for n, (_, _, entry) in enumerate(functions):
            self._steps[2 * n : 2 * n + 2] = entry.table, begin
            begin += 8 * len(order[n])
        self._walk = Walk(block, [function for function, _, _ in functions], spaces, self._bytes)
        self._run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(functions[0][2].steps)
        self._origin: ref[Part] | None = None
        self._standing: WeakKeyDictionary[Part, Numbers] = WeakKeyDictionary()
        self._written: object = None
        self._arrays: dict[str, Array] | None = None
        self._figures: dict[tuple[int | None, ...], tuple[Numbers, list[Any]]] = {}
        self._version = -1

    def _sort(self, block: Block) -> None:
        """The slots by where their arrays come from."""
        self._targets = block.targets
        program, columns, scratch = block.compiled.program, block.variant.uniform.columns, block.scratch
        self._given: list[tuple[int, str, str, np.dtype[Any]]] = []
        lasting: list[tuple[int, Slot]] = []
        passed: list[tuple[int, tuple[str, str], Room]] = []
        self._dated: list[int] = []
        self._others: list[tuple[int, Slot, np.dtype[Any]]] = []
        self._bytes: dict[Slot, int] = {}
        for at, (slot, _) in enumerate(self._slots):
            if slot.kind == "code":
                self._constant[at] = int(slot.name)
            elif slot.kind in FIGURES:
                self._dated.append(at)
            elif slot.kind == "column" and slot[1:3] in block.targets:
                self._given.append((at, slot.entity, slot.name, block.array(slot).dtype))
            elif slot.kind == "column" and slot[1:3] in columns:
                passed.append((at, slot[1:3], scratch.room_of(slot[1:3])))
            elif slot.kind in ("column", "known") and not program.entities[slot.entity].derived:
                name = slot.name if slot.kind == "column" else f"{slot.name}?"
                self._given.append((at, slot.entity, name, block.entities[slot.entity].columns[name].dtype))
            elif block.variant.lasting(program, slot):
                lasting.append((at, slot))
            else:
                self._others.append((at, slot, block.array(slot).dtype))
            if slot.kind != "code" and slot.kind not in FIGURES:
                self._bytes[slot] = block.array(slot).dtype.itemsize
        self._entities = list(dict.fromkeys(entity for _, entity, _, _ in self._given))
        self._given_at = np.array([at for at, _, _, _ in self._given], dtype=np.intp)
        self._given_of = np.array([self._entities.index(entity) for _, entity, _, _ in self._given], dtype=np.intp)
        self._given_size: Numbers = np.array([kind.itemsize for _, _, _, kind in self._given], dtype=np.int64)
        self._lasting_at = np.array([at for at, _ in lasting], dtype=np.intp)
        self._lasting = [slot for _, slot in lasting]
        self._rooms = list(dict.fromkeys(room for _, _, room in passed))
        self._passed_at = np.array([at for at, _, _ in passed], dtype=np.intp)
        self._passed_of = np.array([self._rooms.index(room) for _, _, room in passed], dtype=np.intp)
        order = {place: n for n, place in enumerate(place for room in self._rooms for place in scratch.order(room))}
        self._passed_in = np.array([order[place] for _, place, _ in passed], dtype=np.intp)
        self._periods = list(dict.fromkeys(self._slots[at][0].entity for at in self._dated))

    def _standing_of(self, block: Block) -> Numbers | None:
        """Where all is that is in the same place in every run, found once for a part of a batch; None where types are others."""
        origin = block.part.origin or block.part
        if self._origin is None or self._origin() is not origin or self._written is not block.written:
            self._standing.clear()
            base = self._begins(block, origin)
            if base is None:
                return None
            self._base, self._origin, self._written = base, ref(origin), block.written
        found = self._standing.get(block.part)
        if found is None:
            found = self._standing[block.part] = self._constant.copy()
            lows = np.array([block.first_row(entity) for entity in self._entities], dtype=np.int64)
            found[self._given_at] = self._base + lows[self._given_of] * self._given_size
            empty = np.array([block.entities[entity].count == 0 for entity in self._entities], dtype=np.bool_)
            found[self._given_at[empty[self._given_of]]] = address(_NOTHING)
            found[self._lasting_at] = [address(block.array(slot)) for slot in self._lasting]
        return found

    def _begins(self, block: Block, origin: Part) -> Numbers | None:
        """Where the batch's columns begin."""
        begins = []
        for _, entity, name, kind in self._given:
            written = block.columns[entity, name] if (entity, name) in self._targets else None
            column = origin.entities[entity].columns[name] if written is None else written
            if column.dtype != kind:
                return None
            # Of a column that is written there is the block's part.
            begins.append(address(column) - (0 if written is None else block.first_row(entity) * kind.itemsize))
        return np.array(begins, dtype=np.int64)

    def run(self, block: Block) -> bool:
        """Work out the block's columns; False where they are of other types, or others of them are written where they stay."""
        if block.targets is not self._targets and block.targets != self._targets:
            return False
        standing = self._standing_of(block)
        if standing is None:
            return False
        if self._arrays is not block.arrays:
            self._arrays = block.arrays
            self._figures.clear()
        values, scratch = self._values, block.scratch
        values[:] = standing
        values[len(self._slots) :] = [block.entities[space].count for space in self._spaces]
        pieces = self._walk.pieces(block)
        for room in self._rooms:
            scratch.room(room, block.entities[room.space].count if pieces is None or room.stays else pieces.most[room.space])
        if self._version != scratch.version:
            self._version = scratch.version
            where = np.concatenate([scratch.addresses(room) for room in self._rooms]) if self._rooms else np.zeros(0, dtype=np.int64)
            self._passing: Numbers = where[self._passed_in]
        values[self._passed_at] = self._passing
        counts = [block.entities[room.space].count for room in self._rooms]
        if not all(counts):
            values[self._passed_at[np.array(counts)[self._passed_of] == 0]] = address(_NOTHING)
        periods = tuple([block.period(entity) for entity in self._periods])
        figures = self._figures.get(periods)
        if figures is None:
            found = [block.array(*self._slots[at]) for at in self._dated]
            figures = self._figures[periods] = np.array([address(array) for array in found], dtype=np.int64), found
        values[self._dated] = figures[0]
        kept = []
        for at, slot, kind in self._others:
            array = block.array(slot)
            if array.dtype != kind:
                return False
            kept.append(array)
            values[at] = address(array)
        np.take(values, self._order, out=self._table)
        steps = address(self._steps)
        for piece in (None,) if pieces is None else self._walk.tables(self._table, pieces):
            if piece is not None:
                self._table[:] = piece
            if self._run(steps) == FAILED:
                raise RuntimeError("a compiled function failed")
        return True
