"""A block in pieces: all functions over some of its rows, then over the next, so that what passes between them stays near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.module import Slot

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.blocks import Block
    from rbcalc_kernels.compiled.source import Function

Numbers = npt.NDArray[np.int64]

_COLUMNS: Final = ("column", "known")


@dataclass(frozen=True, slots=True)
class Pieces:
    """Where each piece's rows of each space begin in the block, how many there are, and how many there are at most."""

    lows: Numbers
    counts: Numbers
    most: Mapping[str, int]


class Walk:
    """How the arguments of some functions move from piece to piece.

    Rows that a function runs over are counted from the piece's first one, rows that they lead to (of what they belong to, or of
    what belongs to them) from the block's first one.  The batch's columns and those that stay hold all rows of the block; those
    that pass between functions only the rows of a piece, the next piece's in the same place.
    """

    def __init__(self, block: Block, functions: Sequence[Function], spaces: Sequence[str], sizes: Mapping[Slot, int]) -> None:
        """`spaces` are those that the functions run over, `sizes` says how many bytes a row of an argument takes."""
        self._spaces = list(spaces)
        whose: list[int] = []
        strides: list[int] = []
        self._counts: list[int] = []
        self._of: list[int] = []
        for function in functions:
            own = self._spaces.index(function.space)
            self._counts.append(len(whose))
            self._of.append(own)
            whose.append(own)
            strides.append(0)
            for slot in function.slots:
                space = _space(block, slot.entity) if slot in sizes else function.space
                if space not in self._spaces:
                    self._spaces.append(space)
                whose.append(self._spaces.index(space))
                strides.append(self._stride(block, function, slot, space, sizes.get(slot, 0)))
        self._whose, self._strides = np.array(whose, dtype=np.intp), np.array(strides, dtype=np.int64)

    @staticmethod
    def _stride(block: Block, function: Function, slot: Slot, space: str, size: int) -> int:
        """The bytes by which an argument moves for each row by which its space's rows of a piece begin later."""
        place = slot[1:3]
        passed = slot.kind == "column" and place in block.variant.uniform.columns and place not in block.targets
        passed = passed and place not in block.variant.staying
        if slot.kind in _COLUMNS and space != function.space:
            return -size if passed else 0
        return 0 if passed else size

    def pieces(self, block: Block) -> Pieces | None:
        """The pieces of a block; None where it is worked through as one."""
        root = block.compiled.root
        count = block.entities[root].count
        if not block.piece or count <= block.piece:
            return None
        edges = {root: np.append(np.arange(0, count, block.piece), count)}
        for space in self._spaces:
            self._edges(block, space, edges)
        ends = np.stack([edges[space] for space in self._spaces], axis=1)
        counts = np.diff(ends, axis=0)
        return Pieces(ends[:-1], counts, dict(zip(self._spaces, counts.max(axis=0).tolist(), strict=True)))

    def _edges(self, block: Block, space: str, edges: dict[str, Numbers]) -> Numbers:
        """Where the pieces begin among a space's rows."""
        if space not in edges:
            parent = block.compiled.program.entities[space].parent
            offsets = block.entities[space].offsets
            assert parent is not None and offsets is not None
            edges[space] = offsets[self._edges(block, _space(block, parent), edges)]
        return edges[space]

    def tables(self, table: Numbers, pieces: Pieces) -> Numbers:
        """The arguments for each piece, from those that the whole block would have."""
        found = table + pieces.lows[:, self._whose] * self._strides
        found[:, self._counts] = pieces.counts[:, self._of]
        return found


def _space(block: Block, entity: str) -> str:
    """The entity whose row numbers the rows of an entity have."""
    while entity in block.variant.collapsed:
        parent = block.compiled.program.entities[entity].parent
        assert parent is not None
        entity = parent
    return entity
