"""The functions of a plan called one after another by machine code, over tables of where their columns are."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.batches import Part
from rbcalc_kernels.compiled.entries import FAILED
from rbcalc_kernels.compiled.module import Slot
from rbcalc_kernels.compiled.native import Entry
from rbcalc_kernels.compiled.walking import Walk

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.blocks import Block
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
        self._origin: Part | None = None
        self._arrays: dict[str, Array] | None = None
        self._figures: dict[tuple[int | None, ...], tuple[Numbers, list[Any]]] = {}
        self._version = -1

    def _sort(self, block: Block) -> None:
        """The slots by where their arrays come from."""
        self._targets = block.targets
        program, columns, scratch = block.compiled.program, block.variant.uniform.columns, block.scratch
        self._given: list[tuple[int, str, str, np.dtype[Any]]] = []
        self._passed: list[tuple[int, tuple[str, str], str]] = []
        self._dated: list[int] = []
        self._others: list[tuple[int, np.dtype[Any]]] = []
        self._bytes: dict[Slot, int] = {}
        for at, (slot, _) in enumerate(self._slots):
            if slot.kind == "code":
                self._values[at] = int(slot.name)
            elif slot.kind in FIGURES:
                self._dated.append(at)
            elif slot.kind == "column" and slot[1:3] in block.targets:
                self._given.append((at, slot.entity, slot.name, block.array(slot).dtype))
            elif slot.kind == "column" and slot[1:3] in columns:
                self._passed.append((at, slot[1:3], columns[slot[1:3]][0]))
            elif slot.kind in ("column", "known") and not program.entities[slot.entity].derived:
                name = slot.name if slot.kind == "column" else f"{slot.name}?"
                self._given.append((at, slot.entity, name, block.entities[slot.entity].columns[name].dtype))
            else:
                self._others.append((at, block.array(slot).dtype))
            if slot.kind != "code" and slot.kind not in FIGURES:
                self._bytes[slot] = block.array(slot).dtype.itemsize
        self._entities = list(dict.fromkeys([entity for _, entity, _, _ in self._given] + [space for _, _, space in self._passed]))
        self._given_at = np.array([at for at, _, _, _ in self._given], dtype=np.intp)
        self._given_of = np.array([self._entities.index(entity) for _, entity, _, _ in self._given], dtype=np.intp)
        self._given_size: Numbers = np.array([kind.itemsize for _, _, _, kind in self._given], dtype=np.int64)
        self._passed_at = np.array([at for at, _, _ in self._passed], dtype=np.intp)
        self._passed_of = np.array([self._entities.index(space) for _, _, space in self._passed], dtype=np.intp)
        self._rooms = list(dict.fromkeys(space for _, _, space in self._passed))
        order = {place: n for n, place in enumerate(place for space in self._rooms for place in scratch.order(space))}
        self._passed_in = np.array([order[place] for _, place, _ in self._passed], dtype=np.intp)
        self._periods = list(dict.fromkeys(self._slots[at][0].entity for at in self._dated))

    def _bound(self, block: Block) -> bool:
        """Find where the batch's columns begin, once for a batch; whether their types are those of before."""
        origin = block.part.origin or block.part
        if self._origin is not origin:
            begins = []
            for _, entity, name, kind in self._given:
                written = block.columns[entity, name] if (entity, name) in self._targets else None
                column = origin.entities[entity].columns[name] if written is None else written
                if column.dtype != kind:
                    return False
                # Of a column that is written there is the block's part.
                begins.append(address(column) - (0 if written is None else block.first_row(entity) * kind.itemsize))
            self._base: Numbers = np.array(begins, dtype=np.int64)
            self._origin = origin
        if self._arrays is not block.arrays:
            self._arrays = block.arrays
            self._figures.clear()
        return True

    def run(self, block: Block) -> bool:
        """Work out the block's columns; False where they are of other types, or others of them are written where they stay."""
        if (block.targets is not self._targets and block.targets != self._targets) or not self._bound(block):
            return False
        values, scratch = self._values, block.scratch
        counts = [block.entities[entity].count for entity in self._entities]
        values[len(self._slots) :] = [block.entities[space].count for space in self._spaces]
        pieces = self._walk.pieces(block)
        for space in self._rooms:
            scratch.room(space, block.entities[space].count if pieces is None else pieces.most[space])
        lows = np.array([block.first_row(entity) for entity in self._entities], dtype=np.int64)
        values[self._given_at] = self._base + lows[self._given_of] * self._given_size
        if self._version != scratch.version:
            self._version = scratch.version
            where = np.concatenate([scratch.addresses(space) for space in self._rooms]) if self._rooms else np.zeros(0, dtype=np.int64)
            self._passing: Numbers = where[self._passed_in]
        values[self._passed_at] = self._passing
        if not all(counts):
            empty = np.array(counts) == 0
            values[self._given_at[empty[self._given_of]]] = address(_NOTHING)
            values[self._passed_at[empty[self._passed_of]]] = address(_NOTHING)
        periods = tuple([block.period(entity) for entity in self._periods])
        figures = self._figures.get(periods)
        if figures is None:
            found = [block.array(*self._slots[at]) for at in self._dated]
            figures = self._figures[periods] = np.array([address(array) for array in found], dtype=np.int64), found
        values[self._dated] = figures[0]
        kept = []
        for at, kind in self._others:
            array = block.array(*self._slots[at])
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

    def forget(self) -> None:
        """Let go of the batch."""
        self._origin = None
