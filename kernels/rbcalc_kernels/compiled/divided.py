"""A batch in blocks, for programs whose functions need Python between them.

How a batch is divided, and what is found out of each part on the way, is the same in every run over it: it stays with the batch.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from weakref import ref

from rbcalc_kernels.compiled.batches import Part
from rbcalc_kernels.compiled.blocks import Block, Scratch
from rbcalc_kernels.compiled.columns import Batch, Column, Known
from rbcalc_kernels.compiled.gathering import Gathered
from rbcalc_kernels.compiled.threads import work_through

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.evaluator import Compiled, Results, Share, Variant
    from rbcalc_kernels.compiled.passes import How


class Division:
    """A batch and its parts."""

    def __init__(self, batch: Batch, part: Part, variants: tuple[Variant, ...], shares: list[Share], how: How) -> None:
        """`variants` are the ways in which the program was lowered that columns of outputs must serve."""
        self.part = part
        self.variants = variants
        self._known, self._shares, self._how = Known(batch), shares, how
        self._last: list[ref[Column]] = []
        self._written: object = None

    def serves(self, compiled: Compiled, batch: Batch, how: How) -> bool:
        """Whether a program's run over a batch can be made with this."""
        return self.variants[0] in compiled.variants and self._how == how and self._known.still(batch)

    def run(self, compiled: Compiled, into: Results | None, gathered: Gathered | None, make: type[Results]) -> Results:
        """Work out the outputs; into the columns of an earlier run where they fit, or into those that `gathered` has."""
        gathered = gathered or Gathered(compiled, self.part, self.variants, into)
        fresh = self._aim(gathered)
        pools: dict[Variant, list[Scratch]] = {}
        for variant in compiled.variants:
            pools[variant], variant.idle = variant.idle, []

        def done(finished: Block) -> None:
            gathered.add(finished)
            finished.release()

        blocks = compiled.blocks(self._shares, gathered, pools, check=fresh, written=self._written)
        work_through(deque(blocks), self._how[0], done)
        for variant, pool in pools.items():
            for scratch in pool:
                scratch.clear()
            variant.idle = pool or variant.idle
        return gathered.results(make)

    def _aim(self, gathered: Gathered) -> bool:
        """Whether outputs are written elsewhere than in the run before."""
        now = [column for _, column in gathered.direct]
        remade = gathered.remade and any(share.piece and not share.variant.staying for share in self._shares)
        if not remade and len(now) == len(self._last) and all(before() is column for before, column in zip(self._last, now, strict=True)):
            return self._written is None
        self._last, self._written = [ref(column) for column in now], object()
        return True
