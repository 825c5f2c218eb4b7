"""Rows as the exact evaluator holds them: one root row with everything that belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rbcalc_kernels.program.graph import Value

Record = Mapping[str, Value | None]
"""One row of a register: column name to value; `from` and `to` are days since 1970, references are text."""


@dataclass(slots=True)
class Row:
    """A row of an entity, its facts, the rows below it, and (for a derived entity) the rows it reads."""

    entity: str
    values: dict[str, Value | None]
    parent: Row | None = None
    children: dict[str, list[Row]] = field(default_factory=dict)
    sources: dict[str, Row | None] = field(default_factory=dict)
    previous: Row | None = None
    period: int = 0  # which of the program's parameter periods
    key: str = ""  # of a root row, or of one that stands beside others: the reference that its record carries
    strand: int = 0  # of a row that stands beside others: which of the strands under its parent it belongs to

    def walk(self) -> Iterator[Row]:
        """This row and all below it, parents before children."""
        yield self
        for rows in self.children.values():
            for row in rows:
                yield from row.walk()
