"""From the bytes of a file to text that is safe to parse, and from offsets in that text to spans.

These checks come before any YAML: size, encoding, and the characters that would let a file look different to a
reviewer from what it is to the compiler.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right

from .diagnostics import Findings, RulesError, Span

MAX_BYTES = 1024 * 1024
# A hostile file can hold an error in every character; more than this many is no help to anybody.
MAX_FINDINGS = 1000

# U+0085, U+2028 and U+2029 are here because YAML counts them as line breaks and editors do not, and a carriage
# return on its own for the same reason: with them refused, a line is the same thing to everybody.
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]|\r(?!\n)"
_INVISIBLE = r"[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufff9-\ufffb\U000e0000-\U000e007f]"
_FORBIDDEN = re.compile(f"(?P<control>{_CONTROL})|(?P<invisible>{_INVISIBLE})|(?P<mark>\ufeff)")
# Tabs are refused everywhere and not only in indentation: the C and the pure YAML parser disagree about a tab between
# two tokens, and whether a rule is accepted must not depend on the machine. A directive is a line that starts with %.
_LAYOUT = re.compile(r"^(?P<indent> *\t+)|(?P<tab>\t+)|^(?P<directive>%[^\r\n]{0,60})", re.MULTILINE)


class Lines:
    """The lines of a text, to turn an offset into a line and a column."""

    def __init__(self, text: str, file: str) -> None:
        """Find where every line starts."""
        self.file = file
        self.length = len(text)
        # An array, because a hostile file may hold a million lines.
        self.starts = array("I", [0])
        self.starts.extend(found.end() for found in re.finditer("\n", text))

    def place(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset, both from 1."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        """The span from one offset to another, both brought inside the text."""
        start = min(max(start, 0), self.length)
        return Span(self.file, *self.place(start), *self.place(min(max(end, start), self.length)))


def decode(data: str | bytes, file: str) -> str:
    """The text of a file without its byte order mark; RulesError when it is too large or not UTF-8."""
    findings = Findings()
    origin = Span(file, 1, 1, 1, 1)
    # A character is at least one byte, so an over-long text is refused without being encoded.
    size = len(data)
    bad: int | None = None
    if isinstance(data, str) and size <= MAX_BYTES:
        try:
            size = len(data.encode("utf-8"))
        except UnicodeEncodeError as error:
            bad = error.start
    if size > MAX_BYTES:
        findings.error("RB008", f"the file is larger than {MAX_BYTES:,} bytes", origin, help="split it into several files")
        findings.raise_if_errors({})
    text: str
    if isinstance(data, bytes):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            text, bad = data.decode("utf-8", "replace"), len(data[: error.start].decode("utf-8"))
    else:
        text = data
    if text.startswith("\ufeff"):
        text, bad = text[1:], None if bad is None else bad - 1
    if bad is not None:
        message = "the file is not valid UTF-8 text"
        findings.error("RB001", message, Lines(text, file).span(bad, bad + 1), help="save the file as UTF-8")
        raise RulesError(tuple(findings), {file: text.encode("utf-8", "replace").decode("utf-8")})
    return text


def check_characters(text: str, lines: Lines, findings: Findings) -> None:
    """Find every forbidden character, tab and directive, up to the most that a report can use."""
    for found in _FORBIDDEN.finditer(text):
        if len(findings) >= MAX_FINDINGS:
            return
        span = lines.span(found.start(), found.end())
        _forbid(found, span, findings)
    for found in _LAYOUT.finditer(text):
        if len(findings) >= MAX_FINDINGS:
            return
        if found["indent"]:
            span = lines.span(text.index("\t", found.start()), found.end())
            findings.error("RB002", "a tab is used for indentation", span, help="indent with spaces")
        elif found["tab"]:
            span = lines.span(found.start(), found.end())
            findings.error("RB002", "a tab is not allowed", span, help='use spaces, or write "\\t" in double quotes')
        else:
            span = lines.span(*found.span("directive"))
            message = "a line may not start with '%': YAML directives are not allowed"
            findings.error("RB019", message, span, help="remove the line")


def _forbid(found: re.Match[str], span: Span, findings: Findings) -> None:
    name = f"U+{ord(found[0]):04X}"
    if found["control"]:
        findings.error("RB016", f"the control character {name} is not allowed", span, help="remove the character")
    elif found["invisible"]:
        message = f"the invisible or direction-changing character {name} is not allowed"
        findings.error("RB017", message, span, help="remove the character; it makes the line look different from what it is")
    else:
        message = "a byte order mark (U+FEFF) is only allowed at the very start of a file"
        findings.error("RB018", message, span, help="remove the character")


def check_scalar(text: str, span: Span, findings: Findings) -> None:
    """Find the first forbidden character in the text of a scalar, where an escape can bring one in unseen."""
    found = _FORBIDDEN.search(text)
    if found:
        _forbid(found, span, findings)
