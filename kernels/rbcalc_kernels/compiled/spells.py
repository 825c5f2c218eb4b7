"""Cuts the days of many roots into spells and makes all rows below them; the same rows as `exact/spells.py` makes.

Days are cut wherever a record begins or ends and where a parameter period begins; then at the dates that rules ask about,
which the caller works out.  Only then are facts copied, so a caseload in which little happens costs little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.columns import Batch, EntityColumns
from rbcalc_kernels.compiled.registers import Alike, Held, RegisterColumns, Strands, gather, hold, keys_of, strands_of
from rbcalc_kernels.compiled.spells_machine import NONE, Days, Rows, Starts
from rbcalc_kernels.compiled.stretches import (
    Events,
    Runs,
    day_columns,
    divide,
    events_at,
    events_of,
    grouped,
    period_events,
    periods_of,
    spread,
)
from rbcalc_kernels.exact.faults import REASONS, Reason
from rbcalc_kernels.exact.layout import Layout, layout_of
from rbcalc_kernels.program.graph import MOST_BESIDE, Node, Program, Ref, Register

CutDates = Callable[[Batch], Mapping[int, npt.NDArray[np.int32]]]
"""Gives, for the place of each of the program's cuts, the date for each row of its entity.

A date that cannot be told for a row (it rests on an optional fact that was not given) must be 2^31 - 1.
"""


@dataclass(slots=True)
class Rejected:
    """Root rows that cannot be worked out: which, why (a place in `REASONS`), by what register and from what day on."""

    root: Rows
    code: npt.NDArray[np.int8]
    register: tuple[str, ...]
    day: Days

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reason for each."""
        return tuple(REASONS[code] for code in self.code)


@dataclass(slots=True)
class CutBatch(Batch):
    """A batch and where its rows came from.

    `kept` are the rows of the root's register that the batch's root rows are: all but those rejected.  `records` gives
    by register the record that each row of its entity was made of, or -1.
    """

    kept: Rows = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    records: dict[str, Rows] = field(default_factory=dict)


@dataclass(slots=True)
class _Made:
    """The rows of an entity before facts are copied: whose they are, and the records they are made of."""

    parent: Rows
    offsets: Starts
    records: dict[str, Rows]
    runs: Runs | None = None  # of a spell entity
    strand: Rows | None = None  # of a spell entity of which some rows stand beside each other

    def taken(self, rows: Rows, parent: Rows, offsets: Starts) -> _Made:
        """Some of the rows, for new parents."""
        strand = None if self.strand is None else self.strand[rows]
        return _Made(parent, offsets, {name: found[rows] for name, found in self.records.items()}, strand=strand)


def cut(program: Program, registers: Mapping[str, RegisterColumns], cut_dates: CutDates | None = None) -> tuple[CutBatch, Rejected]:
    """The rows of all roots, from their registers; roots with a fault are rejected and leave no rows.

    The first fault of each root is reported, in the order in which `exact.spells.build` finds them.
    """
    return _Cutter(layout_of(program), registers).cut(cut_dates)


