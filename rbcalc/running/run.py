"""A run: a caseload through the rules of its councils, to bills, totals and rejects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from rbcalc._years import FinancialYear, iso
from rbcalc.rulebook.both import records_of
from rbcalc.rulebook.rules import Council
from rbcalc.running.arrow import column
from rbcalc.running.tax_base import TaxBase, shown
from rbcalc.running.totals import Table, Totals, added, headings, kinds
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.layout import layout_of
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.language.types import DATE, Choice, Number
from rbcalc_kernels.program.graph import Program, Ref, Report

if TYPE_CHECKING:
    from rbcalc.caseload.model import Caseload
    from rbcalc.running.statements import Stated
    from rbcalc_kernels.compiled.cutting import CutDates
    from rbcalc_kernels.compiled.evaluator import Compiled, Results
    from rbcalc_kernels.compiled.spells import CutBatch, Rejected

REASONS = {
    "reversed": ("a record ends before it begins", "put its two dates right"),
    "outside_year": ("no day of the account lies in the year", "leave it out, or choose another year"),
    "gap": ("a day on which no record is in force", "let the records follow each other without a gap"),
    "overlap": ("a day on which two records are in force", "end the earlier record the day before the later one begins"),
    "missing": ("a fact that must be given was not", "fill the column"),
    "unknown": ("a rule needed an optional fact that was not given", "fill the column for this account"),
    "no_cell": ("a table of the rules has no figure for these facts", "check the area and the other facts against rbcalc show rates"),
    "no_figure": ("a figure of the rules is missing on a day in use", "check the dates"),
    "no_rows": ("the least or greatest of nothing", "check the facts of the account"),
    "no_source": ("a period has nothing to be worked out from", "check the dates of the account"),
    "division": ("a division by nothing", "check the facts of the account"),
    "not_whole": ("a count that is not whole", "check the facts of the account"),
    "refused": ("the rules refuse the account", "fill in the fact that the reason names"),
    "too_many": ("more records at a time than there can be", "look for records that were entered twice"),
    "circular": ("a value needs itself", "report the rules to their author"),
}


def said_of(program: Program, reason: str, register: str) -> tuple[str, str]:
    """Why a row of the root is rejected for its records, and what to do.

    Of what is claimed only one can hold at a time, but where rows stand beside each other; there each key has one record at a time.
    """
    words, remedy = REASONS[reason]
    found = program.registers.get(register)
    if reason == "overlap" and found is not None and found.key and program.entities[found.entity].gaps:
        one, table = found.key.replace("_", " "), layout_of(program).root_register.name
        if program.entities[found.entity].beside:
            remedy = f"end the earlier record of the {one} the day before the later one begins; somebody else's has a {one} of its own"
        else:
            remedy = f"end one {one} the day before the other begins; if both hold, give each a row of its own in {table}"
    return words, remedy


class Kernel:
    """One council's program made ready for a caseload."""

    def __init__(
        self,
        program: Program,
        *,
        periods: bool = False,
        like: Kernel | None = None,
        wanted: tuple[Sequence[Ref], Sequence[Report]] | None = None,
    ) -> None:
        """Compile what the bills and the reports need, or the values and reports that are `wanted`.

        `like` is a kernel whose machine code may serve.
        """
        from rbcalc_kernels.compiled.cutting import CutDates
        from rbcalc_kernels.compiled.evaluator import compile_program

        self.program = program
        self.layout = layout_of(program)
        self.root = program.root
        self.totals = Totals(program, None if wanted is None else wanted[1])
        self.types = self.totals.types
        self.bill = tuple(ref for ref in program.outputs if ref.entity == self.root) if wanted is None else tuple(wanted[0])
        self.details = self._details(periods) if wanted is None else {}
        needed = tuple(dict.fromkeys((*self.bill, *(ref for refs in self.details.values() for ref in refs), *self.totals.needed())))
        rules = {Ref(rule.entity, rule.name) for rule in program.rules}
        refs = tuple(ref for ref in needed if ref in rules)
        self.facts = tuple(ref for ref in needed if ref not in rules)
        shared = like is not None and like.compiled.outputs == refs
        self.compiled: Compiled = like.compiled.with_parameters(program) if like is not None and shared else compile_program(program, refs)
        same_cuts = like is not None and like.program.cuts == program.cuts
        self.cuts: CutDates = like.cuts.with_parameters(program) if like is not None and same_cuts else CutDates(program)

    def _details(self, periods: bool) -> dict[str, tuple[Ref, ...]]:
        """What is given for the rows below a bill, by entity: what was worked out in time always, periods of facts if asked."""
        found: dict[str, tuple[Ref, ...]] = {}
        for entity in self.program.entities.values():
            if entity.spell and entity.parent == self.root and (periods or entity.derived):
                refs = tuple(ref for ref in self.program.outputs if ref.entity == entity.name)
                if refs:
                    found[entity.name] = refs
        return found

    def cut(self, registers: Mapping[str, Any]) -> tuple[CutBatch, Rejected]:
        """The rows of some registers."""
        from rbcalc_kernels.compiled.spells import cut

        return cut(self.program, registers, self.cuts)

    def run(
        self, registers: Mapping[str, Any], threads: int, rows: tuple[CutBatch, Rejected] | None = None
    ) -> tuple[CutBatch, Rejected, Results]:
        """Cut and work out the accounts of some registers; `rows` are theirs where they were cut before."""
        cut, rejected = self.cut(registers) if rows is None else rows
        results = self.compiled.run(cut, threads, checked=True)
        return replace(cut, entities={**cut.entities, **results.entities}), rejected, results


