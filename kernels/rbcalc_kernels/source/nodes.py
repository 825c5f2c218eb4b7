"""The three kinds of node that a rules file is made of, each with its place in the file.

No value is typed here: every scalar is the text that was written, so `no`, `010` and `1e3` reach the floor that
knows which type is wanted exactly as the author typed them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .diagnostics import Span
from .positions import locate

__all__ = ["Mapping_", "Node", "Scalar", "Sequence_"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A piece of text; `style` is the YAML style: empty for plain, or one of `'`, `"`, `|` and `>`."""

    text: str
    span: Span
    quoted: bool = False
    style: str = ""
    # The source as written, kept only where it differs from the text. It serves positions and is not part of the value.
    raw: str = field(default="", compare=False, repr=False)

    def __reduce__(self) -> tuple[object, ...]:
        """How it is copied, many times as fast as dataclasses do it by themselves."""
        return Scalar, (self.text, self.span, self.quoted, self.style, self.raw)

    def position(self, offset: int) -> tuple[int, int]:
        """The (line, column) in the file of the character `text[offset]`.

        `len(text)` is the place after the last character. A folded line break stands where its line ends.
        """
        if not self.raw:
            return self.span.line, self.span.column + min(max(offset, 0), len(self.text)) + self.quoted
        line, column = locate(self.raw, self.style, self.text, offset)
        return self.span.line + line, column + (self.span.column if line == 0 else 1)

    def part(self, start: int, end: int) -> Span:
        """The span in the file of `text[start:end]`, for underlining a part of an expression."""
        line, column = self.position(start)
        if end <= start:
            return Span(self.span.file, line, column, line, column)
        # From the last character and not from `end`, which may already stand on the next line.
        last_line, last_column = self.position(end - 1)
        return Span(self.span.file, line, column, last_line, last_column + 1)


@dataclass(frozen=True, slots=True)
class Sequence_:
    """A list of nodes."""

    items: tuple[Node, ...]
    span: Span

    def __iter__(self) -> Iterator[Node]:
        """The items in order."""
        return iter(self.items)


@dataclass(frozen=True, slots=True)
class Mapping_:
    """Keys and their nodes, in the order written; no key appears twice."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span
    _places: dict[str, int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Index the keys, so that looking one up does not walk the mapping."""
        object.__setattr__(self, "_places", {key.text: place for place, (key, _) in enumerate(self.entries)})

    def get(self, key: str) -> Node | None:
        """The node written under the key, or None."""
        place = self._places.get(key)
        return None if place is None else self.entries[place][1]

    def key_span(self, key: str) -> Span:
        """The place of the key itself; KeyError when the mapping does not have it."""
        return self.entries[self._places[key]][0].span

    def keys(self) -> tuple[str, ...]:
        """The keys as text, in the order written."""
        return tuple(self._places)

    def __contains__(self, key: object) -> bool:
        """Whether the key is written."""
        return key in self._places


Node = Scalar | Sequence_ | Mapping_
