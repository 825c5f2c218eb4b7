"""What is in force on a day: statute, precepts, the council and scenarios laid over each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from rbcalc_kernels.language.documents import DropDoc, ParameterDoc, RuleDoc, RuleFile, SetDoc, SourceDoc, TableDoc, Text, VersionDoc
from rbcalc_kernels.program.library import RuleSource, place_in
from rbcalc_kernels.program.refs import Source
from rbcalc_kernels.program.values import check_status, day_of, source_of
from rbcalc_kernels.source import Findings, Span, suggest

RANKS: Final = {"statute": 0, "precept": 2, "council": 3, "scenario": 4}
LAID_OVER: Final = {**RANKS, "statute": 1}
"""The rank of what a file sets or replaces: a statute may change, for its subject, what another statute declares."""
FOREVER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Uplift:
    """How a scenario puts a figure up: by a share, of the edges of a table or of what it gives."""

    by: Fraction
    round: Text | None
    edges: bool
    name: Text


@dataclass(slots=True)
class Entry:
    """One statement of a value, a table's rows or a rule, and the days for which it is made."""

    rank: int
    kind: str
    file: RuleFile
    first: int
    last: int
    span: Span
    levels: tuple[tuple[SourceDoc | None, Text | None], ...]
    value: Text | None = None
    rows: dict[Text, Any] | None = None
    rule: RuleDoc | VersionDoc | None = None
    carried: bool = False  # it ended before the year, and a scenario lets it go on
    uplift: Uplift | None = None
    cited: SourceDoc | None = None  # where it stands in the law of the subject, whatever its own file says
    _source: tuple[Source | None] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def source(self) -> Source | None:
        """Where it is printed, all levels taken together; worked out when first asked for, after they are known."""
        if self._source is None:
            self._source = (source_of(self.file, *self.levels)[0],)
        return self._source[0]

    def covers(self, day: int) -> bool:
        """Whether the statement is made for the day."""
        return self.first <= day <= self.last


@dataclass(slots=True)
class Declared:
    """A name, where it is declared, and everything that is stated about it."""

    name: Text
    doc: Any
    file: RuleFile
    kind: str
    entries: list[Entry] = field(default_factory=list)
    dropped: Text | None = None

    @property
    def span(self) -> Span:
        """Where the name is declared."""
        return self.name.span


@dataclass(slots=True)
class Declarations:
    """All that the linked files declare and state, by name."""

    lists: dict[str, Declared] = field(default_factory=dict)
    entities: dict[str, Declared] = field(default_factory=dict)
    registers: dict[str, Declared] = field(default_factory=dict)
    inputs: dict[tuple[str, str], Declared] = field(default_factory=dict)
    parameters: dict[str, Declared] = field(default_factory=dict)
    tables: dict[str, Declared] = field(default_factory=dict)
    rules: dict[tuple[str, str], Declared] = field(default_factory=dict)
    reports: dict[str, Declared] = field(default_factory=dict)
    comparisons: dict[str, Declared] = field(default_factory=dict)
    impacts: dict[str, Declared] = field(default_factory=dict)
    reconciliation: dict[str, Declared] = field(default_factory=dict)
    differences: dict[str, Declared] = field(default_factory=dict)
    statements: dict[str, Declared] = field(default_factory=dict)

    def rules_called(self, name: str) -> list[Declared]:
        """The rules of a name, whatever their entity."""
        return [declared for (_, own), declared in self.rules.items() if own == name]


def gather(
    sources: Sequence[RuleSource], findings: Findings, first_day: int, last_day: int, carried_from: int | None = None
) -> Declarations:
    """Everything the files declare, with each file's statements laid over them in order of kind.

    `carried_from` is an earlier day whose figures go on where nobody says what follows.
    """
    found = Declarations()
    files = [(source, source.content) for source in sources if isinstance(source.content, RuleFile)]
    files.sort(key=lambda pair: RANKS[pair[1].kind])  # stable: within a kind, what is extended stays first
    for source, file in files:
        check_status([file.status], findings)
        if file.kind in ("council", "precept") and file.adopted is None:
            findings.error(
                "RB070",
                "the file does not say who adopted its figures",
                place_in(source.file),
                help="add adopted: transcribed, not adopted",
            )
        _declare(found, file, source, findings, first_day if carried_from is None else min(first_day, carried_from), last_day)
    for source, file in files:
        _overlay(found, file, source, findings)
    for _, file in files:
        _cite(found, file, findings)
    _in_order(found, [file for _, file in files if file.kind == "scenario"])
    return found


