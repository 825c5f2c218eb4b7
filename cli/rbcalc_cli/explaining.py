"""An account on paper: the text, the tree of one value, and JSON."""

from __future__ import annotations

import re
import sys
import textwrap
from typing import TYPE_CHECKING

from rbcalc._show import amount
from rbcalc_cli.output import document, put
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Ref

if TYPE_CHECKING:
    from rbcalc.explaining.explain import Explanation, Line, Outcome, Section
    from rbcalc_kernels.exact.trace import Step
    from rbcalc_kernels.language.types import Type

WIDTH = 100
_ADDRESS = re.compile(r"(?:, )?(https?://[^\s,]+)")
_FIGURES = 34
_DIFFERENCE = re.compile(r"(?:the larger of £0\.00 and (?:-£[\d,.]+ )?)?\(?£[\d,.]+ \N{MINUS SIGN} £[\d,.]+\)?")


class _Sources:
    """Where sources are to be read: a number in the text stands for an address at the end."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def cited(self, source: str) -> str:
        """A source in brackets, its addresses as numbers; nothing for none."""
        if not source:
            return ""
        found = [self.numbers.setdefault(url, len(self.numbers) + 1) for url in _ADDRESS.findall(source)]
        words = _ADDRESS.sub("", source).strip(", ")
        numbers = ", ".join(str(number) for number in found)
        return f"[{words}; {numbers}]" if words and numbers else f"[{words or numbers}]"

    def told(self) -> None:
        """Print the addresses."""
        if self.numbers:
            put("\nSources")
        for url, number in self.numbers.items():
            put(f"{number:>4}  {url}")


def as_text(told: Explanation) -> None:
    """Print the account."""
    sources = _Sources()
    put(told.account.title)
    heading = ", ".join(part for part in (told.council, told.year, told.reference) if part)
    put(heading)
    put("=" * min(WIDTH, max(len(heading), len(told.account.title))))
    if told.hypothetical:
        put("Hypothetical: worked out under a scenario, not under rules in force.")
    if told.provisional:
        _wrapped("Provisional: these figures are not confirmed: " + "; ".join(told.provisional) + ".", 0)
    for says in told.adopted:
        _wrapped(f"Rules: {says}.", 0)
    for outcome in told.outcomes:
        _outcome(outcome, sources)
    if told.outcomes:
        put("\nThe working")
    _facts(told.account, 0)
    for period in told.account.members:
        _section(period, 0, sources)
    put("\nThe year")
    nothing = [line for line in told.account.lines if _says_nothing(line)]
    for line in told.account.lines:
        if len(nothing) < 2 or line not in nothing:
            _line(line, 2, sources)
        elif line is nothing[0]:
            _wrapped(f"£0.00 each: {'; '.join(other.title for other in nothing)}.", 2)
    sources.told()


def _says_nothing(line: Line) -> bool:
    """Whether a line is the difference of two like sums and nothing more: no reason, and nothing that came near."""
    return (
        line.value == 0
        and not (line.because or line.parts or line.set_aside or line.provisional)
        and bool(_DIFFERENCE.fullmatch(line.working))
    )


def _outcome(outcome: Outcome, sources: _Sources) -> None:
    put(f"\n{outcome.title}, {outcome.days}")
    for line in outcome.figures:
        _pair(line.title, line.words, 2)
        if line.because and isinstance(line.type, Choice):
            _wrapped(line.because, 6)
    if outcome.refused:
        _wrapped(f"Why nothing: {outcome.refused} {sources.cited(outcome.source)}".strip(), 2)
        if outcome.needed:
            _wrapped(outcome.needed, 2)
    if outcome.deciding:
        put("  What decided it:")
    for line in outcome.deciding:
        _pair(line.title, line.words + (" (provisional)" if line.provisional else ""), 4)
        if line.working:
            _wrapped(f"= {line.working}", 8)
        if line.because:
            _wrapped(line.because, 8)


def _section(section: Section, indent: int, sources: _Sources) -> None:
    put()
    put(" " * indent + (f"{section.title}: {section.days}" if section.days else section.title))
    _facts(section, indent + 2)
    for member in section.members:
        _section(member, indent + 2, sources)
    if section.members:
        put()
    for line in section.lines:
        _line(line, indent + 2, sources)


def _facts(section: Section, indent: int) -> None:
    for fact in section.facts:
        _pair(fact.title, fact.words, indent)


def _line(line: Line, indent: int, sources: _Sources) -> None:
    words = line.words + (" (provisional)" if line.provisional else "")
    _pair(line.title, words, indent)
    deeper = indent + 4
    for label, part in line.parts:
        _pair(label, part, deeper)
    if line.working:
        ending = f" = {line.exact}, {line.rounding}" if line.exact else ""
        _wrapped(f"= {line.working}{ending}", deeper)
    elif line.exact:
        _wrapped(f"= {line.exact}, {line.rounding}", deeper)
    if line.because or line.source:
        _wrapped(f"{line.because} {sources.cited(line.source)}".strip(), deeper)
    for reason in line.set_aside:
        _wrapped(f"Does not apply on these days: {reason}", deeper)


def _pair(title: str, words: str, indent: int) -> None:
    """A title and its figure in two columns; a long title takes several lines."""
    room = WIDTH - _FIGURES - indent
    lines = textwrap.wrap(title, room, break_long_words=False) or [""]
    for text in lines[:-1]:
        put(" " * indent + text)
    put(" " * indent + lines[-1].ljust(room) + words.rjust(_FIGURES if len(words) <= _FIGURES else 0))


def _wrapped(text: str, indent: int) -> None:
    for line in textwrap.wrap(
        text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    ):
        put(line)


def as_tree(told: Explanation, name: str) -> None:
    """Print one value and all that it was made of, each thing once."""
    seen: set[int] = set()
    for step in told.working(name):
        row = step.row
        if row is not None and "first_day" in row.values:
            from rbcalc._years import shown

            put(f"{shown(int(row.values['first_day'] or 0))} to {shown(int(row.values['last_day'] or 0))}")
        _step(told, step, 0, seen)


def _step(told: Explanation, step: Step, depth: int, seen: set[int]) -> None:
    name = str(step.name.name if isinstance(step.name, Ref) else step.name)
    if name.startswith("__") or "__" in name:
        for inner in step.steps:
            _step(told, inner, depth, seen)
        return
    words = ("recorded" if step.value else "not recorded") if step.known else amount(step.value, _type(told, step))
    keys = f" [{', '.join(str(key).replace('_', ' ') for key in step.keys)}]" if step.keys else ""
    source = f"  [{step.source.text}]" if step.source is not None else ""
    repeated = bool(step.steps) and id(step) in seen
    put("  " * depth + f"{name}{keys} = {words}" + (" (as above)" if repeated else source))
    if repeated:
        return
    seen.add(id(step))
    for inner in step.steps:
        _step(told, inner, depth + 1, seen)


def _type(told: Explanation, step: Step) -> Type:
    program = told.program
    if isinstance(step.name, Ref):
        found = program.inputs.get(step.name)
        return found.type if found is not None else program.rule(step.name.entity, step.name.name).type
    figure = program.parameters.get(step.name) or program.tables.get(step.name)
    assert figure is not None
    return figure.type


def as_json(told: Explanation, name: str | None) -> None:
    """Print every value of every row, or those of one name."""
    rows = list(told.values)
    if name is not None:
        told.working(name)
        days = ("first_day", "last_day")
        rows = [
            {**row, "facts": {day: row["facts"][day] for day in days if day in row["facts"]}, "values": {name: row["values"][name]}}
            for row in rows
            if name in row["values"]
        ]
    document(
        {
            "account": told.reference,
            "council": told.council,
            "year": told.year,
            "rules": told.digest,
            "hypothetical": told.hypothetical,
            "provisional": list(told.provisional),
            "adopted": list(told.adopted),
            "rows": rows,
        }
    )
    sys.stdout.flush()
