"""What a live system would have billed for a sample caseload, with a few differences of each cause put in on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from rbcalc._years import FinancialYear
from rbcalc.errors import OutputError, UsageError
from rbcalc.reconciling.causes import DATA, KINDS, PARAMETER, ROUNDING, RULE, UNEXPLAINED
from rbcalc.reconciling.facts import Facts
from rbcalc.reconciling.figures import suppositions, years_beside
from rbcalc.reconciling.runs import Mask, Pence, Runner
from rbcalc.reconciling.tables import money
from rbcalc.rulebook.rules import Council
from rbcalc.running.run import by_council, kernels_for
from rbcalc.sampling.values import Stream
from rbcalc_kernels.program.graph import Reconciled

FEWEST: Final = 4
"""At least so many differences of a cause, so that it can be told from chance."""
MOST_TRIED: Final = 40
SHARE: Final = Fraction(1, 100)


@dataclass(slots=True)
class Planted:
    """The figures that a live system would have, and what was put in: council, account, cause and words."""

    table: Any
    planted: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many differences of each cause there are."""
        found: dict[str, int] = {}
        for _, _, cause, _ in self.planted:
            found[cause] = found.get(cause, 0) + 1
        return found


def billed(
    councils: Sequence[Council],
    year: str | FinancialYear,
    caseload: Any,
    *,
    seed: int = 1,
    share: Fraction = SHARE,
    charges: Sequence[Path] = (),
) -> Planted:
    """The figures of a caseload as a live system would have them; about `share` of the accounts differ by each cause.

    A cause for which the caseload has no fitting accounts is left out.  The same seed gives the same differences.
    """
    from rbcalc.caseload.importing import import_caseload

    when = FinancialYear.of(year)
    programs = {council.name: council.program(when, own=charges) for council in councils}
    kernels = kernels_for(programs)
    held = import_caseload(caseload, programs, council=councils[0].name if len(councils) == 1 else "")
    figures = next(iter(programs.values())).reconciliation
    key = next(r.key for r in next(iter(programs.values())).registers.values() if r.name == held.root)
    tables, planted = [], []
    for council in councils:
        own = next((part for name, part in by_council(held, [council.name]) if name == council.name), None)
        if own is None:
            continue
        planter = _Planter(Runner(kernels[council.name], figures, 1), own, f"billed/{seed}/{council.name}", share)
        planter.plant(council, when)
        tables.append(planter.table(council.name, key, figures))
        planted += [(council.name, *each) for each in planter.planted]
    return Planted(pa.concat_tables(tables), planted)


