"""Where each character of a scalar's text stands in the file.

YAML folds lines, doubles quotes and strips indentation, so an offset in the text is not an offset in the file.
Each function here replays what YAML did to the raw source of one scalar, keeping for every character of the text
the raw offset it came from. An expression inside a scalar can then be underlined at the exact operator.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from functools import lru_cache

_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}


def locate(raw: str, style: str, text: str, offset: int) -> tuple[int, int]:
    """The (line, column) of `text[offset]` relative to the start of `raw`, both counted from 0.

    The offset `len(text)` is the place just after the last character. An offset outside the text is brought to the
    nearest end: this serves error reports, which must not fail themselves.
    """
    offsets, starts = _map(raw, style, text)
    at = offsets[min(max(offset, 0), len(text))]
    line = bisect_right(starts, at) - 1
    return line, at - starts[line]


@lru_cache(maxsize=16)
def _map(raw: str, style: str, text: str) -> tuple[array[int], array[int]]:
    """The raw offset of every character of the text and of its end, and the raw offset of every line."""
    offsets = _block(raw, style, text) if style in ("|", ">") else _flow(raw, style)
    # A replay that disagrees with the YAML library must not point to a wrong place: fall back to the start.
    if len(offsets) != len(text) + 1:
        offsets = array("I", [0]) * (len(text) + 1)
    starts = array("I", [0])
    at = raw.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = raw.find("\n", at + 1)
    return offsets, starts


def _breaks(raw: str, at: int, stop: int) -> tuple[list[int], int]:
    """The offsets of the line breaks from `at` on, with blanks between them, and where the next text starts."""
    found: list[int] = []
    while at < stop and raw[at] in " \t\r\n":
        if raw[at] in "\r\n":
            found.append(at)
            at += 1 if raw[at] == "\n" else 2
        else:
            at += 1
    return found, at


def _flow(raw: str, style: str) -> array[int]:
    """Replay a plain or quoted scalar: line breaks fold, and a quote or an escape is one character."""
    at, stop = (1, len(raw) - 1) if style else (0, len(raw))
    out = array("I")
    while at < stop:
        char = raw[at]
        if char in " \t":
            first = at
            while at < stop and raw[at] in " \t":
                at += 1
            # Blanks before a line break are not part of the text; blanks before a closing quote are.
            if at >= stop or raw[at] not in "\r\n":
                out.extend(range(first, at))
        elif char in "\r\n":
            found, at = _breaks(raw, at, stop)
            out.extend(found[1:] or found)
        elif style == '"' and char == "\\":
            if raw[at + 1] in "\r\n":
                found, at = _breaks(raw, at + 1, stop)
                out.extend(found[1:])
            else:
                out.append(at)
                at += _ESCAPE_LENGTHS.get(raw[at + 1], 2)
        else:
            out.append(at)
            at += 2 if style == "'" and char == "'" else 1
    out.append(stop)
    return out


def _block(raw: str, style: str, text: str) -> array[int]:
    """Replay a literal or folded scalar, with the indentation that gives back the text."""
    lines: list[tuple[int, str]] = []
    at = raw.find("\n") + 1
    while 0 < at < len(raw):
        end = raw.find("\n", at)
        end = len(raw) if end < 0 else end
        lines.append((at, raw[at:end].removesuffix("\r")))
        at = end + 1
    indents = [len(line) - len(line.lstrip(" ")) for _, line in lines if line.strip(" ")]
    # The indent is normally that of the first line of text; an explicit indicator (|2) can make it smaller, and a
    # scalar of nothing but blank lines has none, for which any indent wider than the lines will do.
    widest = indents[0] if indents else max((len(line) for _, line in lines), default=0)
    for indent in range(widest, -1, -1):
        decoded, offsets = _decode_block(lines, indent, style == ">")
        if decoded.startswith(text):
            del offsets[len(text) :]
            offsets.append(offsets[-1] + 1 if offsets else len(raw))
            return offsets
    return array("I")


def _decode_block(lines: list[tuple[int, str]], indent: int, folded: bool) -> tuple[str, array[int]]:
    """The text of a block scalar before its trailing line breaks are chomped, with the offset of each character."""
    parts: list[str] = []
    offsets = array("I")
    pending: list[int] = []
    previous_folds: bool | None = None
    for at, line in lines:
        if len(line) <= indent and not line.strip(" "):
            pending.append(at + len(line))
            continue
        folds = folded and line[indent : indent + 1] not in (" ", "\t")
        if previous_folds and folds:
            # One break between two lines of prose becomes a space; of several, the first is dropped.
            parts.append("\n" * (len(pending) - 1) or " ")
            offsets.extend(pending[1:] or pending)
        else:
            parts.append("\n" * len(pending))
            offsets.extend(pending)
        parts.append(line[indent:])
        offsets.extend(range(at + indent, at + len(line)))
        pending = [at + len(line)]
        previous_folds = folds
    parts.append("\n" * len(pending))
    offsets.extend(pending)
    return "".join(parts), offsets
