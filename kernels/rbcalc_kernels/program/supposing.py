"""What a scenario supposes of figures as a whole: files left out, figures that go on though nobody has published them, figures put up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rbcalc_kernels.exact.operations import round_to
from rbcalc_kernels.language.documents import RuleFile, Text, UprateDoc
from rbcalc_kernels.language.types import Choice, Number, Type
from rbcalc_kernels.program.graph import Table, Value
from rbcalc_kernels.program.library import Library, RuleSource
from rbcalc_kernels.program.overlays import FOREVER, RANKS, Declarations, Declared, Entry, Uplift, changes, in_force
from rbcalc_kernels.program.values import day_of, rounding_of
from rbcalc_kernels.source import Findings, suggest


def meant(sources: Sequence[RuleSource], name: str) -> list[RuleSource]:
    """The sources without scenarios that are for other programs only."""
    found = []
    for source in sources:
        file = source.content
        if not isinstance(file, RuleFile) or not file.only_for or name in [str(each) for each in file.only_for]:
            found.append(source)
    return found


def carried_day(scenarios: Iterable[RuleSource], findings: Findings) -> int | None:
    """The day whose figures go on, as scenarios say; None where none does."""
    days: list[tuple[int, Text]] = []
    for source in scenarios:
        file = source.content
        if isinstance(file, RuleFile) and file.carry is not None:
            day = day_of(file.carry.as_on, findings)
            if day is not None:
                days.append((day, file.carry.as_on))
    for day, text in days[1:]:
        if day != days[0][0]:
            help_ = "keep one of them"
            findings.error("RB062", "figures go on from two days", text.span, related=((days[0][1].span, "also here"),), help=help_)
    return days[0][0] if days else None


def left_out(library: Library, sources: Sequence[RuleSource], findings: Findings) -> list[RuleSource]:
    """The sources without the files that scenarios leave out."""
    gone: set[str] = set()
    for source in sources:
        file = source.content
        for dotted in file.without if isinstance(file, RuleFile) else []:
            paths = library.named(str(dotted))
            if not paths:
                help_ = f"a dotted name of a file or folder under rules/{suggest(str(dotted), library.names())}"
                findings.error("RB054", f"nothing to leave out: {dotted}", dotted.span, help=help_)
            gone.update(library.shown(path) for path in paths)
    return [source for source in sources if source.file not in gone]


def carry(found: Declarations, day: int, first_day: int, last_day: int) -> None:
    """Let statements that end after `day` and before the year does go on, as nobody has said what follows."""
    for declared in (*found.parameters.values(), *found.tables.values(), *found.rules.values()):
        for entry in declared.entries:
            if entry.covers(day) and entry.last < last_day:
                entry.last = FOREVER
                entry.carried = True
    for declared in found.lists.values():
        own = [entry for entry in declared.entries if entry.first <= last_day and entry.last >= first_day]
        declared.entries = own or [entry for entry in declared.entries if entry.covers(day)]


def uprate(found: Declarations, sources: Sequence[RuleSource], first_day: int, findings: Findings) -> None:
    """Put up the figures that scenarios name, from the first day of the year."""
    done: dict[str, Text] = {}
    for source in sources:
        file = source.content
        for doc in file.uprate if isinstance(file, RuleFile) else []:
            by = _rate(doc, findings)
            for name in doc.names:
                declared = found.parameters.get(name) or found.tables.get(name)
                if declared is None:
                    known = [*found.parameters, *found.tables]
                    help_ = f"names: are parameters and tables{suggest(str(name), known)}"
                    findings.error("RB068", f"nothing called '{name}' to put up", name.span, help=help_)
                elif name in done:
                    also = ((done[name].span, "also here"),)
                    findings.error("RB062", f"'{name}' is put up twice", name.span, related=also, help="keep one of them")
                elif getattr(declared.doc, "is_", None) is not None:
                    findings.error("RB068", f"'{name}' is worked out from other figures", name.span, help="put those up")
                elif by is not None:
                    done[name] = name
                    _put_up(declared, Uplift(by, doc.round, _edges(doc, findings), name), first_day)


def _put_up(declared: Declared, uplift: Uplift, first_day: int) -> None:
    """The statements in force at the beginning of the year, divided there, and those that begin later."""
    for entry in list(declared.entries):
        if entry.first >= first_day:
            entry.uplift = uplift if entry.rank < RANKS["scenario"] else None
            continue
        mine = _in_force_for(declared, entry, first_day)
        if mine:
            declared.entries.append(replace(entry, first=first_day, uplift=uplift, rows=None if entry.rows is None else mine))
            entry.last = first_day - 1


def _in_force_for(declared: Declared, entry: Entry, day: int) -> dict[Any, Any]:
    """The rows of a statement that are in force on a day, by member of the table's first axis; of one figure, something or nothing."""
    if entry.rows is None or next(iter(declared.doc.over), "from") in ("from", "up_to"):
        whole: dict[Any, Any] = dict(entry.rows) if entry.rows is not None else {"": ""}
        return whole if in_force(declared.entries, day) is entry else {}
    return {
        member: row
        for member, row in entry.rows.items()
        if in_force([each for each in declared.entries if each.rows is not None and member in each.rows], day) is entry
    }


