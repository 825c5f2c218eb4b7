"""Tables to standard output: aligned for people, CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rbcalc_cli.options import Format

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA_VERSION = 1
LEAST_OF_WORDS = 8
"""Columns of words break over lines, but not below this width or their longest word."""
_FORMULA = ("=", "+", "@", "\t", "\r")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], form: Format, **about: Any) -> None:
    """Print rows of words under their headings; `about` goes into the JSON beside them."""
    if form is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([[_cell(value) for value in row] for row in rows])
    elif form is Format.JSON:
        keys = [column.lower().replace(" ", "_") for column in columns]
        document({**about, "title": title, "rows": [dict(zip(keys, row, strict=True)) for row in rows]})
    else:
        _aligned(title, columns, rows)


def totals(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, keys: int, down: bool = False) -> None:
    """Print totals for people: the first `keys` columns are words, the others figures, and no figure or word is broken over two lines.

    With `down` each figure has a line of its own, and so it has where the figures do not fit beside each other but do below.  Where
    neither fits, the words of a row stand above its figures.
    """
    width = _console().width
    turned = [[columns[place], *(row[place] for row in rows)] for place in range(keys, len(columns))]
    forms = [(["", *(", ".join(row[:keys]) for row in rows)], turned, 1)]
    if not down:
        forms.insert(0, (list(columns), [list(row) for row in rows], keys))
    for heads, lines, words in forms:
        least = [*_word_widths(heads, lines, words), *_figure_widths(heads, lines, words)]
        natural = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
        if _across(natural) <= width:
            _aligned(title, heads, lines)
            return
        if _across(least) <= width:
            _aligned(title, heads, lines, _filled(least, natural, words, width))
            return
    if _across([0, *_figure_widths(columns, rows, keys)]) <= width:
        _stacked(title, columns, rows, keys, width)
    else:
        _aligned(title, *forms[0][:2])


def _across(widths: Sequence[int]) -> int:
    """How wide columns are beside each other."""
    return sum(widths) + 2 * (len(widths) - 1)


def _filled(least: Sequence[int], natural: Sequence[int], keys: int, width: int) -> list[int]:
    """The widths of columns, what is left of the whole given to columns of words, to the one that lacks most first."""
    made = list(least)
    for _ in range(width - _across(made)):
        lacking = max(range(keys), key=lambda place: natural[place] - made[place])
        made[lacking] += natural[lacking] > made[lacking]
    return made


def _word_widths(columns: Sequence[str], rows: Sequence[Sequence[str]], keys: int) -> list[int]:
    """How narrow columns of words may be: as their longest word, and no narrower than they need be."""
    cells = list(zip(columns, *rows, strict=True))[:keys]
    longest = [max((len(word) for cell in column for word in cell.split()), default=0) for column in cells]
    return [min(max(LEAST_OF_WORDS, word), max(word, *map(len, column))) for word, column in zip(longest, cells, strict=True)]


def _stacked(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], keys: int, width: int) -> None:
    """Print rows with their words on a line above the figures."""
    from rich.text import Text

    widths = _filled(
        [0, *(figures := _figure_widths(columns, rows, keys))],
        [0, *(max(len(head), figure) for head, figure in zip(columns[keys:], figures, strict=True))],
        len(figures) + 1,
        width,
    )[1:]
    heads = [wrap(head, each) or [""] for head, each in zip(columns[keys:], widths, strict=True)]
    deep = max(map(len, heads))
    console = _console()

    def line(cells: Sequence[str], style: str = "") -> None:
        text = "".join(f"  {cell:{each}}" for cell, each in zip(cells, widths, strict=True))
        console.print(Text(text.rstrip(), style=style))

    if title:
        console.print(Text(title, style="bold"))
    for place in range(deep):
        line([([""] * (deep - len(head)) + head)[place] for head in heads], "bold")
    for row in rows:
        console.print(Text(", ".join(row[:keys])))
        line(row[keys:])


def _figure_widths(columns: Sequence[str], rows: Sequence[Sequence[str]], keys: int) -> list[int]:
    """Of each column of figures the longest of them, or of the words in its heading."""
    cells = list(zip(*rows, strict=True))[keys:]
    return [max(map(len, (*figures, *heading.split()))) for heading, figures in zip(columns[keys:], cells, strict=True)]


def put(text: object = "") -> None:
    """Print a line of a result."""
    sys.stdout.write(f"{text}\n")


def document(content: Mapping[str, Any]) -> None:
    """Print a JSON document."""
    put(json.dumps({"schema_version": SCHEMA_VERSION, **content}, indent=2, ensure_ascii=False))


def _cell(value: str) -> str:
    """A cell that no spreadsheet takes for a formula; amounts below nought stay amounts."""
    risky = value.startswith(_FORMULA) or (value.startswith("-") and not value[1:2].isdigit() and value[1:2] != "£")
    return f"'{value}" if risky else value


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def _aligned(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int | None] | None = None) -> None:
    from rich.table import Table
    from rich.text import Text

    made = Table(
        title=Text(title) if title else None, title_justify="left", box=None, pad_edge=False, header_style="bold", title_style="bold"
    )
    for column, width in zip(columns, widths or [None] * len(columns), strict=True):
        made.add_column(column, overflow="fold", vertical="top", width=width)
    for row in rows:
        made.add_row(*(Text(value) for value in row))
    _console().print(made)


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all.  Raises OutputError."""
    from rbcalc.errors import OutputError

    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True) if part.parent.is_dir() else None
        raise OutputError(
            "RC049", f"cannot write {path} ({error.strerror})", hint="choose a folder that exists and that you may write to"
        ) from error
