"""From rule files to one checked program for a council and a year."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.language.documents import RuleFile
from rbcalc_kernels.language.types import DATE, Number, Type
from rbcalc_kernels.program.beginning import begins
from rbcalc_kernels.program.bodies import Bodies, Body, folded
from rbcalc_kernels.program.declaring import declared_names
from rbcalc_kernels.program.digest import digest_of
from rbcalc_kernels.program.expressions import Scope, Stop, Typer
from rbcalc_kernels.program.graph import Cells, Dated, Node, Op, Parameter, Period, Program, Ref, Rule, Source, Table, Value
from rbcalc_kernels.program.library import Library, RuleSource, remembered_as
from rbcalc_kernels.program.lowering import Lowering
from rbcalc_kernels.program.meaning import Meanings
from rbcalc_kernels.program.merging import merged
from rbcalc_kernels.program.names import YEAR_PARAMETERS, Names
from rbcalc_kernels.program.ordering import ordered
from rbcalc_kernels.program.overlays import Declarations, Declared, Entry, changes, conflicts, gather, holds, in_force
from rbcalc_kernels.program.reconciling import reconciliation_of
from rbcalc_kernels.program.reports import comparisons_of, differences_of, impacts_of, reports_of
from rbcalc_kernels.program.stating import statements_of
from rbcalc_kernels.program.supposing import carried_day, carry, left_out, meant, put_up, supposed, uprate
from rbcalc_kernels.program.tables import Contents, Rows, incomplete, rounded, worked_out, written
from rbcalc_kernels.program.unused import shared, unused
from rbcalc_kernels.program.values import constant, rounding_of, source_of, step_of
from rbcalc_kernels.source import Findings, RulesError


@dataclass(slots=True)
class Linked:
    """A program and the warnings that came with it."""

    program: Program
    findings: Findings


def link(
    library: Library,
    paths: Iterable[Path],
    first_day: int,
    last_day: int,
    *,
    name: str = "",
    complete: bool = True,
    more: Sequence[RuleSource] = (),
) -> Linked:
    """The program of the files at `paths` for the days of a year (both included, days since 1970).

    `complete` is false for a check of statute alone, which has no council to give its local lists.  `more` are
    documents made in memory, such as a dial turned at the command line.  Raises RulesError with every finding of the run.
    """
    findings = Findings()
    paths = list(paths)
    more = meant(more, name)
    opened = [source for source in (library.open(path, findings) for path in paths) if source is not None]
    others = {source.file for source in opened} - {source.file for source in meant(opened, name)}
    paths = [path for path in paths if library.shown(path) not in others]
    carried_from = carried_day([*meant(opened, name), *more], findings)

    year_start = first_day
    first_day = begins(library.closure(paths, findings, more, lambda file: holds(file, year_start, last_day)), first_day, findings)

    def in_use(file: RuleFile) -> bool:
        return holds(file, first_day, last_day) or (carried_from is not None and holds(file, carried_from, carried_from))

    sources = left_out(library, library.closure(paths, findings, more, in_use), findings)
    linker = Linker(library, sources, first_day, last_day, name, findings, complete, carried_from, year_start)
    try:
        program = linker.program()
    except Stop:
        program = None
    findings.raise_if_errors(library.texts(findings))
    assert program is not None
    return Linked(program, findings)


class Linker:
    """One linking, step by step; each step leaves its findings and goes on as far as it can."""

    def __init__(
        self,
        library: Library,
        sources: Sequence[RuleSource],
        first_day: int,
        last_day: int,
        name: str,
        findings: Findings,
        complete: bool,
        carried_from: int | None = None,
        year_start: int | None = None,
    ) -> None:
        self.carried_from = carried_from
        self.year_start = first_day if year_start is None else year_start
        self.library, self.sources, self.name, self.findings, self.complete = library, sources, name, findings, complete
        self.first_day, self.last_day = first_day, last_day
        self.supposed = any(isinstance(source.content, RuleFile) and source.content.kind == "scenario" for source in sources)

    def program(self) -> Program:
        """The whole of it.  Raises Stop where later steps would only repeat earlier findings."""
        found = gather(self.sources, self.findings, self.first_day, self.last_day, self.carried_from)
        if self.carried_from is not None:
            carry(found, self.carried_from, self.first_day, self.last_day)
        uprate(found, self.sources, self.first_day, self.findings)
        for declared in (*found.parameters.values(), *found.tables.values(), *found.rules.values()):
            conflicts(declared, self.findings)
        names, registers = declared_names(found, self.first_day, self.last_day, self.findings, complete=self.complete)
        stated = self._stated(found, names)
        meanings = Meanings(names, remembered_as(self.library.remembered, "meanings"))
        typer = Bodies(names, self.findings, meanings, self.library.remembered)
        typed = {ref: typer.body(found.rules[(ref.entity, ref.name)], pieces) for ref, pieces in stated.items()}
        bodies = {ref: body for ref, body in typed.items() if body is not None}
        tables = self._table_bodies(found, names)
        self._check_timelines(found, names)
        reports = reports_of(found, names, self.findings)
        comparisons = comparisons_of(found, names, self.findings)
        impacts = impacts_of(found, names, reports, self.findings)
        reconciliation = reconciliation_of(found, names, registers, self.findings)
        differences = differences_of(found, names, self.findings)
        statements = statements_of(found, reports, names, self.findings)
        if self.findings:
            raise Stop
        rules = [self._rule(ref, names, found.rules[(ref.entity, ref.name)], body) for ref, body in bodies.items()]
        lowering = Lowering(names, self.findings, self.library.remembered)
        rules = lowering.lowered(rules)
        cuts = lowering.cuts(rules)
        rules = ordered(rules, names.entities, self.findings)
        used = _used(rules, tables, cuts) | {report.split for report in reports} - {""}
        used |= {name for c in comparisons for name in (c.table, c.less, c.base)}
        periods = self._periods(found, used)
        parameters = self._parameters(found, names, used, periods)
        made = self._tables(found, names, meanings, used, tables, parameters, periods)
        made |= lowering.companions(made)
        if not self.findings:
            periods, parameters, made = merged(periods, parameters, made)
        _fixed_in_the_year(rules, names, parameters, made, self.findings)
        unused(found, names, rules, tables, cuts, (reports, comparisons, impacts), shared(found, self.sources, self.library), self.findings)
        if self.findings:
            raise Stop
        texts = {source.file: source.text for source in self.sources}
        return Program(
            self.name,
            self.first_day,
            self.last_day,
            dict(names.entities),
            dict(names.inputs),
            tuple(rules),
            parameters,
            made,
            periods,
            tuple(cuts),
            dict(names.lists),
            registers,
            _provisional(parameters, made, rules, self.first_day, self.last_day, found, self.sources),
            texts,
            digest_of(texts, self.first_day, self.last_day),
            tuple(ref for ref in names.rules if found.rules.get((ref.entity, ref.name)) and found.rules[(ref.entity, ref.name)].doc.output),
            reports,
            comparisons,
            impacts,
            self.supposed,
            supposed(found, parameters, made, self.first_day, self.last_day),
            reconciliation,
            differences,
            statements,
        )

    # ---------------------------------------------------------------- rules
    def _pieces(self, declared: Declared) -> list[tuple[int, Entry]]:
        """The statements of a rule in force in the year, each with the day from which it holds."""
        days = sorted({self.first_day, *changes(declared.entries, self.first_day, self.last_day)})
        pieces: list[tuple[int, Entry]] = []
        for day in days:
            entry = in_force(declared.entries, day)
            if entry is not None and (not pieces or pieces[-1][1] is not entry):
                pieces.append((day, entry))
        return pieces

    def _stated(self, found: Declarations, names: Names) -> dict[Ref, list[tuple[int, Entry]]]:
        """The statements of each rule; those with none in force this year are forgotten: whoever reads one is told so."""
        stated: dict[Ref, list[tuple[int, Entry]]] = {}
        for ref in list(names.rules):
            declared = found.rules[(ref.entity, ref.name)]
            pieces = self._pieces(declared) if declared.dropped is None else []
            if pieces:
                stated[ref] = pieces
            else:
                del names.rules[ref]
        return stated

    def _rule(self, ref: Ref, names: Names, declared: Declared, body: Body) -> Rule:
        now = in_force(declared.entries, self.last_day)
        title = str((now and now.rule and getattr(now.rule, "title", None)) or declared.doc.title or ref.name.replace("_", " "))
        return body.as_rule(ref, names.rules[ref].type, title, declared.span)

    def _table_bodies(self, found: Declarations, names: Names) -> dict[str, Node]:
        bodies: dict[str, Node] = {}
        for name, shape in names.tables.items():
            doc = found.tables[name].doc
            if doc.is_ is None:
                continue
            keys = dict(zip(shape.keys, shape.axes, strict=True))
            try:
                node = Typer(names, doc.is_, self.findings).typed(Scope(None, keys), shape.type)
            except Stop:
                continue
            rounding = rounding_of(doc.round, shape.type, self.findings) if doc.round is not None else None
            bodies[name] = rounded(folded(node), rounding)
        return bodies

    def _check_timelines(self, found: Declarations, names: Names) -> None:
        for name, declared in found.entities.items():
            for timeline in declared.doc.timelines or [] if name in names.entities else []:
                ref = Ref(str(timeline.of), str(timeline.effective or ""))
                if timeline.effective is not None and (ref not in names.rules or names.rules[ref].type != DATE):
                    message = f"'{timeline.effective}' is not a rule of {timeline.of} that gives a date"
                    self.findings.error(
                        "RB086", message, timeline.effective.span, help=f"name a rule with of: {timeline.of} and unit: date"
                    )

    # ---------------------------------------------------------------- figures
    def _periods(self, found: Declarations, used: set[str]) -> tuple[Period, ...]:
        days = {self.first_day}
        for name in used:
            declared = found.parameters.get(name) or found.tables.get(name)
            if declared is not None:
                days |= changes(declared.entries, self.first_day, self.last_day)
        starts = sorted(days)
        ends = [day - 1 for day in starts[1:]] + [self.last_day]
        return tuple(Period(first, last) for first, last in zip(starts, ends, strict=True))

    def _parameters(self, found: Declarations, names: Names, used: set[str], periods: tuple[Period, ...]) -> dict[str, Parameter]:
        made: dict[str, Parameter] = {}
        days = Fraction(self.last_day - self.year_start + 1)
        year: dict[str, Value] = {"year_start": self.year_start, "year_end": self.last_day, "days_in_year": days}
        note = Source("the financial year")
        for name, type_ in YEAR_PARAMETERS.items():
            history = (Dated(self.first_day, year[name], note),)
            made[name] = Parameter(name, type_, history, (year[name],) * len(periods), Fraction(1), name.replace("_", " "))
        for name, declared in found.parameters.items():
            type_ = names.parameters[name][0]
            stated = self._history(declared, type_, names)
            if name not in used:
                continue
            by_period: list[Value] = []
            for period in periods:
                entry = in_force(declared.entries, period.first_day)
                value = next((value for own, value in stated if own is entry), None)
                if value is None:
                    if entry is not None or not self.complete and declared.doc.local:
                        break
                    help_ = (
                        "a council's file sets it: set: {...: {value: ..., from: ...}}"
                        if declared.doc.local
                        else "add a value from an earlier day"
                    )
                    self.findings.error("RB063", f"'{name}' has no value on {_shown(period.first_day)}", declared.span, help=help_)
                    break
                by_period.append(value)
            if len(by_period) < len(periods):
                continue
            step = self._step(declared, type_, names, [v for _, v in stated])
            dated = self._timeline(declared, stated)
            made[name] = Parameter(name, type_, dated, tuple(by_period), step, str(declared.doc.title or name), declared.span)
        return made

    def _timeline(self, declared: Declared, history: Sequence[tuple[Entry, Value]]) -> tuple[Dated, ...]:
        """The figures in the order of the days from which they hold, overlays applied."""
        values = {id(entry): value for entry, value in history}
        days = sorted(
            {entry.first for entry in declared.entries} | {entry.last + 1 for entry in declared.entries if entry.last < 2**31 - 1}
        )
        dated: list[Dated] = []
        for day in days:
            entry = in_force(declared.entries, day)
            if entry is None or id(entry) not in values:
                continue
            dated.append(Dated(day, values[id(entry)], entry.source or Source("not stated")))
        return tuple(dated)

    def _history(self, declared: Declared, type_: Type, names: Names) -> list[tuple[Entry, Value]]:
        history: list[tuple[Entry, Value]] = []
        for entry in declared.entries:
            if entry.value is None:
                self.findings.error("RB071", f"'{declared.name}' is one figure", entry.span, help="give value:")
                continue
            value = constant(entry.value, type_, names, self.findings)
            if value is None:
                continue
            if entry.source is None:
                self.findings.error("RB081", f"'{declared.name}' has no source", entry.span, help="add source: to the value or to the file")
            history.append((entry, put_up(value, type_, entry.uplift, self.findings)))
        return history

    def _step(self, declared: Declared, type_: Type, names: Names, values: Iterable[Value]) -> Fraction:
        """The declared step; else a penny or one, or for rates a whole per cent made finer as far as the values need.

        A scenario may suppose finer figures than were declared.
        """
        written_step = step_of(declared.doc.step, type_, names, self.findings, Fraction(1, 100)) or Fraction(1)
        if not isinstance(type_, Number):
            return Fraction(1)
        for value in values:
            assert isinstance(value, Fraction | int)
            if value.numerator * written_step.denominator % (value.denominator * written_step.numerator) == 0:
                continue
            ratio = Fraction(value) / written_step
            if declared.doc.step is not None and not self.supposed:
                message = f"a value of '{declared.name}' is no multiple of its step"
                self.findings.error("RB059", message, declared.doc.step.span, help="make the step smaller, or correct the value")
                return written_step
            written_step /= ratio.denominator
        return written_step

    def _tables(
        self,
        found: Declarations,
        names: Names,
        meanings: Meanings,
        used: set[str],
        bodies: dict[str, Node],
        parameters: dict[str, Parameter],
        periods: tuple[Period, ...],
    ) -> dict[str, Table]:
        made: dict[str, Table] = {}
        memory = self.library.remembered
        readers = {
            name: Rows(shape, names, self.findings, meanings.of((name,)), memory)
            for name, shape in names.tables.items()
            if not shape.worked_out
        }
        for name, rows in readers.items():
            declared, shape = found.tables[name], names.tables[name]
            for entry in declared.entries:
                if entry.rows is None:
                    self.findings.error("RB071", f"'{name}' is a table", entry.span, help="give rows:")
                rows.of(entry)
                if entry.source is None:
                    self.findings.error("RB081", f"'{name}' has no source", entry.span, help="add source: to the table or to the file")
            if name not in used:
                continue
            by_period = tuple(written(declared, rows, period.first_day) for period in periods)
            if not shape.sparse and self.complete and not self.findings:
                for period, cells in zip(periods, by_period, strict=True):
                    lacking = incomplete(shape, cells)
                    if lacking:
                        message = f"'{name}' has no row for {lacking} on {_shown(period.first_day)}"
                        self.findings.error("RB063", message, declared.span, help="add the row, or mark the table sparse: yes")
                        break
            values = [value for cells in by_period for _, row in cells.rows.values() for value in row if not isinstance(value, str | bool)]
            made[name] = self._table(name, declared, names, by_period, self._step(declared, shape.type, names, values))
        for name in self._in_order(bodies):
            if self.findings or name not in used:
                continue
            shape = names.tables[name]
            try:
                by_period = tuple(worked_out(shape, bodies[name], Contents(parameters, made, place)) for place in range(len(periods)))
            except (CalculationFault, ArithmeticError) as fault:
                span = bodies[name].span or found.tables[name].span
                self.findings.error(
                    "RB043", f"'{name}' cannot be worked out: {fault}", span, help="keep divisors above nothing and counts whole"
                )
                continue
            values = [value for cells in by_period for _, row in cells.rows.values() for value in row if not isinstance(value, str | bool)]
            table = self._table(name, found.tables[name], names, by_period, self._step(found.tables[name], shape.type, names, values))
            read = {str(node.value) for node in bodies[name].reading if node.op in (Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP, Op.KNOWN)}
            rests_on = frozenset(read.union(*(made[other].rests_on for other in read if other in made)))
            made[name] = replace(table, rests_on=rests_on)
        return made

    def _table(self, name: str, declared: Declared, names: Names, by_period: tuple[Cells, ...], step: Fraction) -> Table:
        shape = names.tables[name]
        entry = in_force(declared.entries, self.first_day)
        source = entry.source if entry is not None else source_of(declared.file, (declared.doc.source, declared.doc.status))[0]
        return Table(name, shape.type, shape.axes, shape.bands, by_period, step, str(declared.doc.title or name), source, declared.span)

    def _in_order(self, bodies: dict[str, Node]) -> list[str]:
        """Worked-out tables, each after those that it reads."""
        done: list[str] = []
        pending = dict(bodies)
        while pending:
            ready = [
                name
                for name, node in pending.items()
                if not any(each.op in (Op.LOOKUP, Op.KNOWN) and each.value in pending for each in node.reading)
            ]
            if not ready:
                names = ", ".join(pending)
                span = next(iter(pending.values())).span
                assert span is not None
                help_ = "one of them must be worked out without the others"
                self.findings.error("RB084", f"tables read each other in a circle: {names}", span, help=help_)
                return done
            done += ready
            for name in ready:
                del pending[name]
        return done


def _shown(day: int) -> str:
    from datetime import date

    return (date(1970, 1, 1).fromordinal(day + date(1970, 1, 1).toordinal())).isoformat()


def _used(rules: Sequence[Rule], tables: dict[str, Node], cuts: Sequence[tuple[str, Node]]) -> set[str]:
    """Parameters and tables that rules read, straight or through worked-out tables."""
    found: set[str] = set()
    pending = [rule.body for rule in rules] + [node for _, node in cuts]
    while pending:
        for node in pending.pop().reading:
            if node.op in (Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP) or (node.op is Op.KNOWN and isinstance(node.value, str)):
                name = str(node.value).removesuffix(Lowering.COMPANION)
                if name not in found:
                    found.add(name)
                    if name in tables:
                        pending.append(tables[name])
    return found


def _fixed_in_the_year(
    rules: Sequence[Rule], names: Names, parameters: dict[str, Parameter], tables: dict[str, Table], findings: Findings
) -> None:
    """A row that is not cut in time may read only what stays the same all year."""
    for rule in rules:
        if names.spell_of(rule.entity) is not None:
            continue
        for node in rule.body.reading:
            changing = False
            if node.op is Op.PARAMETER and str(node.value) in parameters:
                changing = len(set(parameters[str(node.value)].by_period)) > 1
            elif node.op is Op.LOOKUP and str(node.value) in tables:
                changing = any(cells != tables[str(node.value)].by_period[0] for cells in tables[str(node.value)].by_period)
            if changing and node.span is not None:
                findings.error(
                    "RB053",
                    f"'{node.value}' changes during the year, but {rule.entity} is not cut in time",
                    node.span,
                    help=f"write {node.value} as at year_start, or ask for it in a spell",
                )


def _provisional(
    parameters: dict[str, Parameter],
    tables: dict[str, Table],
    rules: Sequence[Rule],
    first_day: int,
    last_day: int,
    found: Declarations,
    sources: Sequence[RuleSource],
) -> tuple[str, ...]:
    """The names whose figures in use are not confirmed."""
    names: set[str] = set()
    for declared in (*found.parameters.values(), *found.tables.values()):
        name = str(declared.name)
        if name not in parameters and name not in tables:
            continue
        for entry in declared.entries:
            unsure = entry.source is not None and entry.source.status == "provisional"
            if unsure and entry.first <= last_day and entry.last >= first_day and _says(declared, entry, max(entry.first, first_day)):
                names.add(name)
    names.update(rule.name for rule in rules if not rule.hidden and rule.source is not None and rule.source.status == "provisional")
    return tuple(sorted(names))


def _says(declared: Declared, entry: Entry, day: int) -> bool:
    """Whether a statement gives anything that is in force on the day, or is laid over wholly by others."""
    if entry.rows is None or next(iter(declared.doc.over)) in ("from", "up_to"):
        return in_force(declared.entries, day) is entry
    return any(in_force([e for e in declared.entries if e.rows is not None and member in e.rows], day) is entry for member in entry.rows)


def check(library: Library, paths: Iterable[Path], first_day: int, last_day: int, *, name: str = "", complete: bool = True) -> Findings:
    """The findings of linking, as values."""
    try:
        return link(library, paths, first_day, last_day, name=name, complete=complete).findings
    except RulesError as error:
        return Findings(error.diagnostics)
