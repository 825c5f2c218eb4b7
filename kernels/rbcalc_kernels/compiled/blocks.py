"""One block of root rows on its way through the functions of a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled import timelines
from rbcalc_kernels.compiled.batches import Part, before, below
from rbcalc_kernels.compiled.columns import Column, EntityColumns
from rbcalc_kernels.compiled.groups import effective_dates
from rbcalc_kernels.compiled.layout import Array
from rbcalc_kernels.compiled.machine import check_apart, surely_apart
from rbcalc_kernels.compiled.module import Slot
from rbcalc_kernels.compiled.native import kind
from rbcalc_kernels.compiled.source import Function, Place

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.evaluator import Compiled, Variant


class Scratch:
    """Columns that one block after the other fills, and the machine code that suits them and the blocks' own.

    Memory that is used again is near the processor already, and needs not be made clean by the system.
    """

    def __init__(self) -> None:
        self._columns: dict[Place, Column] = {}
        self._kinds: dict[tuple[bool, int], object] = {}
        self.entries: dict[tuple[bool, int], Callable[..., Any]] = {}

    def column(self, place: Place, kind: npt.DTypeLike, count: int) -> Column:
        """A column of so many rows, which hold anything."""
        if not count:
            return np.zeros(1, dtype=kind)  # rows that point nowhere read the first place, so that there must be one
        held = self._columns.get(place)
        if held is None or held.size < count:
            held = self._columns[place] = np.empty(count + count // 16, dtype=kind)
        return held[:count]

    def clear(self) -> None:
        """Let go of the columns, and keep the machine code."""
        self._columns.clear()

    def seen(self, place: tuple[bool, int], argument: Any) -> None:
        """Forget the machine code when an argument is of another type than in the block before."""
        now = kind(argument)
        if self._kinds.get(place) != now:
            self._kinds[place] = now
            self.entries.clear()


class Block:
    """Some root rows, the columns that are worked out for them, and what was noted of their rows.

    `targets` holds the outputs' columns where they can be written in place.
    """

    def __init__(
        self,
        compiled: Compiled,
        variant: Variant,
        arrays: dict[str, Array],
        part: Part,
        targets: dict[Place, Column],
        *,
        pool: list[Scratch],
        check: bool = False,
    ) -> None:
        self.compiled = compiled
        self.variant = variant
        self.arrays = arrays
        self.part = part
        self.entities = dict(part.entities)
        self.columns = targets
        self.marks: dict[tuple[str, str], npt.NDArray[Any]] = {}
        self.made: dict[str, EntityColumns] = {}
        self._pool = pool
        self._held: Scratch | None = None
        if check and targets:
            # All else that is written is the block's own.
            written, others = list(targets.values()), self._given()
            if not surely_apart([*written, *others]):
                check_apart(written, others)
        self._found: dict[bool, list[Any]] = {}
        self._others: dict[Slot, Any] = {}
        self._periods: dict[str, int | None] = {}
        self._first: tuple[Callable[..., Any], list[Any]] | None = None

    @property
    def _scratch(self) -> Scratch:
        """Where columns are that nobody reads afterwards: those of a block that is done, or new ones."""
        if self._held is None:
            try:
                self._held = self._pool.pop()
            except IndexError:
                self._held = Scratch()
        return self._held

    def release(self) -> None:
        """Leave the columns to the next block, when nobody reads them any more."""
        if self._held is not None:
            self._pool.append(self._held)
        self._held = None
        self.columns, self.marks, self._found, self._others, self._first = {}, {}, {}, {}, None

    def prepare(self) -> None:
        """Find what the first function needs, so that a thread has nothing left to do but call it."""
        function = self.variant.uniform.functions[0]
        if not function.derive and self.entities[function.space].count:
            self._first = self._ready(0, function)

    def run(self) -> None:
        """Work out the columns."""
        for place, function in enumerate(self.variant.uniform.functions):
            if function.derive:
                self._derive(function.derive)
                continue
            count = self.entities[function.space].count
            if not count:
                continue
            entry, arrays = self._first if place == 0 and self._first is not None else self._ready(place, function)
            entry(count, *arrays)

    def _given(self) -> list[npt.NDArray[Any]]:
        """All arrays of the batch."""
        found: list[npt.NDArray[Any] | None] = []
        for rows in self.entities.values():
            found += [*rows.columns.values(), rows.parent, rows.offsets, rows.period]
        return [array for array in found if array is not None]

    def _ready(self, place: int, function: Function) -> tuple[Callable[..., Any], list[Any]]:
        """The machine code of a function, and its arguments."""
        uniform = all(self._period(entity) is not None for entity in function.dated)
        slots, places = self.variant.slots(uniform)
        found = self._found.get(uniform)
        if found is None:
            found = self._found[uniform] = [None] * len(slots)
        arrays = []
        for at in places[place]:
            array = found[at]
            if array is None:
                slot, made = slots[at]
                if made is None:
                    array = self._array(slot, uniform)
                    self._scratch.seen((uniform, at), array)
                else:
                    array = self.column(slot[1:3])
                found[at] = array
            arrays.append(array)
        entries = self._scratch.entries
        entry = entries.get((uniform, place))
        if entry is None:
            if not uniform:
                function = self.variant.mixed.functions[place]
            entry = entries[uniform, place] = self.variant.kernel(function, self.compiled.engine).entry((0, *arrays))
        return entry, arrays

    def _derive(self, entity: str) -> None:
        program = self.compiled.program
        dates: dict[str, npt.NDArray[np.int32]] = {}
        for ref in effective_dates(program, entity):
            dates[ref.entity] = self.column((ref.entity, ref.name)).astype(np.int32)
        self.made[entity] = self.entities[entity] = timelines.derive(program, entity, self.entities, dates)

    def _period(self, entity: str) -> int | None:
        """The parameter period of the entity's rows; None where they have several."""
        if entity not in self._periods:
            periods = self.entities[entity].period
            if periods is None or not periods.size:
                self._periods[entity] = 0
            else:
                first = int(periods[0])
                self._periods[entity] = first if bool((periods == first).all()) else None
        return self._periods[entity]

    def _array(self, slot: Slot, uniform: bool) -> Any:
        if slot[0] == "column":
            return self.column(slot[1:3])
        if slot.kind == "code":
            return int(slot.name)
        if slot.kind in ("parameters", "cells", "edges"):
            found = self._figures(slot.name) if slot.kind == "parameters" else self.arrays[f"{slot.name} {slot.kind}"]
            if not uniform:
                return found.reshape(-1)
            return found[(self._period(slot.entity) or 0) if len(found) > 1 else 0]
        if slot not in self._others:
            self._others[slot] = self._made_array(slot)
        return self._others[slot]

    def _figures(self, names: str) -> Array:
        """The parameters that a function reads, those of a period together."""
        key = f"figures {names}"
        found = self.arrays.get(key)
        if found is None:
            parameters = self.variant.lowering.layout.parameters
            places = [parameters[name][0] for name in names.split(",")]
            found = self.arrays[key] = np.take(cast("npt.NDArray[np.float64]", self.arrays["parameters"]), places, axis=1)
        return found

    def _made_array(self, slot: Slot) -> Any:
        rows = self.entities[slot.entity]
        match slot.kind:
            case "known":
                return self.column((slot.entity, f"{slot.name}?"))
            case "period":
                return np.zeros(rows.count, dtype=np.uint8) if rows.period is None else np.ascontiguousarray(rows.period)
            case "before":
                return before(rows)
            case "offsets":
                collapsed = self.variant.collapsed
                return below(self.entities, self.compiled.program, slot.entity, slot.name, collapsed)
            case "way":
                return self._way(slot)
            case "doubt" | "fault":
                type_ = np.uint8 if slot.kind == "doubt" else np.uint16
                found = self._scratch.column((f"~{slot.kind}", slot.entity), type_, rows.count)
                found[:] = 0
                self.marks[slot.kind, slot.entity] = found
                return found
        raise ValueError(slot.kind)

    def column(self, place: Place) -> Column:
        """A column of the batch, or one that is worked out, made when first asked for."""
        column = self.columns.get(place)
        if column is not None:
            return column
        made = self.variant.uniform.columns.get(place)
        if made is not None:
            column = self._scratch.column(place, made[1], self.entities[made[0]].count)
        else:
            entity, name = place
            column = self.entities[entity].columns.get(name)
            if column is None:
                raise ValueError(f"the batch has no column {name} for {entity}")
        if not column.size:
            # Rows that point nowhere read the first place, so that there must be one.
            column = np.zeros(1, dtype=column.dtype)
        self.columns[place] = column
        return column

    def _way(self, slot: Slot) -> npt.NDArray[np.int32]:
        found: npt.NDArray[Any] | None = None
        for entity, step in slot.steps:
            rows = self.entities[entity]
            following = rows.parent if step is None else rows.sources[step]
            assert following is not None
            if found is None:
                found = following
            else:
                found = np.where(found < 0, np.int32(-1), following[np.maximum(found, 0)] if following.size else np.int32(-1))
        assert found is not None
        return np.ascontiguousarray(found, dtype=np.int32)

    def root_of(self, entity: str) -> npt.NDArray[np.integer[Any]] | None:
        """The block's root row of each row of an entity; None for the root itself."""
        program, found = self.compiled.program, None
        while entity != self.compiled.root and entity not in self.variant.collapsed:
            parents = self.entities[entity].parent
            assert parents is not None
            found = parents if found is None else parents[found]
            above = program.entities[entity].parent
            assert above is not None
            entity = above
        return found
