"""Reconciliation: each account's figures of the year held against the live system's, with the causes that the figures prove."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.reconciling.billed import read_billed, rejected_references
from rbcalc.reconciling.causes import Causes, Search
from rbcalc.reconciling.compare import DIFFERS, MATCHES, OUTCOMES, WITHIN, Accounts, Ours, compare
from rbcalc.reconciling.record import FILE, KIND, SCHEMA, ReconciliationRecord, write_whole
from rbcalc.reconciling.runs import Runner, Worked
from rbcalc.reconciling.tables import account_table, cause_table, class_table, differing
from rbcalc.rulebook.rules import Council
from rbcalc.running.outputs import OutputFolder, ParquetFile, provenance
from rbcalc.running.run import by_council, kernels_for
from rbcalc_kernels.program.graph import Program

if TYPE_CHECKING:
    from rbcalc.caseload.model import Caseload

THRESHOLD: Final = Fraction(99, 100)
_POUNDS: Final = re.compile(r"£?(\d{1,9}(?:\.\d{1,2})?)")
_PER_CENT: Final = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s?%")


@dataclass
class Reconciliation:
    """What a comparison with the live system came to.

    Every account that either side has is in exactly one class.  Differences are the live system's figure less ours, in pounds.
    """

    year: FinancialYear
    tolerance: Fraction
    threshold: Fraction
    programs: Mapping[str, Program] = field(repr=False)
    caseload: str = field(repr=False)
    """The digest of the caseload's content."""
    assumptions: tuple[str, ...] = field(repr=False)
    notes: tuple[str, ...] = field(repr=False)
    _accounts: Accounts = field(repr=False)
    _causes: Mapping[int, Causes] = field(repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """How many accounts each class has."""
        found = np.bincount(self._accounts.outcome, minlength=len(OUTCOMES))
        return {name: int(found[place]) for place, name in enumerate(OUTCOMES)}

    @property
    def match_rate(self) -> Fraction:
        """The share of accounts that match to the penny or within the tolerance, of all accounts on either side; 0 where there are none."""
        matching = int(np.isin(self._accounts.outcome, (MATCHES, WITHIN)).sum())
        return Fraction(matching, self._accounts.count) if self._accounts.count else Fraction(0)

    def trusted(self, threshold: Fraction | None = None) -> bool:
        """Whether the match rate is not below a threshold: the declared one unless another is given."""
        return self.match_rate >= (self.threshold if threshold is None else threshold)

    @property
    def agrees(self) -> bool:
        """Whether the baseline is trusted and no account on both sides differs by more than the tolerance."""
        return self.trusted() and not self.counts[OUTCOMES[DIFFERS]]

    @property
    def headline(self) -> str:
        """The match rate in a sentence, headed as a paper would head it."""
        counts = self.counts
        matching = counts[OUTCOMES[MATCHES]] + counts[OUTCOMES[WITHIN]]
        heading = "Baseline reconciled" if self.trusted() else "BASELINE NOT RECONCILED"
        return (
            f"{heading}: {matching:,} of {self._accounts.count:,} accounts match ({shown_rate(self.match_rate)}; "
            f"{shown_rate(self.threshold)} wanted), {self.year}"
        )

    @property
    def verdict(self) -> str:
        """What keeps the baseline from agreeing with the live system, in words."""
        differs = self.counts[OUTCOMES[DIFFERS]]
        parts = [f"{differs:,} accounts differ by more than £{float(self.tolerance):.2f}"] if differs else []
        if not self.trusted():
            parts.append(f"only {shown_rate(self.match_rate)} of the accounts match, and {shown_rate(self.threshold)} is wanted")
        return "; ".join(parts)

    @cached_property
    def accounts(self) -> Any:
        """All accounts, one row each, as an Arrow table."""
        return account_table(self._accounts, self._causes)

    @property
    def differences(self) -> Any:
        """The accounts that do not match to the penny, one row each, as an Arrow table."""
        return differing(self.accounts)

    @cached_property
    def classes(self) -> Any:
        """Counts and sums by council and class, as an Arrow table."""
        return class_table(self._accounts)

    @cached_property
    def causes(self) -> Any:
        """Counts and differences by council and cause, as an Arrow table."""
        return cause_table(self._accounts, self._causes)

    @property
    def figures(self) -> dict[str, str]:
        """The figures that were compared, with their titles."""
        return {each.name: each.title for each in self._accounts.compared}

    @property
    def record(self) -> ReconciliationRecord:
        """The short record, which a paper's baseline is checked against."""
        counts = self.counts
        matching = counts[OUTCOMES[MATCHES]] + counts[OUTCOMES[WITHIN]]
        rules = {name: program.digest for name, program in self.programs.items()}
        return ReconciliationRecord(str(self.year), self._accounts.count, matching, self.threshold, self.caseload, rules, self._facts())

    def _facts(self) -> dict[str, Any]:
        counts = self.counts
        return {
            "kind": KIND,
            "schema_version": SCHEMA,
            "year": str(self.year),
            "councils": list(self.programs),
            "figures": self.figures,
            "accounts": self._accounts.count,
            "matching": counts[OUTCOMES[MATCHES]] + counts[OUTCOMES[WITHIN]],
            "match_rate": str(self.match_rate),
            "match_rate_shown": shown_rate(self.match_rate),
            "threshold": str(self.threshold),
            "trusted": self.trusted(),
            "tolerance": f"{float(self.tolerance):.2f}",
            "classes": counts,
            "causes": self.causes.to_pylist(),
            "assumptions": list(self.assumptions),
            "notes": list(self.notes),
            "caseload": self.caseload,
            "rules": {name: program.digest for name, program in self.programs.items()},
        }

    def to_json(self) -> str:
        """The record with its classes and causes, without any account."""
        return json.dumps(self._facts(), indent=1, ensure_ascii=False, default=str)

    def write(self, folder: str | Path, *, force: bool = False, command: str = "") -> Path:
        """Write the record, the differences, the classes and the causes into a folder; the path of the record.

        Raises UsageError and OutputError.
        """
        made = OutputFolder.made(Path(folder), force=force)
        facts = {"year": str(self.year), "command": command}
        for name in ("differences", "classes", "causes"):
            table = getattr(self, name)
            file = ParquetFile(made, f"{name}.parquet", table.schema, facts)
            file.write(table)
            file.close()
            made.place(f"{name}.parquet").chmod(0o600)
        write_whole(made.place(FILE), self.to_json() + "\n")
        made.keep(FILE, 1)
        councils = {name: {"rules": program.digest} for name, program in self.programs.items()}
        made.finish({"result": KIND, "year": str(self.year), **provenance(command, councils, {"digest": self.caseload})})
        return made.path / FILE

    def __repr__(self) -> str:
        trusted = "trusted" if self.trusted() else "not trusted"
        return (
            f"Reconciliation({self.year}: {', '.join(self.programs)}; {self._accounts.count:,} accounts, "
            f"{shown_rate(self.match_rate)} match, {trusted})"
        )


def reconcile(
    councils: Sequence[Council],
    year: str | FinancialYear,
    caseload: Any,
    billed: Any,
    *,
    tolerance: Fraction | str = Fraction(0),
    threshold: Fraction | str = THRESHOLD,
    charges: Sequence[Path] = (),
    column_map: Path | None = None,
    billed_map: Path | None = None,
    threads: int = 2,
    causes: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Reconciliation:
    """Compare each account of a caseload with what the live system billed.

    `caseload` is a folder, tables, or an imported caseload; `billed` a Parquet or CSV file or a table with a row for each account:
    `council`, the account, and the figures that the rules' `reconciliation:` names, in pounds.  `tolerance` in pounds is for
    each figure of an account, `threshold` the share of accounts that must match.  Without `causes` none are looked for.
    Raises UsageError, DataError and RulesError.
    """
    from rbcalc.caseload.importing import import_caseload
    from rbcalc.caseload.model import Caseload

    when = FinancialYear.of(year)
    allowed, wanted = pounds(tolerance), share(threshold)
    programs = {council.name: council.program(when, own=charges) for council in councils}
    first = next(iter(programs.values()))
    if not first.reconciliation:
        raise UsageError("RC053", "the rules do not say which figures are compared", hint="declare them under reconciliation:")
    only = councils[0].name if len(councils) == 1 else ""
    root = next(register for register in first.registers.values() if register.entity == first.root)
    others = [name for name in councils[0].rules.council_names if name not in programs] if only else []
    live = read_billed(billed, list(programs), first.reconciliation, key=root.key, column_map=billed_map, others=others)
    told = progress or (lambda _: None)
    told("the caseload")
    held: Caseload = (
        caseload
        if isinstance(caseload, Caseload)
        else import_caseload(caseload, programs, column_map=column_map, council=only, threads=threads)
    )
    kernels = kernels_for(programs)
    parts = dict(by_council(held, list(programs)))
    rejected = _rejected(held, caseload, root.name, root.key, only, column_map)
    runners = {name: Runner(kernels[name], live.compared, threads) for name in programs}
    ours = []
    for name in programs:
        told(f"the accounts of {name}")
        part = parts.get(name)
        nothing = Worked(np.zeros((0, len(live.compared)), np.int64), np.zeros(0, bool))
        worked = runners[name].worked(part.columns()) if part is not None else nothing
        ours.append(Ours(name, part.references if part is not None else held.references.slice(0, 0), worked, rejected.get(name, {})))
    accounts = compare(ours, live, int(allowed * 100))
    found: dict[int, Causes] = {}
    for place, council in enumerate(councils):
        part = parts.get(council.name)
        if causes and part is not None:
            found[place] = _causes(runners[council.name], part, accounts, place, (council, when, tuple(charges)), told)
    notes = (*held.notes, *live.notes, *(f"{councils[place].name}: {note}" for place, each in found.items() for note in each.notes))
    if held.rejects.num_rows and not rejected and not isinstance(caseload, str | Path | Mapping):
        notes += ("the references of rows that the import rejected are not known: their accounts count as only in the live system",)
    assumptions = (*(str(item) for item in held.assumptions), *live.assumptions)
    return Reconciliation(when, allowed, wanted, programs, held.digest, assumptions, notes, accounts, found)


def _causes(
    runner: Runner,
    part: Caseload,
    accounts: Accounts,
    place: int,
    asked: tuple[Council, FinancialYear, tuple[Path, ...]],
    told: Callable[[str], None],
) -> Causes:
    """The causes in one council's accounts."""
    mine = np.flatnonzero((accounts.council == place) & (accounts.row >= 0) & accounts.has_live)
    count = len(part.references)
    ours, live = np.zeros((count, len(accounts.compared)), np.int64), np.zeros((count, len(accounts.compared)), np.int64)
    both = np.zeros(count, bool)
    rows = accounts.row[mine]
    ours[rows], live[rows], both[rows] = accounts.ours[mine], accounts.live[mine], True
    council, when, charges = asked
    return Search(runner, part, ours, live, both).run(council, when, charges, lambda what: told(f"causes in {council.name}: {what}"))


def _rejected(held: Caseload, source: Any, root: str, key: str, only: str, column_map: Path | None) -> dict[str, dict[str, str]]:
    """By council, the references of accounts that the import rejected, with the reason."""
    told: dict[int, tuple[str, str]] = {}
    for each in held.rejects.to_pylist():
        if each["table"] == root:
            column = f"{each['column']} " if each["column"] else ""
            told.setdefault(int(each["row"]), (each["council"] or only, f"{root}: {column}{each['reason']}"))
    if source is held:
        return {}
    names = rejected_references(source, root, key, {row: reason for row, (_, reason) in told.items()}, column_map)
    found: dict[str, dict[str, str]] = {}
    there = set(held.references.to_pylist()) if names else set()
    for row, name in names.items():
        council, reason = told[row]
        if name not in there:
            found.setdefault(council, {}).setdefault(name, reason)
    return found


def pounds(text: Fraction | str) -> Fraction:
    """A tolerance in pounds, such as £0.05.  Raises UsageError."""
    if isinstance(text, Fraction | int):
        return Fraction(text)
    match = _POUNDS.fullmatch(text.strip())
    if match is None:
        raise UsageError("RC053", f"no amount in pounds: {text}", hint="write the tolerance as £0.05")
    return Fraction(match[1])


def share(text: Fraction | str) -> Fraction:
    """A threshold, such as 99%.  Raises UsageError."""
    if isinstance(text, Fraction | int):
        found = Fraction(text)
    else:
        match = _PER_CENT.fullmatch(text.strip())
        found = Fraction(match[1]) / 100 if match is not None else Fraction(-1)
    if not 0 <= found <= 1:
        raise UsageError("RC053", f"no share: {text}", hint="write the threshold in per cent, as 99% or 99.5%")
    return found


def shown_rate(rate: Fraction) -> str:
    """A share in per cent, rounded down, so that only what is whole is shown as 100 %."""
    hundredths = rate.numerator * 10_000 // rate.denominator
    return f"{hundredths // 100}.{hundredths % 100:02} %"
