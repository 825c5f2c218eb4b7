"""Working folders: where they are made, how they are found again, and how they are removed with a receipt.

Working copies of a caseload hold personal data.  Each stands in a private folder that is registered before anything is
written to it, so that a run which was killed leaves nothing that `purge` cannot find.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from rbcalc.errors import UsageError

_MARKER = ".rbcalc-working-folder"


def cache_folder() -> Path:
    """The folder of everything that can be made again: RBCALC_CACHE_DIR, or the platform's cache folder."""
    named = os.environ.get("RBCALC_CACHE_DIR")
    return Path(named) if named else Path(platformdirs.user_cache_dir("rbcalc", appauthor=False))


def private_folder(path: Path) -> Path:
    """Make a folder (and those above it) that only its owner can enter.

    A folder that is there already and belongs to somebody else, or is a link, is refused.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = path.lstat()
        if stat.S_ISLNK(state.st_mode) or (hasattr(os, "getuid") and state.st_uid != os.getuid()):
            raise UsageError("RC030", "the folder is a link or belongs to somebody else", str(path))
        if stat.S_IMODE(state.st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise UsageError("RC030", f"the folder cannot be made ({error.strerror})", str(path)) from error
    return path


@contextmanager
def working_folder(parent: Path | None = None) -> Iterator[Path]:
    """A registered folder (0700) for the time of a `with` block; it is removed at the end, also after an error."""
    name = f"work-{os.getpid()}-{secrets.token_hex(8)}"
    registry = private_folder(private_folder(cache_folder()) / "registry")
    path = private_folder(parent or private_folder(cache_folder() / "work")).resolve() / name
    entry = registry / name
    _write_private(entry, str(path))
    try:
        path.mkdir(mode=0o700)
        _write_private(path / _MARKER, str(os.getpid()))
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            entry.unlink(missing_ok=True)


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


@dataclass(frozen=True, slots=True)
class Removed:
    """One file that was removed."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a purge removed: `digest` is the SHA-256 of the list, one line `size path` for each file, sorted.

    `in_use` names folders that a running command still works in; they were left alone.
    """

    when: datetime
    removed: tuple[Removed, ...]
    digest: str
    in_use: tuple[str, ...] = ()

    @property
    def files(self) -> int:
        """How many files were removed."""
        return len(self.removed)

    @property
    def size(self) -> int:
        """How many bytes they held."""
        return sum(item.size for item in self.removed)

    def __str__(self) -> str:
        """The receipt as it is printed."""
        moment = self.when.strftime("%Y-%m-%d %H:%M:%S UTC")
        lines = [f"removed {self.files:,} files, {self.size:,} bytes, on {moment}", f"SHA-256 of the list: {self.digest}"]
        return "\n".join([*lines, *(f"in use and left alone: {path}" for path in self.in_use)])


def purge() -> Receipt:
    """Remove all registered working folders and the cache, and say what was removed.

    Folders of commands that are still running are left alone and named.
    """
    cache = cache_folder()
    removed: list[Removed] = []
    in_use: list[str] = []
    registry = cache / "registry"
    for entry in sorted(registry.iterdir()) if registry.is_dir() else []:
        path = Path(entry.read_text(encoding="utf-8"))
        if _alive(entry.name):
            in_use.append(str(path))
            continue
        # Only a folder that this module made is removed, whatever the registry says.
        if path.name == entry.name and not path.is_symlink() and (path / _MARKER).is_file():
            removed += _remove(path)
        removed += _remove(entry)
    kept = {Path(path) for path in in_use} | {registry / Path(path).name for path in in_use}
    if cache.is_dir() and not cache.is_symlink():
        removed += _clear(cache, kept)
    removed.sort(key=lambda item: item.path)
    listing = "".join(f"{item.size} {item.path}\n" for item in removed)
    digest = hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()
    return Receipt(datetime.now(UTC), tuple(removed), digest, tuple(in_use))


def _alive(name: str) -> bool:
    """Whether the command that registered a folder still runs; the name carries its process number."""
    number = name.split("-")[1] if name.count("-") == 2 else ""
    if not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _clear(folder: Path, kept: set[Path]) -> list[Removed]:
    """Remove what is in a folder, but for some paths and the folders that lead to them."""
    removed: list[Removed] = []
    for path in sorted(folder.iterdir()):
        if path in kept:
            continue
        if any(path in keep.parents for keep in kept):
            removed += _clear(path, kept)
        else:
            removed += _remove(path)
    return removed


def _remove(path: Path) -> list[Removed]:
    """Remove a file, or a folder with all that is in it, and list the files; links are removed, never followed."""
    if path.is_symlink() or not path.is_dir():
        try:
            size = path.lstat().st_size
            path.unlink()
        except FileNotFoundError:
            return []
        return [Removed(str(path), size)]
    removed = [item for child in sorted(path.iterdir()) for item in _remove(child)]
    path.rmdir()
    return removed
