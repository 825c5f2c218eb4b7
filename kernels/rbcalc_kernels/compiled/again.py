"""A batch that stands ready: what was worked out once is kept, and changed figures cost only what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.batches import merged_rows, whole
from rbcalc_kernels.compiled.blocks import Block, Scratch
from rbcalc_kernels.compiled.columns import Batch, Column
from rbcalc_kernels.compiled.gathering import Gathered
from rbcalc_kernels.compiled.groups import effective_dates
from rbcalc_kernels.compiled.layout import Array, history_name
from rbcalc_kernels.compiled.module import Slot
from rbcalc_kernels.compiled.numbers import Num
from rbcalc_kernels.compiled.threads import each_on_a_thread
from rbcalc_kernels.program.graph import Program, Ref

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.evaluator import Compiled, Variant
    from rbcalc_kernels.compiled.source import Function, Place

BLOCK: Final = 8_192
"""Root rows worked out at a time: what is kept of a block, and read again for each set of figures, stays near."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The outputs of some root rows under one set of figures.

    `columns` are whole numbers over the compiled program's denominators, good until the next set is worked out; `rows` are the
    root rows of the batch; `unsure` are those of them (from 0) that must be worked out exactly, or that have no result.
    """

    columns: Mapping[Ref, Column]
    rows: slice
    unsure: npt.NDArray[np.int64]


class Figures:
    """One set of figures for a program that stands ready: its arrays, for each way in which the program was lowered."""

    def __init__(self, program: Program, arrays: tuple[dict[str, Array], ...]) -> None:
        self.program = program
        self.arrays = arrays


class Standing:
    """A batch whose outputs can be worked out again for other figures of the same rules.

    `changing` names the parameters and tables whose figures may differ.  Outputs belong to the root entity.
    """

    def __init__(self, compiled: Compiled, batch: Batch, changing: Collection[str], *, threads: int = 1, block: int = BLOCK) -> None:
        """Work out everything once.  Raises ValueError when the batch does not fit the program."""
        if any(ref.entity != compiled.root or ref in compiled.program.inputs for ref in compiled.outputs):
            raise ValueError("what stands ready gives values that are worked out for the root")
        self.compiled = compiled
        self.changing = frozenset(changing)
        part = whole(compiled.program, batch, compiled.root)
        gathered = Gathered(compiled, part, compiled.variants, None)
        pools: dict[Variant, list[Scratch]] = {variant: [] for variant in compiled.variants}
        blocks = compiled.blocks(compiled.shares(part, threads, block, compiled.alone(part)), gathered, pools)
        self._blocks = [_Kept(each, self.changing) for each in blocks]
        self._threads = threads
        each_on_a_thread([each.prepare for each in self._blocks], threads)

    def figures(self, program: Program) -> Figures | None:
        """The figures of a program that differs in what may change; None where it must be compiled anew."""
        arrays = self.compiled.changed_arrays(program, self.changing)
        return None if arrays is None else Figures(program, arrays)

    def through(self, sets: Sequence[Figures], take: Callable[[int, Taken], None]) -> None:
        """Work out each set of figures and hand over what comes of it, block by block; threads take blocks, so `take` must allow that."""

        def work(block: _Kept) -> Callable[[], None]:
            def through_all() -> None:
                for number, figures in enumerate(sets):
                    take(number, block.again(figures))

            return through_all

        each_on_a_thread([work(block) for block in self._blocks], self._threads)


class _Kept:
    """A block that was worked out, and the calls that work out again what changed figures touch."""

    def __init__(self, block: Block, changing: frozenset[str]) -> None:
        self.block = block
        self._changing = changing
        self._calls: list[_Call] = []
        self._doubtful: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._marks: dict[tuple[str, str], npt.NDArray[Any]] = {}

    def prepare(self) -> None:
        """Work out everything, and note the marks of what figures do not touch."""
        block = self.block
        functions = block.variant.uniform.functions
        touched = _touched(block.compiled.program, functions, self._changing)
        for place in range(len(functions)):
            before = {key: marks.copy() for key, marks in block.marks.items()} if place in touched else None
            block.run([place])
            for key, marks in block.marks.items() if before is not None else ():
                marks[:] = before.get(key, 0) if before is not None else 0
        self._doubtful = self._marked()
        for place in touched:
            function = functions[place]
            if function.derive:
                self._calls.append(_Timeline(block, function.derive))
            elif block.entities[function.space].count:
                self._calls.append(_Work(block, place, function))
        self._marks = dict(block.marks)

    def _marked(self) -> npt.NDArray[np.int64]:
        found = []
        for (_, entity), marks in self.block.marks.items():
            at = np.flatnonzero(marks)
            if at.size:
                inner = self.block.root_of(entity)
                found.append(at if inner is None else inner[at])
            marks[:] = 0
        return np.unique(np.concatenate(found)).astype(np.int64) if found else np.zeros(0, dtype=np.int64)

    def again(self, figures: Figures) -> Taken:
        """The outputs under other figures."""
        block = self.block
        arrays = figures.arrays[block.way]
        for marks in self._marks.values():
            marks[:] = 0
        block.arrays = arrays
        if not all(call.run(arrays) for call in self._calls):
            return self._anew(arrays)
        unsure = self._doubtful
        if any(marks.any() for marks in self._marks.values()):
            unsure = np.union1d(unsure, self._marked())
        return self._taken(block, unsure)

    def _anew(self, arrays: dict[str, Array]) -> Taken:
        """The same where rows of a derived entity begin on other days than before: the block as a whole."""
        old = self.block
        block = Block(old.compiled, old.variant, arrays, old.part, {}, pool=[], way=old.way)
        block.run()
        kept = _Kept(block, frozenset())
        return self._taken(block, kept._marked())

    @staticmethod
    def _taken(block: Block, unsure: npt.NDArray[np.int64]) -> Taken:
        compiled = block.compiled
        columns = {}
        for ref in compiled.outputs:
            inner = block.variant.lowering.outputs[ref]
            held = block.variant.held(ref)
            column = block.column((inner.entity, inner.name))
            scale = compiled.denominators[ref] // held.den if isinstance(held, Num) else 1
            columns[ref] = column if scale == 1 else column.astype(np.int64) * scale
        rows = block.part.rows[compiled.root]
        assert isinstance(rows, slice)
        return Taken(columns, rows, merged_rows(rows, unsure) - rows.start)


class _Work:
    """A function with its arguments, of which those that hold figures are found anew."""

    def __init__(self, block: Block, place: int, function: Function) -> None:
        self.block = block
        self.count = block.entities[function.space].count
        self.entry, self.arguments, self.figures, self.uniform = block.call(place, function)

    def run(self, arrays: dict[str, Array]) -> bool:
        """Call it; always true."""
        del arrays  # the block's, already
        for at, slot in self.figures:
            self.arguments[at] = self.block.figures(slot, uniform=self.uniform)
        self.entry(self.count, *self.arguments)
        return True


class _Timeline:
    """A derived entity whose rows depend on dates that figures touch."""

    def __init__(self, block: Block, entity: str) -> None:
        self.block = block
        self.dates = [(ref.entity, ref.name) for ref in effective_dates(block.compiled.program, entity)]
        self.before = [block.column(place).copy() for place in self.dates]

    def run(self, arrays: dict[str, Array]) -> bool:
        """Whether its rows are still those that stand ready."""
        del arrays
        return all(np.array_equal(self.block.column(place), before) for place, before in zip(self.dates, self.before, strict=True))


_Call = _Work | _Timeline


def _touched(program: Program, functions: Sequence[Function], changing: frozenset[str]) -> list[int]:
    """The places of the functions that read a changing figure, or what such a function writes."""
    names = changing | {history_name(name) for name in changing}
    columns: set[Place] = set()
    found = []
    for place, function in enumerate(functions):
        if function.derive:
            if any((ref.entity, ref.name) in columns for ref in effective_dates(program, function.derive)):
                found.append(place)
            continue
        if any(_reads(slot, names, columns) for slot in function.slots):
            found.append(place)
            columns.update((slot.entity, slot.name.removesuffix("?")) for slot in function.writes if slot.kind == "column")
    return found


def _reads(slot: Slot, names: frozenset[str], columns: set[Place]) -> bool:
    if slot.kind == "parameters":
        return not names.isdisjoint(slot.name.split(","))
    if slot.kind in ("cells", "edges"):
        return slot.name in names
    return slot.kind in ("column", "known") and (slot.entity, slot.name.removesuffix("?")) in columns