@dataclass(slots=True)
class Part:
    """What one council's share of a shard came to."""

    bills: Any
    details: dict[str, Any]  # by the name of an entity's rows: periods, awards
    rejects: Any
    accounts: int


def calculated(kernel: Kernel, caseload: Caseload, council: str, threads: int) -> Part:
    """One council's accounts of a caseload, added to the kernel's totals."""
    registers = caseload.columns()
    batch, rejected, results = kernel.run(registers, threads)
    values = {**results.columns, **{ref: batch.entities[ref.entity].columns[ref.name] for ref in kernel.facts}}
    denominators = {**results.denominators, **{ref: kernel.program.inputs[ref].step.denominator for ref in kernel.facts}}
    fault, exact_faults = settle(kernel, registers, batch, results)
    good = fault == 0
    chosen: dict[str, Any] = {}
    if not good.all():
        chosen = {entity: np.flatnonzero(good_of(kernel, batch, entity, good)) for entity in {ref.entity for ref in values}}
    kernel.totals.add(values, denominators, chosen)
    references = caseload.references
    kept = batch.kept
    bills = _table(kernel, kernel.bill, values, denominators, chosen.get(kernel.root))
    names = references if len(kept) == len(references) else references.take(pa.array(kept))
    bills = bills.add_column(0, _key(kernel), names if good.all() else names.take(pa.array(np.flatnonzero(good))))
    details = {
        kernel.program.entities[entity].members or entity: _told_apart(
            _detail(kernel, entity, batch, values, denominators, chosen, names), kernel, entity, batch, caseload, chosen.get(entity)
        )
        for entity in kernel.details
    }
    rows = caseload.registers[caseload.root].rows
    rejects = _rejects(kernel, council, caseload.root, rows, batch, rejected, results, fault, exact_faults)
    return Part(bills, details, rejects, len(references))


def _key(kernel: Kernel) -> str:
    return next(register.key for register in kernel.program.registers.values() if register.entity == kernel.root)


def good_of(kernel: Kernel, batch: CutBatch, entity: str, good: Any) -> Any:
    """Whether the account of each row of an entity has a result; of a row that gathers accounts, whether they have."""
    if entity == kernel.program.gathering:
        offsets = batch.entities[kernel.root].offsets
        assert offsets is not None
        return good[offsets[:-1]]
    return good[roots_of(kernel, batch, entity)]


def roots_of(kernel: Kernel, batch: CutBatch, entity: str) -> Any:
    """The root row of each row of an entity."""
    places: Any = np.arange(batch.entities[entity].count)
    while entity != kernel.root:
        places = batch.entities[entity].parent[places]  # type: ignore[index]
        entity = str(kernel.program.entities[entity].parent)
    return places


