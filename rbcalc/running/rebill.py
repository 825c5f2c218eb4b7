"""The annual bill of a whole caseload, in shards, into a folder of Parquet files."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.rulebook.rules import Council
from rbcalc.running.outputs import OutputFolder, ParquetFile, provenance
from rbcalc.running.run import Kernel, Part, Summary, by_council, calculated, kernels_for, report_table
from rbcalc.running.statements import arrow as statements_table
from rbcalc.running.statements import stated
from rbcalc.running.tax_base import arrow, bases, shown
from rbcalc.running.totals import Table
from rbcalc_kernels.program.graph import Program, Report

if TYPE_CHECKING:
    from rbcalc.caseload.column_map import ColumnMap
    from rbcalc.caseload.model import Caseload
    from rbcalc.rulebook.rules import Rules
    from rbcalc.rulebook.subjects import Subject
    from rbcalc.running.roll_forward import Uprating

SHARD_ROOTS: Final = 250_000
CONTENT_ROWS: Final = 2_000_000
"""Up to so many rows the manifest holds a digest of the content too, which does not depend on the order or kind of files."""


def rebill(
    councils: Sequence[Council],
    year: str | FinancialYear,
    caseload: Any,
    out: Path,
    *,
    charges: Sequence[Path] = (),
    column_map: Path | None = None,
    threads: int = 2,
    periods: bool = False,
    force: bool = False,
    keep_private: bool = False,
    command: str = "",
    memory: str = "700MB",
    collection_rates: Mapping[str, Fraction] | None = None,
    uprating: Uprating | None = None,
    progress: Callable[[int, int], None] | None = None,
    subjects: Sequence[str] = (),
) -> Summary:
    """Bill a caseload for a year into a folder, in shards, so that memory stays bounded.

    Each council's bills, totals and rejects stand in its own folder; the totals of all stand under `totals`; the manifest
    is written last.  Every subject (Council Tax, business rates) whose accounts the caseload holds is billed, or those named
    by `subjects`; the summary is that of the first, and `further` holds the others'.  With `collection_rates`, which an
    officer declares for each council, the tax base is written too; with `uprating` the facts are rolled forward first, and
    the files stay as they are.  Raises UsageError, DataError, OutputError and RulesError.
    """
    when = FinancialYear.of(year)
    mapped = _read_map(column_map)
    chosen = _chosen(councils, caseload, mapped, subjects)
    jobs = [_Job.of(subject, [council.of(subject.name) for council in councils], when, charges, periods) for subject in chosen]
    OutputFolder.check(out, force=force)  # before the long work
    folder = OutputFolder.made(out, force=force)
    how = _How(threads, keep_private, memory, progress)
    made: list[tuple[Summary, dict[str, Any]]] = []
    for place, job in enumerate(jobs):
        main = place == 0
        theirs = {name for other in jobs if other is not job for name in other.tables} - job.tables - job.instead
        own = caseload if isinstance(caseload, str | Path) else {name: held for name, held in caseload.items() if name not in theirs}
        writer = _Writer(folder, when, command, job.programs, "" if main else f"{job.subject.name}/")
        rates = (collection_rates or {}) if main else {}
        made.append(_billed(job, when, own, mapped.without(theirs), writer, how, rates, uprating if main else None, councils[0].rules))
    first, *others = (summary for summary, _ in made)
    summary = replace(first, further=tuple(others))
    facts = provenance(command, _told(made[0]), made[0][1])
    if others:
        facts["subjects"] = {each[0].subject: {"councils": _told(each), "caseload": each[1]} for each in made[1:]}
    rejected = sum(each.rejects for each in summary.every)
    summary.manifest = folder.finish({"result": "rebill", "year": str(when), "complete": summary.complete, "rejected": rejected, **facts})
    return summary


@dataclass(frozen=True, slots=True)
class _How:
    """How a caseload is read and worked out."""

    threads: int
    keep_private: bool
    memory: str
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True)
class _Job:
    """One subject to bill: the councils' programs and kernels."""

    subject: Subject
    programs: dict[str, Program]
    kernels: dict[str, Kernel]

    @property
    def tables(self) -> set[str]:
        """The tables of a caseload that the rules of the subject read."""
        return {name for program in self.programs.values() for name in program.registers}

    @property
    def instead(self) -> set[str]:
        """The tables of other subjects' accounts to which rows may belong instead."""
        return {name for program in self.programs.values() for register in program.registers.values() for name in register.instead}

    @classmethod
    def of(cls, subject: Subject, councils: Sequence[Council], when: FinancialYear, charges: Sequence[Path], periods: bool) -> _Job:
        """Link and compile.  Raises UsageError for what is supposed only."""
        programs = {council.name: council.program(when, own=charges) for council in councils}
        if any(program.hypothetical for program in programs.values()):
            raise UsageError("RC047", "a scenario cannot be billed", hint="use what-if for suppositions")
        return cls(subject, programs, kernels_for(programs, periods=periods))


