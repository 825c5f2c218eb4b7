"""The tables of a caseload, wherever they are: files in a folder, or tables that another program holds.

Each becomes a view of DuckDB named after its register, with the columns as they come and `#row`, the row's number:
for CSV as a spreadsheet shows it (the header is row 1), otherwise from 1.
"""

# Every name and text in the queries goes through `quote` or `literal`; they are built from rules and headers.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rbcalc.caseload.column_map import ColumnMap
from rbcalc.caseload.csv_text import PROBLEM, check_headers, open_csv, plain_name
from rbcalc.errors import DataError
from rbcalc_kernels.source import suggest

ROW = "#row"
PLAIN = "#plain "
"""Before the name of a column of text: the same as the file holds it, blanks and all."""

Source = str | Path | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """A table that DuckDB can read as the view `view`; `types` gives the DuckDB type of each header."""

    register: str
    label: str
    view: str
    types: Mapping[str, str]
    rows: int
    notes: tuple[str, ...] = ()
    last_row: int = 0
    files: tuple[Path, ...] = ()

    @property
    def is_csv(self) -> bool:
        """Whether the table is read from CSV files, whose rows are numbered from 2."""
        return self.last_row > self.rows

    def header(self, name: str) -> str | None:
        """The header that is written like `name`, case and blanks apart."""
        wanted = plain_name(name)
        return next((header for header in self.types if plain_name(header) == wanted), None)


