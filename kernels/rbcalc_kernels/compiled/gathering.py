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
        """Note the marks of rows of these root rows, in order; those with more rows than sums are proved for are in doubt too."""
        if kind != "fault":
            self.doubt = _own(self.doubt)
            self.doubt[roots] = 1
            return
        self.fault = _own(self.fault)
        codes = self._compiled.codes(variant)
        fresh = self.fault[roots] == 0
        # Backwards, so that of several faulty rows of one root the first is reported.
        self.fault[roots[fresh][::-1]] = codes[marks][fresh][::-1]


class _Growing:
    """A column of rows that blocks make, in the order in which the blocks are done."""

    def __init__(self, kind: np.dtype[Any], earlier: Column | None) -> None:
        """`earlier` is a column of an earlier run that nobody reads any more."""
        self._held = earlier if earlier is not None and earlier.dtype == kind and earlier.flags.writeable else np.empty(0, dtype=kind)
        self._used = 0

    def add(self, values: Column, room: int) -> None:
        """Put values behind the others; `room` is how many there may be in all."""
        end = self._used + values.size
        if end > self._held.size:
            wider = np.empty(max(end, room), dtype=self._held.dtype)
            wider[: self._used] = self._held[: self._used]
            self._held = wider
        self._held[self._used : end] = values
        self._used = end

    @property
    def column(self) -> Column:
        """All values."""
        return self._held[: self._used]


def _rows(part: Part, entity: str) -> slice:
    rows = part.rows[entity]
    assert isinstance(rows, slice)
    return rows


class Gathered:
    """The results of a run while its blocks come in."""

    def __init__(self, compiled: Compiled, part: Part, variants: tuple[Variant, ...], into: Results | None) -> None:
        self.compiled = compiled
        self.part = part
        self.marks = Marks(compiled, part.entities[compiled.root].count)
        self.columns: dict[Ref, Column] = {}
        self._blocks: list[Block] = []
        self._growing: dict[Ref, _Growing] = {}
        self.kinds, in_place = compiled.kinds(variants)
        self.derived = {name for name, entity in compiled.program.entities.items() if entity.derived}
        self.direct: list[tuple[Place, Column]] = []
        """The outputs that are written where they stay."""
        self._others: list[Ref] = []
        self._whole: dict[Variant, dict[Place, Column]] = {}
        for ref in compiled.outputs:
            if ref.entity in self.derived:
                if ref in self.kinds:
                    self._growing[ref] = _Growing(np.dtype(self.kinds[ref]), None if into is None else into.columns.get(ref))
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

    @property
    def remade(self) -> bool:
        """Whether outputs are made of other columns afterwards."""
        return bool(self._others)

    def whole(self, variant: Variant, part: Part) -> dict[Place, Column]:
        """Where blocks of these rows can write the columns that outputs are made of afterwards."""
        if variant not in self._whole:
            made = variant.lowering.uniform.columns
            places = {place for _, place, _ in self.widened(variant) if place in made}
            self._whole[variant] = {place: np.empty(self.part.entities[place[0]].count, dtype=made[place][1]) for place in places}
        return {place: column[_rows(part, place[0])] for place, column in self._whole[variant].items() if part.entities[place[0]].count}

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
            share = self.part.entities[compiled.root].count / max(1, block.entities[compiled.root].count)
            for ref, growing in self._growing.items():
                if ref.entity in block.made:
                    count = block.made[ref.entity].count
                    growing.add(self._values(block, ref, count), int(count * share * 1.02))

    def _values(self, block: Block, ref: Ref, count: int) -> Column:
        inner = block.variant.lowering.outputs[ref]
        column = block.column((inner.entity, inner.name))[:count]
        scale = self._scale(block.variant, ref)
        return column if scale == 1 else column.astype(np.int64) * scale

    def results(self, make: type[Results]) -> Results:
        """Everything, in the order of the batch."""
        entities: dict[str, EntityColumns] = {}
        orders: dict[str, npt.NDArray[np.int64] | None] = {}
        arrived = list(self._blocks)
        self._blocks.sort(key=lambda block: _first(block.part.rows[self.compiled.root]))
        for name in self.derived:
            made = [block for block in self._blocks if name in block.made]
            if made:
                entities[name], orders[name] = self._merged(name, made)
            else:
                nothing = np.empty(0, dtype=np.int32)
                entities[name] = EntityColumns(0, day_columns(nothing, nothing), nothing, np.zeros(1, dtype=np.int64))
        for ref, growing in self._growing.items():
            column = growing.column
            if ref.entity in orders:
                if arrived != self._blocks:
                    column = self._sorted(column, ref.entity, arrived)
                column = _ordered([column], orders[ref.entity])
            self.columns[ref] = column
        columns = self.columns
        if self.derived:
            columns = {ref: self.columns[ref] for ref in self.compiled.outputs if ref in self.columns}
        return make(columns, dict(self.compiled.denominators), self.marks.doubt, self.marks.fault, self.compiled.faults, entities)

    def _sorted(self, column: Column, entity: str, arrived: Sequence[Block]) -> Column:
        """A column of made rows by block, of one in which blocks stand as they were done."""
        parts, end = {}, 0
        for block in arrived:
            if entity in block.made:
                first, end = end, end + block.made[entity].count
                parts[id(block)] = column[first:end]
        return np.concatenate([parts[id(block)] for block in self._blocks if id(block) in parts])

    def _merged(self, name: str, blocks: list[Block]) -> tuple[EntityColumns, npt.NDArray[np.int64] | None]:
        """A derived entity's rows of all blocks, by parent, and how they were put in order (None: as they came)."""
        above = self.compiled.program.entities[name].parent
        assert above is not None
        made = [block.made[name] for block in blocks]
        count = self.part.entities[above].count
        parents = _moved([block.part.rows[above] for block in blocks], [_given(rows.parent) for rows in made])
        offsets = _following([block.part.rows[above] for block in blocks], made, count)
        order = None
        if offsets is None:
            order = None if bool((parents[1:] >= parents[:-1]).all()) else np.argsort(parents, kind="stable")
            parents = _ordered([parents], order)
            offsets = starts_of(np.bincount(parents, minlength=count))
        columns = {key: _ordered([rows.columns[key] for rows in made], order) for key in made[0].columns}
        sources: dict[str, npt.NDArray[np.int32]] = {}
        for source in made[0].sources:
            moved = _moved([self._source_rows(block, source) for block in blocks], [rows.sources[source] for rows in made])
            sources[source] = _ordered([moved], order)
        periods = None
        if made[0].period is not None:
            periods = _ordered([_given(rows.period) for rows in made], order).astype(np.uint8, copy=False)
        return EntityColumns(len(parents), columns, parents, offsets, periods, sources), order

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


