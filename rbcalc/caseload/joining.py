"""Finding rows by numbered references, and putting rows in the order of their owners, in linear time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc.caseload.packing import Codes, spread
from rbcalc_kernels.compiled.spells_machine import ready

Rows = npt.NDArray[np.int32]
_CROWDED: Final = 64


@dataclass(slots=True)
class Index:
    """Rows by reference: `first` is for each row the first, by number in the source, that carries the same (None: itself).

    `mixed` says that rows of several councils carry one reference; such rows are told apart.
    """

    codes: Codes
    table: Rows
    first: Rows | None
    mixed: bool

    @classmethod
    def of(cls, codes: Codes, councils: npt.NDArray[np.int16], numbers: Rows) -> Index:
        """The index of some rows; 0 is no reference."""
        bits = max(4, int(2 * codes.size).bit_length())
        table = np.full(1 << bits, -1, np.int32)
        place = np.empty(codes.size, np.int32)
        found = np.zeros(2, np.int64)
        ready(enter, codes.size)(codes, councils, numbers, home_of(codes, bits), table, place, found)
        first = None
        if found[0]:
            first = np.where(place < 0, np.arange(codes.size, dtype=np.int32), table[place])
        return cls(codes, table, first, bool(found[1]))

    def find(self, codes: Codes) -> Rows:
        """The first row with each reference, or -1."""
        owner = np.empty(codes.size, np.int32)
        bits = self.table.size.bit_length() - 1
        ready(look_up, max(codes.size, self.codes.size))(codes, self.codes, home_of(codes, bits), self.table, owner)
        return owner


def order_of(owner: npt.NDArray[Any], rank: npt.NDArray[Any], row: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The order by owner, then rank, then row: in linear time, by one sort of packed numbers, or by several sorts."""
    if not owner.size:
        return np.empty(0, np.int64)
    if bool((owner == owner[0]).all()) and bool((rank == rank[0]).all()):
        return _sorting(row)
    if owner.dtype == np.int32 and (found := _ordered(owner, rank, row)) is not None:
        return found
    low, spans = [], []
    for column in (owner, rank, row):
        low.append(int(column.min()))
        spans.append(int(column.max()) - low[-1] + 1)
    if spans[0] * spans[1] * spans[2] < 2**62:
        packed = (owner.astype(np.int64) - low[0]) * (spans[1] * spans[2])
        packed += (rank.astype(np.int64) - low[1]) * spans[2]
        packed += row.astype(np.int64) - low[2]
        if bool((packed[1:] > packed[:-1]).all()):
            return np.arange(owner.size)
        return np.argsort(packed)
    return np.lexsort((row, rank, owner))


def _ordered(owner: npt.NDArray[Any], rank: npt.NDArray[Any], row: Rows) -> npt.NDArray[np.int64] | None:
    """The order by owner, rank and row, no two rows alike; None where an owner has so many that sorting is better."""
    if not owner.size:
        return np.empty(0, np.int64)
    counts = np.bincount(owner)
    if int(counts.max()) > _CROWDED:
        return None
    ends = np.cumsum(counts)
    place = np.empty(owner.size, np.int64)
    ready(put_in_order, owner.size)(owner, rank, row, ends - counts, np.zeros(counts.size, np.int64), place)
    return place


def _sorting(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The stable order of whole numbers from 0 to 2^31."""
    packed = values.astype(np.int64) << 32
    packed |= np.arange(values.size)
    packed.sort()
    packed &= 0xFFFFFFFF
    return packed


def home_of(codes: Codes, bits: int) -> Rows:
    """Where each number is looked for first, in a table of 2^bits places."""
    # Rows of one shard agree in the highest bits, so these are mixed once more.
    mixed = (spread(codes) << np.uint64(24)) * np.uint64(0x94D049BB133111EB)
    return (mixed >> np.uint64(64 - bits)).astype(np.int32)


def enter(
    codes: Codes,
    councils: npt.NDArray[np.int16],
    numbers: Rows,
    home: Rows,
    table: Rows,
    place: Rows,
    found: npt.NDArray[np.int64],
) -> None:
    """Enter rows into a table; each slot keeps the first by number.  Counts what is repeated, and across councils."""
    most = table.size - 1
    for i in range(codes.size):
        if codes[i] == 0:
            place[i] = -1
            continue
        slot = home[i]
        while table[slot] >= 0:
            there = table[slot]
            if codes[there] == codes[i]:
                if councils[there] == councils[i]:
                    found[0] += 1
                    break
                found[1] += 1
            slot = slot + 1 if slot < most else 0
        if table[slot] < 0 or numbers[i] < numbers[table[slot]]:
            table[slot] = i
        place[i] = slot


def look_up(codes: Codes, held: Codes, home: Rows, table: Rows, owner: Rows) -> None:
    """The row of the table with each reference, or -1."""
    most = table.size - 1
    for i in range(codes.size):
        owner[i] = -1
        if codes[i] != 0:
            slot = home[i]
            while table[slot] >= 0:
                if held[table[slot]] == codes[i]:
                    owner[i] = table[slot]
                    break
                slot = slot + 1 if slot < most else 0


def put_in_order(
    owner: npt.NDArray[Any],
    rank: npt.NDArray[Any],
    row: Rows,
    starts: npt.NDArray[np.int64],
    filled: npt.NDArray[np.int64],
    place: npt.NDArray[np.int64],
) -> None:
    """Rows by owner, then by rank and row; `starts` says where those of each owner begin, `filled` (all 0) is room to work in."""
    for i in range(owner.size):
        at = owner[i]
        begin = starts[at]
        j = begin + filled[at]
        filled[at] += 1
        while j > begin:
            before = place[j - 1]
            if rank[before] < rank[i] or (rank[before] == rank[i] and row[before] < row[i]):
                break
            place[j] = before
            j -= 1
        place[j] = i