def _read_map(column_map: Path | None) -> ColumnMap:
    from rbcalc.caseload.column_map import ColumnMap

    return ColumnMap.read(column_map) if column_map is not None else ColumnMap()


def _chosen(councils: Sequence[Council], caseload: Any, column_map: ColumnMap, names: Sequence[str]) -> list[Subject]:
    """The subjects that were asked for, or those whose accounts the caseload holds; the first where it holds none."""
    subjects = councils[0].rules.subjects
    if names:
        asked = [subjects.named(name) for name in names]
        return sorted(asked, key=subjects.all.index)
    if len(subjects.all) < 2:
        return list(subjects.all)
    from rbcalc.caseload.files import holds

    return [subject for subject in subjects.all if holds(caseload, subject.accounts, column_map)] or [subjects.all[0]]


def _billed(
    job: _Job,
    when: FinancialYear,
    caseload: Any,
    column_map: ColumnMap,
    writer: _Writer,
    how: _How,
    rates: Mapping[str, Fraction],
    uprating: Uprating | None,
    rules: Rules,
) -> tuple[Summary, dict[str, Any]]:
    """Bill one subject; the summary, and what the manifest says of its caseload."""
    from rbcalc.caseload.files import holds
    from rbcalc.caseload.importing import stream

    programs, kernels = job.programs, job.kernels
    with (
        stream(
            caseload,
            dict(programs),
            column_map=column_map,
            council=next(iter(programs)) if len(programs) == 1 else "",
            threads=how.threads,
            keep_private=how.keep_private,
            memory_limit=how.memory,
            shard_roots=SHARD_ROOTS,
        ) as shards,
        ThreadPoolExecutor(1) as aside,
    ):
        digests = aside.submit(_digests, shards.files)
        # The content of a big caseload is known by its files alone, since to add up its rows would take too long.
        shards.hashed = not shards.files or shards.rows <= CONTENT_ROWS
        own = how.threads if shards.shards == 1 else 1
        described = next(iter(programs.values())).registers

        def worked_out(shard: Caseload) -> list[tuple[str, Part]]:
            facts = shard if uprating is None else uprating.rolled_forward(shard, described)
            return [(name, calculated(kernels[name], part, name, own)) for name, part in by_council(facts, list(programs))]

        for number, parts in enumerate(shards.through(worked_out, how.threads), 1):
            for name, part in parts:
                writer.add(name, part)
            if how.progress is not None:
                how.progress(number, shards.shards)
        writer.add_rejects(shards.rejects)
        totals = {name: {report.name: kernel.totals.table(report) for report in kernel.program.reports} for name, kernel in kernels.items()}
        assumptions = tuple(str(item) for item in shards.assumptions)
        if uprating is not None:
            assumptions += uprating.assumptions
        summary = Summary(when, tuple(programs), programs, totals, writer.accounts, writer.rejects, assumptions, tuple(shards.notes))
        summary.reasons = dict(writer.reasons)
        summary.absent = tuple(name for name, register in described.items() if register.optional and not holds(caseload, name, column_map))
        summary.subject, summary.title = job.subject.name, job.subject.title
        summary.bases = bases(summary, rates)
        summary.statements = stated(summary, rules)
        facts = {
            **({"digest": shards.content.digest} if shards.hashed and not shards.copied else {}),
            "files": digests.result(),
            "tables": {name: {"rows": c.rows, "used": c.used, "rejected": c.rejected} for name, c in shards.counts.items()},
        }
        writer.finish(summary)
    return summary, facts


