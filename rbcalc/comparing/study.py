"""A caseload on which sets of rules are tried: what each comes to for every account, beside what the baseline comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rbcalc._years import FinancialYear
from rbcalc.caseload.choosing import chosen
from rbcalc.comparing.lacking import alike, facts_asked_for
from rbcalc.errors import UsageError
from rbcalc.rulebook.rules import Council
from rbcalc.running.run import Kernel, by_council, good_of, settle
from rbcalc.running.tax_base import is_part
from rbcalc.running.totals import Table
from rbcalc_kernels.exact.faults import Reason
from rbcalc_kernels.language.types import NOT_RECORDED, YES_NO, Choice
from rbcalc_kernels.program.figures import cut_alike
from rbcalc_kernels.program.graph import Impact, Input, Parameter, Program, Ref, Report
from rbcalc_kernels.program.graph import Table as Figures

if TYPE_CHECKING:
    from rbcalc.caseload.model import Caseload
    from rbcalc.running.roll_forward import Uprating
    from rbcalc_kernels.compiled.spells import CutBatch, Rejected
    from rbcalc_kernels.program.library import RuleSource

BASELINE = "baseline"

MOST_KERNELS = 8
"""So many kernels are kept at hand, for options that differ from theirs in figures alone."""


@dataclass(frozen=True, slots=True)
class Option:
    """One set of rules that is tried.

    `name` is short and unique, `title` is for people.  `scenarios` are laid over the rules in this order; `changes` are their
    single changes in words, by council, and `says` is how the option came about, where it was sought.
    """

    name: str
    title: str
    scenarios: tuple[Path | RuleSource, ...] = ()
    hypothetical: bool = False
    changes: tuple[str, ...] = ()
    says: str = ""
    year: FinancialYear | None = None  # where it is another than the study's


@dataclass(slots=True)
class Outcome:
    """What an option comes to for one council.

    `amount` is in pence for the year and `days` says for how many days it is, one for each account of the study; an account with no
    days is not known to the council.  `rejected` are accounts without a result.  `totals` are the reports that the study keeps.
    """

    option: Option
    council: str
    program: Program
    amount: npt.NDArray[np.int64]
    days: npt.NDArray[np.int64]
    rejected: npt.NDArray[np.bool_]
    totals: dict[str, Table] = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """By what accounts fall into groups, from the baseline's facts.

    `codes` gives each account's place in `members`; -1 where there is no row, or the fact is not recorded.
    """

    ref: Ref
    title: str
    members: tuple[str, ...]
    codes: npt.NDArray[np.int16]


class Study:
    """Councils, a year and a caseload, with a baseline and any number of options."""

    def __init__(
        self,
        councils: Sequence[Council],
        year: str | FinancialYear,
        caseload: Any,
        *,
        baseline: Option | None = None,
        impact: str = "",
        charges: Sequence[Path] = (),
        column_map: Path | None = None,
        uprating: Uprating | None = None,
        threads: int = 2,
        options: Sequence[Option] = (),
    ) -> None:
        """Read the caseload, and work out the baseline.

        `impact` names what is compared, where rules declare several; without it the first.
        With `uprating` the facts are rolled forward first.
        `options` are those that will be tried, so that facts which only their rules ask for are read too.
        Raises UsageError, DataError and RulesError.
        """
        from rbcalc.caseload.importing import import_caseload
        from rbcalc.caseload.model import Caseload

        self.year = FinancialYear.of(year)
        self.threads = threads
        self._councils = {council.name: council for council in councils}
        self._charges = tuple(charges)
        self.councils = tuple(self._councils)
        self.titles = {name: council.title for name, council in self._councils.items()}
        base = baseline or Option(BASELINE, "No change")
        programs = self.programs(base)
        others = [self.program(option, name) for option in options for name in self._councils]
        self._registers = {name: register for program in (*others, *programs.values()) for name, register in program.registers.items()}
        self._unsettled: dict[str, int] = {}
        self.impact = _impact(next(iter(programs.values())), impact)
        self._kernels: list[tuple[tuple[object, ...], Kernel]] = []
        self._code: dict[str, Any] = {}
        self._cut: dict[tuple[str, bool], tuple[Program, tuple[CutBatch, Rejected]]] = {}
        with ThreadPoolExecutor(1) as ahead:
            if threads > 1:
                ahead.submit(self._prepare, programs)
            only = councils[0].name if len(councils) == 1 else ""
            read = (
                caseload
                if isinstance(caseload, Caseload)
                else import_caseload(caseload, self._reading(programs, others), column_map=column_map, council=only, threads=threads)
            )
        held = read if uprating is None else uprating.rolled_forward(read, next(iter(programs.values())).registers)
        self.parts: dict[str, Caseload] = dict(by_council(held, list(programs)))
        for name in self.councils:
            if name not in self.parts:
                raise UsageError("RC042", f"the caseload has no account of {name}", hint="leave the council out, or give its caseload")
        self.accounts: dict[str, Any] = {name: part.references for name, part in self.parts.items()}
        self._read = read
        self.rejects = read.rejects.num_rows
        self.assumptions: tuple[str, ...] = tuple(str(each) for each in read.assumptions)
        if uprating is not None:
            self.assumptions += uprating.assumptions
        self.notes: tuple[str, ...] = tuple(read.notes)
        self.options: list[Option] = []
        self.outcomes: dict[str, dict[str, Outcome]] = {}
        self.groups: dict[str, dict[str, Group]] = {}
        self.warnings: dict[str, tuple[str, ...]] = {}
        self._touched: dict[str, tuple[npt.NDArray[np.bool_], Caseload]] = {}
        self._add(base, programs)

    @property
    def digest(self) -> str:
        """The digest of what was read."""
        return self._read.digest

    @property
    def baseline(self) -> Option:
        """What options are compared with."""
        return self.options[0]

    def __repr__(self) -> str:
        names = ", ".join(option.name for option in self.options)
        return f"Study({self.year}: {', '.join(self.councils)}; {sum(map(len, self.accounts.values())):,} accounts; {names})"

    def add(self, option: Option) -> dict[str, Outcome]:
        """Work out an option for every council.  Raises UsageError where its name is taken, and RulesError."""
        if option.name in self.outcomes:
            raise UsageError("RC060", f"two options are called {option.name}", hint="give the scenarios different titles")
        found = self._add(option, self.programs(option))
        same = [other.title for other in self.options[1:-1] if alike(found, self.outcomes[other.name])]
        unchanged = alike(found, self.outcomes[self.baseline.name])
        self.warnings[option.name] = (
            *(["No account of this caseload changes under it."] if unchanged else []),
            *(f"Every account comes to the same as under {title}." for title in same),
            *self.lacking(option, every=unchanged),
        )
        return found

    def lacking(self, option: Option, *, every: bool = False) -> tuple[str, ...]:
        """The optional facts that an option rests on and no row of the caseload gives, in words; `every`: those that some rows give too."""
        programs = self.programs(option)
        base = {name: outcome.program for name, outcome in self.outcomes[self.baseline.name].items()}
        amounts = {name: _impact(program, self.impact.name).amount for name, program in programs.items()}
        facts = facts_asked_for(base, programs, self.parts, amounts)
        return tuple(fact.told for fact in facts if every or not fact.given)

    def tried(self, option: Option, most: int | None = None) -> dict[str, Outcome]:
        """What an option comes to, without keeping it among the options of the study.

        Raises UnsettledError where more accounts than `most` of a council are in doubt or without a result.
        """
        return {name: self.outcome(option, name, program, most) for name, program in self.programs(option).items()}

    def program(self, option: Option, council: str) -> Program:
        """The rules of a council under an option."""
        return self._councils[council].program(option.year or self.year, option.scenarios, self._charges)

    def known(self, option: Option, council: str, program: Program) -> None:
        """Let a program stand for the rules of a council under an option, where they are known without linking."""
        self._councils[council].known(program, option.year or self.year, option.scenarios, self._charges)

    def kernel(self, program: Program, values: Sequence[Ref], reports: Sequence[Report] = ()) -> Kernel:
        """A kernel for some values and reports; what was made for earlier ones serves as far as it can."""
        figures: list[Parameter | Figures] = [*program.parameters.values(), *program.tables.values()]
        wanted = (*values, *(report.name for report in reports), *((each.name, each.also) for each in figures if each.also))
        like = next((each for key, each in self._kernels if key == wanted and each.program.rules == program.rules), None)
        if like is None and self._kernels:
            like = self._kernels[0][1]  # days may be cut alike
        made = Kernel(program, like=like, wanted=(values, reports))
        for variant in made.compiled.variants:
            variant.kernels = self._code  # a function is opened once, whichever rules it came from
        self._kernels = [(wanted, made), *self._kernels[: MOST_KERNELS - 1]]
        return made

    def touched(self, council: str) -> tuple[npt.NDArray[np.bool_], Caseload]:
        """The accounts of a council that other rules of what is compared can touch, as a mask and as a part of the caseload.

        Those are the accounts with records of an entity that has gaps.  Where others have anything under any option, or the caseload
        holds what no rules know, that is all of them.
        """
        part = self.parts[council]
        if council not in self._touched:
            held = _with_records(part, self.outcomes[self.baseline.name][council].program)
            some = not held.all() and part.registers.keys() <= self._registers.keys()
            self._touched[council] = held, chosen(part, self._registers, {part.root: held}) if some else part
        held, some_of_it = self._touched[council]
        if some_of_it is part or any(_beyond(outcomes[council], held) for outcomes in self.outcomes.values()):
            return np.ones(len(part.references), np.bool_), part
        return held, some_of_it

    def amounts(self, option: Option, most: int | None = None) -> dict[str, Outcome]:
        """What an option comes to for the accounts that it can touch, without reports; the others are as they were in the baseline.

        Raises UnsettledError as `tried` does.
        """
        found: dict[str, Outcome] = {}
        for council in sorted(self.councils, key=lambda name: -self._unsettled[name]):  # where it is likelier to fail comes first
            base, program = self.outcomes[self.baseline.name][council], self.program(option, council)
            held, part = self.touched(council)
            inner = self._outcome(option, council, program, part, most)[0]
            amount, days, rejected = np.zeros_like(base.amount), np.zeros_like(base.days), base.rejected.copy()
            amount[held], days[held], rejected[held] = inner.amount, inner.days, inner.rejected
            found[council] = Outcome(option, council, program, amount, days, rejected)
        return {council: found[council] for council in self.councils}

    def programs(self, option: Option) -> dict[str, Program]:
        """The rules of all councils under an option."""
        return {name: self.program(option, name) for name in self._councils}

    def _prepare(self, programs: Mapping[str, Program]) -> None:
        """Make the kernels of the baseline while the caseload is read; what is wrong with rules is told by whoever asks for them."""
        for program in programs.values():
            impact = _impact(program, self.impact.name)
            self.kernel(program, *_wanted(program, impact, impact.by))

    def _reading(self, programs: Mapping[str, Program], others: Sequence[Program]) -> dict[str, Program]:
        """The programs with the facts that others ask for besides."""
        inputs: dict[Ref, Input] = {}
        for program in others:
            inputs.update(program.inputs)
        return {
            name: program
            if inputs.keys() <= program.inputs.keys()
            else replace(program, inputs={**inputs, **program.inputs}, registers={**self._registers, **program.registers})
            for name, program in programs.items()
        }

    def _add(self, option: Option, programs: Mapping[str, Program]) -> dict[str, Outcome]:
        self.outcomes[option.name] = self._outcomes(option, programs)
        self.options.append(option)
        return self.outcomes[option.name]

    def _outcomes(self, option: Option, programs: Mapping[str, Program]) -> dict[str, Outcome]:
        return {name: self.outcome(option, name, program) for name, program in programs.items()}

    def outcome(self, option: Option, council: str, program: Program, most: int | None = None) -> Outcome:
        """What an option comes to for one council, whose rules under it are `program`."""
        part, first = self.parts[council], council not in self.groups
        groups = _impact(program, self.impact.name).by if first or self._ruled_alike(council, program) else ()
        outcome, kernel, worked = self._outcome(option, council, program, part, most, groups)
        if first:
            if worked.outside.size:
                told = f"{self.titles[council]}: {worked.outside.size:,} accounts have no day in {self.year} and count for nothing"
                self.assumptions += (told,)
            self.groups[council] = {ref.name: _group(kernel, ref, worked, len(part.references)) for ref in groups}
            self._unsettled[council] = worked.unsettled
        outcome.totals = {report.name: kernel.totals.table(report) for report in kernel.totals.reports}
        return outcome

    def _ruled_alike(self, council: str, program: Program) -> bool:
        """Whether a program differs from the baseline's in figures alone, so that one kernel can serve both."""
        base = self.outcomes[self.baseline.name][council].program
        return base.rules == program.rules and base.inputs == program.inputs

    def _rows(self, kernel: Kernel, council: str, part: Caseload) -> tuple[CutBatch, Rejected]:
        """The rows of a council's accounts, or of some of them; what was cut for other rules serves where they divide days alike."""
        key = (council, part is self.parts[council])
        if key not in self._cut:
            self._cut[key] = kernel.program, kernel.cut(part.columns())
        program, rows = self._cut[key]
        return rows if cut_alike(program, kernel.program) else kernel.cut(part.columns())

    def _outcome(
        self, option: Option, council: str, program: Program, part: Caseload, most: int | None, groups: Sequence[Ref] = ()
    ) -> tuple[Outcome, Kernel, Worked]:
        """The same for some accounts, without totals; with the kernel and all that was worked out."""
        impact = _impact(program, self.impact.name)
        kernel = self.kernel(program, *_wanted(program, impact, groups))
        worked = worked_out(kernel, part, self.threads, most, self._rows(kernel, council, part))
        amount, days = (worked.column(ref, len(part.references)) for ref in (impact.amount, impact.days))
        scale = worked.denominators.get(impact.amount, 1)
        pence = amount if scale == 100 else amount * 100 // scale
        return Outcome(option, council, program, pence, days, worked.rejected(len(part.references))), kernel, worked


