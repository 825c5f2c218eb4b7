"""Which cells of tables stay unpublished, so that no small count can be read or worked out from the others.

Cells are joined by relations: sums that are nothing in all, such as the parts of a breakdown less its total.  Small cells are hidden
first.  Then the relations are solved for the hidden cells, as a reader with pencil and paper would; as long as a hidden cell comes out,
one more cell of the sum that gives it away is hidden.  At last what turned out not to be needed is printed again.
docs/comparison.md says what this guarantees and what it does not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

Key = Hashable

THRESHOLD: Final = 5
"""Counts of one up to, and not including, this many accounts are not published; none at all is."""

_PRIME: Final = 2**61 - 1
"""Relations are solved over the whole numbers modulo a prime, which is exact and keeps the figures short.

The coefficients are 1 and -1 and the solutions' are small, so that what is nothing here is nothing.
"""

_NOBODY: Final = 2**31
"""A rank after all others."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of a table: on how many accounts it rests, how gladly it is given up, and whether it is printed.

    `rank` comes before `accounts` where a cell is chosen to be hidden: low ranks go first.  An unprinted cell only joins relations.
    """

    accounts: int
    rank: int = 0
    printed: bool = True


@dataclass(slots=True)
class Relations:
    """Cells and the sums that are nothing, each a coefficient of 1 or -1 for a cell."""

    cells: dict[Key, Cell] = field(default_factory=dict)
    sums: list[dict[Key, int]] = field(default_factory=list)

    def cell(self, key: Key, accounts: int, rank: int = 0, *, printed: bool = True) -> Key:
        """Add a cell, unless it is there."""
        self.cells.setdefault(key, Cell(accounts, rank, printed))
        return key

    def total(self, parts: Iterable[Key], *wholes: Key, less: Iterable[Key] = ()) -> None:
        """The parts add up to the wholes, less some."""
        found: dict[Key, int] = {}
        for keys, sign in ((parts, 1), (wholes, -1), (less, -1)):
            for key in keys:
                found[key] = found.get(key, 0) + sign
        found = {key: sign for key, sign in found.items() if sign}
        if found:
            self.sums.append(found)


def hidden(relations: Relations, *, threshold: int = THRESHOLD) -> set[Key]:
    """The printed cells that stay unpublished: those below the threshold, and what protects them."""
    return _Solver(relations, threshold).hide()


def determined(relations: Relations, unpublished: Iterable[Key]) -> set[Key]:
    """Which of the cells that are not published can be worked out from those that are; unprinted cells are never published."""
    solver = _Solver(relations, 0)
    for key in [*(key for key, cell in relations.cells.items() if not cell.printed), *unpublished]:
        solver.remove(key)
    return {solver.pivots[row] for row in solver.pivots if solver.open[row] == 1}


class _Solver:
    """The relations in reduced echelon form over the hidden cells, brought up to date with each cell that is hidden.

    A row is a relation; its pivot is the hidden cell that it is solved for.  A row without a pivot holds no hidden cell.  A hidden cell
    comes out exactly when it is a pivot and its row holds no other hidden cell.
    """

    def __init__(self, relations: Relations, threshold: int) -> None:
        self.cells, self.threshold = relations.cells, threshold
        self.sums = relations.sums
        self.rows: list[dict[Key, int]] = [{key: sign % _PRIME for key, sign in each.items()} for each in relations.sums]
        self.holding: dict[Key, set[int]] = {key: set() for key in relations.cells}
        for number, row in enumerate(self.rows):
            for key in row:
                self.holding[key].add(number)
        self.pivots: dict[int, Key] = {}
        self.open: dict[int, int] = {}  # how many hidden cells a row with a pivot holds
        self.gone: dict[Key, None] = {}  # in the order in which they were hidden
        self.for_sums: set[Key] = set()
        self.order = {key: place for place, key in enumerate(relations.cells)}
        self.waiting: dict[int, None] = {}  # rows to look at

    def remove(self, key: Key) -> None:
        """Hide a cell and solve one more relation for it, if there is one without a pivot."""
        if key in self.gone:
            return
        self.gone[key] = None
        free = [number for number in self.holding[key] if number not in self.pivots]
        for number in self.holding[key]:
            if number in self.pivots:
                self.open[number] += 1
        if not free:
            return
        number = min(free, key=lambda place: (len(self.rows[place]), place))
        row = self.rows[number]
        inverse = pow(row[key], -1, _PRIME)
        if inverse != 1:
            for other in row:
                row[other] = row[other] * inverse % _PRIME
        self.pivots[number], self.open[number] = key, 1
        self.waiting[number] = None
        for place in [place for place in self.holding[key] if place != number]:
            self._eliminate(place, row, key)

    def _eliminate(self, place: int, by: Mapping[Key, int], key: Key) -> None:
        row = self.rows[place]
        factor = _PRIME - row[key]
        for other, value in by.items():
            found = (row.get(other, 0) + factor * value) % _PRIME
            if found:
                row[other] = found
                self.holding[other].add(place)
            elif other in row:
                del row[other]
                self.holding[other].discard(place)
        if place in self.pivots:
            self.open[place] = sum(1 for other in row if other in self.gone)
            self.waiting[place] = None

    def hide(self) -> set[Key]:
        """Hide what is small, and then what protects it."""
        small = [key for key, cell in self.cells.items() if cell.printed and 0 < cell.accounts < self.threshold]
        for key in [*(key for key, cell in self.cells.items() if not cell.printed), *small]:
            self.remove(key)
        self._protect_each()
        while self._protect_sums():
            self._protect_each()
        # What protects nothing, because it comes out anyway, may as well be published.
        idle = {self.pivots[row] for row, count in self.open.items() if count == 1}.difference(small)
        return self._fewest({key for key in self.gone if self.cells[key].printed and key not in idle}, {*small, *self.for_sums})

    def _fewest(self, found: set[Key], needed: set[Key]) -> set[Key]:
        """The hidden cells less those that can be printed again, because others that were hidden later protect the small ones too.

        The figures that are missed most come first.  What comes out then is printed too, unless it is small: that may not come out.
        """
        before, short = self._told(found)
        if short:
            return found
        wanted = sorted(found - needed, key=lambda key: (-self.cells[key].rank, -self.cells[key].accounts, self.order[key]))
        for key in wanted:
            if key in found:
                told, short = self._told(found - {key})
                if told & needed <= before and not short:
                    found = found - {key} - (told - needed)
        return found

    def _told(self, found: set[Key]) -> tuple[set[Key], bool]:
        """Which of some hidden cells come out, and whether some add up to too few accounts."""
        gone = {key: cell for key, cell in self.cells.items() if key in found or not cell.printed}
        sums = [held for each in self.sums if (held := {key: sign for key, sign in each.items() if key in gone})]
        solver = _Solver(Relations(gone, sums), self.threshold)
        for key in gone:
            solver.remove(key)
        known = {solver.pivots[place] for place, count in solver.open.items() if count == 1}
        rows = [*(row for place, row in enumerate(solver.rows) if solver.open.get(place, 0) > 1), *solver.given()]
        return {key for key in known if gone[key].printed}, any(solver._small_sum(row, known) for row in rows)

    def _protect_each(self) -> None:
        """Hide more cells as long as a hidden one comes out."""
        while self.waiting:
            place, _ = self.waiting.popitem()
            comes_out = self.open[place] == 1 and self.cells[self.pivots[place]].printed
            if comes_out and self._hide_from(self.rows[place]):
                self.waiting[place] = None

    def _protect_sums(self) -> bool:
        """Hide more cells where hidden ones add up to a small count that a reader can work out; whether there were any."""
        found = False
        known = {self.pivots[place] for place, count in self.open.items() if count == 1}
        for row in [*(self.rows[place] for place, count in self.open.items() if count > 1), *self.given()]:
            before = len(self.gone)
            if self._small_sum(row, known) and self._hide_from(row):
                self.for_sums.update(list(self.gone)[before:])
                found = True
        return found

    def given(self) -> list[dict[Key, int]]:
        """The relations as they were given, of those with a hidden cell."""
        return [{key: sign % _PRIME for key, sign in each.items()} for each in self.sums if not self.gone.keys().isdisjoint(each)]

    def _small_sum(self, row: Mapping[Key, int], known: set[Key]) -> bool:
        """Whether the hidden cells of a relation, but for those known anyway, are added alone and rest on too few accounts together.

        A reader knows their sum then, and that none of them is nothing.  Each could be any small count only if the sum leaves room.
        """
        there = [key for key in row if key in self.gone and key not in known]
        signs = {row[key] for key in there}
        if len(signs) != 1 or not signs <= {1, _PRIME - 1}:
            return False
        enough = len(there) + max(1, self.threshold - 2)
        return all(self.cells[key].printed for key in there) and sum(self.cells[key].accounts for key in there) < enough

    def _hide_from(self, row: Mapping[Key, int]) -> bool:
        """Hide the cell of a relation that is given up most gladly; whether there was one.

        Where nobody is counted, nothing is hidden: readers would take it for nothing, and be right.
        """
        choice = [key for key in row if key not in self.gone and self.cells[key].printed and self.cells[key].accounts]
        if not choice:
            return False
        self.remove(min(choice, key=self._cost))
        return True

    def _cost(self, key: Key) -> tuple[int, bool, int, int]:
        """What hiding a cell costs: it has to be protected in turn, in each sum in which it is the first to be hidden."""
        cell = self.cells[key]
        rank, tied = cell.rank, False
        for number in self.holding[key]:
            if number not in self.pivots:
                tied = True
                rank = self._next_rank(number, key, rank)
        return rank, tied, cell.accounts, self.order[key]

    def _next_rank(self, number: int, key: Key, enough: int) -> int:
        """The lowest rank of a relation's cells that could be hidden beside one; not looked for below what is low enough."""
        lowest = _NOBODY
        for other in self.rows[number]:
            cell = self.cells[other]
            if cell.rank < lowest and cell.printed and cell.accounts and other != key:
                lowest = cell.rank
                if lowest <= enough:
                    return enough
        return lowest
