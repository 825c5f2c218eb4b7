"""Writing a sample caseload: one file for each table, or many when it is large, and a manifest last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from rbcalc.errors import OutputError, UsageError

FORMATS: Final = ("parquet", "csv")
MANIFEST: Final = "manifest.json"
ROW_GROUP: Final = 122_880
_KIND: Final = "sample caseload"


def check_folder(folder: Path, force: bool) -> None:
    """See that a sample can go to a folder, before the work.  Raises OutputError; nothing is touched."""
    try:
        there = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise OutputError("RC049", "the output folder cannot be read", str(folder), "name another folder") from error
    if there and not force:
        raise _not_empty(folder)
    if there:
        _earlier(folder)
    elif folder.exists() and not folder.is_dir():
        raise OutputError("RC049", "the output folder is a file", str(folder), "name a folder")


def _not_empty(folder: Path) -> OutputError:
    hint = "name another folder, or replace the earlier sample with --force"
    return OutputError("RC049", "the output folder is not empty", str(folder), hint)


def prepare(folder: Path, force: bool) -> None:
    """Make the folder, or empty it of an earlier sample.  Raises OutputError when it holds anything else."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = sorted(folder.iterdir())
    except OSError as error:
        raise OutputError("RC049", "the output folder cannot be made or read", str(folder), "name another folder") from error
    if not there:
        return
    if not force:
        raise _not_empty(folder)
    earlier = _earlier(folder)
    for file in earlier:
        (folder / file).unlink(missing_ok=True)
    for parent in sorted({(folder / file).parent for file in earlier} - {folder}):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
    (folder / MANIFEST).unlink(missing_ok=True)
    if left := sorted(folder.iterdir()):
        raise OutputError("RC049", f"the output folder holds what no sample made: {left[0].name}", str(folder), "name another folder")


def _earlier(folder: Path) -> list[str]:
    """The files of an earlier sample, as its manifest lists them; none outside the folder."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = [str(file) for table in manifest["tables"].values() for file in table["files"]] if manifest["kind"] == _KIND else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        files = None
    if files is None or any(Path(file).is_absolute() or ".." in Path(file).parts for file in files):
        raise OutputError("RC049", "the output folder is not empty and holds no sample", str(folder), "name another folder")
    return files


@dataclass(slots=True)
class TableWriter:
    """Writes one table to one file, chunk after chunk; the file takes its name only when it is whole."""

    folder: Path
    name: str
    format: str
    _writer: Any = None
    _part: Path | None = None
    files: list[str] = field(default_factory=list)

    def write(self, table: Any) -> None:
        """Add some rows."""
        table = plain(table) if self.format == "csv" else table
        if self._writer is None:
            self._part = self.folder / f".{self.name}.part"
            if self.format == "csv":
                self._writer = csv.CSVWriter(self._part, table.schema)
            else:
                self._writer = parquet_writer(self._part, table.schema)
        if self.format == "csv":
            self._writer.write_table(table)
        else:
            self._writer.write_table(table, row_group_size=ROW_GROUP)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is None or self._part is None:
            return
        self._writer.close()
        file = f"{self.name}.{self.format}"
        self._part.replace(self.folder / file)
        self.files.append(file)

    def drop(self) -> None:
        """Leave nothing behind."""
        if self._part is not None:
            if self._writer is not None:
                self._writer.close()
            self._part.unlink(missing_ok=True)


def write_part(folder: Path, name: str, number: int, table: Any) -> str:
    """Write some rows as a file of their own; the name of the file."""
    (folder / name).mkdir(exist_ok=True)
    file = f"{name}/part-{number:05d}.parquet"
    part = folder / name / f".part-{number:05d}.part"
    with parquet_writer(part, table.schema) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP)
    part.replace(folder / file)
    return file


def parquet_writer(path: Path, schema: Any) -> Any:
    """A writer that keeps dictionaries for what repeats, and plain text for references."""
    repeated = [item.name for item in schema if not pa.types.is_string(item.type) and not pa.types.is_boolean(item.type)]
    return pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=repeated, store_decimal_as_integer=True)


def plain(table: Any) -> Any:
    """A table as CSV holds it: yes and no, and members of lists as text."""
    words = pa.array(["no", "yes"])

    def column(held: Any) -> Any:
        if pa.types.is_boolean(held.type):
            return pa.chunked_array([words.take(part.cast(pa.int8())) for part in held.chunks], pa.string())
        return held.cast(pa.string()) if pa.types.is_dictionary(held.type) else held

    return pa.table([column(held) for held in table.columns], table.schema.names)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """The manifest, last of all: what has one is whole."""
    part = folder / f".{MANIFEST}.part"
    part.write_text(json.dumps({"kind": _KIND, **manifest}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / MANIFEST)


def check_format(format_: str) -> None:
    """Refuse a format that there is not."""
    if format_ not in FORMATS:
        raise UsageError("RC049", f"no such format: {format_}", hint=f"one of {', '.join(FORMATS)}")
