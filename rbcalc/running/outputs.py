"""Output folders: Parquet files with provenance, a manifest written last, and the check that they are what they say."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rbcalc.errors import OutputError, UsageError

MANIFEST: Final = "manifest.json"
ROW_GROUP: Final = 122_880  # the unit of parallel work of the tools that read the files


def versions() -> dict[str, str]:
    """The versions that a result rests on."""
    from importlib.metadata import version

    found = {name: version(name) for name in ("rbcalc", "numba", "numpy", "pyarrow", "duckdb")}
    return {**found, "python": platform.python_version(), "processor": platform.machine()}


def provenance(command: str, councils: Mapping[str, Mapping[str, Any]], caseload: Mapping[str, Any]) -> dict[str, Any]:
    """What is needed to make the same result again: rules, input, versions, command."""
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "versions": versions(),
        "councils": dict(councils),
        "caseload": dict(caseload),
    }


@dataclass
class OutputFolder:
    """A folder that is filled file by file; until the manifest stands there it is not a result."""

    path: Path
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def made(cls, path: Path, *, force: bool = False) -> OutputFolder:
        """A new folder, or an earlier result's when `force` says so.  Raises UsageError, OutputError."""
        cls.check(path, force=force)
        if path.is_dir() and any(path.iterdir()):
            _cleared(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = "name a folder that you may write to"
            raise OutputError("RC049", f"the folder {path} cannot be made: {error.strerror}", hint=hint) from error
        return cls(path)

    @staticmethod
    def check(path: Path, *, force: bool = False) -> None:
        """Whether results may go into a folder.  Raises UsageError and OutputError; nothing is touched."""
        if path.exists() and not path.is_dir():
            raise UsageError("RC049", f"{path} is a file", hint="name a folder")
        if path.is_dir() and any(path.iterdir()):
            if not force:
                raise UsageError(
                    "RC049", f"the folder {path} is not empty", hint="name another folder, or say --force to replace an earlier result"
                )
            if _files_of(path) is None:
                hint = "name another folder, or empty this one if a run was stopped there"
                raise UsageError("RC049", f"the folder {path} holds something that is no result of rbcalc", hint=hint)
        there = next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            what = "is a file" if not there.is_dir() else "may not be written to"
            raise OutputError("RC049", f"the folder {path} cannot be made: {there} {what}", hint="name a folder that you may write to")

    def place(self, name: str) -> Path:
        """Where a file of the folder goes; its own folder is made."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def keep(self, name: str, rows: int) -> None:
        """Enter a finished file."""
        path = self.path / name
        self.files[name] = {"rows": rows, "bytes": path.stat().st_size, "sha256": _sha256(path)}

    def finish(self, facts: Mapping[str, Any]) -> Path:
        """Write the manifest: the moment from which the folder is a result."""
        text = json.dumps({**facts, "files": dict(sorted(self.files.items()))}, indent=1, ensure_ascii=False)
        handle, temporary = tempfile.mkstemp(dir=self.path, prefix=".manifest-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(self.path / MANIFEST)
            if sys.platform != "win32":
                folder = os.open(self.path, os.O_RDONLY)
                os.fsync(folder)
                os.close(folder)
        except OSError as error:
            Path(temporary).unlink(missing_ok=True)
            raise OutputError(
                "RC049", f"the manifest cannot be written: {error.strerror}", where=str(self.path), hint="free some space and run it again"
            ) from error
        return self.path / MANIFEST


def _cleared(path: Path) -> None:
    """Remove an earlier result: its manifest first, so that a half-removed folder is no result."""
    listed = _files_of(path) or []
    (path / MANIFEST).unlink()
    for name in listed:
        (path / name).unlink(missing_ok=True)


def _files_of(path: Path) -> list[str] | None:
    """The files of the result in a folder, as its manifest lists them; None where it is no result, or names files outside."""
    try:
        listed = list(json.loads((path / MANIFEST).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if any(Path(name).is_absolute() or ".." in Path(name).parts for name in listed) else listed


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ParquetFile:
    """A Parquet file that grows by batches, its rows gathered into groups of a useful size."""

    def __init__(self, folder: OutputFolder, name: str, schema: Any, facts: Mapping[str, Any]) -> None:
        """A file in `folder` with the provenance among its metadata."""
        import pyarrow.parquet as pq

        self.folder, self.name, self.rows = folder, name, 0
        self.schema = schema.with_metadata({**(schema.metadata or {}), b"rbcalc": json.dumps(facts, ensure_ascii=False).encode()})
        try:
            self._writer = pq.ParquetWriter(
                folder.place(name),
                self.schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=_repetitive(schema),
                store_decimal_as_integer=True,
                write_statistics=False,
            )
        except OSError as error:
            raise OutputError("RC049", f"{name} cannot be written: {error}", where=str(folder.path)) from error

    def write(self, table: Any) -> None:
        """Add the rows of a table.  Raises OutputError."""
        try:
            self._writer.write_table(table.replace_schema_metadata(self.schema.metadata), row_group_size=8 * ROW_GROUP)
        except OSError as error:
            raise OutputError(
                "RC049", f"{self.name} cannot be written: {error}", where=str(self.folder.path), hint="free some space and run it again"
            ) from error
        self.rows += table.num_rows

    def close(self) -> None:
        """Finish the file and enter it."""
        self._writer.close()
        self.folder.keep(self.name, self.rows)


def _repetitive(schema: Any) -> list[str]:
    import pyarrow as pa

    return [found.name for found in schema if pa.types.is_dictionary(found.type)]


def verify(path: str | Path) -> list[str]:
    """What is wrong with an output folder; nothing when it is what its manifest says.  Raises UsageError."""
    folder = Path(path)
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise UsageError("RC050", f"{folder} has no manifest", hint="a run that was stopped leaves none; run it again")
    try:
        listed = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError, TypeError):
        return [f"{MANIFEST} cannot be read"]
    problems = []
    for name, facts in listed.items():
        file = folder / name
        if not file.is_file():
            problems.append(f"{name} is missing")
        elif file.stat().st_size != facts["bytes"] or _sha256(file) != facts["sha256"]:
            problems.append(f"{name} was changed after the run")
    there = {found.relative_to(folder).as_posix() for found in folder.rglob("*") if found.is_file()} - {MANIFEST}
    problems += [f"{name} is not in the manifest" for name in sorted(there - set(listed))]
    return problems
