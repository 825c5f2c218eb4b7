"""A caseload that was imported: encoded columns by register, what was rejected and why, and what was assumed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rbcalc.errors import UsageError
from rbcalc_kernels.source import suggest

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.registers import RegisterColumns

Column = npt.NDArray[Any]
Rows = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]

REJECTS = pa.schema(
    [
        ("table", pa.string()),
        ("row", pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("remedy", pa.string()),
        ("council", pa.string()),
    ]
)
"""The columns of a table of rejects; `council` is empty where the row's council is not known."""


@dataclass(slots=True)
class EncodedRegister:
    """A register's rows, sorted by owner and then by order or first day.

    The fields are those of the kernels' `RegisterColumns`; `rows` gives each row's number in its source, and `carried`
    the private columns (pseudonyms, unless asked otherwise) that no rule reads.  `keys` holds each row's key where such
    records may stand beside each other, so that people can be told which is meant.
    """

    count: int
    columns: dict[str, Column] = field(default_factory=dict)
    owner: Rows | None = None
    begins: Rows | None = None
    ends: Rows | None = None
    order: Column | None = None
    same: dict[str, Rows] = field(default_factory=dict)
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int32))
    carried: dict[str, Any] = field(default_factory=dict)
    keys: Any = None

    def part(self, chosen: npt.NDArray[np.int64], owners: Rows | None) -> EncodedRegister:
        """Some of the rows; `owners` gives the new number of each row of the register above."""

        def take(column: Column | None) -> Column | None:
            return None if column is None else column[chosen]

        renumbered = np.full(self.count, -1, np.int32)
        renumbered[chosen] = np.arange(chosen.size, dtype=np.int32)
        return EncodedRegister(
            int(chosen.size),
            {name: column[chosen] for name, column in self.columns.items()},
            None if self.owner is None or owners is None else owners[self.owner[chosen]],
            take(self.begins),
            take(self.ends),
            take(self.order),
            {name: renumbered[same[chosen]] for name, same in self.same.items()},
            self.rows[chosen],
            {name: column.take(pa.array(chosen)) for name, column in self.carried.items()},
            None if self.keys is None else self.keys.take(pa.array(chosen)),
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """The rows of one table: `rows` is always `used + rejected + elsewhere`.

    `elsewhere` counts rows of councils that were not asked for.
    """

    rows: int = 0
    used: int = 0
    rejected: int = 0
    elsewhere: int = 0

    def __add__(self, other: Counts) -> Counts:
        """The counts of two parts."""
        return Counts(
            self.rows + other.rows,
            self.used + other.used,
            self.rejected + other.rejected,
            self.elsewhere + other.elsewhere,
        )


@dataclass(frozen=True, slots=True)
class Assumption:
    """A column that the extract lacks, the value that the column map declares for it, and how many rows took it."""

    table: str
    column: str
    value: str
    rows: int

    def __str__(self) -> str:
        """The assumption as it is printed."""
        return f"{self.table}.{self.column} is assumed to be '{self.value}' for {self.rows:,} rows"


@dataclass(slots=True)
class Content:
    """The logical content of a caseload: a sum of row hashes for each table, whatever the order of rows.

    Contents of parts add up, so that shards give the digest of the whole.
    """

    sums: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, table: str, rows: int, total: int) -> None:
        """Add some rows of a table."""
        before = self.sums.get(table, (0, 0))
        self.sums[table] = before[0] + rows, (before[1] + total) % 2**64

    def __add__(self, other: Content) -> Content:
        """The content of two parts together."""
        made = Content(dict(self.sums))
        for table, (rows, total) in other.sums.items():
            made.add(table, rows, total)
        return made

    @property
    def digest(self) -> str:
        """The digest, in hexadecimal."""
        text = "\n".join(f"{table} {rows} {total:016x}" for table, (rows, total) in sorted(self.sums.items()) if rows)
        return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


