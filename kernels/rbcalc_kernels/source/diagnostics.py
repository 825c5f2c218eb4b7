"""Findings about rules files, and how they are shown to a person.

Every refusal in the project is a `Diagnostic`: a stable code, a sentence and the exact place in the file.
`Findings` collects them so that one run reports as much as it can, and `RulesError` carries them out.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Diagnostic", "Findings", "RulesError", "Severity", "Span", "render", "suggest"]

Severity = Literal["error", "warning"]

# A line longer than this is shown as a window round the place, so that a report on a hostile file stays small.
_WINDOW = 200
_BEFORE = 60


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a file: lines and columns count characters from 1, and the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __reduce__(self) -> tuple[object, ...]:
        """How it is copied, many times as fast as dataclasses do it by themselves."""
        return Span, (self.file, self.line, self.column, self.end_line, self.end_column)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a stable code, what is wrong, where, and (where known) how to put it right."""

    code: str
    message: str
    span: Span
    label: str = ""
    related: tuple[tuple[Span, str], ...] = ()
    help: str = ""
    severity: Severity = "error"


def _key(diagnostic: Diagnostic) -> tuple[str, int, int, str, str, str]:
    span = diagnostic.span
    # Severity and message come last only so that the order never depends on the order of discovery.
    return (span.file, span.line, span.column, diagnostic.code, diagnostic.severity, diagnostic.message)


def _tidy(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(dict.fromkeys(diagnostics), key=_key))


class Findings:
    """A collector of diagnostics, read back sorted by place and without repeats.

    It is true when it holds any error; warnings alone leave it false.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic] = ()) -> None:
        """Start with the given diagnostics, normally none."""
        self._found: dict[Diagnostic, None] = dict.fromkeys(diagnostics)

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep one diagnostic."""
        self._found[diagnostic] = None

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep several diagnostics, for instance those of another collector."""
        for diagnostic in diagnostics:
            self.add(diagnostic)

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        label: str = "",
        related: tuple[tuple[Span, str], ...] = (),
        help: str = "",
    ) -> None:
        """Keep an error."""
        self.add(Diagnostic(code, message, span, label, tuple(related), help, "error"))

    def warning(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        label: str = "",
        related: tuple[tuple[Span, str], ...] = (),
        help: str = "",
    ) -> None:
        """Keep a warning."""
        self.add(Diagnostic(code, message, span, label, tuple(related), help, "warning"))

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors, sorted."""
        return _tidy(found for found in self._found if found.severity == "error")

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings, sorted."""
        return _tidy(found for found in self._found if found.severity == "warning")

    def __iter__(self) -> Iterator[Diagnostic]:
        """All findings, sorted."""
        return iter(_tidy(self._found))

    def __len__(self) -> int:
        """How many different findings there are, warnings included."""
        return len(self._found)

    def __bool__(self) -> bool:
        """Whether there is any error."""
        return any(found.severity == "error" for found in self._found)

    def raise_if_errors(self, sources: Mapping[str, str]) -> None:
        """Raise `RulesError` with everything found, warnings included, when there is any error."""
        if self:
            raise RulesError(tuple(self), sources)


class RulesError(Exception):
    """The rules were refused; `str` of the error is the whole report."""

    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]

    def __init__(self, diagnostics: Iterable[Diagnostic], sources: Mapping[str, str]) -> None:
        """Keep the diagnostics, sorted, and the text of the files they point into."""
        self.diagnostics = _tidy(diagnostics)
        self.sources = sources
        super().__init__(self.diagnostics, sources)

    def __str__(self) -> str:
        """The rendered report."""
        return render(self.diagnostics, self.sources)


_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def _shown(text: str) -> str:
    """Make text safe to print on one line, one character for one character.

    Messages quote rules files, and a file may hold characters that would rewrite the terminal or reverse the line.
    """
    return _UNSAFE.sub(lambda found: " " if found[0] in "\t\r\n" else "\ufffd", text)


def _width(text: str) -> int:
    """How many terminal columns the text takes, so that carets line up under wide characters."""
    if text.isascii():
        return len(text)
    widths = (0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
    return sum(widths)


def _excerpt(span: Span, label: str, lines: list[str]) -> list[str]:
    """The source line with its carets, or nothing when the line is not known."""
    if not 1 <= span.line <= len(lines):
        return []
    source = lines[span.line - 1].removesuffix("\r")
    start = min(max(span.column - 1, 0), len(source))
    end = span.end_column - 1 if span.end_line == span.line else len(source)
    end = max(start, min(end, len(source)))
    lead = ""
    if len(source) > _WINDOW:
        cut = max(0, start - _BEFORE)
        lead = "…" if cut else ""
        tail = "…" if cut + _WINDOW < len(source) else ""
        source, start, end = source[cut : cut + _WINDOW] + tail, start - cut, min(end - cut, _WINDOW)
    shown = _shown(source)
    pad = " " * (len(lead) + _width(shown[:start]))
    carets = "^" * max(1, _width(shown[start:end]))
    number = str(span.line)
    caret_line = f"   {' ' * len(number)} | {pad}{carets} {_shown(label)}".rstrip()
    return [f"   {number} | {lead}{shown}".rstrip(), caret_line]


def _place(span: Span) -> str:
    return f"{_shown(span.file)}:{span.line}:{span.column}"


def _block(diagnostic: Diagnostic, lines: list[str]) -> list[str]:
    """The lines of the report for one diagnostic."""
    head = f"{_place(diagnostic.span)}: {diagnostic.severity}[{diagnostic.code}] {_shown(diagnostic.message)}"
    excerpt = _excerpt(diagnostic.span, diagnostic.label, lines)
    if not excerpt and diagnostic.label:
        # Without the source there is nothing to underline, but what the label says must not be lost.
        excerpt = [f"   note: {_shown(diagnostic.label)}"]
    notes = [f"   note: {_place(span)}: {_shown(text)}" for span, text in diagnostic.related]
    return [head, *excerpt, *notes, *([f"   help: {_shown(diagnostic.help)}"] if diagnostic.help else [])]


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def render(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], limit: int = 50) -> str:
    """The report on the diagnostics as text, sorted and without repeats.

    At most `limit` are shown in full; the last line counts all of them.
    """
    tidy = _tidy(diagnostics)
    split: dict[str, list[str]] = {}
    out: list[str] = []
    for diagnostic in tidy[: max(limit, 0)]:
        file = diagnostic.span.file
        if file not in split:
            # Not splitlines(): that also breaks at characters which do not end a line in an editor.
            split[file] = sources[file].split("\n") if file in sources else []
        out += _block(diagnostic, split[file])
    if len(tidy) > max(limit, 0):
        out.append(f"... and {len(tidy) - max(limit, 0)} more")
    errors = sum(diagnostic.severity == "error" for diagnostic in tidy)
    counts = [_count(errors, "error")] if errors or len(tidy) == errors else []
    if len(tidy) > errors:
        counts.append(_count(len(tidy) - errors, "warning"))
    out.append(", ".join(counts))
    return "\n".join(out)


def suggest(word: str, known: Iterable[str]) -> str:
    """The phrase " (did you mean 'x'?)" for the known word nearest to `word`, or nothing when none is near."""
    # Sorted first, so that a tie never depends on the order of a set; cut, because matching is quadratic.
    near = difflib.get_close_matches(word[:200], sorted(set(known)), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
