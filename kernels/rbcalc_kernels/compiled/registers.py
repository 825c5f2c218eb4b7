"""Registers of many roots as columns, and finding the records that belong to a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.columns import Column
from rbcalc_kernels.compiled.spells_machine import (
    Days,
    Rows,
    Starts,
    count_members,
    fill_members,
    only_member,
    ready,
)
from rbcalc_kernels.compiled.stretches import grouped
from rbcalc_kernels.exact.layout import Layout
from rbcalc_kernels.language.types import Choice, Number, YesNo
from rbcalc_kernels.program.graph import Input, Program, Ref, Register


@dataclass(slots=True)
class RegisterColumns:
    """A register: its facts by name, encoded as in `EntityColumns`, and whose each row is.

    `owner` is the row of the register that this one's rows belong to (-1: none; such rows are left out; None for the
    root's own).  `begins` and `ends` are the columns `from` and `to` of a dated register; a row without end ends on day
    2^31 - 1.  `order` ranks rows by the column that orders them.  Rows may stand in any order.

    Where several rows carry the same reference or key, `same[its column]` gives for each row the first row that carries
    the same; what belongs to one of them then belongs to all.  Without it all differ.
    """

    count: int
    columns: dict[str, Column] = field(default_factory=dict)
    owner: Rows | None = None
    begins: Days | None = None
    ends: Days | None = None
    order: Column | None = None
    same: dict[str, Rows] = field(default_factory=dict)


@dataclass(slots=True)
class Held:
    """A register's rows sorted by owner, so that those of each are found at once.

    `place` gives the register's row of a sorted row (None: they are the same).
    """

    register: Register
    start: Starts
    owner: Rows
    days: tuple[Days, Days]
    place: npt.NDArray[np.int64] | None

    def rows(self, records: Rows) -> Rows:
        """The register's rows of sorted rows; those below 0 stay."""
        if self.place is None or not records.size:
            return records
        found: Rows = np.where(records < 0, records, self.place[records]).astype(np.int32)
        return found

    def members(self, keys: Rows, days: Days | None) -> tuple[Rows, Rows, Starts]:
        """The records of each key (in force on its day, when there are days): whose, which, and where each one's begin."""
        dated = self.register.dated and days is not None
        on: Days = days if days is not None else np.empty(0, dtype=np.int32)
        size = max(keys.size, self.owner.size)
        offsets = np.empty(keys.size + 1, dtype=np.int64)
        ready(count_members, size)(keys, on, self.start, *self.days, dated, offsets)
        parents, records = np.empty(offsets[-1], dtype=np.int32), np.empty(offsets[-1], dtype=np.int32)
        ready(fill_members, size)(keys, on, self.start, *self.days, dated, parents, records)
        return parents, self.rows(records), offsets

    def only(self, keys: Rows, days: Days) -> tuple[Rows, bool]:
        """The one record of each key in force on its day, NONE or SEVERAL; and whether any is not exactly one."""
        records = np.empty(keys.size, dtype=np.int32)
        wrong = ready(only_member, max(keys.size, self.owner.size))(keys, days, self.start, *self.days, self.register.dated, records)
        return self.rows(records), wrong > 0


def hold(layout: Layout, register: Register, registers: Mapping[str, RegisterColumns]) -> Held:
    """Sort a register by owner, then by its order or first day.  A register that is missing has no rows."""
    nothing = np.empty(0, dtype=np.int32)
    above = registers.get(layout.anchors[register.name].name, RegisterColumns(0))
    columns = registers.get(register.name)
    if columns is None:
        if not register.optional:
            raise ValueError(f"the register {register.name} is missing")
        return Held(register, np.zeros(above.count + 1, dtype=np.int64), nothing, (nothing, nothing), None)
    if columns.owner is None:
        raise ValueError(f"the register {register.name} does not say whose its rows are")
    owner = columns.owner
    if (same := above.same.get(register.by)) is not None:
        owner = np.where(owner < 0, owner, same[owner]).astype(np.int32)
    days = nothing, nothing
    if register.dated:
        if columns.begins is None or columns.ends is None:
            raise ValueError(f"the register {register.name} has no days")
        days = columns.begins, columns.ends
    described = layout.program.entities[register.entity]
    ranks: list[npt.NDArray[Any]] = [days[0]] if register.dated else []
    if columns.order is not None and described.ordered and not described.spell:
        ranks.append(columns.order)
    place = None
    if not _is_sorted(owner, ranks):
        place = np.lexsort([*ranks, owner])
        owner = owner[place]
        if register.dated:
            days = days[0][place], days[1][place]
    return Held(register, grouped(owner, above.count), owner, days, place)


@dataclass(frozen=True, slots=True)
class Strands:
    """The strands of each root row, one at least: whose each is, and by what key its records are found in `held`; -1 has none."""

    root: Rows
    key: Rows
    held: Held