@dataclass(slots=True)
class Caseload:
    """The facts of one or several councils.

    `references` holds the key of each row of the root's register, and `council` the place of its council in `councils`;
    the root's rows are sorted by council.  `above` names the register that each register's rows belong to, `lists` the
    members of the lists that columns are encoded by (those that differ between councils stand under `local`).
    """

    councils: tuple[str, ...]
    root: str
    references: Any
    council: npt.NDArray[np.int16]
    registers: dict[str, EncodedRegister]
    above: Mapping[str, str]
    rejects: Any
    counts: dict[str, Counts]
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = ()
    lists: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    local: Mapping[tuple[str, str], tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether no row was rejected; totals of a caseload that is not complete must say so."""
        return not any(count.rejected for count in self.counts.values())

    def columns(self) -> dict[str, RegisterColumns]:
        """The registers as the kernels take them; the arrays are shared, not copied."""
        from rbcalc_kernels.compiled.registers import RegisterColumns

        return {
            name: RegisterColumns(found.count, found.columns, found.owner, found.begins, found.ends, found.order, found.same)
            for name, found in self.registers.items()
        }

    def of(self, council: str) -> Caseload:
        """One council's part: its rows, its rejects, its counts.

        Rows whose council could not be told are in no council's part; their rejects are in the whole only.
        """
        if council not in self.councils:
            near = suggest(council, self.councils)
            raise UsageError("RC012", f"the caseload has no council '{council}'{near}")
        place = self.councils.index(council)
        chosen = np.flatnonzero(self.council == place)
        parts: dict[str, EncodedRegister] = {}
        numbers: dict[str, Rows] = {}
        for name, register in self.registers.items():
            owners = None
            if name != self.root:
                assert register.owner is not None
                owners = numbers[self.above[name]]
                chosen_rows = np.flatnonzero(owners[register.owner] >= 0)
            else:
                chosen_rows = chosen
            parts[name] = register.part(chosen_rows, owners)
            numbers[name] = np.full(register.count, -1, np.int32)
            numbers[name][chosen_rows] = np.arange(chosen_rows.size, dtype=np.int32)
        rejects = self.rejects.filter(pc.equal(self.rejects["council"], council))
        counts = {name: _counts(part, rejects, name) for name, part in parts.items()}
        references = self.references.take(pa.array(chosen))
        local = {name: (members[place],) for name, members in self.local.items()}
        council_column = np.zeros(chosen.size, np.int16)
        return Caseload(
            (council,), self.root, references, council_column, parts, self.above, rejects, counts,
            self.assumptions, self.notes, self.lists, local,
        )  # fmt: skip

    @property
    def content(self) -> Content:
        """What the caseload says, as sums of row hashes that do not depend on the order of rows."""
        made = Content()
        hashes: dict[str, Hashes] = {}
        names = np.array([_word(name) for name in self.councils], np.uint64)
        for name, register in self.registers.items():
            if name == self.root:
                start = _mix(text_hashes(self.references), names[self.council])
            else:
                assert register.owner is not None
                start = hashes[self.above[name]][register.owner]
            hashes[name] = self._row_hashes(name, register, start)
            made.add(name, register.count, int(hashes[name].sum(dtype=np.uint64)))
        return made

    @property
    def digest(self) -> str:
        """The digest of the content."""
        return self.content.digest

    def _row_hashes(self, name: str, register: EncodedRegister, start: Hashes) -> Hashes:
        made = _mix(start, np.uint64(_word(name)))
        for days in (register.begins, register.ends):
            if days is not None:
                made = _mix(made, days.astype(np.uint64))
        council = None
        for column, values in sorted(register.columns.items()):
            words = values.astype(np.uint64)
            if (name, column) in self.lists:
                words = np.array([_word(member) for member in self.lists[name, column]], np.uint64)[values]
            elif (name, column) in self.local:
                council = self._council_of(name) if council is None else council
                longest = max(map(len, self.local[name, column]))
                table = np.zeros((len(self.councils), longest), np.uint64)
                for place, members in enumerate(self.local[name, column]):
                    table[place, : len(members)] = [_word(member) for member in members]
                words = table[council, values]
            made = _mix(made, words ^ np.uint64(_word(column)))
        return made

    def _council_of(self, name: str) -> npt.NDArray[np.int16]:
        """The council of each row of a register."""
        if name == self.root:
            return self.council
        owner = self.registers[name].owner
        assert owner is not None
        return self._council_of(self.above[name])[owner]


def _counts(part: EncodedRegister, rejects: Any, name: str) -> Counts:
    rejected = len(pc.unique(rejects.filter(pc.equal(rejects["table"], name))["row"]))
    return Counts(part.count + rejected, part.count, rejected)


def _word(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(state: Hashes, word: Hashes | np.uint64) -> Hashes:
    """One step of a row's hash: a multiply-and-shift round in whole numbers that wrap."""
    made = (state ^ word) * np.uint64(0x9E3779B97F4A7C15)
    made ^= made >> np.uint64(29)
    made *= np.uint64(0xBF58476D1CE4E5B9)
    made ^= made >> np.uint64(32)
    return made


def text_hashes(texts: Any) -> Hashes:
    """A hash of each text of an Arrow array without nulls, the same on every machine and in every version."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    texts = texts.cast(pa.large_string())
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    if not lengths.size:
        return np.empty(0, np.uint64)
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    starts = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + lengths.size]
    made: Hashes = lengths.astype(np.uint64)
    for first in range(0, int(lengths.max()), 8):
        word = np.zeros((lengths.size, 8), np.uint8)
        for byte in range(min(8, int(lengths.max()) - first)):
            inside = lengths > first + byte
            word[inside, byte] = data[starts[inside] + first + byte]
        words = word.view("<u8").ravel()
        mixed = _mix(made, words)
        np.copyto(made, mixed, where=lengths > first)
    return made