@dataclass(slots=True)
class Worked:
    """Values that were worked out for one council's caseload, before they are put in the order of its accounts."""

    values: dict[Ref, Any]
    denominators: dict[Ref, int]
    batch: Any
    good: npt.NDArray[np.bool_]  # of the rows that were worked out
    outside: npt.NDArray[Any]  # accounts with no day in the year: they have nothing, and nothing is wrong with them
    unsettled: int  # accounts that the kernel left in doubt or without a result

    def column(self, ref: Ref, count: int) -> npt.NDArray[np.int64]:
        """A value of the root for each account, 0 where there is no result."""
        found = np.zeros(count, np.int64)
        found[self.batch.kept[self.good]] = self.values[ref][self.good]
        return found

    def rejected(self, count: int) -> npt.NDArray[np.bool_]:
        """The accounts without a result."""
        found = np.ones(count, np.bool_)
        found[self.batch.kept[self.good]] = False
        found[self.outside] = False
        return found


class UnsettledError(Exception):
    """More accounts are left in doubt, or without a result, than was allowed; `doubtful` where few of them are without a result."""

    def __init__(self, *, doubtful: bool) -> None:
        super().__init__("too many accounts are left in doubt" if doubtful else "too many accounts have no result")
        self.doubtful = doubtful


def worked_out(
    kernel: Kernel, part: Caseload, threads: int, most: int | None = None, rows: tuple[CutBatch, Rejected] | None = None
) -> Worked:
    """Work out a council's caseload and add it to the kernel's totals; accounts in doubt are settled exactly.

    `rows` are those of its accounts where they were cut before.  Raises UnsettledError where accounts in doubt, and those without a
    result, are more than `most`.
    """
    registers = part.columns()
    batch, refused, results = kernel.run(registers, threads, rows)
    unsettled = int(np.count_nonzero((results.doubt != 0) | (results.fault != 0)))
    if most is not None and unsettled > most:
        raise UnsettledError(doubtful=int(np.count_nonzero(results.fault)) <= most)
    fault, _ = settle(kernel, registers, batch, results)
    values = {**results.columns, **{ref: batch.entities[ref.entity].columns[ref.name] for ref in kernel.facts}}
    denominators = {**results.denominators, **{ref: kernel.program.inputs[ref].step.denominator for ref in kernel.facts}}
    good = fault == 0
    chosen: dict[str, Any] = {}
    if not good.all():
        chosen = {entity: np.flatnonzero(good_of(kernel, batch, entity, good)) for entity in {ref.entity for ref in values}}
    kernel.totals.add(values, denominators, chosen)
    outside = refused.root[np.array([reason == Reason.OUTSIDE_YEAR for reason in refused.reasons], np.bool_)]
    return Worked(values, denominators, batch, good, outside, unsettled)