def settle(kernel: Kernel, registers: Mapping[str, Any], batch: CutBatch, results: Results) -> tuple[Any, dict[int, CalculationFault]]:
    """Work out exactly the accounts that the kernel leaves in doubt or refuses, and put their figures in place.

    A kernel works out both sides of a choice, so it may refuse an account for a side that was not taken.  What is left are
    the places of faults by account, 0 for none, and the reasons of those that were told exactly.  Accounts that are gathered
    stand or fall together.
    """
    found: dict[int, CalculationFault] = {}
    fault = results.fault.copy()
    whose = batch.entities[kernel.root].parent
    tops = np.flatnonzero((results.doubt != 0) | (fault != 0))
    builder, evaluator = (Builder(kernel.program), Evaluator(kernel.program, results.columns)) if tops.size else (None, None)
    for top in tops:
        assert builder is not None and evaluator is not None
        accounts = np.array([top]) if whose is None else np.flatnonzero(whose == top)
        try:
            row = builder.build(records_of(kernel.program, registers, int(batch.kept[accounts[0]])))
            evaluator.run(row, None)
            fault[top] = 0
        except CalculationFault as reason:
            fault[top] = np.iinfo(fault.dtype).max
            found.update(dict.fromkeys(accounts.tolist(), reason))
            continue
        for ref, values in results.columns.items():
            if ref.entity == kernel.program.gathering:
                places = np.array([top])
            else:
                places = np.flatnonzero(np.isin(roots_of(kernel, batch, ref.entity), accounts))
            rows = [each for each in row.walk() if each.entity == ref.entity]
            type_ = kernel.types[ref]
            for place, each in zip(places, rows, strict=True):
                value = each.values[ref.name]
                if isinstance(type_, Choice):
                    values[place] = type_.code(str(value))
                elif isinstance(type_, Number):
                    values[place] = int(value * results.denominators.get(ref, 1))  # type: ignore[operator]
                else:
                    values[place] = int(value)  # type: ignore[arg-type]
    return (fault if whose is None else fault[whose]), found


def _table(kernel: Kernel, refs: Sequence[Ref], values: Mapping[Ref, Any], denominators: Mapping[Ref, int], rows: Any) -> Any:
    arrays = [column(values[ref] if rows is None else values[ref][rows], denominators.get(ref, 1), kernel.types[ref]) for ref in refs]
    return pa.Table.from_arrays(arrays, names=[ref.name for ref in refs])


def _detail(
    kernel: Kernel,
    entity: str,
    batch: CutBatch,
    values: Mapping[Ref, Any],
    denominators: Mapping[Ref, int],
    chosen: Mapping[str, Any],
    names: Any,
) -> Any:
    rows = chosen.get(entity)
    table = _table(kernel, kernel.details[entity], values, denominators, rows)
    roots = roots_of(kernel, batch, entity)
    days = batch.entities[entity].columns
    for place, name in enumerate(("first_day", "last_day")):
        found = days[name] if rows is None else days[name][rows]
        table = table.add_column(place, name, column(found, 1, DATE))
    return table.add_column(0, _key(kernel), names.take(pa.array(roots if rows is None else roots[rows])))


def _told_apart(table: Any, kernel: Kernel, entity: str, batch: CutBatch, caseload: Caseload, rows: Any) -> Any:
    """The rows of a detail with the key by which those that stand beside each other are told apart."""
    register = kernel.layout.told_apart_by(entity)
    if register is None:
        return table
    at: Any = np.arange(batch.entities[entity].count)
    while entity != register.entity:
        followed = next(name for name in batch.entities[entity].sources if kernel.program.entities[name].beside)
        at = np.where(at < 0, -1, batch.entities[entity].sources[followed][at]) if at.size else at
        entity = followed
    records = np.where(at < 0, -1, batch.records[register.name][at]) if at.size else at
    records = records if rows is None else records[rows]
    keys = caseload.registers[register.name].keys
    told = pa.nulls(len(records), pa.string()) if keys is None else keys.take(pa.array(records, pa.int32(), mask=records < 0))
    return table.add_column(1, register.key, told)


