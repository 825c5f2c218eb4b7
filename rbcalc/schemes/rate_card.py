"""The figures of a council's rules for a year with their sources, the text of its rules, and what changed between two programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby

from rbcalc._show import amount
from rbcalc._years import shown
from rbcalc.errors import UsageError
from rbcalc.rulebook.rules import Rules, file_days
from rbcalc_kernels.language.documents import ParameterDoc, RuleDoc, RuleFile, SetDoc, SourceDoc, TableDoc, Text
from rbcalc_kernels.program.graph import Bands, Op, Program, Source, Table
from rbcalc_kernels.program.library import RuleSource
from rbcalc_kernels.program.values import day_of, source_of
from rbcalc_kernels.source import Findings, suggest

LOCAL, LAW, WORKED_OUT = "decided locally", "set by law", "worked out"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: a parameter, or one place of a table (`keys`), from a day on (`since` is empty for the first of the year)."""

    name: str
    title: str
    keys: tuple[str, ...]
    words: str
    since: str
    unit: str
    group: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between two programs: in words, with an empty side where there was nothing or is nothing now."""

    name: str
    title: str
    keys: tuple[str, ...]
    old: str
    new: str
    source: str
    status: str
    group: str

    @property
    def told(self) -> str:
        """The change as one says it."""
        what = ", ".join((self.title, *self.keys))
        if not self.old:
            return f"{what}: new, {self.new}"
        if not self.new:
            return f"{what}: no longer there (was {self.old})"
        return f"{what}: from {self.old} to {self.new}"


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as an officer reads it."""

    name: str
    title: str
    place: str
    about: str
    source: str
    lines: tuple[tuple[str, str, str, str], ...]  # when, give, because, source
    note: str = ""


@dataclass
class Papers:
    """The documents behind a program: what was declared and what was set, by name."""

    rules: Rules
    program: Program
    files: list[RuleSource] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the files of the program."""
        library = self.rules.library
        for file in self.program.sources:
            path = library.root / file.removeprefix("rules/") if file.startswith("rules/") else library.root.__class__(file)
            source = library.open(path, Findings()) if path.is_file() else None
            if source is not None and isinstance(source.content, RuleFile):
                self.files.append(source)

    def documents(self) -> Iterator[tuple[RuleSource, RuleFile]]:
        """The rule files."""
        for source in self.files:
            assert isinstance(source.content, RuleFile)
            yield source, source.content

    def figure(self, name: str) -> ParameterDoc | TableDoc | None:
        """The declaration of a figure."""
        for _, file in self.documents():
            found = file.parameters.get(Text(name)) or file.tables.get(Text(name))
            if found is not None:
                return found
        return None

    def group(self, name: str) -> str:
        """Who decides a figure."""
        doc = self.figure(name)
        if isinstance(doc, TableDoc) and doc.is_ is not None:
            return WORKED_OUT
        return LOCAL if doc is not None and (doc.local or doc.option) else LAW

    def source(self, name: str, key: str, otherwise: Source | None) -> Source:
        """Where a row of a table was set: the last file in force that gives it, else the table's own source."""
        found = otherwise
        for _, file in self.documents():
            first, last = file_days(file)
            setting = file.set.get(Text(name))
            if setting is None or first > self.program.last_day or last < self.program.first_day:
                continue
            for doc, levels in _stated(setting):
                begins = day_of(doc.from_, Findings()) if doc.from_ is not None else None
                if begins is not None and begins > self.program.last_day:
                    continue  # of a later year
                if doc.rows is not None and (not key or Text(key) in doc.rows):
                    found = source_of(file, *levels)[0] or found
        return found or Source("not stated")

    def rule_text(self, name: str) -> RuleText:
        """A rule as it is in force.  Raises UsageError for an unknown name."""
        found: tuple[RuleSource, RuleFile, RuleDoc, Text] | None = None
        for source, file in self.documents():
            first, last = file_days(file)
            if first > self.program.last_day or last < self.program.first_day:
                continue
            for held in (file.rules, file.replace):
                for key, doc in held.items():
                    if key == name:
                        found = source, file, doc, key
        if found is None:
            known = [rule.name for rule in self.program.rules if not rule.hidden]
            raise UsageError("RC046", f"no rule is called {name}{suggest(name, known)}", hint="rbcalc show rules lists them")
        return _text(*found)


def _stated(setting: SetDoc) -> Iterator[tuple[SetDoc, tuple[tuple[SourceDoc | None, Text | None], ...]]]:
    yield setting, ((setting.source, setting.status),)
    for dated in setting.values or []:
        yield dated, ((setting.source, setting.status), (dated.source, dated.status))  # type: ignore[misc]


def _text(source: RuleSource, file: RuleFile, doc: RuleDoc, key: Text) -> RuleText:
    where = source_of(file, (doc.source, doc.status))[0]
    about = f"{doc.unit}, one for each {str(doc.of).replace('_', ' ')}" + (f", rounded to {doc.round}" if doc.round else "")
    lines: list[tuple[str, str, str, str]] = []
    if doc.is_ is not None:
        lines.append(("", _flat(doc.is_), "", ""))
    for version in doc.versions or []:
        lines.append((f"from {version.from_}", _flat(version.is_) if version.is_ is not None else "", "", ""))
        lines += [_line(file, line) for line in version.first or []]
    lines += [_line(file, line) for line in doc.first or []]
    place = f"{source.file}:{key.span.line}"
    return RuleText(
        str(key), str(doc.title or key), place, about, where.text if where is not None else "", tuple(lines), str(doc.note or "")
    )


