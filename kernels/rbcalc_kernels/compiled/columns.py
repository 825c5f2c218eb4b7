"""Rows as the compiled evaluator holds them: columns of whole numbers, one set for each entity.

A number is held as a whole count of `1 / step.denominator` (a penny where the step is 1/100); a date as days since
1 January 1970; yes/no as 0 and 1; a member of a list as its place in the list.  An optional fact has a second column,
its name followed by `?`, that is 1 where the fact was given; where it was not, the value column holds any value that is
within the fact's range.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]


@dataclass(slots=True)
class EntityColumns:
    """The rows of one entity, sorted by their parent's row.

    `parent[i]` is the row of the parent entity that row i belongs to and `offsets[p]:offsets[p + 1]` are the rows of
    parent row p (both None for a root).  `period[i]` is the parameter period of the row (None: period 0 for all).
    `sources` holds, for a derived entity, the row in force of each timeline's entity, or -1.  `spread` is the fewest and the
    most rows that a parent has, once a run has counted them; `parent`, `offsets`, `period`, `strand` and the days of spells do not
    change after that.  Where rows of one parent stand beside each other, `strand[i]` says which of its strands row i belongs to: strand
    after strand, each in the order of its days (None: no parent has more than one).
    """

    count: int
    columns: dict[str, Column] = field(default_factory=dict)
    parent: npt.NDArray[np.int32] | None = None
    offsets: npt.NDArray[np.int64] | None = None
    period: npt.NDArray[np.uint8] | None = None
    sources: dict[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    spread: tuple[int, int] | None = field(default=None, repr=False, compare=False)
    strand: npt.NDArray[np.int32] | None = None


class Found(list[Any]):
    """What a run found out about a batch, for the next; it stays behind when the batch is copied."""

    def take(self) -> Any:
        """What was found out, for the one who asks; None where there is nothing, or another run has it."""
        try:
            return self.pop()
        except IndexError:
            return None

    def __reduce__(self) -> tuple[type[Found], tuple[()]]:
        return Found, ()


@dataclass(slots=True)
class Batch:
    """Any number of root rows with all that belongs to them, ready for a kernel."""

    entities: dict[str, EntityColumns]
    found: Found = field(default_factory=Found, init=False, repr=False, compare=False)


class Known:
    """A batch as it was."""

    def __init__(self, batch: Batch) -> None:
        self._rows = [
            (name, rows, rows.count, rows.parent, rows.offsets, rows.period, rows.strand, tuple(rows.columns), tuple(rows.columns.values()))
            for name, rows in batch.entities.items()
        ]
        self._columns = [tuple(map(id, each[-1])) for each in self._rows]

    def still(self, batch: Batch) -> bool:
        """Whether it has the same columns."""
        entities = batch.entities
        if len(entities) != len(self._rows):
            return False
        for (name, rows, count, parent, offsets, period, strand, names, _), columns in zip(self._rows, self._columns, strict=True):
            if entities.get(name) is not rows or rows.count != count:
                return False
            if rows.parent is not parent or rows.offsets is not offsets or rows.period is not period or rows.strand is not strand:
                return False
            if tuple(map(id, rows.columns.values())) != columns or tuple(rows.columns) != names:
                return False
        return True