def _rejects(
    kernel: Kernel,
    council: str,
    table: str,
    numbers: Any,
    batch: CutBatch,
    rejected: Rejected,
    results: Results,
    fault: Any,
    exact: Mapping[int, CalculationFault],
) -> Any:
    from rbcalc.caseload.model import REJECTS

    rows: list[tuple[str, int, str, str, str, str]] = []
    for root, reason, register, day in zip(rejected.root, rejected.reasons, rejected.register, rejected.day, strict=True):
        words, remedy = said_of(kernel.program, str(reason), register)
        rows.append((table, int(numbers[root]), register, f"{words}: {register}, {iso(int(day))}", remedy, council))
    for root in np.flatnonzero(fault):
        place = int(fault[root])
        settled = exact.get(int(root))
        if settled is not None:
            words, remedy = REASONS[str(settled.reason)]
            about = f": {settled.message}"
        else:
            told = results.faults[place - 1]
            words, remedy = REASONS[str(told.reason)]
            about = f": {told.rule.name} {told.about}".rstrip()
        rows.append((table, int(numbers[batch.kept[root]]), "", words + about, remedy, council))
    columns = [[row[place] for row in rows] for place in range(len(REJECTS))]
    return pa.table([pa.array(values, found.type) for values, found in zip(columns, REJECTS, strict=True)], schema=REJECTS)


@dataclass(slots=True)
class Summary:
    """What a run came to: totals by council and report, and how many rows went in and out."""

    year: FinancialYear
    councils: tuple[str, ...]
    programs: dict[str, Program]
    totals: dict[str, dict[str, Table]]
    accounts: dict[str, int] = field(default_factory=dict)
    rejects: int = 0
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    manifest: Path | None = None
    bases: dict[str, TaxBase] = field(default_factory=dict)  # of the councils whose collection rate was declared
    statements: dict[str, tuple[Stated, ...]] = field(default_factory=dict)  # what each council makes of its totals
    subject: str = ""  # what was billed, by name
    title: str = ""
    further: tuple[Summary, ...] = ()  # of the other subjects billed in the same run
    absent: tuple[str, ...] = ()  # tables that a caseload may lack, and this one does
    reasons: dict[tuple[str, str, str, str], int] = field(default_factory=dict)  # rejected rows by table, column, reason and remedy

    @property
    def every(self) -> tuple[Summary, ...]:
        """This summary and those of the other subjects of the run."""
        return (self, *self.further)

    @property
    def complete(self) -> bool:
        """Whether no row of any subject was rejected."""
        return not any(each.rejects for each in self.every)

    def report(self, name: str) -> Report:
        """A report by name."""
        program = next(iter(self.programs.values()))
        return next(report for report in program.reports if report.name == name)

    def table(self, name: str, council: str | None = None) -> Table:
        """A report of one council, or the sum of all."""
        if council is not None:
            return self.totals[council][name]
        return added([tables[name] for tables in self.totals.values()])

    @property
    def provisional(self) -> dict[str, tuple[str, ...]]:
        """The figures not confirmed that results rest on, by council."""
        return {name: program.provisional for name, program in self.programs.items() if program.provisional}


def kernels_for(programs: Mapping[str, Program], *, periods: bool = False) -> dict[str, Kernel]:
    """A kernel for each council; machine code is shared where the rules are."""
    made: dict[str, Kernel] = {}
    first: Kernel | None = None
    for name, program in programs.items():
        made[name] = Kernel(program, periods=periods, like=first)
        first = first or made[name]
    return made


@dataclass(slots=True)
class Run:
    """A run held in memory: bills, periods, awards and rejects as Arrow tables, totals by report."""

    summary: Summary
    bills: Any
    details: dict[str, Any]
    rejects: Any
    caseload: Any = field(default=None, repr=False)  # what was worked out, for explaining and comparing
    councils: tuple[Council, ...] = field(default=(), repr=False)
    charges: tuple[Path, ...] = field(default=(), repr=False)  # of the officer's own

    @property
    def hypothetical(self) -> bool:
        """Whether a scenario was supposed."""
        return any(program.hypothetical for program in self.summary.programs.values())

    @property
    def totals(self) -> dict[str, Any]:
        """The reports of all councils together, as Arrow tables."""
        program = next(iter(self.summary.programs.values()))
        return {report.name: report_table(program, report, self.summary.table(report.name)) for report in shown(program)}

    @property
    def periods(self) -> Any:
        """The periods of each account; None where they were not asked for."""
        return self.details.get("periods")

    @property
    def awards(self) -> Any:
        """The awards of each account; None where the rules have none."""
        return self.details.get("awards")

    def of(self, council: str) -> dict[str, Any]:
        """The reports of one council, as Arrow tables."""
        program = self.summary.programs[council]
        return {report.name: report_table(program, report, self.summary.table(report.name, council)) for report in shown(program)}

    def __repr__(self) -> str:
        rejected = f", {self.summary.rejects:,} rejected" if self.summary.rejects else ""
        supposed = "hypothetical; " if self.hypothetical else ""
        return f"Run({supposed}{self.summary.year}: {', '.join(self.summary.councils)}; {self.bills.num_rows:,} bills{rejected})"