def _told(made: tuple[Summary, dict[str, Any]]) -> dict[str, Any]:
    """What the manifest says of the councils."""
    summary, _ = made
    return {
        name: {"rules": p.digest, "provisional": list(p.provisional), "accounts": summary.accounts[name]}
        for name, p in summary.programs.items()
    }


def _digests(files: Mapping[str, Sequence[Path]]) -> dict[str, dict[str, str]]:
    """The SHA-256 of each file of each table."""
    found: dict[str, dict[str, str]] = {}
    for table, paths in files.items():
        for path in paths:
            with path.open("rb") as file:
                found.setdefault(table, {})[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


class _Writer:
    """Writes a subject's files council by council; `prefix` is the folder of the subject within theirs."""

    def __init__(self, folder: OutputFolder, year: FinancialYear, command: str, programs: Mapping[str, Program], prefix: str) -> None:
        self.folder, self.year, self.command, self.programs, self.prefix = folder, year, command, programs, prefix
        self.files: dict[str, ParquetFile] = {}
        self.accounts = dict.fromkeys(programs, 0)
        self.rejects = 0
        self.reasons: Counter[tuple[str, str, str, str]] = Counter()

    def _facts(self, council: str) -> dict[str, Any]:
        program = self.programs[council]
        return {
            "council": council,
            "year": str(self.year),
            "rules": program.digest,
            "provisional": list(program.provisional),
            "command": self.command,
        }

    def add(self, council: str, part: Part) -> None:
        """Write one council's share of a shard."""
        self.accounts[council] += part.accounts
        self.rejects += part.rejects.num_rows
        self._write(council, "bills", part.bills)
        for kind, table in part.details.items():
            self._write(council, kind, table)
        if part.rejects.num_rows:
            self._count(part.rejects)
            self._write(council, "rejects", part.rejects)

    def _count(self, rejects: Any) -> None:
        about = ["table", "column", "reason", "remedy"]
        for row in rejects.group_by(about).aggregate([([], "count_all")]).to_pylist():
            self.reasons[row["table"] or "", row["column"] or "", row["reason"] or "", row["remedy"] or ""] += row["count_all"]

    def _write(self, council: str, kind: str, table: Any) -> None:
        name = f"{council}/{self.prefix}{kind}.parquet" if council else f"{self.prefix}{kind}.parquet"
        if name not in self.files:
            facts = self._facts(council) if council else {"year": str(self.year), "command": self.command}
            self.files[name] = ParquetFile(self.folder, name, table.schema, facts)
        self.files[name].write(table)

    def add_rejects(self, rejects: Any) -> None:
        """Write the rows that the import refused: to their council's file, or to the run's where no council is known."""
        import pyarrow.compute as pc

        self.rejects += rejects.num_rows
        self._count(rejects)
        whose = pc.fill_null(rejects["council"], "")
        for council in whose.unique().to_pylist() if rejects.num_rows else []:
            self._write(council if council in self.programs else "", "rejects", rejects.filter(pc.equal(whose, council)))

    def finish(self, summary: Summary) -> None:
        """Totals, and the end of every file."""
        for council in summary.councils:
            for report in shown(self.programs[council]):
                self._totals(council, report, summary.table(report.name, council))
        for report in shown(self.programs[summary.councils[0]]):
            self._totals("", report, summary.table(report.name))
        for council, base in summary.bases.items():
            self._write(council, "totals/tax_base", arrow(base))
        for council, statements in summary.statements.items():
            self._write(council, "totals/statements", statements_table(statements))
        for file in self.files.values():
            file.close()

    def _totals(self, council: str, report: Report, table: Table) -> None:
        program = self.programs[council or next(iter(self.programs))]
        made = report_table(program, report, table)
        place_in = f"{council}/{self.prefix}totals" if council else f"{self.prefix}totals"
        name = f"{place_in}/{report.name}.parquet"
        facts = self._facts(council) if council else {"year": str(self.year), "command": self.command}
        self.files[name] = ParquetFile(self.folder, name, made.schema, facts)
        self.files[name].write(made)