def _in_order(found: Declarations, scenarios: Sequence[RuleFile]) -> None:
    """Lay scenarios over each other as they are given: each ranks above those before it."""
    if len(scenarios) < 2:
        return
    ranks = {id(file): RANKS["scenario"] + place for place, file in enumerate(scenarios)}
    for declared in (*found.lists.values(), *found.parameters.values(), *found.tables.values(), *found.rules.values()):
        for entry in declared.entries:
            entry.rank = ranks.get(id(entry.file), entry.rank)


def _declare(found: Declarations, file: RuleFile, source: RuleSource, findings: Findings, first_day: int, last_day: int) -> None:
    _check_sections(file, findings)
    begins, ends = _days(file, findings)
    in_year = begins <= last_day and ends >= first_day
    for name, lists in file.lists.items():
        existing = found.lists.get(name)
        if existing is not None and existing.doc.local and file.kind != "statute":
            if in_year and lists.members is not None:
                existing.entries.append(
                    Entry(RANKS[file.kind], file.kind, file, begins, ends, name.span, (), rows=dict.fromkeys(lists.members))
                )
        else:
            _add(found.lists, str(name), Declared(name, lists, file, file.kind), findings)
    for name, entity in file.entities.items():
        _add(found.entities, str(name), Declared(name, entity, file, file.kind), findings)
    for name, register in file.registers.items():
        _add(found.registers, str(name), Declared(name, register, file, file.kind), findings)
    for name, input_ in file.inputs.items():
        _add(found.inputs, (str(input_.of), str(name)), Declared(name, input_, file, file.kind), findings)
    for name, parameter in file.parameters.items():
        declared = Declared(name, parameter, file, file.kind)
        declared.entries = _entries(name, parameter, file, findings)
        _add(found.parameters, str(name), declared, findings)
    for name, table in file.tables.items():
        declared = Declared(name, table, file, file.kind)
        declared.entries = [] if table.is_ is not None else _entries(name, table, file, findings)
        _add(found.tables, str(name), declared, findings)
    for name, report in file.reports.items():
        _add(found.reports, str(name), Declared(name, report, file, file.kind), findings)
    for name, comparison in file.comparisons.items():
        _add(found.comparisons, str(name), Declared(name, comparison, file, file.kind), findings)
    for name, impact in file.impacts.items():
        _add(found.impacts, str(name), Declared(name, impact, file, file.kind), findings)
    for name, reconciled in file.reconciliation.items():
        _add(found.reconciliation, str(name), Declared(name, reconciled, file, file.kind), findings)
    for name, difference in file.differences.items():
        _add(found.differences, str(name), Declared(name, difference, file, file.kind), findings)
    for name, statement in file.statements.items():
        _add(found.statements, str(name), Declared(name, statement, file, file.kind), findings)
    for name, rule in file.rules.items():
        declared = Declared(name, rule, file, file.kind)
        declared.entries = _rule_entries(name, rule, file, findings)
        _add(found.rules, (str(rule.of), str(name)), declared, findings)


def _check_sections(file: RuleFile, findings: Findings) -> None:
    if file.kind != "scenario":
        supposes: list[Text] = [*file.only_for, *file.without, *(name for doc in file.uprate for name in doc.names)]
        supposes += [file.carry.as_on] if file.carry is not None else []
        for text in supposes[:1]:
            help_ = "only_for, without, carry and uprate are for kind: scenario"
            findings.error("RB067", f"a {file.kind} file cannot suppose anything", text.span, help=help_)
    if file.kind != "statute":
        for name in list(file.cite)[:1]:
            findings.error("RB067", f"a {file.kind} file cannot cite for others", name.span, help="give source: to what the file states")
    if file.kind not in ("council", "precept"):
        return
    for section in ("entities", "registers", "inputs"):
        for name in getattr(file, section):
            message = f"a {file.kind} file cannot declare {section}"
            findings.error("RB067", message, name.span, help="statute declares what is recorded; to suppose otherwise write a scenario")


def _add(where: dict[Any, Declared], key: Any, declared: Declared, findings: Findings) -> None:
    other = where.get(key)
    if other is not None:
        findings.error(
            "RB069",
            f"'{declared.name}' is declared twice",
            declared.span,
            related=((other.span, "first declared here"),),
            help="to change it, use set: or replace:",
        )
        return
    where[key] = declared


def _days(file: RuleFile, findings: Findings) -> tuple[int, int]:
    begins = day_of(file.from_, findings) if file.from_ is not None else -FOREVER
    ends = day_of(file.to, findings) if file.to is not None else FOREVER
    if begins is not None and ends is not None and file.to is not None and ends < begins:
        findings.error("RB073", "the file ends before it begins", file.to.span, help="put from: and to: in order")
        ends = FOREVER
    # Where a day cannot be read something that does no harm stands for it, so that the one mistake is told once.
    return (begins if begins is not None else 1 - FOREVER), (ends if ends is not None else FOREVER)


