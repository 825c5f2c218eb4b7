"""Suppositions about recorded facts: one fact otherwise, one record more or less, or one that begins or ends on another day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rbcalc._years import shown
from rbcalc.reconciling.replicas import Changes, Places, Replicas
from rbcalc.reconciling.runs import Pence, Runner
from rbcalc_kernels.exact.layout import Layout, layout_of
from rbcalc_kernels.exact.spells import OPEN
from rbcalc_kernels.language.types import COUNT, YES_NO, Choice
from rbcalc_kernels.program.graph import Input, Program, Reconciled

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.registers import RegisterColumns

MOST_MEMBERS: Final = 60
"""Of longer lists only the neighbours of what is recorded are tried."""
AT_ONCE: Final = 150_000
MOST_TOGETHER: Final = 12
"""Of accounts that are gathered with more no facts are tried, since each copy is worked out with all of them."""
MOST_COPIES: Final = 3_000_000
"""So many suppositions are tried for one council; the accounts with the largest differences come first."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One thing that may be recorded otherwise in one account: copies that differ in `days`, or a single one.

    `edits` are (register, column, rank, value, given); a value of None stands for the day, and `shift` days are added.
    """

    root: int
    what: str
    detail: str
    edits: tuple[tuple[str, str, int, int | None, int], ...]
    days: Places | None = None
    given: bool = True

    @property
    def count(self) -> int:
        """How many copies there are."""
        return 1 if self.days is None else int(self.days.size)


@dataclass(slots=True)
class Found:
    """What gives the live figures of an account: in words for the group and for the account, and in how many ways of how many."""

    what: str
    detail: str
    ways: int = 1
    tried: int = 0


@dataclass(slots=True)
class Facts:
    """Tries facts and records of some accounts of one council.

    Where accounts are gathered, `together` gives for each the first that is gathered with it, and `agreed` whether its figures agree, as
    they must then go on doing when a fact of another is changed.
    """

    runner: Runner
    registers: Mapping[str, RegisterColumns]
    program: Program | None = None
    together: Places | None = None
    agreed: Any = None
    layout: Layout = field(init=False)
    replicas: Replicas = field(init=False)
    left: int = 0
    """Accounts for which not everything could be tried."""

    def __post_init__(self) -> None:
        """Find which records belong to which account."""
        self.layout = layout_of(self.runner.program)
        self.replicas = Replicas(self.layout, self.registers, self.together)

    def search(self, roots: Sequence[int], live: Pence, differing: Any) -> dict[int, Found]:
        """What gives the live figures of root rows; `differing` says of each row which of its figures differ.

        Facts and numbers of records are tried first, days only where they explain nothing.
        """
        found: dict[int, Found] = {}
        self._try((each for root in roots for each in self.facts(root, self._of(differing[root]))), live, found)
        budget = MOST_COPIES
        waiting: list[Tried] = []
        for root in roots:
            if root in found:
                continue
            mine = list(self.days(root, self._of(differing[root])))
            budget -= sum(each.count for each in mine) * self.replicas.gathered_with(root)
            if budget < 0:
                self.left += 1
                continue
            waiting += mine
        self._try(iter(waiting), live, found)
        return found

    def _of(self, differing: Any) -> list[Reconciled]:
        return [figure for figure, which in zip(self.runner.figures, differing, strict=True) if which]

    # ------------------------------------------------------------------------------------------------ what is tried
    def facts(self, root: int, figures: Sequence[Reconciled]) -> Iterator[Tried]:
        """Each declared register with a record more or less, or one for another too; each declared fact with another value."""
        for name in dict.fromkeys(name for figure in figures for name in figure.records):
            register = self.runner.program.registers[name]
            if self._exact(name):
                yield from self._whole(root, name)
            if name == self.layout.root_register.name or self._exact(name):
                continue
            for rank in range(len(self.replicas.of(name, root))):
                yield Tried(root, f"{register.title}: one record fewer", f"{register.title}: one fewer", ((name, "", rank, 0, 0),))
            for rank in range(len(self.replicas.of(name, root))):
                yield Tried(root, f"{register.title}: one record more", f"{register.title}: one more", ((name, "+", rank, 0, 0),))
        for ref in dict.fromkeys(ref for figure in figures for ref in figure.facts):
            described = self.runner.program.inputs[ref]
            for rank, row in enumerate(self.replicas.of(described.table, root)):
                for value, given, detail in self._others(described, int(row)):
                    column = (described.table, described.name, rank, value, 0)
                    yield Tried(root, described.title, f"{described.title}: {detail}", (column,), None, given)

    def _whole(self, root: int, name: str) -> Iterator[Tried]:
        """Of two records that follow each other, one of them for all the days of both."""
        register, title = self.registers[name], self.runner.program.registers[name].title
        rows = self.replicas.of(name, root)
        assert register.begins is not None
        assert register.ends is not None
        begins, ends = register.begins[rows], register.ends[rows]
        for rank, other in self._following(begins, ends):
            what = f"{title}: the whole year instead of part"
            edits = ((name, "ends", rank, int(ends[other]), 0), (name, "", other, 0, 0))
            yield Tried(root, what, f"{title}: as before {shown(int(begins[other]))} all along", edits)
            edits = ((name, "begins", other, int(begins[rank]), 0), (name, "", rank, 0, 0))
            yield Tried(root, what, f"{title}: as from {shown(int(begins[other]))} all along", edits)

    def _following(self, begins: Any, ends: Any) -> Iterator[tuple[int, int]]:
        """Pairs of records of which the second begins in the year, the day after the first ends."""
        first, last = self.runner.program.first_day, self.runner.program.last_day
        for rank, ended in enumerate(ends):
            after = np.flatnonzero((begins == int(ended) + 1) & (ended != OPEN))
            if after.size and first < begins[after[0]] <= last:
                yield rank, int(after[0])

    def _exact(self, name: str) -> bool:
        """Whether each day needs exactly one record of the register."""
        register = self.runner.program.registers[name]
        return self.runner.program.entities[register.entity].spell

    def _others(self, described: Input, row: int) -> Iterator[tuple[int, bool, str]]:
        """Other values of a fact of a record: encoded, whether given, and in words."""
        columns = self.registers[described.table].columns
        there = not described.optional or bool(columns[f"{described.name}?"][row])
        code = int(columns[described.name][row])
        if isinstance(described.type, Choice):
            members = described.type.members
            mine = _word(members[code]) if there else "nothing"
            places = sorted((n for n in range(len(members)) if not there or n != code), key=lambda n: abs(n - code) if there else n)
            for place in places if len(members) <= MOST_MEMBERS else places[:2]:
                yield place, True, f"{_word(members[place])} instead of {mine}"
        elif described.type == YES_NO:
            was = there and bool(code)
            yield int(not was), True, f"{'no' if was else 'yes'} instead of {'yes' if was else 'no' if there else 'nothing'}"
        elif described.type == COUNT and there:
            for value in (code - 1, code + 1):
                if described.low <= value <= described.high:
                    yield value, True, f"{value} instead of {code}"
        if described.optional and there:
            yield code, False, "not recorded"

    def days(self, root: int, figures: Sequence[Reconciled]) -> Iterator[Tried]:
        """Records of each declared register that begin or end on any other day of the year."""
        for name in dict.fromkeys(name for figure in figures for name in figure.records):
            register, title = self.registers[name], self.runner.program.registers[name].title
            rows = self.replicas.of(name, root)
            assert register.begins is not None
            assert register.ends is not None
            begins, ends = register.begins[rows], register.ends[rows]
            first, last = self.runner.program.first_day, self.runner.program.last_day
            joined = self._exact(name)
            pairs = dict(self._following(begins, ends)) if joined else {}
            gapless = joined and not self.runner.program.entities[self.runner.program.registers[name].entity].gaps
            for rank in range(len(rows)):
                began, ended = int(begins[rank]), int(ends[rank])
                if began > last or ended < first:
                    continue
                other = pairs.get(rank)
                if other is not None:
                    span = np.arange(max(began + 1, first), min(int(ends[other]), last) + 1)
                    edits = ((name, "ends", rank, None, -1), (name, "begins", other, None, 0))
                    yield Tried(root, f"{title}: a change on another day", f"{title}: changed on", edits, span[span != ended + 1])
                    continue
                if gapless:
                    continue  # another day alone would leave days without a record, or with two
                span = np.arange(first, min(ended, last) + 1)
                edit = ((name, "begins", rank, None, 0),)
                yield Tried(root, f"{title}: begins on another day", f"{title}: begins on", edit, span[span != max(began, first)])
                span = np.arange(max(began, first), last + 1)
                edit = ((name, "ends", rank, None, 0),)
                yield Tried(root, f"{title}: ends on another day", f"{title}: ends on", edit, span[span != min(ended, last)])

    # ------------------------------------------------------------------------------------------------------ at work
    def _try(self, tried: Iterator[Tried], live: Pence, found: dict[int, Found]) -> None:
        batch: list[Tried] = []
        size = 0
        for each in tried:
            batch.append(each)
            size += each.count * self.replicas.gathered_with(each.root)
            if size >= AT_ONCE:
                self._run(batch, live, found)
                batch, size = [], 0
        if batch:
            self._run(batch, live, found)

    def worked(self, batch: Sequence[Tried], live: Pence | None = None) -> tuple[Places, Places, Pence, Any]:
        """For each copy: what was tried, its day, and its figures with whether they are known.

        Given the live figures, not those of a copy in which an account that agreed no longer does.
        """
        counts = np.array([each.count for each in batch])
        start = np.concatenate([[0], np.cumsum(counts)])
        of = np.repeat(np.arange(len(batch)), counts)
        days = np.concatenate([np.zeros(1, np.int64) if each.days is None else each.days for each in batch])
        roots = np.array([each.root for each in batch], np.int64)[of]
        changes: dict[tuple[str, str, bool], list[tuple[Places, Places, Places]]] = {}
        for n, each in enumerate(batch):
            copies = np.arange(start[n], start[n + 1])
            for register, column, rank, value, shift in each.edits:
                new = days[copies] + shift if value is None else np.full(copies.size, value)
                changes.setdefault((register, column, each.given), []).append((copies, np.full(copies.size, rank), new))
        made = []
        for (register, column, given), held in changes.items():
            copies, ranks, values = (np.concatenate(parts) for parts in zip(*held, strict=True))
            made.append(Changes(register, column, copies, ranks, values, given))
        copied = self.replicas.copied(roots)
        result = self.runner.worked(self.replicas.copies(copied, made), self.program or self.runner.program)
        pence, known = result.pence[copied.mine], result.known[copied.mine]
        if live is not None and self.agreed is not None:
            stays = (result.known & (result.pence == live[copied.rows]).all(axis=1)) | ~self.agreed[copied.rows]
            stays[copied.mine] = True
            known &= np.logical_and.reduceat(stays, copied.start)
        return of, days, pence, known

    def _run(self, batch: Sequence[Tried], live: Pence, found: dict[int, Found]) -> None:
        of, days, pence, known = self.worked(batch, live)
        roots = np.array([each.root for each in batch])[of]
        good = np.flatnonzero(known & (pence == live[roots]).all(axis=1))
        for place in good:
            each = batch[of[place]]
            held = found.get(each.root)
            if held is None:
                detail = each.detail if each.days is None else f"{each.detail} {shown(int(days[place]))}"
                found[each.root] = Found(each.what, detail)
            else:
                held.ways += 1


def _word(member: str) -> str:
    return member.replace("_", " ")
