"""One block of root rows on its way through the functions of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled import timelines
from rbcalc_kernels.compiled.batches import Part, before, below
from rbcalc_kernels.compiled.cache import Kernel
from rbcalc_kernels.compiled.columns import Column, EntityColumns
from rbcalc_kernels.compiled.groups import effective_dates
from rbcalc_kernels.compiled.layout import Array
from rbcalc_kernels.compiled.machine import check_apart, surely_apart
from rbcalc_kernels.compiled.source import Function, Place, Slot

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.evaluator import Compiled, Variant


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
        self._check = check
        self._found: dict[Slot, Any] = {}
        self._periods: dict[str, int | None] = {}
        self._first: tuple[Kernel, list[Any]] | None = None

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
                for slot in function.writes:
                    self._array(slot, True)
                continue
            kernel, arrays = self._first if place == 0 and self._first is not None else self._ready(place, function)
            kernel(count, *arrays)

    def _ready(self, place: int, function: Function) -> tuple[Kernel, list[Any]]:
        """The kernel of a function, and its arrays."""
        uniform = all(self._period(entity) is not None for entity in function.dated)
        if not uniform:
            function = self.variant.mixed.functions[place]
        arrays = [self._array(slot, uniform) for slot in function.slots]
        if self._check and not surely_apart(arrays):
            written = function.written
            check_apart([arrays[k] for k in written], [array for k, array in enumerate(arrays) if k not in written])
        return self.variant.kernel(function, self.compiled.engine), arrays

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
        if slot.kind in ("parameters", "cells", "edges"):
            found = self.arrays["parameters" if slot.kind == "parameters" else f"{slot.name} {slot.kind}"]
            if not uniform:
                return found.reshape(-1)
            return found[(self._period(slot.entity) or 0) if len(found) > 1 else 0]
        if slot not in self._found:
            self._found[slot] = self._made_array(slot)
        return self._found[slot]

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
                kind = np.uint8 if slot.kind == "doubt" else np.uint16
                found: npt.NDArray[Any] = np.zeros(rows.count, dtype=kind)
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
            column = np.zeros(self.entities[made[0]].count, dtype=made[1])
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
