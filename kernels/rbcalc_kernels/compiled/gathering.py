"""Puts what blocks found back in the order of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.batches import Part, Rows, merged_rows, place
from rbcalc_kernels.compiled.columns import Column, EntityColumns
from rbcalc_kernels.compiled.numbers import Num
from rbcalc_kernels.compiled.source import Place
from rbcalc_kernels.compiled.stretches import day_columns, starts_of
from rbcalc_kernels.program.graph import Ref

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.blocks import Block
    from rbcalc_kernels.compiled.evaluator import Compiled, Results, Variant


_NOUGHT: Final = bytes(2)


class Marks:
    """The root rows with a doubt or a fault."""

    def __init__(self, compiled: Compiled, count: int) -> None:
        self._compiled = compiled
        # One nought that stands for every root row, until there is something to tell.
        self.doubt: npt.NDArray[np.uint8] = np.ndarray(count, np.uint8, _NOUGHT, 0, (0,))
        self.fault: npt.NDArray[np.uint16] = np.ndarray(count, np.uint16, _NOUGHT, 0, (0,))

    def add(self, variant: Variant, kind: str, roots: npt.NDArray[np.int64], marks: npt.NDArray[Any]) -> None:
        """Note the marks of rows of these root rows, in order."""
        if kind == "doubt":
            self.doubt = _own(self.doubt)
            self.doubt[roots] = 1
            return
        self.fault = _own(self.fault)
        codes = np.array([0, *(self._compiled.faults.index(fault) + 1 for fault in variant.lowering.faults)], dtype=np.uint16)
        fresh = self.fault[roots] == 0
        # Backwards, so that of several faulty rows of one root the first is reported.
        self.fault[roots[fresh][::-1]] = codes[marks][fresh][::-1]


class Gathered:
    """The results of a run while its blocks come in."""

    def __init__(self, compiled: Compiled, part: Part, variants: tuple[Variant, ...], into: Results | None) -> None:
        self.compiled = compiled
        self.part = part
        self.marks = Marks(compiled, part.entities[compiled.root].count)
        self.columns: dict[Ref, Column] = {}
        self._blocks: list[Block] = []
        self._parts: dict[tuple[int, Ref], Column] = {}
        self.kinds, in_place = compiled.kinds(variants)
        self.derived = {name for name, entity in compiled.program.entities.items() if entity.derived}
        self.direct: list[tuple[Place, Column]] = []
        """The outputs that are written where they stay."""
        self._others: list[Ref] = []
        for ref in compiled.outputs:
            if ref.entity in self.derived:
                continue
            kind = self.kinds.get(ref)
            if kind is None:  # an input
                self.columns[ref] = part.entities[ref.entity].columns[ref.name]
                continue
            size = part.entities[ref.entity].count
            column = None if into is None else into.columns.get(ref)
            if column is None or column.dtype != kind or column.size != size:
                column = np.empty(size, dtype=kind)
            self.columns[ref] = column
            if ref in in_place and isinstance(part.rows[ref.entity], slice):
                self.direct.append(((ref.entity, ref.name), column))
            else:
                self._others.append(ref)

    def widened(self, variant: Variant) -> list[tuple[Ref, Place, int]]:
        """The outputs that are not written where they stay: of which column each is made, and how many times it."""
        inner = variant.lowering.outputs
        return [(ref, (inner[ref].entity, inner[ref].name), self._scale(variant, ref)) for ref in self._others]

    def _scale(self, variant: Variant, ref: Ref) -> int:
        held = variant.held(ref)
        return self.compiled.denominators[ref] // held.den if isinstance(held, Num) else 1

    def targets(self, part: Part) -> dict[Place, Column]:
        """Outputs that blocks of these rows can write in place."""
        found: dict[Place, Column] = {}
        for place_, column in self.direct:
            rows = part.rows[place_[0]]
            if isinstance(rows, slice) and rows.stop > rows.start:
                found[place_] = column[rows] if rows.stop - rows.start < column.size else column
        return found

    def add(self, block: Block) -> None:
        """Take in a block's marks and outputs."""
        compiled, part = self.compiled, block.part
        root_rows = part.rows[compiled.root]
        for (kind, entity), marks in block.marks.items():
            if not np.maximum.reduce(marks, initial=0):  # quicker than to ask for any
                continue
            at = np.flatnonzero(marks)
            inner = block.root_of(entity)
            roots = merged_rows(root_rows, at if inner is None else inner[at])
            self.marks.add(block.variant, kind, roots, marks[at])
        for ref in self._others:
            rows = part.rows[ref.entity]
            values = self._values(block, ref, block.entities[ref.entity].count)
            place(rows, self.columns[ref], values)
        if self.derived:
            self._blocks.append(block)
            for ref in compiled.outputs:
                if ref.entity in block.made:
                    # The block's own columns are for the next.
                    self._parts[id(block), ref] = np.array(self._values(block, ref, block.made[ref.entity].count), dtype=self.kinds[ref])

    def _values(self, block: Block, ref: Ref, count: int) -> Column:
        inner = block.variant.lowering.outputs[ref]
        column = block.column((inner.entity, inner.name))[:count]
        scale = self._scale(block.variant, ref)
        return column if scale == 1 else column.astype(np.int64) * scale

    def results(self, make: type[Results]) -> Results:
        """Everything, in the order of the batch."""
        entities: dict[str, EntityColumns] = {}
        orders: dict[str, npt.NDArray[np.int64] | None] = {}
        self._blocks.sort(key=lambda block: _first(block.part.rows[self.compiled.root]))
        for name in self.derived:
            made = [block for block in self._blocks if name in block.made]
            if made:
                entities[name], orders[name] = self._merged(name, made)
            else:
                nothing = np.empty(0, dtype=np.int32)
                entities[name] = EntityColumns(0, day_columns(nothing, nothing), nothing, np.zeros(1, dtype=np.int64))
        for ref in self.compiled.outputs:
            if ref.entity in orders:
                made = [block for block in self._blocks if ref.entity in block.made]
                self.columns[ref] = _ordered([self._parts[id(block), ref] for block in made], orders[ref.entity])
            elif ref.entity in entities:
                self.columns[ref] = np.empty(0, dtype=self.kinds[ref])
        columns = self.columns
        if self.derived:
            columns = {ref: self.columns[ref] for ref in self.compiled.outputs if ref in self.columns}
        return make(columns, dict(self.compiled.denominators), self.marks.doubt, self.marks.fault, self.compiled.faults, entities)

    def _merged(self, name: str, blocks: list[Block]) -> tuple[EntityColumns, npt.NDArray[np.int64] | None]:
        """A derived entity's rows of all blocks, by parent, and how they were put in order (None: as they came)."""
        above = self.compiled.program.entities[name].parent
        assert above is not None
        made = [block.made[name] for block in blocks]
        parents = np.concatenate(
            [merged_rows(block.part.rows[above], _given(rows.parent)) for block, rows in zip(blocks, made, strict=True)]
        )
        order = None if bool((parents[1:] >= parents[:-1]).all()) else np.argsort(parents, kind="stable")
        parents = _ordered([parents], order)
        offsets = starts_of(np.bincount(parents, minlength=self.part.entities[above].count))
        columns = {key: _ordered([rows.columns[key] for rows in made], order) for key in made[0].columns}
        sources: dict[str, npt.NDArray[np.int32]] = {}
        for source in made[0].sources:
            moved = [merged_rows(self._source_rows(block, source), rows.sources[source]) for block, rows in zip(blocks, made, strict=True)]
            sources[source] = _ordered(moved, order).astype(np.int32)
        periods = None
        if made[0].period is not None:
            periods = _ordered([_given(rows.period) for rows in made], order).astype(np.uint8)
        return EntityColumns(len(parents), columns, parents.astype(np.int32), offsets, periods, sources), order

    @staticmethod
    def _source_rows(block: Block, source: str) -> Rows:
        if source in block.part.rows:
            return block.part.rows[source]
        return np.arange(block.entities[source].count, dtype=np.int64)


def _own(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array, or a copy that can be written."""
    return array if array.flags.writeable else array.copy()


def _first(rows: Rows) -> int:
    """The first of a part's rows."""
    return int(rows.start if isinstance(rows, slice) else rows[0] if rows.size else 0)


def _ordered(parts: Sequence[npt.NDArray[Any]], order: npt.NDArray[np.int64] | None) -> npt.NDArray[Any]:
    """Parts as one array, in an order."""
    found = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return found if order is None else found[order]


def _given(array: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    assert array is not None
    return array
