"""One account as a person would work it on paper: the facts, each step in words with its source, the totals.

Everything said comes from the rules: titles, `because` lines, sources and the working itself.  What is told is what the
results rest on; `Explanation.values` holds every value of every row all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rbcalc._explain_words import Words, Written, conjuncts, exact, nothing, plain, refs_of, rounded, summed_up, walk
from rbcalc._show import amount
from rbcalc._years import FinancialYear, shown
from rbcalc.errors import DataError, UsageError
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.layout import layout_of
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.exact.trace import Entry, Step, Trace
from rbcalc_kernels.language.types import Number
from rbcalc_kernels.program.graph import Case, Node, Op, Program, Ref, Source, Value
from rbcalc_kernels.source import suggest

_ADOPTED = re.compile(r"^adopted:[ \t]*([^\s#{][^#\n]*?)[ \t]*$", re.MULTILINE)
Place = tuple[Ref, int]
"""A value: its name and the identity of its row."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that was recorded."""

    name: str
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the working.

    `working` is the arithmetic with its figures, `exact` the figure before rounding and `rounding` how it was rounded (both
    empty where nothing was rounded away), `parts` what a figure of a table is made of, `set_aside` the lines of the rule
    that came near and why they do not apply.
    """

    name: str
    title: str
    words: str
    working: str = ""
    exact: str = ""
    rounding: str = ""
    because: str = ""
    source: str = ""
    provisional: bool = False
    parts: tuple[tuple[str, str], ...] = ()
    set_aside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A row: its facts, its lines and the rows below it that matter."""

    entity: str
    title: str
    days: str
    facts: tuple[Fact, ...]
    lines: tuple[Line, ...]
    members: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An account worked out: `account` holds the totals and, as members, its periods.

    `provisional` gives the titles of the figures it rests on that are not confirmed, `adopted` what the rule files say about
    their adoption, `values` every value of every row.
    """

    reference: str
    council: str
    year: str
    account: Section
    provisional: tuple[str, ...]
    adopted: tuple[str, ...]
    hypothetical: bool
    digest: str
    values: tuple[dict[str, Any], ...]
    program: Program
    root: Row
    trace: Trace

    def working(self, name: str) -> list[Step]:
        """The trees of steps behind a value, one for each row that has it.  Raises UsageError for an unknown name."""
        found = [rule for rule in self.program.rules if rule.name == name and not rule.hidden]
        if not found:
            known = [rule.name for rule in self.program.rules if not rule.hidden]
            raise UsageError("RC046", f"no rule is called {name}{suggest(name, known)}", hint="rbcalc show graph lists what reads what")
        refs = {Ref(rule.entity, rule.name) for rule in found}
        return [self.trace.working(Ref(row.entity, name), row) for row in self.root.walk() if Ref(row.entity, name) in refs]


def explain_records(
    program: Program, records: Mapping[str, list[dict[str, Value | None]]], *, council: str = "", reference: str = ""
) -> Explanation:
    """Work out one root's records and explain the result.  Raises DataError when they cannot be worked out."""
    evaluator, trace = Evaluator(program, None), Trace()
    try:
        root = build(program, records)
        evaluator.run(root, trace)
    except CalculationFault as fault:
        raise DataError(
            "RC046", f"the account cannot be worked out: {_told(fault)}", reference, "correct the records, or record what is missing"
        ) from fault
    key = layout_of(program).root_register
    named = reference or str(records[key.name][0].get(key.key) or "")
    return _Teller(program, evaluator, trace, root).told(council or program.name, named)


def explain_example(example: Any, council: str = "") -> Explanation:
    """A case of a case file, explained."""
    return explain_records(example.program, example.records, council=council, reference=example.name)


def explain(run: Any, account: str, *, caseload: Any = None) -> Explanation:
    """An account of a run, explained.

    `caseload` is what the run was made from (a folder, tables, or an imported caseload); a run that kept its caseload needs
    none.  Raises UsageError when the account is not there, DataError when it cannot be worked out.
    """
    held = caseload if caseload is not None else getattr(run, "caseload", None)
    if held is None:
        raise UsageError("RC048", "the run did not keep its caseload", hint="give it again: explain(run, account=..., caseload=...)")
    return explain_account(held, run.summary.programs, account)


