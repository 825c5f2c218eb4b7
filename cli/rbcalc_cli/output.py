"""Tables to standard output: aligned for people, CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbcalc_cli.options import Format

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA_VERSION = 1
LEAST_OF_WORDS = 8
"""Columns of words break over lines, but not below this width."""
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
    """Print totals for people: the first `keys` columns are words, the others figures, and no figure is broken over two lines.

    With `down` each figure has a line of its own, and so it has where the figures do not fit beside each other but do below.
    """
    width = _console().width
    turned = [[columns[place], *(row[place] for row in rows)] for place in range(keys, len(columns))]
    if down or (_least(columns, rows, keys) > width >= _least([""] * (len(rows) + 1), turned, 1)):
        columns, rows, keys = ["", *(", ".join(row[:keys]) for row in rows)], turned, 1
    if sum(max(map(len, column)) + 2 for column in zip(columns, *rows, strict=True)) - 2 <= width or _least(columns, rows, keys) > width:
        _aligned(title, columns, rows)
    else:
        _aligned(title, columns, rows, [*[None] * keys, *_figure_widths(columns, rows, keys)])


def _least(columns: Sequence[str], rows: Sequence[Sequence[str]], keys: int) -> int:
    """How wide a table must be for its figures to stay whole."""
    return keys * (LEAST_OF_WORDS + 2) + sum(each + 2 for each in _figure_widths(columns, rows, keys)) - 2


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