def quote(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL text."""
    return "'" + text.replace("'", "''") + "'"


def connect(work: Path, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    """A DuckDB of our own: no network, no extensions fetched, memory limited, spilling encrypted into `work`."""
    spill = work / "spill"
    spill.mkdir(mode=0o700, exist_ok=True)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "memory_limit": memory_limit,
        "temp_directory": str(spill),
        "temp_file_encryption": True,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_persistent_secrets": False,
        "python_enable_replacements": False,
        "preserve_insertion_order": True,
        # Every file is read once; what the system keeps of it is enough.
        "enable_external_file_cache": False,
    }
    return duckdb.connect(":memory:", config=settings)


def open_tables(
    source: Source,
    registers: Mapping[str, bool],
    column_map: ColumnMap,
    connection: duckdb.DuckDBPyConnection,
    work: Path,
) -> dict[str, Opened]:
    """Open the tables of a caseload; `registers` says of each whether the caseload may lack it.

    `source` is a folder, or a mapping from table names to files or to anything with `__arrow_c_stream__`.
    """
    if isinstance(source, str | Path):
        found: Mapping[str, Any] = _folder(Path(source), registers, column_map)
    else:
        unknown = [name for name in source if name not in registers]
        if unknown:
            names = suggest(unknown[0], registers)
            hint = f"the tables are {', '.join(registers)}"
            raise DataError("RC002", f"the rules have no table '{unknown[0]}'{names}", hint=hint)
        found = source
    missing = [name for name, optional in registers.items() if name not in found and not optional]
    if missing:
        hint = f"add {missing[0]}.parquet or {missing[0]}.csv, or name the file under `file:` in a column map"
        raise DataError("RC002", f"the caseload has no table '{missing[0]}'", str(source)[:200], hint)
    return {name: _open(name, item, column_map, connection, work) for name, item in found.items()}


def holds(source: Source, table: str, column_map: ColumnMap) -> bool:
    """Whether a caseload has a table, as far as can be told without opening it."""
    if not isinstance(source, str | Path):
        return table in source
    folder = Path(source)
    pattern = column_map.table(table).file
    names = (pattern,) if pattern else (f"{table}.parquet", f"{table}.csv", f"{table}/*.parquet")
    return folder.is_dir() and any(next(folder.glob(name), None) is not None for name in names)


def _folder(folder: Path, registers: Iterable[str], column_map: ColumnMap) -> dict[str, list[Path]]:
    """The files of each table in a folder."""
    if not folder.is_dir():
        raise DataError("RC001", "there is no such folder", str(folder), "name the folder that holds the tables")
    found: dict[str, list[Path]] = {}
    for name in registers:
        pattern = column_map.table(name).file
        if pattern:
            paths = sorted(path for path in folder.glob(pattern) if path.is_file())
            if not paths:
                raise DataError("RC002", f"no file matches '{pattern}' for the table '{name}'", str(folder))
            if len({path.suffix.lower() for path in paths}) > 1:
                raise DataError("RC008", f"'{pattern}' matches files of several kinds", str(folder))
        else:
            paths = [path for path in (folder / f"{name}.parquet", folder / f"{name}.csv") if path.is_file()]
            parts = sorted((folder / name).glob("*.parquet")) if (folder / name).is_dir() else []
            if len(paths) + bool(parts) > 1:
                hint = f"remove one, or name it under `file:` for '{name}' in a column map"
                raise DataError("RC008", f"several files could be the table '{name}'", str(folder), hint)
            paths += parts
        if paths:
            found[name] = paths
    return found


def _open(name: str, item: Any, column_map: ColumnMap, connection: duckdb.DuckDBPyConnection, work: Path) -> Opened:
    if isinstance(item, str | Path):
        item = [Path(item)]
    if isinstance(item, list) and item and all(isinstance(path, str | Path) for path in item):
        paths = [Path(path) for path in item]
        absent = next((path for path in paths if not path.is_file()), None)
        if absent is not None:
            raise DataError("RC001", "there is no such file", str(absent))
        if paths[0].suffix.lower() == ".parquet":
            return _parquet(name, paths, connection)
        if paths[0].suffix.lower() in (".csv", ".txt", ".tsv"):
            return _csv(name, paths, column_map, connection, work)
        raise DataError("RC001", "only Parquet and CSV files can be read", str(paths[0]))
    return _arrow(name, item, connection, work)


def _parquet(name: str, paths: list[Path], connection: duckdb.DuckDBPyConnection) -> Opened:
    starts: list[int] = []
    before = 0
    for path in paths:
        try:
            metadata = pq.read_metadata(path)
        except (OSError, pa.ArrowException) as error:
            raise DataError("RC001", "the file is not Parquet, or is damaged", path.name) from error
        starts.append(before + 1)
        before += metadata.num_rows
        check_headers(tuple(metadata.schema.to_arrow_schema().names), path.name)
    # One reading of all files, since DuckDB keeps what it has read of each reading until all are at their ends.
    start = f"({starts})[file_index::BIGINT + 1]" if len(paths) > 1 else "1"
    listed = ", ".join(literal(str(path)) for path in paths)
    sql = (
        f"SELECT * EXCLUDE (file_row_number), file_row_number + {start} AS {quote(ROW)} "
        f"FROM read_parquet([{listed}], file_row_number = true, union_by_name = true)"
    )
    opened = _view(name, ", ".join(path.name for path in paths), sql, before, connection)
    return replace(opened, files=tuple(paths))


def _csv(name: str, paths: list[Path], column_map: ColumnMap, connection: duckdb.DuckDBPyConnection, work: Path) -> Opened:
    parts: list[str] = []
    notes: list[str] = []
    before = 0
    for path in paths:
        text = open_csv(path, path.name, column_map.table(name), work)
        headers = [*text.headers, *([PROBLEM] if text.rewritten else [])]
        names = ", ".join(f"{literal(header)}: 'VARCHAR'" for header in headers)
        quoting = "'\"'" if text.rewritten else "''"
        scan = (
            f"read_csv({literal(str(text.path))}, columns = {{{names}}}, auto_detect = false, header = false, "
            f"skip = {text.skip}, delim = {literal(text.delimiter)}, quote = {quoting}, escape = {quoting}, "
            f"nullstr = '', max_line_size = 4194304)"
        )
        # The first record stands in row 2: that is what a spreadsheet shows.
        parts.append(f"SELECT *, row_number() OVER () + {before + 1} AS {quote(ROW)} FROM {scan}")
        before += text.rows
        notes += text.notes
    label = ", ".join(path.name for path in paths)
    opened = _view(name, label, " UNION ALL BY NAME ".join(parts), before, connection, 1)
    if connection.execute(f"SELECT count(*) FROM {quote(opened.view)}").fetchall() != [(before,)]:
        raise DataError("RC005", "the file cannot be divided into records without doubt", label)
    return Opened(name, label, opened.view, opened.types, before, tuple(notes), opened.last_row, tuple(paths))


def _arrow(name: str, item: Any, connection: duckdb.DuckDBPyConnection, work: Path) -> Opened:
    """A table that another program holds; a stream that can be read only once is kept in the working folder."""
    if isinstance(item, pa.RecordBatch):
        item = pa.Table.from_batches([item])
    if isinstance(item, duckdb.DuckDBPyRelation):
        item = item.to_arrow_reader()
    if isinstance(item, pa.RecordBatchReader):
        item = _spool(item, work / f"stream-{name}.arrow")
    elif not isinstance(item, pa.Table):
        if not hasattr(item, "__arrow_c_stream__"):
            kind = type(item).__name__
            hint = "give a file, or a table of pyarrow, polars, pandas or DuckDB"
            raise DataError("RC001", f"the table '{name}' is given as {kind}, which cannot be read", hint=hint)
        item = pa.RecordBatchReader.from_stream(item).read_all()
    check_headers(tuple(item.column_names), name)
    numbered = item.append_column(ROW, pa.array(np.arange(1, item.num_rows + 1, dtype=np.int64)))
    connection.register(f"held {name}", numbered)
    return _view(name, name, f"SELECT * FROM {quote(f'held {name}')}", item.num_rows, connection)


def _spool(reader: pa.RecordBatchReader, path: Path) -> pa.Table:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    path.chmod(0o600)
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _view(name: str, label: str, sql: str, rows: int, connection: duckdb.DuckDBPyConnection, first: int = 0) -> Opened:
    """The view of a table, in which text has no outer blanks and is NULL when nothing is left."""
    view = f"raw {name}"
    connection.execute(f"CREATE VIEW {quote(f'as is {name}')} AS {sql}")
    described = connection.execute(f"DESCRIBE {quote(f'as is {name}')}").fetchall()
    types = {column: str(kind) for column, kind, *_ in described if column != ROW}
    types = {column: "VARCHAR" if kind.startswith("ENUM") else kind for column, kind in types.items()}
    # Tabs, line breaks and hard spaces come with files that people type; trimming plain spaces is far faster.
    blanks = ", ' ' || chr(9) || chr(10) || chr(13) || chr(160)" if first else ""
    columns = [
        f"nullif(trim({quote(column)}::VARCHAR{blanks}), '') AS {quote(column)}" if kind == "VARCHAR" else quote(column)
        for column, kind in types.items()
    ]
    if not first:
        columns += [f"{quote(column)}::VARCHAR AS {quote(PLAIN + column)}" for column, kind in types.items() if kind == "VARCHAR"]
    columns.append(quote(ROW))
    connection.execute(f"CREATE VIEW {quote(view)} AS SELECT {', '.join(columns)} FROM {quote(f'as is {name}')}")
    return Opened(name, label, view, types, rows, (), rows + first)