def explain_account(
    source: Any, programs: Mapping[str, Program], account: str, *, titles: Mapping[str, str] | None = None, column_map: Any = None
) -> Explanation:
    """An account of a caseload (a folder, tables, or an imported one), explained.  Raises UsageError when it is not there."""
    from rbcalc.caseload.importing import import_caseload
    from rbcalc.caseload.model import Caseload

    only = next(iter(programs)) if len(programs) == 1 else ""
    caseload = source if isinstance(source, Caseload) else import_caseload(source, programs, column_map=column_map, council=only)
    council, records = account_records(caseload, programs, account)
    return explain_records(programs[council], records, council=(titles or {}).get(council, council), reference=account)


def account_records(caseload: Any, programs: Mapping[str, Program], account: str) -> tuple[str, dict[str, list[dict[str, Value | None]]]]:
    """The council of an account of a caseload and its records.  Raises UsageError when the caseload does not have it."""
    import pyarrow.compute as pc

    from rbcalc._both import records_of

    at = pc.index(caseload.references, account).as_py()
    if at < 0:
        hint = "references are compared as text, leading zeros included"
        if not caseload.complete:
            hint = f"{sum(count.rejected for count in caseload.counts.values()):,} rows were rejected, and it may be among them; {hint}"
        raise UsageError("RC048", f"no account {account} in the caseload", hint=hint)
    council = caseload.councils[int(caseload.council[at])]
    own = caseload.of(council)
    records = records_of(programs[council], own.columns(), pc.index(own.references, account).as_py())
    return council, records


