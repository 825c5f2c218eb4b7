"""A whole batch in one call of machine code, where a plan is straight (`steps`) and all rows are of one parameter period.

Where columns are is found out once for a batch; what was found out stays with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.batches import Part
from rbcalc_kernels.compiled.blocks import Block
from rbcalc_kernels.compiled.calls import Numbers, address
from rbcalc_kernels.compiled.columns import Batch, Column, Known
from rbcalc_kernels.compiled.driving import LINE, OFFERED, Own, Shared
from rbcalc_kernels.compiled.gathering import Gathered, Marks
from rbcalc_kernels.compiled.helpers import together
from rbcalc_kernels.compiled.machine import check_apart, surely_apart
from rbcalc_kernels.compiled.module import Slot
from rbcalc_kernels.compiled.steps import Steps, steps_of, straight
from rbcalc_kernels.program.graph import Ref

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.evaluator import Compiled, Results, Variant

CHUNK: Final = 65_536
"""Rows worked out at a time, so that what passes between functions stays near and threads end together."""

_SHARES: Final = 8
"""Chunks for each thread, where that makes them no larger: a thread that begins late leaves more to the others."""

How = tuple[int, bool]
"""By how many threads a batch is worked out, and whether in columns as narrow as it allows."""


def ready(compiled: Compiled, variant: Variant, batch: Batch, part: Part, gathered: Gathered, how: How) -> Pass | None:
    """What works out a batch in one call; None where that cannot be."""
    if gathered.derived or not part.entities[compiled.root].count or not straight(compiled, variant):
        return None
    block = Block(compiled, variant, compiled.arrays(variant), part, {}, pool=[])
    if any(block.period(entity) is None for function in variant.uniform.functions for entity in function.dated):
        return None
    steps = steps_of(compiled, variant, part, gathered)
    return None if steps is None else Pass(Known(batch), block, gathered, steps, how)


class Pass:
    """A batch with tables of where everything is that the functions read and write."""

    def __init__(self, known: Known, block: Block, gathered: Gathered, steps: Steps, how: How) -> None:
        """`block` is the whole batch."""
        compiled = block.compiled
        self.part: Part = block.part
        self.variant: Variant = block.variant
        self._known, self._block, self._steps, self._how = known, block, steps, how
        self._rows = block.entities[compiled.root].count
        self._size, chunks = self._divided(how[0])
        self._refs = [Ref(*place) for place in steps.targets.which]
        self._columns: dict[Ref, Column | None] = {ref: gathered.columns[ref] for ref in compiled.outputs}
        self._columns.update(dict.fromkeys(self._refs))
        self._blank = Marks(compiled, self._rows)
        self._marks: dict[Slot, Column] = {slot: np.zeros(self._rows + LINE, dtype=kind) for slot, kind in steps.kinds.items()}
        self._flags: npt.NDArray[np.uint8] = np.zeros(chunks, dtype=np.uint8)
        self._shared: Numbers = np.array([0, chunks, self._size, self._rows, 0, address(self._flags)], dtype=np.int64)
        self._given = [block.entities[entity].columns[name] for entity, name in steps.given.which]
        self._others: Numbers = np.zeros(how[0], dtype=np.int64)
        self._nobody: Numbers = np.zeros(1, dtype=np.int64)
        columns: Numbers = np.array([address(column) for column in self._given], dtype=np.int64)
        made = [self._own(columns, number) for number in range(min(how[0], chunks))]
        self._kept = [kept for _, kept in made]
        self._owns = [own for own, _ in made]
        self._tables = [(own, address(own)) for own in self._owns]
        self._others[: len(made) - 1] = [begin for _, begin in self._tables[1:]]
        self._figures = steps.look_up(block, self._owns)
        self._last: object = None

    def _divided(self, threads: int) -> tuple[int, int]:
        """How many rows a chunk has, and how many chunks there are."""
        if threads == 1 and len(self.variant.uniform.functions) == 1 and not self._steps.marks:
            return self._rows, 1
        most = CHUNK if threads == 1 else min(CHUNK, -(-self._rows // (threads * _SHARES)))
        size = -(-min(most, self._rows) // LINE) * LINE  # whole lines of memory, so that no two threads write to one
        return size, -(-self._rows // size)

    def _own(self, columns: Numbers, number: int) -> tuple[Numbers, tuple[Any, ...]]:
        others = self._nobody if number else self._others
        return self._steps.own(
            columns, self._size, self._marks, lambda marks: [address(self._shared), OFFERED, address(others), marks]
        )  # fmt: skip

    def serves(self, compiled: Compiled, batch: Batch, how: How) -> bool:
        """Whether a program's run over a batch can be made with this."""
        return self.variant in compiled.variants and self._how == how and self._known.still(batch)

    def run(self, compiled: Compiled, into: Results | None, gathered: Gathered | None, make: type[Results]) -> Results:
        """Work out the outputs; into the columns of an earlier run where they fit, or into those that `gathered` has."""
        if self._block.arrays is not compiled.arrays(self.variant):
            self._block.arrays = compiled.arrays(self.variant)
            self._figures = self._steps.look_up(self._block, self._owns)
        written = None if into is None or gathered is not None or not self._written(into) else into.written
        if written is None:
            variants = (self.variant,) if self._how[1] else compiled.variants
            written = self._aim(gathered or Gathered(compiled, self.part, variants, into))
        for own in self._owns:
            own[Own.STATE] = OFFERED
        self._shared[Shared.NEXT] = 0
        together(self._steps.drive, self._tables, (self, written))
        if self._shared[Shared.FAILED]:
            raise RuntimeError("a compiled function failed")
        columns: Any = dict(self._columns)
        columns.update(zip(self._refs, written[1], strict=True))
        marks = self._noted(compiled) if self._marks and self._flags.any() else self._blank
        return make(columns, dict(compiled.denominators), marks.doubt, marks.fault, compiled.faults, {}, written)

    def _written(self, into: Results) -> bool:
        """Whether functions write to the columns of an earlier run already."""
        held = into.written
        if held is None or held[0] is not self._last:
            return False
        return all(into.columns.get(ref) is column for ref, column in zip(self._refs, held[1], strict=True))

    def _aim(self, gathered: Gathered) -> tuple[object, tuple[Column, ...]]:
        """Let functions write to other columns."""
        columns = tuple([gathered.columns[ref] for ref in self._refs])
        given = Block.given(self.part)
        if not surely_apart(columns, given):
            check_apart(columns, given)
        begins: Numbers = np.array([address(column) for column in columns], dtype=np.int64)
        for own in self._owns:
            own[self._steps.targets.at] = begins[self._steps.targets.of]
        self._last = object()
        return self._last, columns

    def _noted(self, compiled: Compiled) -> Marks:
        """The marks of chunks in which rows have some; none are left."""
        found = Marks(compiled, self._rows)
        for chunk in np.flatnonzero(self._flags):
            first = int(chunk) * self._size
            for slot, marks in self._marks.items():
                here = marks[first : min(first + self._size, self._rows)]
                at = np.flatnonzero(here)
                found.add(self.variant, slot.kind, first + at, here[at])
                here[:] = 0
        self._flags[:] = 0
        return found
