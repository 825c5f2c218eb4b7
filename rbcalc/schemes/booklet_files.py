"""Booklets and what tells them apart as text: HTML and Markdown from templates, and rows for spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc.schemes.booklet import Booklet
from rbcalc.schemes.booklet_changes import Comparison
from rbcalc.schemes.booklet_words import quoted

if TYPE_CHECKING:
    from jinja2 import Template

_SIGNS: Final = re.compile(r"([\\`*_\[\]<>|#])")
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9./?=&%#:_~+@;()-]*[A-Za-z0-9/_-]")
_BLANK: Final = re.compile(r"\n{3,}")
COLUMNS: Final = ("By whom", "Figure", "For", "Value", "From", "Status", "Source")
DIFFERENCES: Final = ("By whom", "Figure", "For", "Old", "New", "Status", "Old source", "New source")


def rendered(found: Booklet | Comparison, form: str) -> str:
    """A booklet, or what tells two apart, as HTML or Markdown; for a terminal (`table`) Markdown without links."""
    name = "booklet" if isinstance(found, Booklet) else "differences"
    values: dict[str, Any] = {"booklet": found} if isinstance(found, Booklet) else {"found": found}
    text = _template(f"{name}.{'html' if form == 'html' else 'md'}.j2", form).render(values)
    return _BLANK.sub("\n\n", text).strip() + "\n"


def rows(booklet: Booklet) -> Iterator[tuple[str, ...]]:
    """Every figure of a booklet, one in a row (COLUMNS)."""
    for group in booklet.groups:
        for figure in group.figures:
            yield group.title, figure.title, "", figure.words, figure.since, _status(provisional=figure.provisional), figure.source
        for table in group.laid:
            sources = "; ".join(table.sources)
            for head, *cells in table.sheet.rows:
                for column, cell in zip(table.sheet.columns[1:], cells, strict=True):
                    for_ = f"{head}, {column}" if len(cells) > 1 else head
                    yield group.title, table.title, for_, cell, table.since, _status(provisional=table.provisional), sources


def differing(found: Comparison) -> Iterator[tuple[str, ...]]:
    """Every figure that differs, one in a row, then the steps (DIFFERENCES)."""
    for section in found.sections:
        for one in section.differences:
            status = _status(provisional=one.provisional)
            yield section.title, one.title, ", ".join(one.keys), one.old, one.new, status, one.old_source, one.new_source
        for alone in section.tables:
            for head, *cells in alone.table.sheet.rows:
                for column, cell in zip(alone.table.sheet.columns[1:], cells, strict=True):
                    pair, sources = (cell, ""), ("; ".join(alone.table.sources), "")
                    if not alone.old:
                        pair, sources = pair[::-1], sources[::-1]
                    for_ = f"{head}, {column}" if len(cells) > 1 else head
                    yield section.title, alone.table.title, for_, *pair, _status(provisional=alone.table.provisional), *sources
        for step in section.steps:
            texts = [
                " | ".join(f"{line.when}: {line.give}" if line.when else line.give for line in rung.lines) if rung else ""
                for rung in (step.old, step.new)
            ]
            status = _status(provisional=any(rung is not None and rung.provisional for rung in (step.old, step.new)))
            yield (
                section.title,
                f"The step {quoted(step.title)}",
                "",
                texts[0],
                texts[1],
                status,
                *(rung.source if rung else "" for rung in (step.old, step.new)),
            )


def _status(*, provisional: bool) -> str:
    return "provisional" if provisional else "confirmed"


@lru_cache(maxsize=6)
def _template(name: str, form: str) -> Template:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    loader = FileSystemLoader(Path(__file__).parents[1] / "templates")
    made = ImmutableSandboxedEnvironment(
        autoescape=form == "html", undefined=StrictUndefined, loader=loader, keep_trailing_newline=True, trim_blocks=form != "html"
    )
    made.filters["plain"] = _plain
    made.filters["linked"] = {"html": _linked_html, "markdown": _linked}.get(form, _plain)
    return made.get_template(name)


def _plain(text: object) -> str:
    """Text in which no sign means anything in Markdown."""
    return _SIGNS.sub(r"\\\1", " ".join(str(text).split()))


def _linked(text: object) -> str:
    """Text of Markdown in which addresses of pages are links."""
    return "".join(f"<{part}>" if address else _plain_part(part) for part, address in _parts(str(text)))


def _plain_part(text: str) -> str:
    return _SIGNS.sub(r"\\\1", re.sub(r"\s+", " ", text))


def _linked_html(text: object) -> Any:
    """Text of HTML in which addresses of pages are links."""
    from markupsafe import Markup

    made = Markup()
    for part, address in _parts(str(text)):
        made += Markup('<a href="{0}">{0}</a>').format(part) if address else part
    return made


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """A text cut at the addresses of pages in it."""
    last = 0
    for match in _ADDRESS.finditer(text):
        yield text[last : match.start()], False
        yield match[0], True
        last = match.end()
    yield text[last:], False


__all__ = ["COLUMNS", "DIFFERENCES", "differing", "rendered", "rows"]
