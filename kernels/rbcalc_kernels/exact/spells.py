"""Makes the rows of one root from its records: days are cut into spells in which no fact and no figure changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.exact.layout import Layout, layout_of
from rbcalc_kernels.exact.rows import Record, Row
from rbcalc_kernels.exact.timelines import days_of, period_of
from rbcalc_kernels.program.graph import MOST_BESIDE, Program, Register, Value

OPEN: Final = 2**31 - 1
"""The last day of a record without end."""

Records = Mapping[str, Sequence[Record]]
ANY: Final = object()
"""Stands for all records, whichever strand they belong to."""

_Held = dict[str, Record | None]
"""By register: the record that a row was made of."""

_Strand = object
"""The key that the records of a strand carry."""

_Piece = tuple[_Strand, int, int, _Held]
"""A strand, the first and the last day of a spell of it, and the records in force on them."""


def build(program: Program, records: Records) -> Row:
    """The rows of one root, from its records by register name.

    `records` holds one record of the root's register; records of other registers that belong to nothing here are left
    out.  Where an entity gathers roots, `records` holds those of all that it gathers, and the row is the one that gathers
    them; those that cannot be made are left out, unless none can.  Raises CalculationFault when the root row has no day in
    the year, when a record ends before it begins, when not exactly one record of a spell's register is in force on a day,
    and when a required fact is missing.
    """
    return Builder(program).build(records)


class Builder:
    """A program made ready to have rows made for any number of roots.  It keeps nothing between them."""

    def __init__(self, program: Program) -> None:
        self.layout = layout_of(program)
        self.gathering = program.gathering
        evaluator = Evaluator(program, wanted=())
        self.cuts = [(entity, evaluator.reader(node, entity)) for entity, node in program.cuts]

    def build(self, records: Records) -> Row:
        """The rows of one root; as `build`."""
        if self.gathering is None:
            return _Root(self.layout, self.cuts, records, records[self.layout.root_register.name][0]).build()
        made, faults = Row(self.gathering, {}), []
        rows = made.children.setdefault(self.layout.root.name, [])
        for record in _in_order(self.layout.root_register, records[self.layout.root_register.name], ordered=False):
            try:
                row = _Root(self.layout, self.cuts, records, record).build()
            except CalculationFault as fault:
                faults.append(fault)
                continue
            row.parent, row.previous = made, rows[-1] if rows and self.layout.root.ordered else None
            rows.append(row)
        if not rows:
            raise faults[0]
        return made


class _Root:
    """One root's records and the rows made of them so far."""

    def __init__(self, layout: Layout, cuts: Sequence[tuple[str, Callable[[Row], Value]]], records: Records, root_record: Record) -> None:
        self.layout, self.cuts = layout, cuts
        self.program = layout.program
        self.root_record = root_record
        self.crowded: dict[str, int] = {}
        self.records = {
            register.name: _in_order(register, records.get(register.name, ()), self._ordered(register))
            for register in layout.program.registers.values()
        }

    def _ordered(self, register: Register) -> bool:
        described = self.program.entities[register.entity]
        return described.ordered and not described.spell

    def build(self) -> Row:
        """The root row with all that belongs to it."""
        layout = self.layout
        first, last = self._span()
        key = str(self.root_record.get(layout.root_register.key) or "")
        root = Row(layout.root.name, self._values(layout.root_register, self.root_record), key=key)
        self._check_dates()
        for name in layout.children(layout.root.name):
            if name in layout.spells:
                root.children[name] = self._spells(root, name, first, last)
            else:
                self._members(root, {layout.root_register.name: self.root_record}, name, None)
        for register in layout.program.registers:
            if register in self.crowded:
                day = self.crowded[register]
                raise CalculationFault(Reason.TOO_MANY, f"too many records of {register} at a time", register=register, first_day=day)
        for name in layout.spells:
            if self.program.entities[name].beside and len(root.children[name]) > MOST_BESIDE:
                register = layout.registers[name][0].name
                what = f"too many rows of {name} beside each other"
                raise CalculationFault(Reason.TOO_MANY, what, register=register, first_day=self.program.first_day)
        return root

    def _span(self) -> tuple[int, int]:
        """The root row's days that lie in the program's."""
        register, record = self.layout.root_register, self.root_record
        if not register.dated:
            return self.program.first_day, self.program.last_day
        begins, ends = _begins(register, record), _ends(record)
        if ends < begins:
            raise _reversed(register, begins)
        first, last = max(begins, self.program.first_day), min(ends, self.program.last_day)
        if last < first:
            raise CalculationFault(
                Reason.OUTSIDE_YEAR,
                f"no day of {register.name} lies in the year",
                register=register.name,
                first_day=begins,
            )
        return first, last

    def _belonging(self, register: Register, holder: Mapping[str, Record | None], strand: _Strand = ANY) -> list[Record]:
        """The records of a register that belong to a row made of the records of `holder`, or of these those of a strand."""
        anchor = self.layout.anchors[register.name]
        above = self.root_record if anchor is self.layout.root_register else holder.get(anchor.name)
        reference = above.get(register.by) if above is not None else None
        if reference is None:
            return []
        found = [record for record in self.records[register.name] if record.get(register.by) == reference]
        return (
            [record for record in found if record.get(register.key) == strand]
            if strand is not ANY and self.layout.leads(register)
            else found
        )

    def _reachable(self, register: Register, strand: _Strand = ANY) -> list[Record]:
        """The records of a register that belong to the root, or to a strand below it, at whatever depth."""
        anchor = self.layout.anchors[register.name]
        if anchor is self.layout.root_register:
            return self._belonging(register, {}, strand)
        references = {record.get(register.by) for record in self._reachable(anchor, strand)} - {None}
        return [record for record in self.records[register.name] if record.get(register.by) in references]

    def _check_dates(self) -> None:
        for spell in self.layout.spells:
            for register in self.layout.timed(spell):
                wrong = [_begins(register, record) for record in self._reachable(register) if _ends(record) < _begins(register, record)]
                if wrong:
                    raise _reversed(register, min(wrong))

    def _spells(self, root: Row, name: str, first: int, last: int) -> list[Row]:
        """The rows of a spell entity: cut by facts and figures, then at the dates that rules ask about; strand after strand."""
        pieces = [piece for strand in self._strands(name) for piece in self._pieces(name, strand, first, last)]
        held = self._held(name, pieces)
        self._check_keys(name, first, last)
        rows = [self._spell(root, name, start, end, records) for _, start, end, records in held]
        strands = [strand for strand, *_ in held]
        dates = [self._cut_dates(row) for row in rows]
        if any(dates):
            rows = [
                self._spell(root, name, begin, finish - 1, records)
                for (_, start, end, records), inside in zip(held, dates, strict=True)
                for begin, finish in zip([start, *inside], [*inside, end + 1], strict=True)
            ]
            strands = [strand for strand, inside in zip(strands, dates, strict=True) for _ in range(len(inside) + 1)]
        places = {strand: place for place, strand in enumerate(dict.fromkeys(strands))}
        for strand, row in zip(strands, rows, strict=True):
            row.strand, row.key = places[strand], "" if strand is ANY else str(strand or "")
        for before, after in pairwise(rows):
            after.previous = before if before.strand == after.strand else None
        return rows

    def _strands(self, name: str) -> list[_Strand]:
        """What tells apart the strands of a spell entity, in order; all is one strand where it has none."""
        if not self.program.entities[name].beside:
            return [ANY]
        leading = self.layout.registers[name][0]
        return list(dict.fromkeys(record.get(leading.key) for record in self._belonging(leading, {})))

    def _pieces(self, name: str, strand: _Strand, first: int, last: int) -> list[_Piece]:
        """The days of a root, or of a strand below it, cut by facts and figures."""
        starts = {first} | {period.first_day for period in self.program.periods}
        for register in self.layout.timed(name):
            for record in self._reachable(register, strand):
                starts |= {_begins(register, record), _ends(record) + 1}
        inside = sorted(day for day in starts if first <= day <= last)
        return [(strand, start, following - 1, {}) for start, following in zip(inside, [*inside[1:], last + 1], strict=True)]

    def _held(self, name: str, pieces: list[_Piece]) -> list[_Piece]:
        """The pieces with the record of each register of the entity in force on them."""
        for register in self.layout.registers[name]:
            for strand, first, end, held in pieces:
                belonging = self._belonging(register, {}, strand)
                found = [record for record in belonging if _in_force(register, record, first)]
                if len(found) != 1 and not (not found and self.layout.may_lack(register)):
                    reason, count = (Reason.OVERLAP, "more than one record") if found else (Reason.GAP, "no record")
                    raise CalculationFault(
                        reason,
                        f"{register.name} has {count} in force",
                        register=register.name,
                        first_day=first,
                        last_day=end,
                    )
                held[register.name] = found[0] if found else None
            if self.layout.leads(register):
                pieces = [piece for piece in pieces if piece[-1][register.name] is not None]
        return pieces

    def _check_keys(self, name: str, first: int, last: int) -> None:
        """See that of the records with one key under one row no two are in force on a day."""
        for entity in self.layout.below[name]:
            for register in self.layout.registers[entity]:
                days: dict[tuple[object, object], list[tuple[int, int]]] = {}
                for record in self._reachable(register) if register.key else ():
                    begins, ends = (_begins(register, record), _ends(record)) if register.dated else (first, last)
                    if begins <= last and ends >= first:
                        place = record.get(register.by), record.get(register.key)
                        days.setdefault(place, []).append((max(begins, first), min(ends, last)))
                twice = [after[0] for held in days.values() for before, after in pairwise(sorted(held)) if after[0] <= before[1]]
                if twice:
                    raise CalculationFault(
                        Reason.OVERLAP,
                        f"{register.name} has two records of one key in force",
                        register=register.name,
                        first_day=min(twice),
                    )

    def _spell(self, root: Row, name: str, first: int, last: int, held: _Held) -> Row:
        """One spell and the rows in force on its days."""
        row = Row(name, {**days_of(first, last)}, parent=root, period=period_of(self.program, first))
        for register in self.layout.registers[name]:
            row.values.update(self._values(register, held[register.name]))
        for child in self.layout.children(name):
            self._members(row, held, child, first)
        return row

    def _members(self, parent: Row, held: Mapping[str, Record | None], entity: str, day: int | None) -> None:
        """Hang the rows of an entity, and all below them, under a row; with a day, those in force on it."""
        made: list[Row] = []
        parent.children[entity] = made
        ordered = self.program.entities[entity].ordered
        for register in self.layout.registers[entity]:
            for record in self._belonging(register, held):
                if day is not None and not _in_force(register, record, day):
                    continue
                row = Row(entity, self._values(register, record), parent=parent, period=parent.period)
                row.previous = made[-1] if ordered and made else None
                made.append(row)
                for child in self.layout.children(entity):
                    self._members(row, {register.name: record}, child, day)
            if len(made) > (self.program.entities[entity].most or len(made)):
                first = self.program.first_day if day is None else day
                self.crowded[register.name] = min(first, self.crowded.get(register.name, first))

    def _values(self, register: Register, record: Record | None) -> dict[str, Value | None]:
        """The facts that a record holds.  Raises CalculationFault when a required one is missing."""
        values: dict[str, Value | None] = {}
        for described in self.layout.inputs[register.name]:
            column = described.column or described.name
            value = record.get(column) if record is not None else None
            if value is None and not described.optional:
                raise CalculationFault(Reason.MISSING, f"{register.name}.{column} is missing", register=register.name, column=column)
            values[described.name] = value
        return values

    def _cut_dates(self, spell: Row) -> list[int]:
        """The days after a spell's first at which it must be divided, in order.

        A date that rests on an optional fact that was not given divides nothing.
        """
        first, last = spell.values["first_day"], spell.values["last_day"]
        assert isinstance(first, int)
        assert isinstance(last, int)
        rows: dict[str, list[Row]] = {}
        for row in spell.walk():
            rows.setdefault(row.entity, []).append(row)
        if spell.parent is not None:
            rows[spell.parent.entity] = [spell.parent]
        found: set[int] = set()
        for entity, read in self.cuts:
            for row in rows.get(entity, []):
                try:
                    date = read(row)
                except CalculationFault as fault:
                    if fault.reason is not Reason.UNKNOWN:
                        raise
                    continue
                assert isinstance(date, int)
                if first < date <= last:
                    found.add(date)
        return sorted(found)


def _in_order(register: Register, records: Sequence[Record], ordered: bool) -> list[Record]:
    """Records in the order in which their rows stand."""

    def place(record: Record) -> tuple[object, int]:
        begins = _begins(register, record) if register.dated else 0
        return (record[register.order_by] if ordered and register.order_by else 0), begins

    return sorted(records, key=place)


def _begins(register: Register, record: Record) -> int:
    begins = record.get("from")
    if begins is None:
        raise CalculationFault(Reason.MISSING, f"{register.name}.from is missing", register=register.name, column="from")
    assert isinstance(begins, int)
    return begins


def _ends(record: Record) -> int:
    ends = record.get("to")
    assert ends is None or isinstance(ends, int)
    return OPEN if ends is None else ends


def _in_force(register: Register, record: Record, day: int) -> bool:
    return not register.dated or _begins(register, record) <= day <= _ends(record)


def _reversed(register: Register, begins: int) -> CalculationFault:
    return CalculationFault(Reason.REVERSED, f"a record of {register.name} ends before it begins", register=register.name, first_day=begins)