def calculate(
    councils: Sequence[Council],
    year: str | FinancialYear,
    caseload: Any,
    *,
    charges: Sequence[Path] = (),
    column_map: Path | None = None,
    threads: int = 2,
    periods: bool = True,
) -> Run:
    """Work out a caseload in memory: a folder, Arrow tables, frames, or a Caseload that was imported before."""
    from rbcalc.caseload.importing import import_caseload
    from rbcalc.caseload.model import Caseload

    when = FinancialYear.of(year)
    programs = {council.name: council.program(when, own=charges) for council in councils}
    kernels = kernels_for(programs, periods=periods)
    only = councils[0].name if len(councils) == 1 else ""
    held = (
        caseload
        if isinstance(caseload, Caseload)
        else import_caseload(caseload, programs, column_map=column_map, council=only, threads=threads)
    )
    parts = {name: calculated(kernels[name], own, name, threads) for name, own in by_council(held, list(programs))}
    rejects = pa.concat_tables([held.rejects, *(part.rejects for part in parts.values())])
    summary = Summary(
        when,
        tuple(programs),
        programs,
        {name: {report.name: kernel.totals.table(report) for report in kernel.program.reports} for name, kernel in kernels.items()},
        {name: parts[name].accounts if name in parts else 0 for name in programs},
        rejects.num_rows,
        tuple(str(item) for item in held.assumptions),
        tuple(held.notes),
    )
    kinds_there = dict.fromkeys(kind for part in parts.values() for kind in part.details)
    stamp = {"year": str(when), "hypothetical": "yes" if any(program.hypothetical for program in programs.values()) else "no"}
    details = {
        kind: _joined({name: part.details[kind] for name, part in parts.items() if kind in part.details}, stamp) for kind in kinds_there
    }
    bills = _joined({name: part.bills for name, part in parts.items()}, stamp)
    return Run(summary, bills, details, rejects, held, tuple(councils), tuple(charges))


def _joined(tables: Mapping[str, Any], stamp: Mapping[str, str]) -> Any:
    """One kind of table of all councils, each row with its council; the stamp stands in the metadata of its schema."""
    named = [table.add_column(0, "council", pa.array([name] * table.num_rows, pa.string())) for name, table in tables.items()]
    return pa.concat_tables(named, promote_options="permissive").replace_schema_metadata(stamp) if named else None


def report_table(program: Program, report: Report, table: Table) -> Any:
    """A report as an Arrow table."""
    names, types = headings(program, report), kinds(program, report)
    rows = [[*keys, *figures] for keys, figures in sorted(table.items())]
    arrays = []
    for place, type_ in enumerate(types):
        values = [row[place] for row in rows]
        if type_ is None:
            arrays.append(pa.array([str(value) for value in values], pa.string()))
            continue
        scale = 100 if isinstance(type_, Number) and type_.is_money else 1
        # Amounts of single days may be finer than a penny; their sum is shown to the penny, half up.
        whole = np.array([floor(value * scale + Fraction(1, 2)) for value in values], dtype=np.int64)  # type: ignore[operator]
        arrays.append(column(whole, scale, type_))
    return pa.Table.from_arrays(arrays, names=names)


def by_council(shard: Caseload, names: Sequence[str]) -> Iterator[tuple[str, Caseload]]:
    """The councils of a shard with their parts; a shard of one council is used as it is."""
    there = np.unique(shard.council)
    for place in there:
        name = shard.councils[int(place)]
        if name in names:
            yield name, shard if len(there) == 1 else shard.of(name)
