"""What is kept on disk so that it need not be made again: private, replaced whole, and never believed when it was touched.

Each file begins with the sum of the rest, which is checked before anything else is done with it.  What does not agree is
removed and made again.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from platformdirs import user_cache_dir

KEPT: Final = 5_000
"""How many files of a kind are kept, unless said otherwise; those not used for longest are removed."""

_SUM: Final = hashlib.sha256().digest_size
_LOG: Final = logging.getLogger(__name__)


def _private(folder: Path) -> bool:
    """Whether the folder is ours and nobody else can write to it; it is made when it is not there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "getuid") and found.st_uid != os.getuid()):
            return False
        if stat.S_IMODE(found.st_mode) & 0o022:
            return False
        folder.chmod(0o700)
        return os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


@cache
def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="rbcalc-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def kernels_folder() -> Path:
    """The folder for what kernels are made of: that of RBCALC_CACHE_DIR, the user's own, or a temporary one when neither is safe."""
    chosen = os.environ.get("RBCALC_CACHE_DIR") or user_cache_dir("rbcalc")
    folder = Path(chosen) / "kernels"
    if _private(Path(chosen)) and _private(folder):
        return folder
    _LOG.warning("%s cannot be used as a cache (it must be a folder of yours that nobody else can write to)", chosen)
    return _temporary()


def read(path: Path) -> bytes | None:
    """What is kept in a file, or None; a file that is not as it was left is removed."""
    try:
        held = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(held[_SUM:]).digest() != held[:_SUM]:
        _LOG.warning("%s is damaged and is made again", path)
        path.unlink(missing_ok=True)
        return None
    with suppress(OSError):  # somebody may have removed it since
        os.utime(path)
    return held[_SUM:]


def write(path: Path, content: bytes, most: int = KEPT) -> None:
    """Keep something, so that others see all of it or nothing; a folder that cannot be written to is done without.

    Of files of its kind, up to `most` are kept.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _prune(path.parent, path.suffix, most)
    except OSError as error:
        _LOG.warning("%s could not be kept: %s", path, error)


def _prune(folder: Path, suffix: str, most: int) -> None:
    """Remove the files of a kind that were not used for longest."""
    found = [entry for entry in folder.iterdir() if entry.suffix == suffix]
    if len(found) <= most:
        return
    entries = []
    for entry in found:
        try:
            entries.append((entry.stat().st_mtime, entry))
        except OSError:
            continue
    for _, entry in sorted(entries)[: max(0, len(entries) - most)]:
        entry.unlink(missing_ok=True)
        entry.with_suffix(".lock").unlink(missing_ok=True)


@cache
def code_state() -> str:
    """The state of this package's code: in a checkout it may change without a new version."""
    package = Path(__file__).parent
    stamps = []
    for path in sorted((*package.rglob("*.py"), *package.rglob("*.lark"))):
        found = path.stat()
        stamps.append(f"{path.relative_to(package)} {found.st_size} {found.st_mtime_ns}")
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()
