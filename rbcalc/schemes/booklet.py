"""A scheme as the booklet that a council publishes: whom it is for, what the council decided, what holds besides, and each step.

All text comes from the rules: their titles, `because` lines, sources and figures, and a booklet file under
`england/booklets`, whose rules say which results the booklet is about and what the scheme takes as given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from rbcalc._show import amount
from rbcalc._years import FinancialYear, shown
from rbcalc.errors import UsageError
from rbcalc.explaining.words import conjuncts, rounded
from rbcalc.rulebook.rules import Council, Rules, file_days
from rbcalc.schemes.booklet_scope import Line, Scope, Step, scopes
from rbcalc.schemes.booklet_tables import Row, Sheet, rows_of, sheet
from rbcalc.schemes.booklet_words import Terms, member
from rbcalc.schemes.rate_card import Papers
from rbcalc.schemes.sign_off import adoption
from rbcalc_kernels.language.documents import ParameterDoc, RuleDoc, RuleFile, SetDoc, TableDoc, Text
from rbcalc_kernels.language.types import RATE, YES_NO, Number
from rbcalc_kernels.program.graph import Node, Op, Parameter, Program, Ref, Rule, Source, Table
from rbcalc_kernels.program.values import day_of, source_of
from rbcalc_kernels.source import Findings, suggest

OWN: Final = "Decided by the council"
SILENT: Final = "Left as the rules behind the scheme have it; the council could decide otherwise"
LAW: Final = "Set by law"
GROUPS: Final = (OWN, SILENT, LAW)
_COUNCILS: Final = ("council", "precept", "scenario")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its value in words from a day on, where it was set, and whether it may still change."""

    name: str
    title: str
    words: str
    since: str
    source: str
    provisional: bool