class _Cutter:
    """The work on one set of registers."""

    def __init__(self, layout: Layout, registers: Mapping[str, RegisterColumns]) -> None:
        self.layout = layout
        self.program = layout.program
        self.registers = registers
        self.held: dict[str, Held] = {
            register.name: hold(layout, register, registers)
            for name in layout.below[layout.root.name]
            for register in layout.registers[name]
        }
        root = registers[layout.root_register.name]
        self.everyone: Rows = np.arange(root.count, dtype=np.int32)
        self.kept = self.everyone
        self.code: npt.NDArray[np.int8] = np.full(root.count, -1, dtype=np.int8)
        self.by: npt.NDArray[np.int16] = np.zeros(root.count, dtype=np.int16)
        self.day: Days = np.zeros(root.count, dtype=np.int32)
        self.names = tuple(self.program.registers)
        self.made: dict[str, _Made] = {}
        self._alike: Alike = {}

    def cut(self, cut_dates: CutDates | None) -> tuple[CutBatch, Rejected]:
        layout = self.layout
        span = self._span(self.registers[layout.root_register.name])
        for spell in layout.spells:
            for register in layout.timed(spell):
                self._check_reversed(register)
        for spell in layout.spells:
            self._spells(spell, span)
        self._drop_rejected()
        self._fill()
        if self._too_many():
            self._drop_rejected()
            self._fill()
        if self.program.cuts:
            if cut_dates is None:
                raise ValueError("the program has dates to cut at, and nothing was given to work them out")
            dates = cut_dates(self._batch(_refs(self.program)))
            for spell in layout.spells:
                self._refine(spell, dates)
        self._leave_out_crowded()
        root = np.flatnonzero(self.code >= 0)
        by = tuple(self.names[place] for place in self.by[root])
        return self._batch(None), Rejected(root.astype(np.int32), self.code[root], by, self.day[root])

    def _reject(self, roots: npt.NDArray[np.int64] | Rows, reason: Reason, register: Register, days: Days) -> None:
        """Reject roots, those not yet rejected, each from the least of its days."""
        fresh = self.code[roots] < 0
        roots, days = roots[fresh], days[fresh]
        self.code[roots] = REASONS.index(reason)
        self.by[roots] = self.names.index(register.name)
        self.day[roots] = 2**31 - 1
        np.minimum.at(self.day, roots, days)

    def _span(self, root: RegisterColumns) -> tuple[Days, Days]:
        """The days of each root row that lie in the program's."""
        register, program = self.layout.root_register, self.program
        if not register.dated:
            first: Days = np.full(root.count, program.first_day, dtype=np.int32)
            return first, np.full(root.count, program.last_day, dtype=np.int32)
        if root.begins is None or root.ends is None:
            raise ValueError(f"the register {register.name} has no days")
        first = np.maximum(root.begins, np.int32(program.first_day))
        last = np.minimum(root.ends, np.int32(program.last_day))
        for wrong, reason in ((root.ends < root.begins, Reason.REVERSED), (last < first, Reason.OUTSIDE_YEAR)):
            if wrong.any():
                roots = np.flatnonzero(wrong)
                self._reject(roots, reason, register, root.begins[roots])
        return first, last

    def _reachable(self, register: Register, strands: Strands | None = None) -> tuple[Rows, Rows]:
        """The records of a register that belong to each root (or strand), at whatever depth: the roots, sorted, and the records."""
        roots, keys = self._keys_above(register, strands)
        parents, records, _ = self._of(register, strands).members(keys, None)
        return roots[parents], records

    def _of(self, register: Register, strands: Strands | None) -> Held:
        """A register's rows, sorted by whose they are."""
        return strands.held if strands is not None and strands.held.register is register else self.held[register.name]

    def _keys_above(self, register: Register, strands: Strands | None = None) -> tuple[Rows, Rows]:
        """The roots (or strands), and the keys below which the records of a register are found for each."""
        anchor = self.layout.anchors[register.name]
        if anchor is self.layout.root_register:
            if strands is None:
                return self.everyone, keys_of(self.registers, anchor.name, register.by, self.everyone)
            each: Rows = np.arange(strands.root.size, dtype=np.int32)
            if strands.held.register is register:
                return each, strands.key
            return each, keys_of(self.registers, anchor.name, register.by, strands.root)
        roots, records = self._reachable(anchor, strands)
        keys = keys_of(self.registers, anchor.name, register.by, records)
        if keys is not records and roots.size:
            # Several records of one key lead to the same records below.
            pairs = np.unique((roots.astype(np.int64) << 32) + (keys.astype(np.int64) & 0xFFFFFFFF))
            roots, keys = (pairs >> 32).astype(np.int32), pairs.astype(np.int32)
        return roots, keys

    def _check_reversed(self, register: Register) -> None:
        begins, ends = self.held[register.name].days
        if (ends < begins).any():
            columns = self.registers[register.name]
            assert columns.begins is not None
            assert columns.ends is not None
            roots, records = self._reachable(register)
            wrong = columns.ends[records] < columns.begins[records]
            self._reject(roots[wrong], Reason.REVERSED, register, columns.begins[records[wrong]])

    def _check_keys(self, register: Register, span: tuple[Days, Days]) -> None:
        """See that of the records with one key under one row no two are in force on a day."""
        columns = self.registers.get(register.name)
        if columns is None or not register.key or (same := columns.same.get(register.key)) is None:
            return
        roots, records = self._reachable(register)
        repeated = (np.bincount(same, minlength=columns.count) > 1)[same[records]]
        roots, records = roots[repeated], records[repeated]
        first, last = span[0][roots], span[1][roots]
        if columns.begins is not None and columns.ends is not None and register.dated:
            first, last = np.maximum(first, columns.begins[records]), np.minimum(last, columns.ends[records])
        within = first <= last
        roots, records, first, last = roots[within], records[within], first[within], last[within]
        assert columns.owner is not None
        anchor = self.layout.anchors[register.name]
        owner = keys_of(self.registers, anchor.name, register.by, columns.owner[records])
        order = np.lexsort([last, first, same[records], owner, roots])
        before, after = order[:-1], order[1:]
        one = (roots[before] == roots[after]) & (owner[before] == owner[after])
        twice = one & (same[records[before]] == same[records[after]]) & (first[after] <= last[before])
        self._reject(roots[after[twice]], Reason.OVERLAP, register, first[after[twice]])

    def _spells(self, spell: str, span: tuple[Days, Days]) -> None:
        """The rows of a spell entity: days cut by facts and figures, each with its one record of each register."""
        first, last = span
        if (self.code >= 0).any():
            last = np.where(self.code >= 0, first - 1, last).astype(np.int32)
        strands = self._strands(spell)
        days = (first, last) if strands is None else (first[strands.root], last[strands.root])
        events: list[Events] = period_events(self.program, *days)
        for register in self.layout.timed(spell):
            held = self._of(register, strands)
            if held.owner.size:
                roots, keys = self._keys_above(register, strands)
                events.append(events_of(self.program, roots, keys, held.start, held.days, days))
        runs, of_strand = divide(self.program, *days, events), None
        if strands is not None:
            runs, of_strand = Runs(strands.root[runs.owner], runs.first, runs.last), runs.owner
        records: dict[str, Rows] = {}
        for register in self.layout.registers[spell]:
            held = self._of(register, strands)
            if strands is not None and of_strand is not None and held is strands.held:
                keys = strands.key[of_strand]
            else:
                keys = keys_of(self.registers, self.layout.root_register.name, register.by, runs.owner)
            found, wrong = held.only(keys, runs.first)
            if wrong:
                lacking = found == NONE
                several = np.flatnonzero((found < 0) & ~lacking)
                gaps = several[:0] if self.layout.may_lack(register) else np.flatnonzero(lacking)
                self._reject_first(runs, gaps, several, register)
            records[register.name] = found
        for name in self.layout.below[spell]:
            for register in self.layout.registers[name]:
                self._check_keys(register, (first, last))
        leading = [records[register.name] for register in self.layout.registers[spell] if self.layout.leads(register)]
        if leading and (leading[0] < 0).any():
            rows = np.flatnonzero(leading[0] >= 0)
            runs = Runs(runs.owner[rows], runs.first[rows], runs.last[rows])
            records = {name: found[rows] for name, found in records.items()}
            of_strand = of_strand if of_strand is None else of_strand[rows]
        self.made[spell] = _Made(runs.owner, grouped(runs.owner, self.everyone.size), records, runs, of_strand)

    def _strands(self, spell: str) -> Strands | None:
        """The strands below each root row of an entity whose rows may stand beside each other; None where no root has two."""
        if not self.program.entities[spell].beside:
            return None
        leading = self.layout.registers[spell][0]
        keys = keys_of(self.registers, self.layout.root_register.name, leading.by, self.everyone)
        columns = self.registers.get(leading.name)
        return strands_of(self.held[leading.name], None if columns is None else columns.same.get(leading.key), keys)

    def _reject_first(self, runs: Runs, gaps: npt.NDArray[np.int64], several: npt.NDArray[np.int64], register: Register) -> None:
        """Reject roots for whichever comes first, a gap or an overlap."""
        wrong = np.sort(np.concatenate([gaps, several]))
        roots, at = np.unique(runs.owner[wrong], return_index=True)
        pieces = wrong[at]
        gap = np.isin(pieces, gaps)
        self._reject(roots[gap], Reason.GAP, register, runs.first[pieces[gap]])
        self._reject(roots[~gap], Reason.OVERLAP, register, runs.first[pieces[~gap]])

    def _drop_rejected(self) -> None:
        """Leave out the rows of rejected roots and number the others anew."""
        fine = self.code[self.kept] < 0
        if fine.all():
            return
        self.kept = self.kept[fine]
        number = (np.cumsum(fine) - 1).astype(np.int32)
        for name in self.layout.spells:
            made = self.made[name]
            assert made.runs is not None
            rows = np.flatnonzero(fine[made.parent])
            owner = number[made.parent[rows]]
            runs = Runs(owner, made.runs.first[rows], made.runs.last[rows])
            records = {register: found[rows] for register, found in made.records.items()}
            strand = None if made.strand is None else made.strand[rows]
            self.made[name] = _Made(owner, grouped(owner, self.kept.size), records, runs, strand)

    def _fill(self) -> None:
        """All rows below those of the spells and the root."""
        for name in self.layout.children(self.layout.root.name):
            if name in self.layout.spells:
                self._fill_below(name)
            else:
                self._member_rows(name, self.layout.root.name, None)

    def _too_many(self) -> bool:
        """Reject roots with more rows of an entity under one row than it may have; whether there are any."""
        before = int((self.code >= 0).sum())
        for register in self.program.registers.values():
            name = register.entity
            most = self.program.entities[name].most
            crowded = np.flatnonzero(np.diff(self.made[name].offsets) > most) if most and name in self.made else self.kept[:0]
            if not crowded.size:
                continue
            rows, at = crowded, self.program.entities[name].parent
            days: Days = np.full(crowded.size, self.program.first_day, dtype=np.int32)
            while at is not None and at != self.layout.root.name:
                runs = self.made[at].runs
                if runs is not None:
                    days = runs.first[rows]
                rows, at = self.made[at].parent[rows], self.program.entities[at].parent
            self._reject(self.kept[rows], Reason.TOO_MANY, register, days)
        return int((self.code >= 0).sum()) > before

    def _leave_out_crowded(self) -> None:
        """Reject roots with more rows beside each other than may belong to one row."""
        for name in self.layout.spells:
            made = self.made[name]
            crowded = np.flatnonzero(np.diff(made.offsets) > MOST_BESIDE) if made.strand is not None else self.kept[:0]
            if crowded.size:
                days: Days = np.full(crowded.size, self.program.first_day, dtype=np.int32)
                self._reject(self.kept[crowded], Reason.TOO_MANY, self.layout.registers[name][0], days)
                self._drop_rejected()
                self._fill()

    def _fill_below(self, spell: str) -> None:
        """The rows in force on each spell's days, level by level."""
        runs = self.made[spell].runs
        assert runs is not None
        days = {spell: runs.first}
        for name in self.layout.below[spell]:
            parent = self.program.entities[name].parent
            assert parent is not None
            self._member_rows(name, parent, days[parent])
            if self.layout.children(name):
                days[name] = days[parent][self.made[name].parent]

    def _member_rows(self, name: str, parent: str, days: Days | None) -> None:
        """The rows of an entity under rows of its parent; with days, those in force on them."""
        layout = self.layout
        count = self.kept.size if parent == layout.root.name else self.made[parent].parent.size
        self.made[name] = _Made(np.empty(0, dtype=np.int32), np.zeros(count + 1, dtype=np.int64), {})
        for register in layout.registers[name]:
            anchor = layout.anchors[register.name]
            if anchor is not layout.root_register:
                above = self.made[parent].records[anchor.name]
            else:
                above = self.kept if parent == layout.root.name else self.kept[self.made[parent].parent]
            keys = keys_of(self.registers, anchor.name, register.by, above)
            owners, records, offsets = self.held[register.name].members(keys, days)
            self.made[name] = _Made(owners, offsets, {register.name: records})
        if days is None:
            for child in layout.children(name):
                self._member_rows(child, name, None)

    def _refine(self, spell: str, dates: Mapping[int, npt.NDArray[np.int32]]) -> None:
        """Divide spells at the dates that rules ask about; the rows below are in force on every part."""
        made = self.made[spell]
        assert made.runs is not None
        first, last = made.runs.first, made.runs.last
        pieces: dict[str, npt.NDArray[np.int64] | Rows] = {spell: np.arange(first.size, dtype=np.int32)}
        for name in self.layout.below[spell]:
            pieces[name] = pieces[self.program.entities[name].parent or ""][self.made[name].parent]
        events: list[Events] = []
        for place, (entity, _) in enumerate(self.program.cuts):
            if entity not in pieces and entity != self.layout.root.name:
                continue
            # Most dates of most programs lie outside the year, whatever the spell.
            near = np.flatnonzero((dates[place] > self.program.first_day) & (dates[place] <= self.program.last_day))
            if not near.size:
                continue
            if entity in pieces:
                piece, days = pieces[entity][near], dates[place][near]
            else:
                piece, _ = spread(made.offsets, near)
                days = dates[place][made.parent[piece]]
            inside = (days > first[piece]) & (days <= last[piece])
            if inside.any():
                events.append(events_at(self.program, piece[inside], days[inside]))
        if not events:
            return
        runs = divide(self.program, first, last, events)
        origin, owner = runs.owner, made.parent[runs.owner]
        fresh = made.taken(origin, owner, grouped(owner, self.kept.size))
        fresh.runs = Runs(owner, runs.first, runs.last)
        self.made[spell] = fresh
        taken: dict[str, Rows] = {spell: origin}
        for name in self.layout.below[spell]:
            rows, offsets = spread(self.made[name].offsets, taken[self.program.entities[name].parent or ""])
            parent = np.repeat(np.arange(offsets.size - 1, dtype=np.int32), np.diff(offsets))
            self.made[name] = self.made[name].taken(rows, parent, offsets)
            taken[name] = rows

    def _batch(self, wanted: set[Ref] | None) -> CutBatch:
        """The rows with their facts, or with only those wanted."""
        layout = self.layout
        root = EntityColumns(self.kept.size)
        self._copy(root, layout.root_register, self.kept, wanted)
        batch = CutBatch({}, self.kept)
        if layout.root.parent is not None:
            root.parent, root.offsets = self._gathered(self.program.entities[layout.root.parent].by)
            batch.entities[layout.root.parent] = EntityColumns(root.offsets.size - 1)
        batch.entities[layout.root.name] = root
        periods: dict[str, npt.NDArray[np.uint8] | None] = {layout.root.name: None}
        for name in layout.below[layout.root.name]:
            made = self.made[name]
            rows = EntityColumns(made.parent.size, parent=made.parent, offsets=made.offsets)
            rows.strand = made.strand
            if made.runs is not None:
                rows.columns.update(day_columns(made.runs.first, made.runs.last))
                rows.period = periods_of(self.program, made.runs.first)
            elif (above := periods[self.program.entities[name].parent or ""]) is not None:
                rows.period = above[made.parent]
            periods[name] = rows.period
            for register in layout.registers[name]:
                batch.records[register.name] = made.records[register.name]
                self._copy(rows, register, made.records[register.name], wanted)
            batch.entities[name] = rows
        return batch

    def _gathered(self, by: str) -> tuple[Rows, Starts]:
        """The row that gathers each root row, and where the root rows of each begin."""
        carried = keys_of(self.registers, self.layout.root_register.name, by, self.kept)
        begins = np.flatnonzero(np.diff(carried, prepend=-1))
        if (np.diff(carried) < 0).any():
            raise ValueError(f"rows of {self.layout.root_register.name} with one {by} do not stand together")
        counts = np.diff(begins, append=carried.size)
        return np.repeat(np.arange(begins.size, dtype=np.int32), counts), np.append(begins, carried.size).astype(np.int64)

    def _copy(self, rows: EntityColumns, register: Register, records: Rows, wanted: set[Ref] | None) -> None:
        for described in self.layout.inputs[register.name]:
            if wanted is None or Ref(described.entity, described.name) in wanted:
                rows.columns.update(gather(self.registers.get(register.name), described, records, self._alike))


def _refs(program: Program) -> set[Ref]:
    """The facts that the dates to cut at are made of."""
    found: set[Ref] = set()
    work: list[Node] = [node for _, node in program.cuts]
    while work:
        node = work.pop()
        work += node.args
        if isinstance(node.value, Ref):
            found.add(node.value)
    return found
