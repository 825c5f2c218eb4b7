"""Parts of a batch: runs of root rows, chosen root rows, and how rows of one entity find those of another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.bounds import most_rows
from rbcalc_kernels.compiled.columns import Batch, Column, EntityColumns
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Program

Rows = slice | npt.NDArray[np.int64]


@dataclass(slots=True, weakref_slot=True, eq=False)
class Part:
    """Some root rows with all that belongs to them; `rows` says which rows of the whole batch these are.

    `origin` is what it was cut from; None for the whole batch.
    """

    entities: dict[str, EntityColumns]
    rows: dict[str, Rows]
    origin: Part | None = None
    kept: dict[object, Column] = field(default_factory=dict)
    """Arrays that blocks of these rows made, and that are the same in every run."""
    spans: dict[str, tuple[Column, Column]] = field(default_factory=dict)
    """The days from the first to the last of the spells under each row of an entity, once they were asked for."""
    periods: dict[str, int | None] = field(default_factory=dict)
    """The parameter period of all rows of an entity, None where there are several, once it was asked for."""


def order_of(program: Program) -> list[str]:
    """The entities that a batch holds, parents before children."""
    found: list[str] = []
    left = [name for name, entity in program.entities.items() if not entity.derived]
    while left:
        ready = [name for name in left if program.entities[name].parent in (None, *found)]
        if not ready:
            raise ValueError("entities belong to one another in a circle")
        found += ready
        left = [name for name in left if name not in ready]
    return found


def whole(program: Program, batch: Batch, root: str) -> Part:
    """The batch with every entity present and arrays laid out as kernels need them.

    `root` must be there.  Raises ValueError where rows do not fit together.
    """
    entities: dict[str, EntityColumns] = {}
    for name in order_of(program):
        parent = program.entities[name].parent
        given = batch.entities.get(name)
        if given is None:
            if parent is None and name == root:
                raise ValueError(f"the batch has no rows of {name}")
            offsets = None if parent is None else np.zeros(entities[parent].count + 1, dtype=np.int64)
            given = EntityColumns(0, {}, None if parent is None else np.zeros(0, dtype=np.int32), offsets)
            for ref, fact in program.inputs.items():
                if ref.entity == name:
                    given.columns[ref.name] = np.zeros(0, dtype=np.int32)
                    if fact.optional:
                        given.columns[f"{ref.name}?"] = np.zeros(0, dtype=np.uint8)
        elif parent is not None:
            _check_rows(program, name, given, entities[parent].count)
        columns = {key: np.ascontiguousarray(column) for key, column in given.columns.items()}
        parents = None if given.parent is None else np.ascontiguousarray(given.parent, dtype=np.int32)
        offsets = None if given.offsets is None else np.ascontiguousarray(given.offsets, dtype=np.int64)
        entities[name] = EntityColumns(given.count, columns, parents, offsets, given.period, spread=given.spread, strand=given.strand)
    return Part(entities, {name: slice(0, entity.count) for name, entity in entities.items()})


def _check_rows(program: Program, name: str, given: EntityColumns, parents: int) -> None:
    offsets, parent = given.offsets, given.parent
    if offsets is None or parent is None or len(offsets) != parents + 1 or len(parent) != given.count:
        raise ValueError(f"rows of {name} do not say which rows they belong to")
    if given.spread is None:
        counts = np.diff(offsets)
        spread = (int(counts.min()), int(counts.max())) if counts.size else (1, 1)
        if offsets[0] != 0 or offsets[-1] != given.count or spread[0] < 0:
            raise ValueError(f"rows of {name} are not sorted by the rows that they belong to")
        given.spread = spread
    largest = given.spread[1]
    described = program.entities[name]
    most = described.most or most_rows(described, program.last_day - program.first_day + 1)
    if largest > most:
        raise ValueError(f"a row has {largest} rows of {name}; sums are proved for at most {most}")


def check_values(program: Program, part: Part) -> None:
    """Raise ValueError when a column holds what its input does not allow; kernels rely on the ranges."""
    for ref, fact in program.inputs.items():
        column = part.entities[ref.entity].columns.get(ref.name) if ref.entity in part.entities else None
        if column is None or not column.size:
            continue
        if fact.absent and part.entities[ref.entity].columns[f"{ref.name}?"].any():
            raise ValueError(f"{ref} is given, and the program was made ready for rows without it")
        low, high = int(column.min()), int(column.max())
        if isinstance(fact.type, Choice):
            least, most = 0, len(fact.type.members) - 1
        elif fact.low == fact.high == 0:
            continue
        else:
            least, most = (int(bound * fact.step.denominator) for bound in (fact.low, fact.high))
        if low < least or high > most:
            raise ValueError(f"{ref} holds {low if low < least else high}, outside {least} to {most}")


class _Cut(dict[str, Column]):
    """Some rows of columns, each made a view when it is first asked for: most blocks ask for few."""

    __slots__ = ("_columns", "_rows")

    def __init__(self, columns: Mapping[str, Column], low: int, high: int) -> None:
        super().__init__()
        self._columns = columns
        self._rows = slice(low, high)

    def __missing__(self, name: str) -> Column:
        found = self[name] = self._columns[name][self._rows]
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """The column, or what stands for none."""
        return self[name] if name in self._columns else default

    def _all(self) -> dict[str, Column]:
        return {name: self[name] for name in self._columns}

    def keys(self) -> Any:
        """The columns' names."""
        return self._columns.keys()

    def values(self) -> Any:
        """All columns."""
        return self._all().values()

    def items(self) -> Any:
        """All columns with their names."""
        return self._all().items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns


