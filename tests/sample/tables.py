"""Reading what a sample wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rbcalc.sampling.sample import Summary

Table = list[dict[str, Any]]


def read(made: Summary, name: str) -> Any:
    """A table of a sample, whether in one file or in many, with members of lists as text."""
    return plain(pa.concat_tables([plain(pq.read_table(made.folder / file)) for file in made.tables[name].files]))


def plain(table: Any) -> Any:
    kinds = [(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(kinds)).combine_chunks()


def everything(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def by(rows: Iterable[dict[str, Any]], column: str) -> dict[str, Table]:
    """Rows by what a column holds."""
    found: dict[str, Table] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def sorted_rows(table: Any) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=repr)