@dataclass(frozen=True, slots=True)
class Laid:
    """A table, or those rows of it that one side set."""

    name: str
    title: str
    since: str
    sheet: Sheet
    grid: bool  # over ranges of amounts
    sources: tuple[str, ...]
    provisional: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The figures and tables that one side decides, those that decide most first."""

    title: str
    grids: tuple[Laid, ...]
    figures: tuple[Figure, ...]
    tables: tuple[Laid, ...]

    @property
    def entries(self) -> tuple[Figure | Laid, ...]:
        """All of them."""
        return (*self.grids, *self.figures, *self.tables)

    @property
    def laid(self) -> tuple[Laid, ...]:
        """All tables."""
        return (*self.grids, *self.tables)


@dataclass(frozen=True, slots=True)
class Told:
    """A line of a step in words: when it applies (empty for whatever is left), what it gives, and why."""

    when: str
    give: str
    because: str
    source: str


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the calculation in words.  `own` says that the council wrote it, `reason` why."""

    title: str
    of: str
    own: bool
    reason: str
    rounded: str
    note: str
    source: str
    provisional: bool
    lines: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """Steps that one rule file holds, in order of calculation."""

    title: str
    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What the booklet says about one result."""

    title: str
    about: str
    chapters: tuple[Chapter, ...]
    given: tuple[str, ...]
    continues: bool = False  # steps that an earlier part told are left out


@dataclass(frozen=True, slots=True)
class Booklet:
    """A scheme, ready for a template."""

    title: str
    council: str
    year: str
    adopted: tuple[str, ...]
    hypothetical: bool
    provisional: tuple[str, ...]
    whom: tuple[Rung, ...]
    groups: tuple[Group, ...]
    parts: tuple[Part, ...]
    undecided: tuple[str, ...]
    sources: tuple[str, ...]
    rules: str = field(default="")


def booklet_file(rules: Rules, name: str | None = None) -> Path:
    """The booklet file of that name; without one, the first by name.  Raises UsageError."""
    found = {path.stem: path for path in sorted((rules.root / "england" / "booklets").glob("*.yaml"))}
    if name is None and found:
        return next(iter(found.values()))
    if name not in found:
        which = f"no booklet is called {name}{suggest(name, list(found))}" if name else "which booklet?"
        raise UsageError("RC046", which, hint=f"the rules have these booklets: {', '.join(found) or 'none'}")
    return found[name]


class Maker:
    """Makes the booklet of one council and year."""

    def __init__(self, council: Council, year: FinancialYear, path: Path, own: Sequence[Path] = ()) -> None:
        """Follow the booklet file at `path`.  Raises UsageError where the council has no such scheme."""
        self.council, self.year, self.path = council, year, path
        if not own and year not in council.years():
            council.program(year)  # says which years there are
        self.program: Program = council.program(year, own=[*own, path])
        self.papers = Papers(council.rules, self.program)
        self.terms = Terms(self.program)
        shown_as = council.rules.library.shown(path)
        stated = [rule for rule in self.program.rules if not rule.hidden and rule.span is not None and rule.span.file == shown_as]
        stated.sort(key=lambda rule: rule.span.line if rule.span is not None else 0)
        self.scopes: list[Scope] = list(scopes(self.program, stated))
        for scope in self.scopes:
            for step in scope.steps:
                if all(line.refused and line.when is None for line in step.lines):
                    raise UsageError(
                        "RC045",
                        f"{council.title} has no such scheme in {year}: {step.lines[0].refused}",
                        hint="choose another year with --year",
                    )

    @property
    def title(self) -> str:
        """What the booklet is about, as its file says."""
        document = self.council.rules.document_at(self.path)
        return str(document.title) if isinstance(document, RuleFile) else self.path.stem

    @property
    def adopted(self) -> tuple[str, ...]:
        """What the council's files say about their adoption."""
        return tuple(adoption(self.papers))

    def made(self) -> Booklet:
        """The booklet."""
        groups = tuple(group for title in GROUPS if (group := self.group(title)).figures or group.laid)
        parts = tuple(self._parts())
        provisional = dict.fromkeys(found.title for group in groups for found in group.entries if found.provisional)
        provisional |= dict.fromkeys(
            rung.title for part in parts for chapter in part.chapters for rung in chapter.rungs if rung.provisional
        )
        sources = [source for group in groups[:1] for source in self._sources_of(group)]
        rungs = [rung for part in parts for chapter in part.chapters for rung in chapter.rungs]
        return Booklet(
            self.title,
            self.council.title,
            str(self.year),
            self.adopted,
            self.program.hypothetical,
            tuple(provisional),
            tuple(dict.fromkeys(self.rung(step) for scope in self.scopes for step in scope.whom)),
            groups,
            parts,
            tuple(self.undecided()),
            tuple(dict.fromkeys([*sources, *(rung.source for rung in rungs if rung.source), *self._law(groups[1:])])),
            self.program.digest,
        )

    @staticmethod
    def _sources_of(group: Group) -> Iterator[str]:
        for figure in group.figures:
            yield figure.source
        for table in group.laid:
            yield from table.sources

    def _law(self, groups: Sequence[Group]) -> list[str]:
        return [source for group in groups for source in self._sources_of(group)]

    # ------------------------------------------------------------------------------------------------------- figures
    @cached_property
    def decided(self) -> dict[str, set[str]]:
        """The figures that a council's own files set; of a table the members of its first list that they give.

        What a scenario lets go on into the year was decided by whom it was decided last.
        """
        found: dict[str, set[str]] = {}
        over: dict[str, list[tuple[int, SetDoc]]] = {}
        for _, file in self.papers.documents():
            first, last = file_days(file)
            if file.kind not in _COUNCILS or first > self.program.last_day:
                continue
            for name, setting in file.set.items():
                if last < self.program.first_day:
                    over.setdefault(str(name), []).append((last, setting))
                else:
                    found.setdefault(str(name), set()).update(_keys(setting))
        for carried in {name for name, _ in self.program.supposed} & over.keys():
            ends = max(last for last, _ in over[carried])
            found.setdefault(carried, set()).update(key for last, setting in over[carried] if last == ends for key in _keys(setting))
        return found

    @cached_property
    def figures(self) -> tuple[str, ...]:
        """The names of all figures that the scheme uses: shares, amounts, choices, of each those nearest to the result first."""
        names = dict.fromkeys(name for scope in self.scopes for name in scope.figures)
        return tuple(sorted(names, key=self._weight))

    def _weight(self, name: str) -> int:
        found = self.program.parameters.get(name) or self.program.tables[name]
        return 0 if found.type == RATE else 1 if isinstance(found.type, Number) else 2

    def doc(self, name: str) -> ParameterDoc | TableDoc | None:
        """The declaration of a figure."""
        return self.papers.figure(name)

    def side(self, name: str, first: str = "") -> str:
        """Who decides a figure; of a table, the rows of one member of its first list."""
        rows = self.decided.get(name)
        if rows is not None and (not rows or first in rows or not self.program.tables[name].axes):
            return OWN
        doc = self.doc(name)
        return SILENT if doc is not None and (doc.local or doc.option) else LAW

    def group(self, title: str) -> Group:
        """What one side decides."""
        parameters = [self.program.parameters[name] for name in self.figures if name in self.program.parameters]
        figures = [
            figure for found in parameters if found.span is not None and self.side(found.name) == title for figure in self.dated(found)
        ]
        tables = [self.program.tables[name] for name in self.figures if name in self.program.tables]
        laid = [one for table in tables if not self.worked_out(table.name) for one in self._laid(table, title)]
        return Group(title, tuple(one for one in laid if one.grid), tuple(figures), tuple(one for one in laid if not one.grid))

    def worked_out(self, name: str) -> bool:
        """Whether a table is worked out from others, so that it is no decision."""
        doc = self.doc(name)
        return doc is None or isinstance(doc, TableDoc) and doc.is_ is not None

    def dated(self, parameter: Parameter) -> Iterator[Figure]:
        """The values of a figure in the year."""
        for place, dated in enumerate(parameter.history):
            until = parameter.history[place + 1].first_day if place + 1 < len(parameter.history) else self.program.last_day + 1
            if dated.first_day <= self.program.last_day and until > self.program.first_day:
                words, source = amount(dated.value, parameter.type), dated.source
                yield Figure(parameter.name, parameter.title, words, shown(dated.first_day), source.text, source.status == "provisional")

    def rows(self, table: Table, period: int, title: str = "") -> list[Row]:
        """The rows of a table in a period that one side set; without a title all of them."""
        found = rows_of(table, table.by_period[period])
        return [row for row in found if not title or self.side(table.name, row[0][0] if row[0] else "") == title]

    def headings(self, table: Table) -> list[str]:
        """The headings of a table's lists."""
        titles = {str(name): str(found.title) for _, file in self.papers.documents() for name, found in file.lists.items() if found.title}
        return [titles.get(axis.name, member(axis.name)) for axis in table.axes]

    def row_source(self, table: Table, keys: tuple[str, ...]) -> Source:
        """Where a row was set."""
        first = keys[0] if keys else ""
        if self.side(table.name, first) == OWN:
            return self.papers.source(table.name, first, table.source)
        return self._declared(table.name) or table.source or Source("not stated")

    def _declared(self, name: str) -> Source | None:
        """Where the rules behind the scheme have a table from."""
        found: Source | None = None
        for _, file in self.papers.documents():
            doc = file.tables.get(Text(name))
            if doc is not None:
                found = source_of(file, (doc.source, doc.status))[0]
                for dated in doc.values or []:
                    first = day_of(dated.from_, Findings()) if dated.from_ is not None else None
                    if first is None or first <= self.program.last_day:
                        found = source_of(file, (doc.source, doc.status), (dated.source, dated.status))[0]
        return found

    def _laid(self, table: Table, title: str) -> Iterator[Laid]:
        for period, cells in enumerate(table.by_period):
            if period and cells == table.by_period[period - 1]:
                continue
            rows = self.rows(table, period, title)
            if rows:
                sources = [self.row_source(table, row[0]) for row in rows]
                since = shown(self.program.periods[period].first_day) if period else ""
                yield Laid(
                    table.name,
                    table.title,
                    since,
                    sheet(table, rows, self.headings(table)),
                    table.bands is not None,
                    tuple(dict.fromkeys(source.text for source in sources)),
                    any(source.status == "provisional" for source in sources),
                )

    # --------------------------------------------------------------------------------------------------------- steps
    def _parts(self) -> Iterator[Part]:
        """What is said of each result; a step is told once, with the first result that needs it."""
        told: dict[Ref, Rung] = {}
        for scope in self.scopes:
            rungs = {step.ref: self.rung(step) for step in scope.steps}
            new = [step for step in scope.steps if told.get(step.ref) != rungs[step.ref]]
            chapters: dict[str, list[Rung]] = {}
            for step in new:
                chapters.setdefault(self._file_title(step.rule), []).append(rungs[step.ref])
            told |= rungs
            yield Part(
                scope.rule.title,
                self.terms.because(scope.because),
                tuple(Chapter(title, tuple(found)) for title, found in chapters.items()),
                tuple(self.terms.titles[ref] for ref in scope.given),
                len(new) < len(rungs),
            )

    @cached_property
    def _titles(self) -> dict[str, str]:
        return {source.file: str(file.title) for source, file in self.papers.documents()}

    def _file_title(self, rule: Rule) -> str:
        return self._titles.get(rule.span.file, "") if rule.span is not None else ""

    def rung(self, step: Step) -> Rung:
        """A step in words."""
        rule, doc = step.rule, self._replaced(step.rule)
        return Rung(
            rule.title,
            self.program.entities[rule.entity].title,
            rule.origin != "statute",
            str(doc.reason) if doc is not None and doc.reason else "",
            rounded(rule.rounding) if rule.rounding is not None else "",
            " ".join(str(doc.note).split()) if doc is not None and doc.note else "",
            rule.source.text if rule.source is not None else "",
            rule.source is not None and rule.source.status == "provisional",
            _alone(tuple(self.told(line, rule) for line in step.lines if not line.refused)),
        )

    def told(self, line: Line, rule: Rule) -> Told:
        """A line in words."""
        own = line.source.text if line.source is not None and line.source != rule.source else ""
        when = self.terms.when(line.when) if line.when is not None else ""
        give = self.terms.said(line.give)
        if rule.type == YES_NO and line.give.op is not Op.CONST:
            give = f"yes if {self.terms.when(line.give)}"
        return Told(when, give, self.terms.because(line.because), own)

    def _replaced(self, rule: Rule) -> RuleDoc | None:
        found: RuleDoc | None = None
        for _, file in self.papers.documents():
            first, last = file_days(file)
            if first <= self.program.last_day and last >= self.program.first_day:
                found = file.replace.get(Text(rule.name)) or file.rules.get(Text(rule.name)) or found
        return found

    def undecided(self) -> Iterator[str]:
        """What the council's own rules leave to be worked out by hand; facts that are merely not recorded aside."""
        found: dict[str, None] = {}
        for scope in self.scopes:
            for line in (line for step in scope.steps if step.rule.origin != "statute" for line in step.lines):
                if line.refused and not (line.when is not None and any(_unrecorded(part) for part in conjuncts(line.when))):
                    found[" ".join(line.refused.split())] = None
        return iter(found)


def _keys(setting: SetDoc) -> Iterator[str]:
    """The members of a table's first list that are set."""
    for rows in (setting.rows, *(dated.rows for dated in setting.values or [])):
        yield from map(str, rows or {})


def _alone(lines: tuple[Told, ...]) -> tuple[Told, ...]:
    """The lines of a step; one that stands alone begins as a sentence does."""
    if len(lines) != 1 or lines[0].when:
        return lines
    give = lines[0].give
    return (replace(lines[0], give=give[:1].upper() + give[1:]),)


def _unrecorded(node: Node) -> bool:
    return node.op is Op.NOT and node.args[0].op is Op.KNOWN


__all__ = ["GROUPS", "LAW", "OWN", "SILENT", "Booklet", "Figure", "Group", "Laid", "Maker", "booklet_file"]