def cut(program: Program, part: Part, root: str, first: int, last: int, shared: Collection[str] = ()) -> Part:
    """Root rows `first` up to `last` (not included), as views.

    `shared` are entities with one row for each root row; whose each of their rows is need not be said again.
    """
    entities: dict[str, EntityColumns] = {}
    rows: dict[str, Rows] = {}
    ends = {root: (first, last)}
    for name, entity in part.entities.items():
        parent = program.entities[name].parent
        parents: npt.NDArray[np.int32] | None = None
        offsets: npt.NDArray[np.int64] | None = None
        if parent is not None and parent in ends:
            assert entity.offsets is not None and entity.parent is not None
            above = ends[parent]
            low, high = int(entity.offsets[above[0]]), int(entity.offsets[above[1]])
            ends[name] = low, high
            if name not in shared:
                parents = entity.parent[low:high] - np.int32(above[0])
                offsets = entity.offsets[above[0] : above[1] + 1] - low
        elif name == root:
            low, high = first, last
        else:
            continue
        columns = _Cut(entity.columns, low, high)
        period = None if entity.period is None else entity.period[low:high]
        strand = None if entity.strand is None else entity.strand[low:high]
        spread = (1, 1) if entity.spread == (1, 1) else None
        entities[name] = EntityColumns(high - low, columns, parents, offsets, period, spread=spread, strand=strand)
        base = part.rows[name]
        rows[name] = slice(base.start + low, base.start + high) if isinstance(base, slice) else base[low:high]
    return Part(entities, rows, part.origin or part)


def extent(program: Program, part: Part, root: str, first: int, last: int) -> dict[str, int]:
    """How many rows of each entity belong to root rows `first` up to `last` (not included)."""
    ends = {root: (first, last)}
    for name, entity in part.entities.items():
        above = ends.get(program.entities[name].parent or "")
        if above is not None and entity.offsets is not None:
            ends[name] = int(entity.offsets[above[0]]), int(entity.offsets[above[1]])
    return {name: high - low for name, (low, high) in ends.items()}


class Alone:
    """Which root rows have just one row of each of some entities, each of which belongs to the root or to another of them."""

    def __init__(self, program: Program, part: Part, root: str, names: Collection[str]) -> None:
        self._program, self._part, self._root, self._names = program, part, root, names
        self._each = all(spread is not None and spread[0] > 0 for spread in (part.entities[name].spread for name in names))

    def all(self, first: int, last: int) -> bool:
        """Whether all root rows from `first` up to `last` (not included) are such."""
        counts = extent(self._program, self._part, self._root, first, last)
        if any(counts[name] != last - first for name in self._names):
            return False
        if self._each:
            return True
        offsets = (below(self._part.entities, self._program, self._root, name, frozenset()) for name in self._names)
        return all(bool((np.diff(each[first : last + 1]) == 1).all()) for each in offsets)


def below(entities: Mapping[str, EntityColumns], program: Program, entity: str, child: str, collapsed: frozenset[str]) -> Column:
    """For each row of `entity`, where its rows of `child` begin; one more at the end."""
    offsets = entities[child].offsets
    assert offsets is not None
    parent = program.entities[child].parent
    while parent is not None and parent != entity and parent not in collapsed:
        above = entities[parent].offsets
        assert above is not None
        offsets = offsets[above]
        parent = program.entities[parent].parent
    return np.ascontiguousarray(offsets)


def firsts(entity: EntityColumns) -> npt.NDArray[np.uint8]:
    """For each row whether it is the first under its parent, or of its strand there; the others follow the row before them."""
    found = np.zeros(entity.count, dtype=np.uint8)
    if entity.parent is not None:
        found[1:] = entity.parent[1:] != entity.parent[:-1]
    elif entity.offsets is not None:
        found[entity.offsets[:-1][np.diff(entity.offsets) > 0]] = 1
    if entity.strand is not None:
        found[1:] |= entity.strand[1:] != entity.strand[:-1]
    found[:1] = 1
    return found


def place(rows: Rows, target: Column, values: Column) -> None:
    """Put values of a part's rows where they stand in the whole."""
    target[rows] = values


def merged_rows(rows: Rows, inner: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Rows of a part as rows of the whole; -1 stays."""
    if isinstance(rows, slice):
        moved = inner.astype(np.int64)
        if rows.start:
            np.add(moved, rows.start, out=moved, where=inner >= 0)
        return moved
    found = np.full(len(inner), -1, dtype=np.int64)
    found[inner >= 0] = rows[inner[inner >= 0]]
    return found