def _with_records(part: Caseload, program: Program) -> npt.NDArray[np.bool_]:
    """The accounts with records of an entity that has gaps; all, where no entity has gaps."""
    found = np.full(len(part.references), not any(entity.gaps for entity in program.entities.values()))
    for name, register in program.registers.items():
        owner = part.registers[name].owner if program.entities[register.entity].gaps and name in part.registers else None
        if owner is not None and part.above[name] == part.root:
            found[owner] = True
    return found


def _beyond(outcome: Outcome, held: npt.NDArray[np.bool_]) -> bool:
    """Whether other accounts have anything too."""
    return bool(((outcome.days != 0) | (outcome.amount != 0))[~held].any())


def _wanted(program: Program, impact: Impact, groups: Sequence[Ref]) -> tuple[tuple[Ref, ...], list[Report]]:
    """The values and reports that are worked out for a comparison."""
    return (impact.amount, impact.days, *groups), [report for report in program.reports if report.name == impact.split or is_part(report)]


def _impact(program: Program, name: str) -> Impact:
    found = [impact for impact in program.impacts if name in ("", impact.name)]
    if found:
        return found[0]
    known = ", ".join(impact.name for impact in program.impacts)
    if not program.impacts:
        raise UsageError("RC060", "the rules do not say what is compared", hint="declare it under impacts: in a rule file")
    raise UsageError("RC060", f"no such comparison: {name}", hint=f"one of {known}")


