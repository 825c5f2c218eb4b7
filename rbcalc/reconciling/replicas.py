"""Accounts copied many times over, each copy with a record or a fact changed, so that one run tries them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.exact.layout import Layout

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.registers import RegisterColumns

Places = npt.NDArray[np.int64]


@dataclass(slots=True)
class Changes:
    """What is changed in the copies of one register, each column one entry for each change.

    `copy` is the copy's number and `rank` the record's place among those of its account.  `column` is a fact, `begins` or
    `ends`; or `""` to take the record away, or `"+"` to have it twice.  `given` is for optional facts.
    """

    register: str
    column: str
    copy: Places
    rank: Places
    value: Places
    given: bool = True


@dataclass(slots=True)
class _Rows:
    """A register's records by account: where each account's begin, and for each record its owner's and its group's rank."""

    start: Places
    rows: Places
    owner: Places
    same: dict[str, Places] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Copied:
    """Root rows that are copied: for each copy, from `start` on, those that are gathered with one, which stands at `mine`."""

    rows: Places
    start: Places
    mine: Places


class Replicas:
    """The accounts of some registers, ready to be copied; `together` gives for each the first that is gathered with it."""

    def __init__(self, layout: Layout, registers: Mapping[str, RegisterColumns], together: Places | None = None) -> None:
        """Find for each root row the records that belong to it, those shared with other root rows too."""
        self.layout, self.registers = layout, registers
        self.root = layout.root_register.name
        self.rows: dict[str, _Rows] = {}
        names = [self.root, *(name for name in registers if name != self.root)]
        for name in sorted(names, key=self._depth):
            self.rows[name] = self._found(name)
        self.by = layout.program.gathered_by if together is not None else None
        group = np.arange(registers[self.root].count) if together is None else together
        self._order = np.argsort(group, kind="stable")
        ordered = group[self._order]
        self._start, self._end = np.searchsorted(ordered, group), np.searchsorted(ordered, group, side="right")
        self._rank = np.empty_like(self._order)
        self._rank[self._order] = np.arange(group.size)

    def _depth(self, name: str) -> int:
        depth = 0
        while name != self.root:
            name, depth = self.layout.anchors[name].name, depth + 1
        return depth

    def gathered_with(self, root: int) -> int:
        """How many root rows are copied when one is."""
        return int(self._end[root] - self._start[root])

    def copied(self, roots: Places) -> Copied:
        """What is copied for copies of root rows: each with those that are gathered with it."""
        lengths = self._end[roots] - self._start[roots]
        start = np.cumsum(lengths) - lengths
        return Copied(self._order[_ranges(self._start[roots], lengths)], start, start + self._rank[roots] - self._start[roots])

    def of(self, name: str, root: int) -> Places:
        """The records of a register that belong to a root row, as places in the register."""
        held = self.rows[name]
        return held.rows[held.start[root] : held.start[root + 1]]

    def _found(self, name: str) -> _Rows:
        register = self.registers[name]
        count = self.registers[self.root].count
        if name == self.root:
            # Each copy stands alone: what it shared with others is its own.
            return _Rows(np.arange(count + 1), np.arange(count), np.zeros(count, np.int64))
        anchor = self.layout.anchors[name]
        above, by = self.rows[anchor.name], self.layout.program.registers[name].by
        same = self.registers[anchor.name].same.get(by)
        assert register.owner is not None
        group = register.owner if same is None else same[register.owner]
        size = self.registers[anchor.name].count
        order = np.argsort(group, kind="stable")
        start = np.searchsorted(group[order], np.arange(size + 1))
        # Of the records above that carry one reference the first of each account has what belongs to them.
        mine = above.rows if same is None else same[above.rows].astype(np.int64)
        account = np.repeat(np.arange(count), np.diff(above.start))
        rank = np.arange(above.rows.size) - above.start[account]
        _, first = np.unique(account * (size + 1) + mine, return_index=True)
        first.sort()
        lengths = start[mine[first] + 1] - start[mine[first]]
        taken = order[_ranges(start[mine[first]], lengths)]
        accounts = np.repeat(account[first], lengths)
        made = _Rows(np.searchsorted(accounts, np.arange(count + 1)), taken, np.repeat(rank[first], lengths))
        for key, shared in register.same.items():
            grouped = accounts * (register.count + 1) + shared[taken]
            _, firsts, back = np.unique(grouped, return_index=True, return_inverse=True)
            made.same[key] = firsts[back.ravel()] - made.start[accounts]
        return made

    def copies(self, copied: Copied, changes: Sequence[Changes]) -> dict[str, RegisterColumns]:
        """The registers of copies of root rows, with the changes made."""
        from rbcalc_kernels.compiled.registers import RegisterColumns

        roots = copied.rows
        made: dict[str, RegisterColumns] = {}
        starts: dict[str, Places] = {}
        for name, held in self.rows.items():
            register = self.registers[name]
            lengths = held.start[roots + 1] - held.start[roots]
            starts[name] = starts_here = np.concatenate([[0], np.cumsum(lengths)])
            places = _ranges(held.start[roots], lengths)
            copy = np.repeat(np.arange(roots.size), lengths)
            own = [each for each in changes if each.register == name]
            twice = [starts_here[copied.mine[each.copy]] + each.rank for each in own if each.column == "+"]
            more = np.concatenate(twice) if twice else np.empty(0, np.int64)
            taken = np.concatenate([np.arange(places.size), more])
            rows = held.rows[places][taken]
            owner = None
            if name != self.root:
                owner = (starts[self.layout.anchors[name].name][copy] + held.owner[places])[taken].astype(np.int32)
            same = {
                key: np.concatenate([starts_here[copy] + ranks[places], places.size + np.arange(more.size)]).astype(np.int32)
                for key, ranks in held.same.items()
            }
            columns = {column: values[rows] for column, values in register.columns.items()}
            begins = None if register.begins is None else register.begins[rows]
            ends = None if register.ends is None else register.ends[rows]
            order = None if register.order is None else register.order[rows]
            for each in own:
                at = starts_here[copied.mine[each.copy]] + each.rank
                if each.column == "":
                    assert owner is not None
                    owner[at] = -1
                elif each.column in ("begins", "ends"):
                    days: Any = begins if each.column == "begins" else ends
                    days[at] = each.value
                elif each.column != "+":
                    columns[each.column][at] = each.value
                    if f"{each.column}?" in columns:
                        columns[f"{each.column}?"][at] = each.given
            if name == self.root and self.by is not None:
                same[self.by] = np.repeat(copied.start, np.diff([*copied.start, roots.size])).astype(np.int32)
            made[name] = RegisterColumns(rows.size, columns, owner, begins, ends, order, same)
        return made


def _ranges(start: Places, lengths: Places) -> Places:
    """The numbers of several ranges, one after another."""
    total = int(lengths.sum())
    before = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if lengths.size else np.empty(0, np.int64)
    found: Places = np.arange(total) + np.repeat(start - before, lengths)
    return found
