"""The rows of a sample caseload, a chunk of dwellings at a time: columns of whole numbers first, Arrow tables from them.

A chunk depends on nothing but its council, its number and the seed, so chunks may be made in any order and at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from rbcalc.sampling.counts import Sizes
from rbcalc.sampling.plan import MEMBERS, SLOTS, Column, Plan, RowPlan, Situation, Wrong
from rbcalc.sampling.private import private_columns
from rbcalc.sampling.values import HUNDREDTHS, OWN, SPREAD, Flags, Spec, SpecReader, Stream, Whole, largest_remainder
from rbcalc_kernels.language.types import DATE, YES_NO, Choice, Number

CHUNK = 4 * 122_880
COUNCIL = "council"
_WIDTH = 12
_QUADS = np.frombuffer(b"".join(b"%04d" % number for number in range(10_000)), "<u4")
Values = tuple[Whole, Flags | None]


@dataclass(slots=True)
class Piece:
    """Some rows of a register: the dwelling of each, what they belong to, and the columns that are not blank.

    `leader` is the dwelling whose reference they share where several are gathered by it, otherwise their own.
    """

    dwelling: Whole
    leader: Whole
    places: Mapping[str, int]
    columns: dict[str, Values]


@dataclass(slots=True)
class Rows:
    """The rows of a register in a chunk; a column is values and whether each is given (None: all are)."""

    count: int
    references: dict[str, Whole]
    columns: dict[str, Values]
    digest: bytes = b""
    table: Any = None


@dataclass(slots=True)
class Maker:
    """Makes the chunks of one council."""

    plan: Plan
    sizes: Sizes
    council: str
    block: int
    seed: int
    with_names: bool = False
    with_errors: bool = False
    wrong: list[str] = field(default_factory=list)

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return max(1, -(-self.sizes.total // CHUNK))

    def chunk(self, number: int) -> dict[str, Rows]:
        """The rows of a chunk by register."""
        plan = self.plan
        start = f"{self.seed}/{self.council}/{plan.subject + '/' if plan.subject else ''}{number}"
        before, counts = self._counts(number)
        total = sum(sum(row) for row in counts.values())
        spread = self._spread(total, Stream(f"{start}/spread"))
        pieces: dict[str, list[tuple[Piece, bool]]] = {register: [] for register in plan.columns}
        first = 0
        for name, situation in plan.situations.items():
            held = counts[name]
            size = sum(held)
            if size:
                own = np.repeat(np.arange(len(held), dtype=np.int64), held)
                words = {OWN: own, SPREAD: spread[first : first + size]}
                for register, piece in self._pieces(situation, first, size, words, f"{start}/{name}"):
                    pieces[register].append((piece, bool(situation.rest)))
            first += size
        made = {register: self._rows(register, [piece for piece, _ in found], before) for register, found in pieces.items()}
        copies = self._spoil(made, pieces, before) if self.with_errors and number == 0 else {}
        for register, rows in made.items():
            order = Stream(f"{start}/order/{register}").order(rows.count)
            self._finish(register, rows, np.concatenate([order, copies.get(register, order[:0])]), start)
        return made

    def _counts(self, number: int) -> tuple[int, dict[str, list[int]]]:
        """How many dwellings stand before the chunk, and how many of each situation and member are in it."""
        chunks, before = self.chunks, 0
        counts: dict[str, list[int]] = {}
        for name, row in self.sizes.cells.items():
            earlier = [cell * number // chunks for cell in row]
            counts[name] = [cell * (number + 1) // chunks - least for cell, least in zip(row, earlier, strict=True)]
            before += sum(earlier)
        return before, {name: counts[name] for name in self.plan.situations}

    def _spread(self, total: int, stream: Stream) -> Whole:
        """For each dwelling its member of the council's own list, by falling or equal weights."""
        said = self.plan.document.get("spread", {})
        column = next(
            (c for columns in self.plan.columns.values() for name, c in columns.items() if name == str(said.get("column", ""))), None
        )
        if column is None or not isinstance(column.type, Choice):
            return np.zeros(total, np.int64)
        size = len(column.type.members)
        weights = tuple(Fraction(1, place + 1) if str(said.get("weights")) == "falling" else Fraction(1) for place in range(size))
        codes = np.repeat(np.arange(size, dtype=np.int64), largest_remainder(weights, total))
        return codes if size == 1 else codes[stream.order(total)]

    def _pieces(self, situation: Situation, first: int, size: int, words: Mapping[str, Whole], name: str) -> list[tuple[str, Piece]]:
        known: dict[str, Whole | int] = {"year_start": self.plan.year.first_day, "year_end": self.plan.year.last_day}
        if self.plan.ranges:
            known[OWN] = self._amounts(words[OWN], name)
        leaders = self._leaders(situation, first, size, name)
        for day, spec in situation.days.items():
            known[day] = self._draw(situation, spec, f"{name}/let/{day}", size, known, words)[0]
        made: list[tuple[str, Piece]] = []
        throws: dict[str, Flags] = {}
        for row in situation.rows:
            chosen: Any = slice(None)
            count = size
            if row.chances:
                chosen = np.flatnonzero(self._fallen(row, size, name, throws))
                count = chosen.size
            mine = {day: values if np.ndim(values) == 0 else np.asarray(values)[chosen] for day, values in known.items()}
            told = {word: values[chosen] for word, values in words.items()}
            where, leader = np.arange(first, first + size)[chosen], leaders[chosen]
            values = self._values(situation, row, f"{name}/{row.register}/{row.slot}", count, mine, told)
            made.append((row.register, Piece(where, leader, row.places, values)))
            for other in row.brings:
                rows = self._brought(other, values, where - first, size, name, throws)
                days = {day: given if np.ndim(given) == 0 else np.asarray(given)[rows] for day, given in mine.items()}
                some = {word: given[rows] for word, given in told.items()}
                extra = self._values(situation, other, f"{name}/{other.register}/{other.slot}", rows.size, days, some)
                extra.update({column: _taken(values[source], rows) for column, source in other.copied.items() if source in values})
                made.append((other.register, Piece(where[rows], leader[rows], other.places, extra)))
        return made

    def _amounts(self, own: Whole, name: str) -> Whole:
        """For each dwelling its amount within the range that it was made for, in hundredths."""
        made = np.zeros(own.size, np.int64)
        for place, (member, held) in enumerate(self.plan.ranges.items()):
            rows = np.flatnonzero(own == place)
            if rows.size:
                made[rows] = held.spec.draw(Stream(f"{name}/own/{member}"), rows.size, {}, {})[0]
        return made * (HUNDREDTHS // self.plan.shape.scale)

    @staticmethod
    def _leaders(situation: Situation, first: int, size: int, name: str) -> Whole:
        """For each dwelling of a situation the one whose reference it shares; those of all sizes come together by lot."""
        if situation.gathers == 1:
            return np.arange(first, first + size)
        order = Stream(f"{name}/gathers").order(size)
        places = np.arange(size)
        made = np.empty(size, np.int64)
        made[order] = first + order[places - places % situation.gathers]
        return made

    def _brought(self, other: RowPlan, values: Mapping[str, Values], where: Whole, size: int, name: str, throws: dict[str, Flags]) -> Whole:
        """Which rows bring another with them."""
        fallen = self._fallen(other, size, name, throws)[where]
        for column, codes in other.when:
            members = [code for code in codes if code is not None]
            if column not in values:
                fallen &= None in codes
                continue
            drawn, given = values[column]
            there = np.ones(where.size, np.bool_) if given is None else given
            fallen &= (there & np.isin(drawn, members) if members or codes else there) | (~there & (None in codes))
        return np.flatnonzero(fallen)

    @staticmethod
    def _fallen(row: RowPlan, size: int, name: str, throws: dict[str, Flags]) -> Flags:
        """Which dwellings of a situation have the row: those where every one of its chances falls."""
        fallen = np.ones(size, np.bool_)
        for chance in row.chances:
            if chance.label not in throws:
                throws[chance.label] = Stream(f"{name}/{chance.label}/chance").words(size) < np.uint64(int(chance.share * 2**32))
            fallen &= ~throws[chance.label] if chance.unless else throws[chance.label]
        return fallen

    def _values(
        self, situation: Situation, row: RowPlan, label: str, count: int, known: Mapping[str, Whole | int], words: Mapping[str, Whole]
    ) -> dict[str, Values]:
        found: dict[str, Values] = {}
        columns = self.plan.columns[row.register]
        for name, spec in row.columns.items() if count else ():
            column = columns[name]
            slot = row.alike.get(name, row.slot)
            source = label if slot == row.slot else f"{label.rpartition('/')[0]}/{slot}"
            values, given = self._draw(situation, spec, f"{source}/{name}", count, known, words)
            inside = values[given] if not given.all() else values
            if inside.size and not column.low <= int(inside.min()) <= int(inside.max()) <= column.high:
                self.plan.findings.error("RB058", f"{name} of {situation.name} leaves the range of the fact", spec.place)
                self.plan.findings.raise_if_errors(self.plan.texts)
            if given.any():
                found[name] = values.astype(column.dtype), None if given.all() else given
        begins, ends = found.get("from"), found.get("to")
        if begins is not None and ends is not None:
            both = ends[1] if ends[1] is not None else np.ones(count, np.bool_)
            if np.any((begins[0] > ends[0]) & both):
                self.plan.fail("RB073", f"a row of {row.register} in {situation.name} ends before it begins", situation.place)
        return found

    def _draw(
        self, situation: Situation, spec: Spec, label: str, count: int, known: Mapping[str, Whole | int], words: Mapping[str, Whole]
    ) -> tuple[Whole, Flags]:
        try:
            return spec.draw(Stream(label), count, known, words)
        except ValueError as error:
            self.plan.findings.error("RB058", f"{situation.name}: {error}", spec.place)
            self.plan.findings.raise_if_errors(self.plan.texts)
            raise

    def _rows(self, register: str, pieces: list[Piece], before: int) -> Rows:
        """The pieces one after the other."""
        sizes = [piece.dwelling.size for piece in pieces]
        count = sum(sizes)
        starts = np.cumsum([0, *sizes])
        dwelling = np.concatenate([piece.dwelling for piece in pieces]) + before if pieces else np.empty(0, np.int64)
        leader = np.concatenate([piece.leader for piece in pieces]) + before if pieces else dwelling
        references = {name: self._reference(name, pieces, sizes, dwelling, leader) for name in self.plan.references(register)}
        made = Rows(count, references, {})
        for name, column in self.plan.columns[register].items():
            holders = [(place, piece.columns[name]) for place, piece in enumerate(pieces) if name in piece.columns]
            if not holders:
                continue
            values, given = np.zeros(count, column.dtype), np.zeros(count, np.bool_)
            for place, (drawn, known) in holders:
                rows = slice(int(starts[place]), int(starts[place + 1]))
                values[rows] = drawn
                given[rows] = True if known is None else known
            made.columns[name] = values, None if given.all() else given
        return made

    def _reference(self, name: str, pieces: list[Piece], sizes: list[int], dwelling: Whole, leader: Whole) -> Whole:
        """What the rows belong to: their dwelling, one of the dwelling's accounts, claims or people, or what gathers them."""
        keys = [register.key for register in self.plan.program.registers.values() if register.key]
        gathered = name == self.plan.program.gathered_by
        if name not in keys and not gathered:
            return self._numbers(name, dwelling, 8)
        places = np.repeat(np.array([piece.places.get(name, 0) for piece in pieces], np.int64), sizes) if pieces else dwelling
        if gathered:
            return self._numbers(name, leader * SLOTS + places, 9)
        return self._numbers(name, dwelling * (SLOTS if name == self.plan.layout.root_register.key else MEMBERS) + places, 9)

    def _numbers(self, name: str, places: Whole, digits: int) -> Whole:
        """A reference for each place: a scattered number behind the council's block, no two alike."""
        size = 10**digits
        if places.size and int(places.max()) >= size:
            raise ValueError(f"at most {size:,} rows can have a reference")
        factor = 6_180_339_887 // 10 ** (10 - digits) // 10 * 10 + 9
        offset = int(Stream(f"{self.council}/{name}").below(2**31 - 1, 1)[0])
        made = (places * factor + offset) % size + self.block * size
        return np.asarray(made, np.int64)

    def _spoil(self, made: dict[str, Rows], pieces: Mapping[str, list[tuple[Piece, bool]]], before: int) -> dict[str, Whole]:
        """Make some rows of ordinary dwellings wrong on purpose; the rows to repeat by register."""
        copies: dict[str, Whole] = {}
        used = 0
        for wrong in self.plan.wrong:
            found = pieces[wrong.register]
            sizes = [piece.dwelling.size if rest else 0 for piece, rest in found]
            best = int(np.argmax(sizes)) if sizes else 0
            if not sizes or sizes[best] < used + wrong.rows:
                continue
            start = sum(piece.dwelling.size for piece, _ in found[:best]) + used
            rows = np.arange(start, start + wrong.rows)
            used += wrong.rows
            if wrong.copy:
                copies[wrong.register] = rows
            else:
                self._overwrite(made[wrong.register], rows, wrong)
            self.wrong.append(f"{wrong.rows} of {wrong.register}: {wrong.why}")
        return copies

    def _overwrite(self, made: Rows, rows: Whole, wrong: Wrong) -> None:
        if wrong.column in made.references:
            made.references[wrong.column][rows] = int(wrong.value)
            return
        column = self.plan.columns[wrong.register][wrong.column]
        values, given = made.columns.get(wrong.column, (np.zeros(made.count, column.dtype), np.zeros(made.count, np.bool_)))
        given = np.ones(made.count, np.bool_) if given is None else given
        if str(wrong.value) == "blank":
            given[rows] = False
        else:
            given[rows] = True
            if isinstance(column.type, Choice):
                values[rows] = len(column.type.members)
            else:
                days = {"year_start", "year_end"}
                spec = SpecReader(self.plan.findings, {}, days).read(wrong.value, column.type, column.scale)
                self.plan.findings.raise_if_errors(self.plan.texts)
                assert spec is not None
                known: dict[str, Whole | int] = {"year_start": self.plan.year.first_day, "year_end": self.plan.year.last_day}
                values[rows] = spec.draw(Stream("wrong"), rows.size, known, {})[0]
        made.columns[wrong.column] = values, given

    def _finish(self, register: str, rows: Rows, order: Whole, start: str) -> None:
        """Put the rows in order and make their table."""
        told = hashlib.blake2b(register.encode(), digest_size=16)
        names, arrays = [], []
        rows.count = order.size
        for name, numbers in rows.references.items():
            taken = numbers[order]
            told.update(name.encode() + taken.astype("<i8", copy=False).tobytes())
            names.append(name)
            arrays.append(reference_texts(taken))
        if register == self.plan.root or register in self.plan.heads:
            names.append(COUNCIL)
            arrays.append(pa.DictionaryArray.from_arrays(pa.array(np.zeros(order.size, np.int16)), pa.array([self.council])))
        spoilt = {wrong.column: str(wrong.value) for wrong in self.plan.wrong if wrong.register == register} if self.with_errors else {}
        for name, column in self.plan.columns[register].items():
            names.append(name)
            if name not in rows.columns:
                arrays.append(pa.nulls(order.size, arrow_type(column)))
                continue
            values, given = rows.columns.pop(name)
            values = values[order]
            missing = None if given is None else ~given[order]
            if missing is not None:
                values[missing] = 0
                told.update(missing.tobytes())
            told.update(name.encode() + values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())
            arrays.append(arrow_column(column, values, missing, spoilt.get(name, "")))
        if self.with_names:
            main = next(iter(rows.references.values()))[order]
            for name, texts in private_columns(self.plan, register, f"{start}/private/{register}", main):
                names.append(name)
                arrays.append(texts)
        rows.references.clear()
        rows.digest = told.digest()
        rows.table = pa.table(dict(zip(names, arrays, strict=True)))


def _taken(values: Values, rows: Whole) -> Values:
    drawn, given = values
    return drawn[rows], None if given is None else given[rows]


def reference_texts(numbers: Whole) -> Any:
    """References as text of twelve digits, leading zeros kept."""
    quads = np.empty((numbers.size, 3), "<u4")
    quads[:, 0] = _QUADS[numbers // 10**8]
    quads[:, 1] = _QUADS[numbers // 10**4 % 10**4]
    quads[:, 2] = _QUADS[numbers % 10**4]
    offsets = np.arange(0, (numbers.size + 1) * _WIDTH, _WIDTH, dtype=np.int32)
    return pa.StringArray.from_buffers(numbers.size, pa.py_buffer(offsets), pa.py_buffer(quads))


def arrow_type(column: Column) -> Any:
    """How a column is written."""
    if column.type == DATE:
        return pa.date32()
    if column.type == YES_NO:
        return pa.bool_()
    if isinstance(column.type, Choice):
        return pa.dictionary(pa.int16(), pa.string())
    if isinstance(column.type, Number) and column.scale > 1:
        places = len(str(column.scale)) - 1
        if column.scale != 10**places:
            raise ValueError(f"{column.name} has steps that are no decimals")
        return pa.decimal128(max(len(str(column.high)), len(str(-column.low))), places)
    return pa.from_numpy_dtype(column.dtype)


def arrow_column(column: Column, values: Any, missing: Flags | None, spoilt: str) -> Any:
    """A column of whole numbers as it is written."""
    if isinstance(column.type, Choice):
        codes = pa.array(values.astype(np.int16, copy=False), mask=missing)
        return pa.DictionaryArray.from_arrays(codes, pa.array([*column.type.members, *([spoilt] if spoilt else [])]))
    if column.type == YES_NO:
        return pa.array(values.astype(np.bool_), mask=missing)
    if column.type == DATE:
        return pa.array(values.astype(np.int32, copy=False), pa.date32(), mask=missing)
    if pa.types.is_decimal(arrow_type(column)):
        pairs = np.empty((values.size, 2), "<i8")
        pairs[:, 0] = values
        pairs[:, 1] = pairs[:, 0] >> 63
        known = None if missing is None else pa.array(~missing).buffers()[1]
        return pa.Array.from_buffers(arrow_type(column), values.size, [known, pa.py_buffer(pairs)])
    return pa.array(values, mask=missing)