def _group(kernel: Kernel, ref: Ref, worked: Worked, count: int) -> Group:
    """The groups of one value: of the root, or of the last row of a spell entity below it."""
    program = kernel.program
    type_ = program.inputs[ref].type if ref in program.inputs else program.rule(ref.entity, ref.name).type
    title = program.inputs[ref].title if ref in program.inputs else program.rule(ref.entity, ref.name).title
    members = type_.members if isinstance(type_, Choice) else ("no", "yes")
    assert isinstance(type_, Choice) or type_ == YES_NO
    values = np.asarray(worked.values[ref], dtype=np.int16)
    if NOT_RECORDED in members:
        # Such accounts are told as those of whom a fact was not given.
        place = members.index(NOT_RECORDED)
        members = members[:place] + members[place + 1 :]
        values = np.where(values == place, np.int16(-1), values - (values > place)).astype(np.int16)
    if ref in program.inputs and program.inputs[ref].optional:
        known = worked.batch.entities[ref.entity].columns.get(f"{ref.name}?")
        if known is not None:
            values = np.where(known != 0, values, np.int16(-1)).astype(np.int16)
    if ref.entity != kernel.root:
        offsets = worked.batch.entities[ref.entity].offsets
        some = np.diff(offsets) > 0
        last = np.where(some, offsets[1:] - 1, 0)
        values = np.where(some, values[last] if values.size else np.int16(-1), np.int16(-1)).astype(np.int16)
    codes = np.full(count, -1, np.int16)
    codes[worked.batch.kept[worked.good]] = values[worked.good]
    return Group(ref, title or ref.name.replace("_", " "), members, codes)


def references(study: Study, council: str) -> list[str]:
    """The accounts of a council, as text."""
    return [str(each) for each in pa.array(study.accounts[council]).to_pylist()]


def reports_of(study: Study) -> list[Report]:
    """The reports whose totals the study keeps."""
    program = study.outcomes[study.baseline.name][study.councils[0]].program
    return [report for report in program.reports if report.name == study.impact.split or is_part(report)]
