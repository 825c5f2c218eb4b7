"""Read a rules file into nodes that keep their place, refusing every YAML feature that can hide a meaning.

Reading has three steps, and each runs only on what the one before it found good: characters, then parsing events,
then building. Nothing is typed and nothing recurses, so no file can do more than be refused.
"""

from __future__ import annotations

from typing import cast

import yaml

from .diagnostics import Findings, Span
from .events import check_events, content_end, events, extent
from .nodes import Mapping_, Node, Scalar, Sequence_
from .text import Lines, check_characters, decode

__all__ = ["Mapping_", "Node", "Scalar", "Sequence_", "read"]


def read(text: str | bytes, file: str) -> Mapping_ | Sequence_ | Scalar:
    """The root node of a rules file; RulesError with every finding when any of it is refused.

    `file` is the name to report; nothing is opened. A byte order mark at the start is dropped.
    """
    content = decode(text, file)
    sources = {file: content}
    lines = Lines(content, file)
    findings = Findings()
    check_characters(content, lines, findings)
    findings.raise_if_errors(sources)
    check_events(content, lines, findings)
    findings.raise_if_errors(sources)
    return _build(content, lines)


def _build(text: str, lines: Lines) -> Node:
    """Build the nodes of a text already found good, with a stack and not by recursion."""
    # The bottom of the stack is a list that receives the root.
    stack: list[tuple[yaml.CollectionStartEvent | None, list[Node]]] = [(None, [])]
    for event in events(text):
        if isinstance(event, yaml.ScalarEvent):
            stack[-1][1].append(_scalar(event, text, lines))
        elif isinstance(event, yaml.CollectionStartEvent):
            stack.append((event, []))
        elif isinstance(event, yaml.CollectionEndEvent):
            opening, children = stack.pop()
            assert opening is not None
            stack[-1][1].append(_collection(opening, event, children, lines))
    return stack[0][1][0]


def _scalar(event: yaml.ScalarEvent, text: str, lines: Lines) -> Scalar:
    start, end = extent(event)
    style = event.style or ""
    raw = text[start:end]
    span = lines.span(start, content_end(text, event))
    # One line without quotes needs no map from text to file, and most scalars are that.
    return Scalar(event.value, span, style in ("'", '"'), style, "" if raw == event.value else raw)


def _collection(opening: yaml.CollectionStartEvent, closing: yaml.Event, children: list[Node], lines: Lines) -> Mapping_ | Sequence_:
    span = lines.span(extent(opening)[0], extent(closing)[1])
    if children and not opening.flow_style:
        # A block collection ends for YAML where the next thing starts, which may be many comment lines later.
        last = children[-1].span
        span = Span(span.file, span.line, span.column, last.end_line, last.end_column)
    if isinstance(opening, yaml.SequenceStartEvent):
        return Sequence_(tuple(children), span)
    # Every key was found to be a scalar when the events were checked.
    return Mapping_(tuple(zip(cast("list[Scalar]", children[::2]), children[1::2], strict=True)), span)