def _line(file: RuleFile, line: object) -> tuple[str, str, str, str]:
    when, give, otherwise, because, own = (getattr(line, name) for name in ("when", "give", "otherwise", "because", "source"))
    where = source_of(file, (own, None))[0] if own is not None else None
    return (
        f"when {_flat(when)}" if when is not None else "otherwise",
        _flat(give if give is not None else otherwise),
        str(because or ""),
        where.text if where else "",
    )


def _flat(text: Text | None) -> str:
    return " ".join(str(text or "").split())


def rate_card(papers: Papers) -> list[Figure]:
    """Every figure of the program in use, by who decides it, then by title."""
    program = papers.program
    figures: list[Figure] = []
    for parameter in program.parameters.values():
        if parameter.span is None:
            continue  # the days of the year
        for place, dated in enumerate(parameter.history):
            later = parameter.history[place + 1].first_day if place + 1 < len(parameter.history) else program.last_day + 1
            if dated.first_day > program.last_day or later <= program.first_day:
                continue
            since = shown(dated.first_day) if dated.first_day > program.first_day else ""
            words = amount(dated.value, parameter.type)
            figures.append(
                Figure(
                    parameter.name,
                    parameter.title,
                    (),
                    words,
                    since,
                    str(parameter.type),
                    papers.group(parameter.name),
                    dated.source.text,
                    dated.source.status,
                )
            )
    for table in program.tables.values():
        if table.span is not None and papers.figure(table.name) is not None:
            figures += _places(papers, table)
    order = {LOCAL: 0, LAW: 1, WORKED_OUT: 2}
    return sorted(figures, key=lambda figure: (order[figure.group], figure.name in program.tables, figure.title))


def _places(papers: Papers, table: Table) -> Iterator[Figure]:
    group = papers.group(table.name)
    for place, cells in enumerate(table.by_period):
        if place and cells == table.by_period[place - 1]:
            continue
        since = shown(papers.program.periods[place].first_day) if place else ""
        for members, (edges, values) in sorted(
            cells.rows.items(), key=lambda item: [axis.members.index(key) for axis, key in zip(table.axes, item[0], strict=True)]
        ):
            where = table.source or Source("not stated")
            if group != WORKED_OUT:
                where = papers.source(table.name, members[0] if members else "", where)
            said = tuple(key.replace("_", " ") for key in members)
            for at, value in enumerate(values):
                keys = (*said, _edge(table.bands, edges, at)) if table.bands is not None else said
                yield Figure(
                    table.name, table.title, keys, amount(value, table.type), since, str(table.type), group, where.text, where.status
                )


def _edge(bands: Bands, edges: tuple[Fraction | int, ...], at: int) -> str:
    if not bands.upper:
        return f"from {amount(edges[at], bands.type)}"
    return f"up to {amount(edges[at], bands.type)}" if at < len(edges) else f"above {amount(edges[-1], bands.type)}"


def changes(old: Papers, new: Papers) -> list[Change]:
    """What differs between two programs: figures first, then rules."""
    before, after = _by_key(rate_card(old)), _by_key(rate_card(new))
    found = []
    for key in (*after, *(key for key in before if key not in after)):
        was, now = before.get(key, []), after.get(key, [])
        if _told(was) != _told(now):
            one = (now or was)[0]
            found.append(Change(one.name, one.title, one.keys, _told(was), _told(now), one.source, one.status, one.group))
    return found + _rule_changes(old, new)


def _by_key(figures: list[Figure]) -> dict[tuple[str, tuple[str, ...]], list[Figure]]:
    ordered = sorted(figures, key=lambda figure: (figure.name, figure.keys))
    grouped = {key: list(group) for key, group in groupby(ordered, key=lambda figure: (figure.name, figure.keys))}
    order = list(dict.fromkeys((figure.name, figure.keys) for figure in figures))
    return {key: grouped[key] for key in order}


def _told(figures: list[Figure]) -> str:
    return "; ".join(f"{figure.words} from {figure.since}" if figure.since else figure.words for figure in figures)


def _rule_changes(old: Papers, new: Papers) -> list[Change]:
    before = {(rule.entity, rule.name): rule for rule in old.program.rules if not rule.hidden}
    after = {(rule.entity, rule.name): rule for rule in new.program.rules if not rule.hidden}
    found = []
    for key in dict.fromkeys((*before, *after)):
        was, now = before.get(key), after.get(key)
        if was is not None and now is not None and (was.body, was.rounding) == (now.body, now.rounding):
            continue
        told = tuple(_said(papers, key[1]) if rule is not None else "" for papers, rule in ((old, was), (new, now)))
        if told[0] == told[1]:
            continue  # only the members of a list differ
        one = now or was
        assert one is not None
        where = one.source or Source("not stated")
        found.append(
            Change(
                key[1], f"The rule '{one.title}'", (), told[0], told[1], where.text, where.status, LAW if one.origin == "statute" else LOCAL
            )
        )
    return found


def _said(papers: Papers, name: str) -> str:
    text = papers.rule_text(name)
    return " | ".join(f"{when}: {give}" if when else give for when, give, _, _ in text.lines) + f" ({text.place})"


def reads_of(program: Program, name: str) -> list[str]:
    """What a rule reads, names of hidden helpers replaced by what they read; parameters and tables included."""
    found: dict[str, None] = {}
    hidden = {rule.name: rule for rule in program.rules if rule.hidden}
    waiting = [rule.body for rule in program.rules if rule.name == name]
    while waiting:
        node = waiting.pop(0)
        waiting = [*node.args, *waiting]
        said = (
            getattr(node.value, "name", node.value)
            if node.op in (Op.COLUMN, Op.KNOWN, Op.PREVIOUS, Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP)
            else None
        )
        if said is None or said == name:
            continue
        if str(said) in hidden:
            waiting = [hidden[str(said)].body, *waiting]
        else:
            found[str(said).removesuffix("__known")] = None
    return list(found)