def strands_of(held: Held, same: Rows | None, keys: Rows) -> Strands | None:
    """The strands that a register's rows with different keys are, for root rows with these owners; None where no owner has two.

    `same` gives the first row with the same key.  Strands of one owner stand in the order of their first rows.
    """
    place = np.arange(held.owner.size, dtype=np.int64) if held.place is None else held.place
    tell = place if same is None else same[place].astype(np.int64)
    owner = held.owner
    if not ((owner[1:] == owner[:-1]) & (tell[1:] != tell[:-1]) & (owner[1:] >= 0)).any():
        return None
    owned = np.flatnonzero(owner >= 0)
    codes = (owner[owned].astype(np.int64) << 32) + tell[owned]
    _, first, back = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(order.size, dtype=np.int32)
    number[order] = np.arange(order.size, dtype=np.int32)
    strand = number[back.ravel()]
    rows = owned[np.argsort(strand, kind="stable")]
    days = (held.days[0][rows], held.days[1][rows]) if held.register.dated else held.days
    sorted_strand = np.sort(strand)
    apart = Held(held.register, grouped(sorted_strand, order.size), sorted_strand, days, place[rows])
    begins = grouped(owner[owned][first[order]], int(max(keys.max(), owner.max())) + 1)
    counts = np.where(keys < 0, 0, begins[keys + 1] - begins[keys])
    root = np.repeat(np.arange(keys.size, dtype=np.int32), np.maximum(counts, 1))
    rank = np.arange(root.size) - (np.cumsum(np.maximum(counts, 1)) - np.maximum(counts, 1))[root]
    key = np.where(counts[root] > 0, begins[keys[root]] + rank, -1)
    return Strands(root, key.astype(np.int32), apart)


def keys_of(registers: Mapping[str, RegisterColumns], name: str, by: str, records: Rows) -> Rows:
    """What other registers' rows with the reference `by` are grouped by, for records of a register; -1 stays."""
    columns = registers.get(name)
    same = columns.same.get(by) if columns is not None else None
    if same is None or not records.size:
        return records
    found: Rows = np.where(records < 0, records, same[records]).astype(np.int32)
    return found


Alike = dict[tuple[int, np.dtype[Any], int], Column]
"""Columns that hold one value in every row, by the value, the type and the count of rows."""


def gather(columns: RegisterColumns | None, described: Input, records: Rows, alike: Alike) -> dict[str, Column]:
    """A fact's columns for rows made of `records` (-1: of none).

    Facts that no row has share the columns in `alike`: a caseload gives few of all optional facts, and what is read again and
    again is near the processor already.
    """
    name = described.name

    def none_given(kind: np.dtype[Any]) -> dict[str, Column]:
        found: dict[str, Column] = {}
        for key, value, type_ in ((name, blank(described)[0], kind), (f"{name}?", 0, np.dtype(np.uint8))):
            size = (value, type_, records.size)
            if size not in alike:
                alike[size] = np.full(records.size, value, dtype=type_)
            found[key] = alike[size]
        return found

    column = columns.columns.get(name) if columns is not None else None
    if column is None or columns is None or not columns.count:
        if not described.optional and records.size:
            raise ValueError(f"the fact {described.entity}.{name} has no column")
        kind = blank(described)[1]
        return none_given(kind) if described.optional else {name: np.full(records.size, blank(described)[0], dtype=kind)}
    if described.optional and (known := columns.columns.get(f"{name}?")) is not None and not known.any():
        return none_given(column.dtype)
    if is_everything(records, columns.count):
        found = {name: column}
        if described.optional:
            given = columns.columns.get(f"{name}?")
            found[f"{name}?"] = given if given is not None else np.ones(records.size, dtype=np.uint8)
        return found
    found = {name: column.take(records, mode="clip")}
    if described.optional:
        given = columns.columns.get(f"{name}?")
        some = (records >= 0).astype(np.uint8)
        found[f"{name}?"] = some if given is None else (given.take(records, mode="clip") != 0) * some
    return found


def not_given(program: Program, registers: Mapping[str, RegisterColumns]) -> frozenset[Ref]:
    """The optional facts that no row of any register gives, as `Program.without` wants them."""
    found = set()
    for ref, fact in program.inputs.items():
        columns = registers.get(fact.table)
        if fact.optional and not fact.built_in and (columns is None or not columns.count or not _has(columns, fact.name)):
            found.add(ref)
    return frozenset(found)


def _has(columns: RegisterColumns, name: str) -> bool:
    known = columns.columns.get(f"{name}?")
    return name in columns.columns and (known is None or bool(known.any()))


def blank(described: Input) -> tuple[int, np.dtype[Any]]:
    """A value within the fact's range, and the narrowest kind of column that holds the range."""
    if isinstance(described.type, YesNo | Choice):
        return 0, np.dtype(np.uint8)
    scale = described.step.denominator if isinstance(described.type, Number) else 1
    low, high = int(described.low * scale), int(described.high * scale)
    return low, np.result_type(np.min_scalar_type(min(low, -1)), np.min_scalar_type(min(high, 2**63 - 1)))


def is_everything(records: Rows, count: int) -> bool:
    """Whether the records are all those of the register, in their order."""
    if records.size != count:
        return False
    return not count or bool(records[0] == 0 and (records[1:] - records[:-1] == 1).all())


def _is_sorted(owner: Rows, ranks: list[npt.NDArray[Any]]) -> bool:
    """Whether rows are in order of owner and then of the last rank, then the one before."""
    after = owner[1:] > owner[:-1]
    level = owner[1:] == owner[:-1]
    if not (after | level).all():
        return False
    for rank in reversed(ranks):
        if not (after | (rank[1:] >= rank[:-1]) | ~level).all():
            return False
        after = after | (rank[1:] > rank[:-1])
        level = level & (rank[1:] == rank[:-1])
    return True
