"""Where a reference leads: registers that lack the dividing reference follow the rows above them into their shards.

References are numbers here.  One table holds, side by side so that they are fetched together, each reference and its
first shard, counted from 1, and a mark where there are more, which few have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from rbcalc.caseload.joining import home_of
from rbcalc.caseload.packing import Codes
from rbcalc.caseload.scan import Plan
from rbcalc_kernels.compiled.spells_machine import ready
from rbcalc_kernels.exact.layout import Layout

Shards = npt.NDArray[np.uint8]

_SEVERAL: Final = 1 << 12


class Routes:
    """The shards of the rows above, by a reference that they carry: entered while those are divided, then found."""

    def __init__(self, rows: int, wanted: list[Codes] | None = None) -> None:
        """Room for so many references, or for those that are wanted alone."""
        size = rows if wanted is None else sum(codes.size for codes in wanted)
        self._bits = max(4, (size + size // 2).bit_length())
        self._table: npt.NDArray[np.int64] = np.zeros(2 << self._bits, np.int64)
        self._more: list[npt.NDArray[np.int64]] = []  # references and shards
        for codes in wanted or []:
            self._note(codes, np.zeros(codes.size, np.int64), True)
        self._open = wanted is None

    def enter(self, codes: Codes, shards: Shards) -> None:
        """Note the shards of some rows."""
        self._note(codes, shards + np.int64(1), self._open)

    def _note(self, codes: Codes, shards: npt.NDArray[np.int64], room: bool) -> None:
        more = np.empty(2 * codes.size, np.int64)
        found = np.array([0, room], np.int64)
        ready(note, codes.size)(codes, shards, home_of(codes, self._bits), self._table, more, found)
        if found[0]:
            self._more.append(more[: 2 * found[0]].reshape(-1, 2).copy())

    def close(self) -> None:
        """Nothing more is entered: put in order what leads to several shards."""
        if self._more:
            codes, shards = np.concatenate(self._more).T
            order = np.lexsort((shards, codes))
            codes, shards = codes[order], shards[order]
            new = np.concatenate(([True], (codes[1:] != codes[:-1]) | (shards[1:] != shards[:-1])))
            self._more = [np.stack((codes[new], shards[new]))]

    def find(self, codes: Codes) -> tuple[Shards, npt.NDArray[np.int64], Shards]:
        """The first shard of each reference, 0 where nobody carries it; then what stands in others too: the places and the shards."""
        first = np.empty(codes.size, np.int16)
        ready(follow, codes.size)(codes, home_of(codes, self._bits), self._table, first)
        several = np.flatnonzero(first >= _SEVERAL)
        shard = (np.maximum(first & (_SEVERAL - 1), 1) - 1).astype(np.uint8)
        if not several.size:
            return shard, several, shard[:0]
        held, shards = self._more[0]
        low = np.searchsorted(held, codes[several])
        count = np.searchsorted(held, codes[several], side="right") - low
        places = np.repeat(several, count)
        within = np.arange(places.size) - np.repeat(np.cumsum(count) - count, count)
        return shard, places, (shards[np.repeat(low, count) + within] - 1).astype(np.uint8)


def carries(layout: Layout, name: str, key: str) -> bool:
    """Whether the rows of a register carry the dividing reference and hang by it."""
    above = layout.anchors.get(name)
    return above is None or (above.name == layout.root_register.name and layout.program.registers[name].by == key)


def stages(layout: Layout, plans: Mapping[str, Plan], key: str) -> list[list[str]]:
    """The registers, such that each stands after the one that it follows."""
    depth: dict[str, int] = {}
    for register in layout.top_down():
        above = layout.anchors.get(register.name)
        if register.name in plans:
            depth[register.name] = 0 if above is None or carries(layout, register.name, key) else depth[above.name] + 1
    return [[name for name, own in depth.items() if own == place] for place in range(max(depth.values()) + 1)]


def leading(layout: Layout, names: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """By the register above and the reference, the registers that follow its rows."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in names:
        found.setdefault((layout.anchors[name].name, layout.program.registers[name].by), []).append(name)
    return found


def note(
    codes: Codes,
    shards: npt.NDArray[np.int64],
    place: npt.NDArray[np.int32],
    table: npt.NDArray[np.int64],
    more: npt.NDArray[np.int64],
    found: npt.NDArray[np.int64],
) -> None:
    """Enter references with their shards; each keeps the least, and the others go to `more`.

    `found` counts those, and says whether there is room for new references.
    """
    last = table.size - 2
    for i in range(codes.size):
        if codes[i] == 0:
            continue
        slot = 2 * place[i]
        while table[slot] != 0 and table[slot] != codes[i]:
            slot = slot + 2 if slot < last else 0
        if table[slot] == 0:
            if found[1] == 0:
                continue
            table[slot] = codes[i]
        before = table[slot + 1]
        first = before & 4095
        if before == 0:
            table[slot + 1] = shards[i]
        elif first != shards[i]:
            more[2 * found[0]] = codes[i]
            more[2 * found[0] + 1] = max(first, shards[i])
            found[0] += 1
            table[slot + 1] = min(first, shards[i]) | 4096


def follow(codes: Codes, place: npt.NDArray[np.int32], table: npt.NDArray[np.int64], shard: npt.NDArray[np.int16]) -> None:
    """What the table says of each reference, 0 where it has none."""
    last = table.size - 2
    for i in range(codes.size):
        shard[i] = 0
        if codes[i] != 0:
            slot = 2 * place[i]
            while table[slot] != 0 and table[slot] != codes[i]:
                slot = slot + 2 if slot < last else 0
            if table[slot] != 0:
                shard[i] = table[slot + 1]