class _Planter:
    """Puts differences into one council's figures."""

    def __init__(self, runner: Runner, own: Any, seed: str, share: Fraction) -> None:
        self.runner, self.own, self.seed = runner, own, seed
        self.registers = own.columns()
        worked = runner.worked(self.registers)
        self.names = own.references.to_pylist()
        self.ours, self.known = worked.pence, worked.known
        self.live: Pence = worked.pence.copy()
        self.free: Mask = worked.known.copy()
        self.kept: Mask = worked.known.copy()
        self.many = max(FEWEST, int(len(self.names) * share))
        self.more: list[str] = []
        self.planted: list[tuple[str, str, str]] = []

    def plant(self, council: Council, year: FinancialYear) -> None:
        """One cause after another; an account has one at most."""
        self._parameter(council, year)
        self._rule()
        self._data()
        for row in self._some("pennies", self.many):
            place = self._first(row)
            self._put(row, place, int(self.live[row, place]) + 1, ROUNDING, "a penny")
        for row in self._some("anything", FEWEST):
            place = self._first(row)
            self._put(row, place, int(self.live[row, place]) + 1_234_567, UNEXPLAINED, "an amount that nothing gives")
        for row in self._some("left out", FEWEST):
            self.kept[row] = self.free[row] = False
            self.planted.append((self.names[row], "only in the caseload", ""))
        self.more = [f"LIVE-{self.seed.split('/')[1]}-{n}" for n in range(1, FEWEST + 1)]
        self.planted += [(name, "only in the live system", "") for name in self.more]

    def _order(self, name: str, count: int) -> list[int]:
        return [int(n) for n in Stream(f"{self.seed}/{name}").order(count)]

    def _some(self, name: str, many: int) -> list[int]:
        rows = np.flatnonzero(self.free & (self.ours != 0).any(axis=1))
        return [int(rows[n]) for n in self._order(name, rows.size)[:many]]

    def _first(self, row: int) -> int:
        """The first figure of the account that is not nought."""
        return int(np.flatnonzero(self.ours[row])[0])

    def _put(self, row: int, place: int, pence: int, kind: int, what: str) -> None:
        self.live[row, place] = pence
        self.free[row] = False
        self.planted.append((self.names[row], KINDS[kind], what))

    def _parameter(self, council: Council, year: FinancialYear) -> None:
        """A figure of the rules as in another year, which few accounts rest on."""
        tried = list(suppositions(self.runner.program, years_beside(council, year)))
        for n in self._order("figures", len(tried))[:MOST_TRIED]:
            worked = self.runner.worked(self.registers, tried[n].program())
            changed = np.flatnonzero(worked.known & self.free & (worked.pence != self.ours).any(axis=1))
            if FEWEST <= changed.size <= self.many * 3:
                for row in changed:
                    self.live[row] = worked.pence[row]
                    self.free[row] = False
                    self.planted.append((self.names[int(row)], KINDS[PARAMETER], tried[n].what))
                return

    def _rule(self) -> None:
        """Nine tenths of a figure for all accounts of a small group."""
        groups = [there[:, n] & self.known for there in self.runner.groups(self.registers).values() for n in range(there.shape[1])]
        for n in self._order("groups", len(groups)):
            members = np.flatnonzero(groups[n])
            place = 0
            if FEWEST <= members.size <= self.many * 3 and self.free[members].all() and (self.ours[members, place] > 1000).all():
                for row in members:
                    self._put(int(row), place, int(self.ours[row, place]) * 9 // 10, RULE, "nine tenths for a group")
                return

    def _data(self) -> None:
        """A fact recorded otherwise."""
        facts = Facts(self.runner, self.registers)
        left = self.many
        for row in self._some("facts", self.many * 4):
            tried = [*facts.facts(row, self.runner.figures)]
            tried += list(facts.days(row, self.runner.figures))
            each = tried[self._order(f"fact/{row}", len(tried))[0]]
            _, _, pence, known = facts.worked([each])
            good = np.flatnonzero(known & (np.abs(pence - self.ours[row]).max(axis=1) > 100))
            if good.size:
                self.live[row] = pence[good[good.size // 2]]
                self.free[row] = False
                self.planted.append((self.names[row], KINDS[DATA], each.what))
                left -= 1
            if not left:
                return

    def table(self, council: str, key: str, figures: Sequence[Reconciled]) -> Any:
        """The live system's rows."""
        rows = np.flatnonzero(self.kept)
        names = [self.names[int(n)] for n in rows] + self.more
        pence = np.concatenate([self.live[rows], np.full((len(self.more), len(figures)), 100)])
        columns = {figure.name: money(pence[:, place]) for place, figure in enumerate(figures)}
        return pa.table({"council": pa.array([council] * len(names)), key: pa.array(names, pa.string()), **columns})


def check_place(path: Path, folder: Path, *, force: bool = False) -> None:
    """Whether the figures may go into a file, which must lie outside the caseload's folder.  Raises UsageError, OutputError."""
    if path.suffix not in (".csv", ".parquet"):
        raise UsageError("RC049", f"no such kind of file: {path.name}", hint="name a file that ends in .csv or .parquet")
    if path.resolve().parent.is_relative_to(folder.resolve()):
        raise UsageError("RC049", f"{path} lies in the folder of the caseload", hint="name a file beside it")
    for each in (path, _beside(path)):
        if each.exists() and not force:
            raise OutputError("RC049", f"the file {each} is there already", hint="name another, or say --force to replace it")


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.planted.csv")


def write_billed(made: Planted, path: Path) -> list[Path]:
    """Write the live system's figures as CSV or Parquet, and beside them what was put in; the paths.  Raises OutputError."""
    from pyarrow import csv
    from pyarrow import parquet as pq

    names = ("council", "account", "cause", "what")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".csv":
            csv.write_csv(made.table, path)
        else:
            pq.write_table(made.table, path)
        csv.write_csv(pa.table({name: [row[n] for row in made.planted] for n, name in enumerate(names)}), _beside(path))
    except OSError as error:
        raise OutputError("RC049", f"cannot write {path} ({error.strerror})", hint="name a folder that you may write to") from error
    return [path, _beside(path)]


def share_of(text: str | None) -> Fraction:
    """The share of accounts that differ by each cause, such as 1%.  Raises UsageError."""
    if text is None:
        return SHARE
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?%", text.strip())
    if match is None or not 0 < Fraction(match[1]) <= 20:
        raise UsageError("RC049", f"not a share: {text}", hint="write it in per cent, up to 20%, as 1%")
    return Fraction(match[1]) / 100


def lines(made: Planted) -> Iterator[str]:
    """What was put in, in words."""
    for cause, count in made.counts.items():
        yield f"{count:,} accounts: {cause}"