def _edges(doc: UprateDoc, findings: Findings) -> bool:
    if doc.edges is not None and str(doc.edges) not in ("yes", "no"):
        help_ = "write edges: yes to put up the edges of a table"
        findings.error("RB060", f"'{doc.edges}' is neither yes nor no", doc.edges.span, help=help_)
    return str(doc.edges) == "yes"


def _rate(doc: UprateDoc, findings: Findings) -> Fraction | None:
    text = str(doc.by)
    try:
        if not text.endswith("%"):
            raise ValueError
        found = Fraction(text[:-1].strip()) / 100
    except ValueError:
        findings.error("RB060", f"'{text}' is no share", doc.by.span, help="write it as 3.8%; -2% puts figures down")
        return None
    if not -1 <= found <= 10:
        findings.error("RB060", f"{text} is out of all proportion", doc.by.span, help="from -100% to 1000%")
        return None
    return found


def put_up(value: Value, type_: Type, uplift: Uplift | None, findings: Findings) -> Value:
    """A figure as a scenario puts it up."""
    if uplift is None:
        return value
    if not isinstance(type_, Number) or isinstance(value, str | bool):
        message = f"'{uplift.name}' is no number and cannot be put up"
        findings.error("RB060", message, uplift.name.span, help="name figures; for the edges of a table write edges: yes")
        return value
    raised = Fraction(value) * (1 + uplift.by)
    rounding = rounding_of(uplift.round, type_, findings) if uplift.round is not None else None
    return round_to(raised, rounding) if rounding is not None else raised


def supposed(
    found: Declarations, parameters: Iterable[str], tables: Mapping[str, Table], first_day: int, last_day: int
) -> tuple[tuple[str, str], ...]:
    """The names whose figures go on or are put up, and how, for people."""
    lines = []
    for name in sorted({*parameters, *tables}):
        axes = tables[name].axes if name in tables else ()
        declared = found.parameters.get(name) or found.tables.get(name)
        for entry in declared.entries if declared is not None else ():
            if declared is None or not (entry.carried or entry.uplift) or not _used_in(declared, entry, axes, first_day, last_day):
                continue
            words = ["goes on from the year before"] if entry.carried else []
            if entry.uplift is not None:
                words.append(f"put {'up' if entry.uplift.by >= 0 else 'down'} by {_percent(abs(entry.uplift.by))}")
            lines.append((name, ", ".join(words)))
            break
    return tuple(lines)


def _used_in(declared: Declared, entry: Entry, axes: Sequence[Choice], first_day: int, last_day: int) -> bool:
    """Whether a statement says anything on a day of the year."""
    days = {first_day, *changes(declared.entries, first_day, last_day)}
    said = {str(member) for day in days for member in _in_force_for(declared, entry, day)}
    return not said.isdisjoint(axes[0].members) if axes else bool(said)


def _percent(value: Fraction) -> str:
    text = f"{float(value * 100):.6f}".rstrip("0").rstrip(".")
    return f"{text}%"