def _entries(
    name: Text, doc: ParameterDoc | TableDoc | SetDoc, file: RuleFile, findings: Findings, ranks: Mapping[str, int] = RANKS
) -> list[Entry]:
    """The dated statements of a parameter or a table."""
    check_status([doc.status], findings)
    begins, ends = _days(file, findings)
    rank = ranks[file.kind]
    outer = (doc.source, doc.status)
    made: list[Entry] = []
    given = [
        word
        for word, there in (("value", getattr(doc, "value", None)), ("values", doc.values), ("rows", getattr(doc, "rows", None)))
        if there is not None
    ]
    if len(given) > 1:
        findings.error("RB071", f"{' and '.join(given)} together", name.span, help="give one of them")
        return []
    if doc.values is not None:
        for dated in doc.values:
            place = (dated.from_ or dated.value or name).span
            check_status([dated.status], findings)
            first = day_of(dated.from_, findings) if dated.from_ is not None else begins
            last = day_of(dated.to, findings) if dated.to is not None else ends
            if first is None or last is None:
                continue
            if first == -FOREVER:
                findings.error("RB072", "from which day?", place, help="add from: to the entry or to the file")
            if last < first:
                findings.error("RB073", "the value ends before it begins", (dated.to or name).span, help="put from: and to: in order")
                continue
            made.append(Entry(rank, file.kind, file, first, last, place, (outer, (dated.source, dated.status)), dated.value, dated.rows))
        return made
    if not given:
        return []
    own_from = getattr(doc, "from_", None)
    own_to = getattr(doc, "to", None)
    first = day_of(own_from, findings) if own_from is not None else begins
    last = day_of(own_to, findings) if own_to is not None else ends
    if first is None or last is None:
        return []
    if first == -FOREVER:
        findings.error("RB072", "from which day?", name.span, help="add from: to the entry or to the file")
    if last < first:
        findings.error("RB073", "the value ends before it begins", (own_to or own_from or name).span, help="put from: and to: in order")
        return []
    return [Entry(rank, file.kind, file, first, last, name.span, (outer,), getattr(doc, "value", None), getattr(doc, "rows", None))]


def _rule_entries(name: Text, rule: RuleDoc, file: RuleFile, findings: Findings, ranks: Mapping[str, int] = RANKS) -> list[Entry]:
    check_status([rule.status], findings)
    begins, ends = _days(file, findings)
    rank = ranks[file.kind]
    ways = [word for word, there in (("is", rule.is_), ("first", rule.first), ("versions", rule.versions)) if there is not None]
    if len(ways) != 1:
        said = f"this one says {' and '.join(f'{way}:' for way in ways)}" if ways else "this one says none"
        help_ = "keep one of them" if ways else "add is: with an expression"
        findings.error("RB074", f"a rule says one of is:, first: or versions:, {said}", name.span, help=help_)
        return []
    if rule.versions is not None:
        made = []
        for version in rule.versions:
            first = day_of(version.from_, findings)
            if first is None:
                continue
            if (version.is_ is None) == (version.first is None):
                findings.error("RB074", "a version says one of is: or first:", version.from_.span, help="keep one of them")
                continue
            made.append(
                Entry(
                    rank,
                    file.kind,
                    file,
                    first,
                    ends,
                    version.from_.span,
                    ((rule.source, rule.status), (version.source, version.status)),
                    rule=version,
                )
            )
        return made
    own = day_of(rule.from_, findings) if rule.from_ is not None else begins
    if own is None:
        return []
    if own == -FOREVER:
        findings.error("RB072", "from which day?", name.span, help="add from: to the rule or to the file")
    return [Entry(rank, file.kind, file, own, ends, name.span, ((rule.source, rule.status),), rule=rule)]


