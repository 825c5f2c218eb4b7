"""Puts what blocks found back in the order of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.batches import Part, Rows, merged_rows, place
from rbcalc_kernels.compiled.columns import Column, EntityColumns
from rbcalc_kernels.compiled.numbers import Num
from rbcalc_kernels.program.graph import Ref

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.blocks import Block
    from rbcalc_kernels.compiled.evaluator import Compiled, Results, Variant


class Gathered:
    """The results of a run while its blocks come in."""

    def __init__(self, compiled: Compiled, part: Part, variants: tuple[Variant, ...], into: Results | None) -> None:
        self.compiled = compiled
        self.part = part
        # One nought that stands for every root row, until a block has something to tell.
        count = part.entities[compiled.root].count
        self.doubt: npt.NDArray[np.uint8] = np.broadcast_to(np.uint8(0), count)
        self.fault: npt.NDArray[np.uint16] = np.broadcast_to(np.uint16(0), count)
        self.columns: dict[Ref, Column] = {}
        self._blocks: list[Block] = []
        self.kinds, self.in_place = compiled.kinds(variants)
        self.derived = {name for name, entity in compiled.program.entities.items() if entity.derived}
        for ref in compiled.outputs:
            if ref in compiled.program.inputs and ref.entity not in self.derived:
                self.columns[ref] = part.entities[ref.entity].columns[ref.name]
            elif ref.entity not in self.derived:
                kind = self.kinds[ref]
                size = part.entities[ref.entity].count
                old = None if into is None else into.columns.get(ref)
                fits = old is not None and old.dtype == kind and old.size == size
                self.columns[ref] = old if fits and old is not None else np.empty(size, dtype=kind)

    def _scale(self, variant: Variant, ref: Ref) -> int:
        held = variant.held(ref)
        return self.compiled.denominators[ref] // held.den if isinstance(held, Num) else 1

    def targets(self, part: Part) -> dict[Ref, Column]:
        """Outputs that blocks of these rows can write in place."""
        found: dict[Ref, Column] = {}
        for ref in self.in_place:
            rows = part.rows.get(ref.entity)
            if ref in self.columns and isinstance(rows, slice) and rows.stop > rows.start:
                found[ref] = self.columns[ref][rows]
        return found

    def add(self, block: Block) -> None:
        """Take in a block's marks and outputs."""
        compiled, part = self.compiled, block.part
        root_rows = part.rows[compiled.root]
        for (kind, entity), marks in block.marks.items():
            if not marks.any():
                continue
            at = np.flatnonzero(marks)
            inner = block.root_of(entity)
            roots = merged_rows(root_rows, at if inner is None else inner[at])
            if kind == "doubt":
                self.doubt = _own(self.doubt)
                self.doubt[roots] = 1
                continue
            self.fault = _own(self.fault)
            faults = block.variant.lowering.faults
            codes = np.array([0, *(compiled.faults.index(fault) + 1 for fault in faults)], dtype=np.uint16)
            fresh = self.fault[roots] == 0
            # Backwards, so that of several faulty rows of one root the first is reported.
            self.fault[roots[fresh][::-1]] = codes[marks[at]][fresh][::-1]
        for ref in compiled.outputs:
            if ref.entity in self.derived or ref in compiled.program.inputs:
                continue
            rows = part.rows[ref.entity]
            if ref in self.in_place and isinstance(rows, slice):
                continue
            values = self._values(block, ref, block.entities[ref.entity].count)
            place(rows, self.columns[ref], values)
        if self.derived:
            self._blocks.append(block)

    def _values(self, block: Block, ref: Ref, count: int) -> Column:
        inner = block.variant.lowering.outputs[ref]
        column = block.column(inner, inner.name)[:count]
        scale = self._scale(block.variant, ref)
        return column if scale == 1 else column.astype(np.int64) * scale

    def results(self) -> Results:
        """Everything, in the order of the batch."""
        from rbcalc_kernels.compiled.evaluator import Results

        entities: dict[str, EntityColumns] = {}
        orders: dict[str, npt.NDArray[np.int64]] = {}
        for name in self.derived:
            made = [block for block in self._blocks if name in block.made]
            if made:
                entities[name], orders[name] = self._merged(name, made)
        for ref in self.compiled.outputs:
            if ref.entity in orders:
                made = [block for block in self._blocks if ref.entity in block.made]
                parts = [self._values(block, ref, block.made[ref.entity].count) for block in made]
                self.columns[ref] = np.concatenate(parts)[orders[ref.entity]]
        columns = {ref: self.columns[ref] for ref in self.compiled.outputs if ref in self.columns}
        return Results(columns, dict(self.compiled.denominators), self.doubt, self.fault, self.compiled.faults, entities)

    def _merged(self, name: str, blocks: list[Block]) -> tuple[EntityColumns, npt.NDArray[np.int64]]:
        """A derived entity's rows of all blocks, by parent, and how they were put in order."""
        above = self.compiled.program.entities[name].parent
        assert above is not None
        made = [block.made[name] for block in blocks]
        parents = np.concatenate(
            [merged_rows(block.part.rows[above], _given(rows.parent)) for block, rows in zip(blocks, made, strict=True)]
        )
        order = np.argsort(parents, kind="stable")
        parents = parents[order]
        count = self.part.entities[above].count
        offsets = np.searchsorted(parents, np.arange(count + 1)).astype(np.int64)
        columns = {key: np.concatenate([rows.columns[key] for rows in made])[order] for key in made[0].columns}
        sources: dict[str, npt.NDArray[np.int32]] = {}
        for source in made[0].sources:
            moved = [merged_rows(self._source_rows(block, source), rows.sources[source]) for block, rows in zip(blocks, made, strict=True)]
            sources[source] = np.concatenate(moved)[order].astype(np.int32)
        periods = None
        if made[0].period is not None:
            periods = np.concatenate([_given(rows.period) for rows in made])[order].astype(np.uint8)
        return EntityColumns(len(order), columns, parents.astype(np.int32), offsets, periods, sources), order

    @staticmethod
    def _source_rows(block: Block, source: str) -> Rows:
        if source in block.part.rows:
            return block.part.rows[source]
        return np.arange(block.entities[source].count, dtype=np.int64)


def _own(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array, or a copy that can be written."""
    return array if array.flags.writeable else array.copy()


def _given(array: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    assert array is not None
    return array
