"""Tables to standard output: aligned for people, CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rbcalc_cli.options import Format

SCHEMA_VERSION = 1
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


def _aligned(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    made = Table(
        title=Text(title) if title else None, title_justify="left", box=None, pad_edge=False, header_style="bold", title_style="bold"
    )
    for column in columns:
        made.add_column(column, overflow="fold", vertical="top")
    for row in rows:
        made.add_row(*(Text(value) for value in row))
    console.print(made)


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