class _Teller:
    """Chooses what to tell of one account, and tells it."""

    def __init__(self, program: Program, evaluator: Evaluator, trace: Trace, root: Row) -> None:
        self.program, self.trace, self.root = program, trace, root
        self.words = Words(program, evaluator)
        self.results = set(self._results())
        self.summed = {
            ref.name
            for rule in program.rules
            if rule.entity == root.entity and not nothing(root.values.get(rule.name))
            for ref in summed_up(rule.body)
        }
        self.relevant: dict[Place, Entry] = {}
        self._follow((Ref(root.entity, name), root) for name in self.results)

    def told(self, council: str, reference: str) -> Explanation:
        """The whole account."""
        year = FinancialYear.containing(self.program.first_day)
        section = self._section(self.root, 0)
        values = tuple(self._values(row) for row in self.root.walk())
        provisional = tuple(self._provisional())
        adopted = tuple(dict.fromkeys(found for text in self.program.sources.values() for found in _ADOPTED.findall(text)))
        return Explanation(
            reference,
            council,
            str(year),
            section,
            provisional,
            adopted,
            self.program.hypothetical,
            self.program.digest,
            values,
            self.program,
            self.root,
            self.trace,
        )

    # ------------------------------------------------------------------------------------------------- what to tell
    def _results(self) -> Iterator[str]:
        """The values of the root that it is worked out for: totals, what is made of totals alone, and what nothing reads."""
        own = [rule for rule in self.program.rules if rule.entity == self.root.entity and not rule.hidden]
        read = {ref for rule in self.program.rules for ref in refs_of(rule.body)}
        totals = {rule.name for rule in own if any(node.op is Op.AGGREGATE for node in walk(rule.body))}
        for rule in own:
            refs = {ref.name for ref in refs_of(rule.body)}
            value = self.root.values.get(rule.name)
            last = Ref(rule.entity, rule.name) not in read
            if (
                refs
                and refs <= totals
                and not rule.cases
                or (rule.name in totals or last or Ref(rule.entity, rule.name) in self.program.outputs)
                and not nothing(value)
            ):
                yield rule.name

    def _follow(self, start: Iterable[tuple[Ref, Row]]) -> None:
        waiting = list(start)
        while waiting:
            ref, row = waiting.pop()
            entry = self.trace.entry(ref, row)
            if entry is None or (ref, id(row)) in self.relevant:
                continue
            self.relevant[ref, id(row)] = entry
            if row is self.root and nothing(entry.value) and ref.name not in self.results:
                continue  # a total of nought is not taken apart
            asked = self._asked(entry)
            waiting += [
                (read.name, read.row)
                for read in entry.reads
                if isinstance(read.name, Ref) and read.row is not None and not read.known and (asked is None or read.name in asked)
            ]

    def _asked(self, entry: Entry) -> set[Ref] | None:
        """What the line that applied reads; None for all that the rule reads."""
        if entry.case is None:
            return None
        case = entry.rule.cases[entry.case]
        given = set(refs_of(case.give))
        if case.when is not None:
            return given | set(refs_of(case.when))
        return given or {ref for other in entry.rule.cases if other.when is not None for ref in refs_of(other.when)}

    # ----------------------------------------------------------------------------------------------------- sections
    def _section(self, row: Row, number: int) -> Section:
        entity = self.program.entities[row.entity]
        days = ""
        title = entity.title or row.entity.replace("_", " ")
        if entity.spell:
            first, last, count = (row.values[name] for name in ("first_day", "last_day", "days"))
            assert isinstance(first, int) and isinstance(last, int)
            days = f"{shown(first)} to {shown(last)}, {amount(count, Number('days'))}"
        members = [self._section(child, place) for rows in row.children.values() for place, child in enumerate(rows, 1)]
        kept = tuple(member for member in members if member.days or member.facts or member.lines or member.members)
        return Section(row.entity, f"{title} {number}" if number else title, days, tuple(self._facts(row)), tuple(self._lines(row)), kept)

    def _facts(self, row: Row) -> Iterator[Fact]:
        for ref, found in self.program.inputs.items():
            if ref.entity == row.entity and not found.built_in and row.values.get(ref.name) is not None:
                yield Fact(ref.name, found.title or ref.name, amount(row.values[ref.name], found.type))

    def _lines(self, row: Row) -> list[Line]:
        """The lines of a row.  A line that only passes on what another line says takes that line's words."""
        lines: dict[str, Line] = {}
        for rule in self.program.rules:
            entry = self.relevant.get((Ref(rule.entity, rule.name), id(row)))
            if entry is None or rule.hidden or row.entity != rule.entity:
                continue
            written = self.words.written(self._stated(entry), row)
            line = self._line(entry, written)
            if rule.name not in self.results or row is not self.root:
                if self._trivial(entry, written):
                    continue
                target = written.leaf
                if target is not None and not line.because and target[1] is row and target[0].name in lines.keys() - self.summed:
                    taken = lines.pop(target[0].name)
                    line = Line(
                        line.name,
                        line.title,
                        line.words,
                        taken.working,
                        taken.exact,
                        taken.rounding,
                        taken.because,
                        line.source,
                        taken.provisional,
                        taken.parts,
                    )
            if row is self.root and line.working:  # a trial that became the result is told once
                lines = {
                    name: other
                    for name, other in lines.items()
                    if name in self.results or (other.working, other.words) != (line.working, line.words)
                }
            lines[rule.name] = line
        return list(lines.values())

    @staticmethod
    def _stated(entry: Entry) -> Node:
        """The expression that gave the value, without its rounding."""
        node = entry.rule.body if entry.case is None else entry.rule.cases[entry.case].give
        return node.args[0] if node.op is Op.ROUND and entry.rule.rounding is not None else node

    def _trivial(self, entry: Entry, written: Written) -> bool:
        """Whether a line says nothing that a reader needs: nought, or a fact once more, and no reason for it."""
        if entry.case is not None:
            case = entry.rule.cases[entry.case]
            unasked = case.when is None or all(node.op in (Op.NOT, Op.KNOWN) for node in walk(case.when))
            return unasked and case.give.op is Op.CONST and nothing(entry.value) and not self._near(entry)
        if nothing(entry.value):
            return entry.row is self.root or entry.rule.body.op is Op.IF or entry.rule.name not in self.summed
        return written.leaf is not None and written.leaf[0] in self.program.inputs

    def _line(self, entry: Entry, written: Written) -> Line:
        rule = entry.rule
        case = rule.cases[entry.case] if entry.case is not None else None
        words = amount(entry.value, rule.type)
        changed = rule.rounding is not None and entry.before != entry.value
        source = (case.source if case is not None else None) or rule.source
        return Line(
            rule.name,
            rule.title,
            words,
            written.text if written.worked else "",
            amount(entry.before, rule.type) if changed else "",
            rounded(rule.rounding) if changed and rule.rounding is not None else "",
            self.words.because(case.because, entry.row) if case is not None and case.because else "",
            source.text if source is not None else "",
            self._uncertain(entry, source),
            self._parts(entry),
            tuple(self._near(entry)),
        )

    def _uncertain(self, entry: Entry, source: Source | None) -> bool:
        if source is not None and source.status == "provisional":
            return True
        return any(read.dated is not None and read.dated.source.status == "provisional" for read in entry.reads)

    def _near(self, entry: Entry) -> list[str]:
        """The reasons of lines before the one that applied which came near: all but the last of their conditions hold."""
        found = []
        for case in entry.rule.cases[: entry.case or 0]:
            if case.when is None or not case.because or not self._came_near(case, entry.row):
                continue
            found.append(self.words.because(case.because, entry.row))
        return found

    def _came_near(self, case: Case, row: Row) -> bool:
        assert case.when is not None
        known = other = False
        for part in conjuncts(case.when):
            if not self.words.value(part, row):
                over = part.op is Op.NOT and part.args[0].op is Op.REACHED
                return known and part.op is not Op.KNOWN and (other or over)
            known |= part.op is Op.KNOWN
            other |= part.op is not Op.KNOWN
        return False

    def _parts(self, entry: Entry) -> tuple[tuple[str, str], ...]:
        """What a figure read from a table is made of, where another table divides it by one list more."""
        for read in entry.reads:
            if isinstance(read.name, Ref) or not read.keys or read.value != entry.value:
                continue
            table = self.program.tables[read.name]
            for other in self.program.tables.values():
                if other.type != table.type or other.bands is not None or other.axes[1:] != table.axes or len(other.axes) < 2:
                    continue
                cells = other.by_period[entry.row.period].rows
                keys = tuple(str(key) for key in read.keys)
                parts = [(member, cells[member, *keys][1][0]) for member in other.axes[0].members if (member, *keys) in cells]
                if len(parts) > 1 and sum(Fraction(value) for _, value in parts if not isinstance(value, str)) == entry.value:
                    return tuple((member.replace("_", " ").capitalize(), amount(value, other.type)) for member, value in parts)
        return ()

    # ----------------------------------------------------------------------------------------------------- the rest
    def _provisional(self) -> list[str]:
        """The titles of figures in use that are not confirmed; those behind tables worked out beforehand count for all."""
        direct = {
            str(node.value)
            for rule in self.program.rules
            for node in walk(rule.body)
            if node.op in (Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP)
        }
        used = {str(read.name) for entry in self.relevant.values() for read in entry.reads if not isinstance(read.name, Ref)}
        titles = []
        for name in self.program.provisional:
            figure = self.program.parameters.get(name) or self.program.tables.get(name)
            if figure is not None and (name in used or name not in direct):
                titles.append(figure.title or name)
        return titles

    def _values(self, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = {"entity": row.entity, "facts": {}, "values": {}}
        for ref, found in self.program.inputs.items():
            if ref.entity == row.entity:
                made["facts"][ref.name] = plain(row.values.get(ref.name), found.type)
        for rule in self.program.rules:
            entry = self.trace.entry(Ref(rule.entity, rule.name), row)
            if rule.hidden or entry is None:
                continue
            line = self._line(entry, self.words.written(self._stated(entry), row))
            made["values"][rule.name] = {
                **plain(entry.value, rule.type),
                "title": rule.title,
                "before_rounding": exact(entry.before) if rule.rounding is not None else None,
                "working": line.working,
                "because": line.because,
                "line": None if entry.case is None else entry.case + 1,
                "source": line.source,
                "provisional": line.provisional,
            }
        return made


def _told(fault: CalculationFault) -> str:
    days = f" on {shown(fault.first_day)}" if fault.first_day is not None and not fault.table else ""
    return f"{fault}{days}"


__all__ = ["Explanation", "Fact", "Line", "Section", "account_records", "explain", "explain_account", "explain_example", "explain_records"]
