"""Everything that is refused in YAML itself, found on the stream of parsing events.

The events come one at a time and nothing is built from them, so a limit stops the work at the event that breaks it:
a deeply nested file or an endless list costs no more than a good one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from .diagnostics import Findings, Span
from .text import MAX_FINDINGS, Lines, check_scalar

MAX_DEPTH = 32
MAX_NODES = 200_000
MAX_DIGITS = 18
MAX_KEY = 256

# The C loader is some fifty times faster; its marks count characters, as those of the pure loader do.
LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Plain text that a person would take for a number: a sign, a currency sign, digits with separators, an exponent.
_NUMBER = re.compile(r"[-+]?£?[-+]?(?:(?P<hexadecimal>0x[0-9a-fA-F_]+)|0o[0-9_]+|\.?[0-9][0-9_,.':]*(?:[eE][-+]?[0-9_]+)?)\s?[%p]?")
_DIGITS = re.compile(r"[0-9]+")
_HEX_DIGITS = re.compile(r"[0-9a-fA-F]+")
_WORD = re.compile(r"[^\s,\[\]{}]*")
# The C parser takes "|#" for a comment and the pure one refuses it; the verdict must not depend on the machine.
_BLOCK_HEADER = re.compile(r"[|>][-+1-9]{0,2}(?: +#[^\n]*| *)\r?(?:\n|\Z)")
_EXCERPT = 40


@dataclass(slots=True)
class _Frame:
    """An open collection: for a mapping, the keys so far and whether a key comes next."""

    is_mapping: bool
    wants_key: bool
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)


def events(text: str) -> Iterator[yaml.Event]:
    """The parsing events of a text, and nothing constructed from them."""
    loader = LOADER(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def extent(event: yaml.Event) -> tuple[int, int]:
    """The offsets where an event starts and ends in the text."""
    # Marks are optional only for events made by hand to be written out; a parser always gives them.
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


def content_end(text: str, event: yaml.ScalarEvent) -> int:
    """The offset where a scalar ends, without the blank lines that YAML counts to a block scalar."""
    start, end = extent(event)
    if event.style in ("|", ">"):
        end = start + len(text[start:end].rstrip())
    return end


def check_events(text: str, lines: Lines, findings: Findings) -> None:
    """Find what is refused in the YAML of a text: all of it, or up to the first error that hides the rest."""
    checker = _Checker(text, lines, findings)
    try:
        for event in events(text):
            if not checker.take(event) or len(findings) >= MAX_FINDINGS:
                return
    except yaml.MarkedYAMLError as error:
        checker.syntax(error)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The pure loader lets a bad escape such as "\UFFFFFFFF" out as a ValueError or an OverflowError.
        findings.error("RB015", f"the file is not well-formed YAML: {_first_line(str(error))}", lines.span(0, 1))


def _first_line(message: str) -> str:
    return message.partition("\n")[0][:200]


class _Checker:
    """The state of one walk over the events."""

    def __init__(self, text: str, lines: Lines, findings: Findings) -> None:
        self.text = text
        self.lines = lines
        self.findings = findings
        self.frames: list[_Frame] = []
        self.nodes = 0
        self.documents = 0

    def take(self, event: yaml.Event) -> bool:
        """Check one event; False when the walk must stop here."""
        if isinstance(event, yaml.NodeEvent):
            return self._node(event)
        if isinstance(event, yaml.CollectionEndEvent):
            self.frames.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            return self._document(event)
        elif isinstance(event, yaml.StreamEndEvent) and not self.documents:
            self.findings.error("RB014", "the file is empty", self.lines.span(0, 0))
        return True

    def _document(self, event: yaml.DocumentStartEvent) -> bool:
        self.documents += 1
        if self.documents > 1:
            start, _ = extent(event)
            message = "the file holds more than one YAML document"
            self.findings.error("RB013", message, self.lines.span(start, start + 3), help="put each in a file of its own")
        return self.documents == 1

    def _node(self, event: yaml.NodeEvent) -> bool:
        start, _ = extent(event)
        collection = isinstance(event, yaml.CollectionStartEvent)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            message = f"the file holds more than {MAX_NODES:,} values"
            self.findings.error("RB010", message, self.lines.span(start, start + 1), help="split it into several files")
            return False
        if collection and len(self.frames) >= MAX_DEPTH:
            message = f"the file is nested more than {MAX_DEPTH} deep"
            self.findings.error("RB009", message, self.lines.span(start, start + 1))
            return False
        if isinstance(event, yaml.AliasEvent):
            self._alias(start)
        else:
            self._properties(event, start)
        frame = self.frames[-1] if self.frames else None
        if frame is not None and frame.is_mapping:
            if frame.wants_key:
                self._key(event, frame)
            frame.wants_key = not frame.wants_key
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, start, frame is None)
        if collection:
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            self.frames.append(_Frame(is_mapping, is_mapping))
        return True

    def _alias(self, start: int) -> None:
        length = self._word(start)
        message = f"the alias {self.text[start : start + length][:_EXCERPT]} is not allowed"
        self.findings.error("RB005", message, self.lines.span(start, start + length), help="write the value out")

    def _properties(self, event: yaml.NodeEvent, start: int) -> None:
        """Refuse a tag and an anchor; a node may have both, in either order."""
        tag: str | None = getattr(event, "tag", None)
        for sign, used, code, word, advice in (
            ("!", tag is not None, "RB003", "tag", "remove the tag; put a piece of text in quotes"),
            ("&", event.anchor is not None, "RB004", "anchor", "remove the anchor"),
        ):
            if used:
                at = start if self.text.startswith(sign, start) else max(start, self.text.find(sign, start))
                length = self._word(at)
                message = f"the {word} {self.text[at : at + length][:_EXCERPT]} is not allowed"
                self.findings.error(code, message, self.lines.span(at, at + length), help=advice)

    def _word(self, at: int) -> int:
        found = _WORD.match(self.text, at)
        return max(1, len(found[0])) if found else 1

    def _key(self, event: yaml.NodeEvent, frame: _Frame) -> None:
        start, end = extent(event)
        if isinstance(event, yaml.AliasEvent):
            return
        if not isinstance(event, yaml.ScalarEvent):
            message = "a key must be a piece of text, not a list or a mapping"
            self.findings.error("RB012", message, self.lines.span(start, start + 1))
            return
        key = event.value
        span = self.lines.span(start, max(content_end(self.text, event), start + 1))
        if not key.strip() or "\n" in key or event.style in ("|", ">"):
            message = "a key must not be empty" if not key.strip() else "a key must be a piece of text on one line"
            self.findings.error("RB012", message, span)
        elif len(key) > MAX_KEY:
            self.findings.error("RB020", f"a key is longer than {MAX_KEY} characters", span)
        elif key == "<<":
            # In quotes too: a reviewer cannot be expected to know that '<<' would then be an ordinary key.
            self.findings.error("RB007", "the merge key << is not allowed", span, help="write the values out")
        elif key in frame.keys:
            first = self.lines.span(*frame.keys[key])
            message = f"the key '{key[:_EXCERPT]}' is written twice in one mapping"
            self.findings.error("RB006", message, span, related=((first, "it is first written here"),))
        else:
            frame.keys[key] = (start, end)

    def _scalar(self, event: yaml.ScalarEvent, start: int, is_root: bool) -> None:
        value, (_, end) = event.value, extent(event)
        if event.style == '"':
            check_scalar(value, self.lines.span(start, end), self.findings)
        elif event.style in ("|", ">"):
            # After a tag or an anchor the node starts elsewhere, and is refused for that already.
            if self.text[start] == event.style and not _BLOCK_HEADER.match(self.text, start):
                message = f"not well-formed YAML: only a comment after a space may follow {event.style}"
                self.findings.error("RB015", message, self.lines.span(start, start + 1))
        elif event.style in ("", None):
            if is_root and not value and event.tag is None and event.anchor is None:
                self.findings.error("RB014", "the file is empty", self.lines.span(start, start))
            elif len(value) > MAX_DIGITS and (number := _NUMBER.fullmatch(value)):
                self._digits(value, _HEX_DIGITS if number["hexadecimal"] else _DIGITS, self.lines.span(start, end))

    def _digits(self, value: str, digits: re.Pattern[str], span: Span) -> None:
        # Separators do not make a long number a short one.
        joined = re.sub("[_,']", "", value)
        if max((len(run) for run in digits.findall(joined)), default=0) > MAX_DIGITS:
            message = f"a number has more than {MAX_DIGITS} digits in a row"
            self.findings.error("RB011", message, span, help="put it in quotes if it is not a number")

    def syntax(self, error: yaml.MarkedYAMLError) -> None:
        """Report what the YAML parser itself refuses, under the code of what the author wrote."""
        mark = error.problem_mark or error.context_mark
        at = min(mark.index if mark is not None else 0, len(self.text))
        problem, context = _first_line(str(error.problem or error.context)), str(error.context or "")
        span = self.lines.span(at, at + 1)
        start = error.context_mark.index if error.context_mark is not None else at
        begins = self.text[start : start + 1]
        if "tag" in context or "tag handle" in problem:
            self.findings.error("RB003", f"a tag is not allowed ({problem})", span, help="remove the tag")
        elif begins == "&" and "anchor" in context:
            self.findings.error("RB004", f"an anchor is not allowed ({problem})", span, help="remove the anchor")
        elif begins == "*" and ("alias" in context or "anchor" in context):
            message = f"an alias is not allowed ({problem})"
            self.findings.error("RB005", message, span, help="put text that starts with * in quotes")
        else:
            related: tuple[tuple[Span, str], ...] = ()
            if error.context_mark is not None and error.context and start != at:
                related = ((self.lines.span(start, start + 1), _first_line(context)),)
            advice = "put text that starts with this character in quotes" if "cannot start any token" in problem else ""
            if "mapping values are not allowed" in problem:
                advice = "put a text with a colon in quotes, or after | on the next line"
            self.findings.error("RB015", f"not well-formed YAML: {problem}", span, related=related, help=advice)
