"""From encoded rows to a caseload: whose each row is, what must be rejected with it, and the order of rows.

A root row is used only when everything that belongs to it is good: a bill worked out without one of its facts would be
wrong and look right.  So a row that is rejected takes with it the rows above it and, from there, those below.
"""

# Every name and text in the queries goes through `quote` or `literal`; they are built from rules and headers.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rbcalc.caseload.joining import Index, order_of
from rbcalc.caseload.model import REJECTS, Caseload, Column, Counts, EncodedRegister, Rows
from rbcalc.caseload.packing import unpacked
from rbcalc.caseload.scan import ELSEWHERE, UNKNOWN, Plan, requires
from rbcalc.caseload.values import alias
from rbcalc_kernels.exact.layout import Layout
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Program, Register

Flags = npt.NDArray[np.bool_]


class Why(IntEnum):
    """Why a row is not used; the first reason found is kept."""

    USED = 0
    OWN = 1
    DUPLICATE = 2
    ORPHAN = 3
    AMBIGUOUS = 4
    LOCAL = 5
    TIED = 6
    LACKS = 7
    FOLLOWS = 8
    ELSEWHERE = 9


@dataclass(slots=True)
class Part:
    """What is assembled: the encoded rows of each register, and what the scan already knows to be wrong.

    `reasons` gives, by register, the reasons for rows that are bad in themselves; `duplicates` the numbers of rows whose
    key is written more than once.  `apart` holds the facts that few rows have: their names, and by the place of the row
    in the table and that of the name the values.
    """

    tables: dict[str, Any]
    reasons: Mapping[str, Any] = field(default_factory=dict)
    duplicates: Mapping[str, Rows] = field(default_factory=dict)
    apart: Mapping[str, tuple[tuple[str, ...], Any]] = field(default_factory=dict)


@dataclass(slots=True)
class _Held:
    """One register on its way: `owner` is the first row above with the same reference, `first` groups equal keys."""

    plan: Plan
    table: Any
    row: Rows
    why: npt.NDArray[np.int8]
    council: npt.NDArray[np.int16]
    owner: Rows | None = None
    first: dict[str, Rows | None] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    apart: tuple[tuple[str, ...], Any] = ((), None)
    detail: dict[int, str] = field(default_factory=dict)
    number: Rows = field(default_factory=lambda: np.empty(0, np.int32))
    order: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # the rows that are used

    @property
    def count(self) -> int:
        return int(self.row.size)

    @property
    def fine(self) -> bool:
        """Whether every row is used so far."""
        return not self.why.any()

    def mark(self, which: Flags, why: Why) -> None:
        self.why[which & (self.why == Why.USED)] = why

    def group(self, column: str) -> Rows:
        first = self.first.get(column)
        return np.arange(self.count, dtype=np.int32) if first is None else first