def _moved(rows: Sequence[Rows], inner: Sequence[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    """Rows of parts, one part after the other, as rows of the whole; -1 stays."""
    found = np.empty(sum(each.size for each in inner), dtype=np.int32)
    end = 0
    for part, each in zip(rows, inner, strict=True):
        first, end = end, end + each.size
        if isinstance(part, slice) and not part.start:
            found[first:end] = each
        elif isinstance(part, slice):
            np.add(each, np.int32(part.start) * (each >= 0), out=found[first:end], casting="unsafe")
        else:
            found[first:end] = merged_rows(part, each)
    return found


def _following(rows: Sequence[Rows], made: Sequence[EntityColumns], count: int) -> npt.NDArray[np.int64] | None:
    """Where the made rows of each of `count` rows begin; None where the parts do not follow one another from the first to the last."""
    offsets: npt.NDArray[np.int64] = np.empty(count + 1, dtype=np.int64)
    end = base = 0
    for part, each in zip(rows, made, strict=True):
        if not isinstance(part, slice) or part.start != end or each.offsets is None or each.offsets.size != part.stop - part.start + 1:
            return None
        np.add(each.offsets, base, out=offsets[end : part.stop + 1])
        end, base = part.stop, base + each.count
    return offsets if end == count else None


def _ordered(parts: Sequence[npt.NDArray[Any]], order: npt.NDArray[np.int64] | None) -> npt.NDArray[Any]:
    """Parts as one array, in an order."""
    found = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return found if order is None else found[order]


def _given(array: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    assert array is not None
    return array