def _overlay(found: Declarations, file: RuleFile, source: RuleSource, findings: Findings) -> None:
    for name, change in file.set.items():
        declared = found.parameters.get(name) or found.tables.get(name)
        if declared is None:
            known = [*found.parameters, *found.tables]
            findings.error(
                "RB068", f"nothing called '{name}' to set", name.span, help=f"set: names a parameter or a table{suggest(str(name), known)}"
            )
            continue
        if not _permitted(declared, file, name, findings):
            continue
        made = _entries(name, change, file, findings, LAID_OVER)
        if not made:
            findings.error("RB071", "nothing is set", name.span, help="give value:, values: or rows:")
        declared.entries.extend(made)
    for name, rule in file.replace.items():
        declared_rule = _rule_to_change(found, name, findings, "replace", str(rule.of))
        if declared_rule is None or not _permitted(declared_rule, file, name, findings):
            continue
        if (rule.of, rule.unit) != (declared_rule.doc.of, declared_rule.doc.unit):
            findings.error(
                "RB066",
                f"'{name}' is a {declared_rule.doc.unit} of {declared_rule.doc.of}, here a {rule.unit} of {rule.of}",
                name.span,
                related=((declared_rule.span, "declared here"),),
                help=f"write of: {declared_rule.doc.of} and unit: {declared_rule.doc.unit}",
            )
            continue
        declared_rule.entries.extend(_rule_entries(name, rule, file, findings, LAID_OVER))
    for name, drop in file.drop.items():
        declared_rule = _rule_to_change(found, name, findings, "drop")
        if declared_rule is not None and _permitted(declared_rule, file, name, findings):
            assert isinstance(drop, DropDoc)
            declared_rule.dropped = drop.reason


def _cite(found: Declarations, file: RuleFile, findings: Findings) -> None:
    """Say where what other statutes state stands in the law of this subject."""
    for name, source in file.cite.items():
        declared = found.rules_called(str(name)) or [
            each for each in (found.parameters.get(name), found.tables.get(name)) if each is not None
        ]
        if not declared:
            known = [*found.parameters, *found.tables, *(own for _, own in found.rules)]
            help_ = f"cite: names a parameter, a table or a rule{suggest(str(name), known)}"
            findings.error("RB068", f"nothing called '{name}' to cite", name.span, help=help_)
        for each in declared:
            for entry in each.entries:
                if entry.rank == RANKS["statute"]:
                    entry.cited = source
                    entry.levels = (*entry.levels, (source, None))


def _rule_to_change(found: Declarations, name: Text, findings: Findings, verb: str, entity: str = "") -> Declared | None:
    candidates = found.rules_called(str(name))
    if not candidates:
        known = [own for _, own in found.rules]
        findings.error("RB068", f"nothing called '{name}' to {verb}", name.span, help=f"{verb}: names a rule{suggest(str(name), known)}")
        return None
    return next((declared for declared in candidates if declared.doc.of == entity), candidates[0])


def _permitted(declared: Declared, file: RuleFile, name: Text, findings: Findings) -> bool:
    if file.kind in ("scenario", declared.kind) or declared.kind in ("council", "precept"):
        return True
    if declared.doc.local or getattr(declared.doc, "option", False):
        return True
    findings.error(
        "RB067",
        f"'{name}' is fixed by statute",
        name.span,
        related=((declared.span, "declared here, neither local: yes nor option: yes"),),
        help="a council decides only what is local or an option; to suppose otherwise write a scenario",
    )
    return False


def holds(file: RuleFile, first_day: int, last_day: int) -> bool:
    """Whether a file says anything for the days: statute always does, other files within their own days."""
    begins, ends = _days(file, Findings())
    return file.kind == "statute" or (begins <= last_day and ends >= first_day)


def in_force(entries: Iterable[Entry], day: int) -> Entry | None:
    """The statement that holds on a day: the highest kind, and within it the latest."""
    best: Entry | None = None
    for entry in entries:
        if entry.covers(day) and (best is None or (entry.rank, entry.first) > (best.rank, best.first)):
            best = entry
    return best


def conflicts(declared: Declared, findings: Findings) -> None:
    """Find two statements of one kind that begin on one day (for a table: with a member in common)."""
    seen: dict[tuple[int, int, str], Entry] = {}
    for entry in declared.entries:
        # The rows of a table are set member by member of its first axis, unless that is its only one and banded.
        over = declared.doc.over if isinstance(declared.doc, TableDoc) else ()  # rows of a figure are told where it is worked out
        by_member = entry.rows is not None and next(iter(over), "from") not in ("from", "up_to")
        for member in [str(member) for member in entry.rows or {}] if by_member else [""]:
            key = (entry.rank, entry.first, member)
            other = seen.get(key)
            if other is not None:
                what = f"'{declared.name}'" + (f" for {member}" if member else "")
                findings.error(
                    "RB062",
                    f"{what} is set twice for one day",
                    entry.span,
                    related=((other.span, "also here"),),
                    help="keep one of them, or give them different days",
                )
                break
            seen[key] = entry


def changes(entries: Iterable[Entry], first_day: int, last_day: int) -> set[int]:
    """The days after `first_day` on which another statement may come into force."""
    days = {entry.first for entry in entries} | {entry.last + 1 for entry in entries if entry.last < FOREVER}
    return {day for day in days if first_day < day <= last_day}