class Assembler:
    """Assembles caseloads, whole or shard by shard, for one set of plans."""

    def __init__(
        self,
        layout: Layout,
        programs: Mapping[str, Program],
        plans: Mapping[str, Plan],
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self.layout, self.programs, self.plans, self.connection = layout, programs, plans, connection
        self.councils = tuple(programs)
        self.root = layout.root_register.name
        self.order = layout.top_down()
        self.lists, self.local = self._lists()

    def assemble(self, part: Part) -> Caseload:
        """The caseload of some rows; what belongs together must be in one part."""
        held: dict[str, _Held] = {}
        for register in self.order:
            if register.name in self.plans:
                held[register.name] = self._hold(register, part, held)
        self._upward(held)
        self._downward(held)
        rejects = [table for name in held for table in self._rejects(held[name], part)]
        counts = {name: _count(found) for name, found in held.items()}
        registers: dict[str, EncodedRegister] = {}
        references: Any = pa.array([], pa.string())
        council = np.empty(0, np.int16)
        for register in self.order:
            if register.name not in held:
                registers[register.name] = self._nothing(register)
                counts[register.name] = Counts()
                continue
            found = held[register.name]
            rows, encoded = self._encode(register, found, held)
            registers[register.name] = encoded
            if register.name == self.root:
                references, council = unpacked(found.table[f"key {register.key}"], rows, packed=found.plan.packed), found.council[rows]
            elif self.layout.tells_apart(register):
                encoded.keys = unpacked(found.table[f"key {register.key}"], rows, packed=found.plan.packed)
            found.table = found.table.slice(0, 0)
        return Caseload(
            self.councils, self.root, references, council, registers,
            {name: above.name for name, above in self.layout.anchors.items()},
            pa.concat_tables(rejects) if rejects else REJECTS.empty_table(), counts,
            tuple(item for plan in self.plans.values() for item in plan.assumptions),
            tuple(note for plan in self.plans.values() for note in (*plan.opened.notes, *plan.notes)),
            self.lists, self.local,
        )  # fmt: skip

    def _hold(self, register: Register, part: Part, held: Mapping[str, _Held]) -> _Held:
        plan, table = self.plans[register.name], part.tables[register.name].combine_chunks()
        row = _numpy(table["row"])
        why = np.where(_numpy(table["bad"]), np.int8(Why.OWN), np.int8(Why.USED)).astype(np.int8)
        council = _numpy(table["council"]) if plan.council else np.full(row.size, UNKNOWN, np.int16)
        found = _Held(plan, table, row, why, np.array(council, np.int16))
        if plan.elsewhere:
            found.council[_numpy(table["elsewhere"])] = ELSEWHERE
        found.apart = part.apart.get(register.name, found.apart)
        duplicates = part.duplicates.get(register.name)
        if duplicates is not None and duplicates.size:
            found.mark(np.isin(row, duplicates), Why.DUPLICATE)
        anchor = self.layout.anchors.get(register.name)
        if anchor is not None:
            self._join(register, found, held[anchor.name])
        for name in plan.hashed:
            if plan.packed:
                index = found.indexes[name] = Index.of(_numpy(table[f"key {name}"]), found.council, row)
                found.first[name] = index.first
            else:
                found.first[name] = _groups(found, name)
        for name in plan.unions:
            self._localise(register, found, name)
        return found

    def _join(self, register: Register, found: _Held, above: _Held) -> None:
        """Find the row above of each row, by reference and council."""
        index = above.indexes.get(register.by)
        several = None
        # What belongs to nobody owns nothing either.
        owned = above.owner is None or bool((above.owner >= 0).all())
        if index is not None and not index.mixed and owned and above.count:
            owner = index.find(_numpy(found.table[f"key {register.by}"]))
            if found.plan.council:
                owner[found.council != above.council[owner]] = -1
        else:
            owner, several = self._pairs(register, found, above)
        found.owner = owner
        known = owner >= 0
        if several is not None:
            found.mark(several, Why.AMBIGUOUS)
        if known.all():
            found.council = above.council[owner]
        else:
            found.mark(~known & (found.council == ELSEWHERE), Why.ELSEWHERE)
            found.mark(~known, Why.ORPHAN)
            found.council[known] = above.council[owner[known]]
        if register.order_by and found.count:
            rank = _numpy(found.table["order_by"])
            place = order_of(np.maximum(owner, 0), rank, found.row)
            same = (owner[place][1:] == owner[place][:-1]) & (rank[place][1:] == rank[place][:-1])
            tied = np.zeros(found.count, np.bool_)
            tied[place[1:][same]] = tied[place[:-1][same]] = True
            found.mark(tied & known, Why.TIED)

    def _pairs(self, register: Register, found: _Held, above: _Held) -> tuple[Rows, Flags | None]:
        """The row above of each row, and which rows have several, by a join of the database."""
        by = register.by
        first = above.first[by]
        keys = {"k": above.table[f"key {by}"], "i": pa.array(np.arange(above.count, dtype=np.int32))}
        keys["c"] = pa.array(above.council)
        upper = pa.table(keys)
        # What belongs to nobody has no council either, and owns nothing, unless it is another subject's.
        leads = np.ones(above.count, np.bool_) if above.owner is None else (above.owner >= 0) | (above.council == ELSEWHERE)
        if first is not None:
            leads &= first == np.arange(above.count)
        if not leads.all():
            upper = upper.filter(pa.array(leads))
        lower = {"k": found.table[f"key {by}"], "i": pa.array(np.arange(found.count, dtype=np.int32))}
        on = "u.k = l.k"
        if found.plan.council:
            lower["c"] = pa.array(found.council)
            on += " AND u.c = l.c"
        if found.plan.packed:
            on += " AND u.k <> 0"
        with self.connection.cursor() as cursor:
            cursor.register("upper part", upper)
            cursor.register("lower part", pa.table(lower))
            pairs = cursor.sql(f'SELECT l.i AS below, u.i AS above FROM "lower part" l JOIN "upper part" u ON {on}').to_arrow_table()
        below, owners = _numpy(pairs["below"]), _numpy(pairs["above"])
        owner = np.full(found.count, -1, np.int32)
        owner[below] = owners
        if below.size > np.count_nonzero(owner >= 0):
            return owner, np.bincount(below, minlength=found.count) > 1
        return owner, None

    def _localise(self, register: Register, found: _Held, name: str) -> None:
        """Change codes of the joint list into those of each row's own council."""
        union = found.plan.unions[name]
        table = np.full((len(self.councils), len(union)), -1, np.int32)
        for place, members in enumerate(self.local[register.name, name]):
            for code, member in enumerate(members):
                table[place, union.index(member)] = code
        label = alias(name).strip('"')
        codes = table[np.maximum(found.council, 0), _numpy(found.table[label])]
        flag = alias(name + "?").strip('"')
        given = _numpy(found.table[flag]) != 0 if flag in found.table.column_names else np.ones(found.count, np.bool_)
        wrong = (codes < 0) & given & (found.council >= 0)
        found.detail.update(dict.fromkeys(np.flatnonzero(wrong & (found.why == Why.USED)).tolist(), name))
        found.mark(wrong, Why.LOCAL)
        longest = max(map(len, self.local[register.name, name]))
        dtype = np.uint8 if longest <= 256 else np.uint16
        column = found.table.column_names.index(label)
        found.table = found.table.set_column(column, label, pa.array(np.maximum(codes, 0).astype(dtype)))

    def _upward(self, held: Mapping[str, _Held]) -> None:
        """Reject what lacks a row it must have, or has a row that is rejected: from the last register to the root."""
        for register in reversed(self.order):
            anchor = self.layout.anchors.get(register.name)
            if anchor is None or anchor.name not in held:  # a table that may be missing
                continue
            above, found = held[anchor.name], held.get(register.name)
            group = above.group(register.by)
            if requires(self.layout, register):
                has = np.zeros(above.count, np.bool_)
                if found is not None and found.owner is not None:
                    has[found.owner[found.owner >= 0]] = True
                lacking = ~has[group] & (above.why == Why.USED) & (above.council != ELSEWHERE)
                above.detail.update(dict.fromkeys(np.flatnonzero(lacking).tolist(), register.name))
                above.mark(lacking, Why.LACKS)
            if found is not None and found.owner is not None and not found.fine:
                bad = (found.why != Why.USED) & (found.why != Why.ELSEWHERE) & (found.owner >= 0)
                hurt = np.zeros(above.count, np.bool_)
                hurt[found.owner[bad]] = True
                above.mark(hurt[group], Why.FOLLOWS)

    def _downward(self, held: Mapping[str, _Held]) -> None:
        """Leave out what belongs to no row that is used."""
        for register in self.order:
            found = held.get(register.name)
            if found is None:
                continue
            # Rows of councils that were not asked for are neither used nor rejected, whatever they hold.
            found.why[found.council == ELSEWHERE] = Why.ELSEWHERE
            anchor = self.layout.anchors.get(register.name)
            if anchor is None or found.owner is None:
                continue
            above = held[anchor.name]
            if above.fine:
                continue
            alive = np.zeros(max(above.count, 1), np.bool_)
            alive[above.group(register.by)[above.why == Why.USED]] = True
            found.mark((found.owner >= 0) & ~alive[np.maximum(found.owner, 0)], Why.FOLLOWS)

    def _encode(self, register: Register, found: _Held, held: Mapping[str, _Held]) -> tuple[npt.NDArray[np.int64], EncodedRegister]:
        """The rows that are used, in order, and their encoded columns."""
        rows = np.arange(found.count) if found.fine else np.flatnonzero(found.why == Why.USED)
        anchor = self.layout.anchors.get(register.name)
        table = found.table
        if anchor is None:
            rows = rows[self._root_order(register, found, rows)]
            owner = None
        else:
            above = held[anchor.name]
            assert found.owner is not None
            # What belongs to several rows belongs to the first of them that is used.
            leader = above.number
            if above.first[register.by] is not None:
                leader = np.full(above.count, -1, np.int32)
                leader[above.group(register.by)[above.order[::-1]]] = np.arange(above.order.size, dtype=np.int32)[::-1]
            owners = leader[found.owner[rows]]
            rank = np.zeros(rows.size, np.int8)
            if register.order_by:
                rank = _numpy(table["order_by"])[rows]
            elif register.dated:
                rank = _numpy(table["begins"])[rows]
            place = order_of(owners, rank, found.row[rows])
            rows, owner = rows[place], owners[place]
        found.order = rows
        found.number = np.full(found.count, -1, np.int32)
        found.number[rows] = np.arange(rows.size, dtype=np.int32)

        def gather(name: str) -> Column:
            return _numpy(table[name])[rows]

        encoded = EncodedRegister(int(rows.size), owner=owner, rows=found.row[rows])
        if register.dated:
            encoded.begins, encoded.ends = gather("begins"), gather("ends")
        if register.order_by:
            encoded.order = gather("order_by")
        encoded.columns.update(_rare(found, int(rows.size)))
        for item in found.plan.fields:
            if item.name in found.apart[0]:
                continue
            encoded.columns[item.name] = gather(alias(item.name).strip('"'))
            if not item.required:
                encoded.columns[f"{item.name}?"] = gather(alias(item.name + "?").strip('"'))
        for name, dtype, filler in found.plan.absent:
            encoded.columns[name] = np.full(rows.size, filler, dtype) if filler else np.zeros(rows.size, dtype)
            encoded.columns[f"{name}?"] = np.zeros(rows.size, np.uint8)
        for name, first in found.first.items():
            if first is not None:
                leader = np.full(found.count, -1, np.int32)
                leader[first[rows[::-1]]] = found.number[rows[::-1]]
                encoded.same[name] = leader[first[rows]]
        for header in found.plan.private:
            encoded.carried[header] = _whole(table[f"private {header}"]).take(pa.array(rows))
        return rows, encoded

    def _root_order(self, register: Register, found: _Held, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The order of root rows: by council; and what one row gathers stands together, by first day."""
        by = self.layout.program.gathered_by
        if not by or found.first[by] is None:
            return order_of(found.council[rows], np.zeros(rows.size, np.int8), found.row[rows])
        begins = _numpy(found.table["begins"])[rows] if register.dated else np.zeros(rows.size, np.int8)
        place = order_of(found.row[found.group(by)[rows]], begins, found.row[rows])
        return place[np.argsort(found.council[rows][place], kind="stable")]

    def _nothing(self, register: Register) -> EncodedRegister:
        """A register that the caseload lacks: no rows."""
        empty = np.empty(0, np.int32)
        days = empty if register.dated else None
        return EncodedRegister(0, owner=None if register.name == self.root else empty, begins=days, ends=days)

    def _rejects(self, found: _Held, part: Part) -> list[Any]:
        """The rejects of one register."""
        register = found.plan.register
        names = pa.array([*self.councils, None], pa.string())
        first = ~_numpy(found.table["copy"]) if "copy" in found.table.column_names else np.ones(found.count, np.bool_)
        made: list[Any] = []
        reasons = part.reasons.get(register.name)
        own = np.flatnonzero((found.why == Why.OWN) & first)
        if reasons is not None and own.size:
            place = own[np.argsort(found.row[own])]
            number, council = found.row[place], found.council[place]
            mine = reasons.filter(pc.is_in(reasons["row"], pa.array(number)))
            codes = council[np.searchsorted(number, _numpy(mine["row"]))]
            made.append(_reject_table(register.name, mine, names.take(pa.array(np.where(codes < 0, len(self.councils), codes)))))
        others = np.flatnonzero((found.why > Why.OWN) & (found.why != Why.ELSEWHERE) & first)
        if others.size:
            others = others[np.argsort(found.row[others])]
            words = [self._words(register, found, int(place)) for place in others]
            columns, texts, remedies = (pa.array(list(part), pa.string()) for part in zip(*words, strict=True))
            mine = pa.table({"row": found.row[others], "column": columns, "reason": texts, "remedy": remedies})
            codes = found.council[others]
            made.append(_reject_table(register.name, mine, names.take(pa.array(np.where(codes < 0, len(self.councils), codes)))))
        return made

    def _words(self, register: Register, found: _Held, place: int) -> tuple[str, str, str]:
        """Column, reason and remedy of a row that is rejected for what other rows say."""
        why = Why(found.why[place])
        anchor = self.layout.anchors.get(register.name)
        above = anchor.name if anchor is not None else ""
        of = " of its council" if len(self.councils) > 1 else ""
        if why is Why.DUPLICATE:
            remedy = "leave one row; where two councils use one number, put something of the council's before it"
            return register.key, "is written in more than one row", remedy
        if why is Why.ORPHAN:
            return register.by, f"is a reference that no row of {above}{of} carries", f"add the row to {above}, or remove this one"
        if why is Why.AMBIGUOUS:
            reason = f"is a reference that rows of several councils in {above} carry"
            return register.by, reason, f"add a column 'council' to {register.name}"
        if why is Why.LOCAL:
            return found.detail[place], "is not in the list of its council", "use the names of the council's own list"
        if why is Why.TIED:
            return register.order_by, "is the same in another row, so that the order is not known", "give each row its own"
        if why is Why.LACKS:
            lacking = found.detail[place]
            by = self.layout.program.registers[lacking].by
            return by, f"is a reference that no row of {lacking}{of} carries", f"add its row to {lacking}"
        return "", "cannot be used because a row that belongs with it was rejected", "correct that row"

    def _lists(
        self,
    ) -> tuple[dict[tuple[str, str], tuple[str, ...]], dict[tuple[str, str], tuple[tuple[str, ...], ...]]]:
        """The lists that columns are encoded by: shared ones, and those of each council."""
        shared: dict[tuple[str, str], tuple[str, ...]] = {}
        local: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {}
        for register, inputs in self.layout.inputs.items():
            for described in inputs:
                members: list[tuple[str, ...]] = []
                for program in self.programs.values():
                    for ref, other in program.inputs.items():
                        same = (ref.entity, other.name) == (described.entity, described.name)
                        if same and isinstance(other.type, Choice):
                            members.append(other.type.members)
                if members and len(set(members)) == 1:
                    shared[register, described.name] = members[0]
                elif members:
                    local[register, described.name] = tuple(members)
        return shared, local


def _groups(found: _Held, name: str) -> Rows | None:
    """For each row the first that carries the same reference in the same council; None when all differ."""
    hashes = np.array(_numpy(found.table[f"hash {name}"]))
    texts = _whole(found.table[f"key {name}"])
    given = pc.is_valid(texts).to_numpy(zero_copy_only=False)
    ordered = np.sort(hashes[given])
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not twice.size:
        return None
    first = np.arange(found.count, dtype=np.int32)
    several = np.flatnonzero(given & np.isin(hashes, twice))
    several = several[np.lexsort((found.row[several], found.council[several], hashes[several]))]
    level = (hashes[several][1:] == hashes[several][:-1]) & (found.council[several][1:] == found.council[several][:-1])
    starts = np.concatenate(([True], ~level))
    leaders = several[np.flatnonzero(starts)[np.cumsum(starts) - 1]]
    # Equal hashes are nearly always equal texts; that is looked at, never trusted.
    equal = pc.equal(texts.take(pa.array(several)), texts.take(pa.array(leaders)))
    if pc.all(equal).as_py():
        first[several] = leaders
        return first
    seen: dict[tuple[int, str], int] = {}
    for place, text in zip(several.tolist(), texts.take(pa.array(several)).to_pylist(), strict=True):
        first[place] = seen.setdefault((int(found.council[place]), text), place)
    return first


def _rare(found: _Held, count: int) -> dict[str, Column]:
    """The columns of facts that few rows have."""
    names, table = found.apart
    columns: dict[str, Column] = {}
    if names:
        place = found.number[_numpy(table["place"])]
        kind, value = _numpy(table["field"]), _numpy(table["value"])
        used = place >= 0
        for item in found.plan.fields:
            if item.name in names:
                chosen = used & (kind == names.index(item.name))
                columns[item.name] = np.full(count, item.filler, item.dtype) if item.filler else np.zeros(count, item.dtype)
                columns[item.name][place[chosen]] = value[chosen]
                columns[f"{item.name}?"] = np.zeros(count, np.uint8)
                columns[f"{item.name}?"][place[chosen]] = 1
    return columns


def _count(found: _Held) -> Counts:
    first = ~_numpy(found.table["copy"]) if "copy" in found.table.column_names else np.ones(found.count, np.bool_)
    rows = int(np.count_nonzero(first))
    used = int(np.count_nonzero(first & (found.why == Why.USED)))
    elsewhere = int(np.count_nonzero(first & (found.why == Why.ELSEWHERE)))
    return Counts(rows, used, rows - used - elsewhere, elsewhere)


def _reject_table(name: str, rows: Any, councils: Any) -> Any:
    table = pa.array([name] * rows.num_rows, pa.string())
    columns = [table, rows["row"], rows["column"], rows["reason"], rows["remedy"], councils]
    return pa.table(dict(zip(REJECTS.names, columns, strict=True))).cast(REJECTS)


def _whole(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _numpy(column: Any) -> npt.NDArray[Any]:
    """An Arrow column without nulls as NumPy, without a copy where Arrow allows it."""
    found: npt.NDArray[Any] = _whole(column).to_numpy(zero_copy_only=False)
    return found
