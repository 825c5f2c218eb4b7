"""Generated modules on disk, and the machine code that Numba keeps beside them.

A damaged entry of Numba's own cache can end the process, so each of its files is checked against a sum that is kept here
before Numba opens it; what does not agree is thrown away and made again.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import linecache
import logging
import os
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_dir

from rbcalc_kernels.compiled import machine
from rbcalc_kernels.compiled.source import FUNCTION, GENERATOR

KEPT: Final = 2_000
"""How many modules are kept; older ones are removed."""

_MANIFEST: Final = "manifest.json"
_LOG: Final = logging.getLogger(__name__)
_LOCK: Final = threading.RLock()


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


def cache_folder() -> Path:
    """The folder for modules: that of RBCALC_CACHE_DIR, the user's own, or a temporary one when neither is safe."""
    chosen = os.environ.get("RBCALC_CACHE_DIR") or user_cache_dir("rbcalc")
    folder = Path(chosen) / "kernels"
    if _private(Path(chosen)) and _private(folder):
        return folder
    _LOG.warning("%s cannot be used as a cache (it must be a folder of yours that nobody else can write to)", chosen)
    return _temporary()


def _write(path: Path, text: str) -> None:
    """Write a file so that others see all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _sums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _MANIFEST)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _verified(folder: Path, source: str) -> bool:
    """Whether everything in a module's folder is as it was left."""
    try:
        expected = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        own = hashlib.sha256(source.encode()).hexdigest()
        return isinstance(expected, dict) and expected.get("module.py") == own and expected == _sums(folder)
    except (OSError, ValueError):
        return False


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """The size and time of each file of an entry but its sums: whether Numba wrote anything."""
    found = {str(path): path.stat() for path in folder.rglob("*") if path.is_file() and path.name != _MANIFEST}
    return {name: (facts.st_size, facts.st_mtime_ns) for name, facts in found.items()}


class Kernel:
    """A generated function, compiled for the types of the arrays that it is called with."""

    def __init__(self, source: str, *, engine: str = "numba") -> None:
        self.source = source
        self.engine = engine
        self._known: set[tuple[Any, ...]] = set()
        if engine == "python":
            self.folder: Path | None = None
            self._function = _load(source, "<generated>")
            machine.pure(self._function.__globals__)
            return
        key = hashlib.sha256(f"{GENERATOR}\n{machine.versions()}\n{source}".encode()).hexdigest()[:40]
        self.folder = cache_folder() / key
        # Several processes may want one entry at once; whoever comes second waits and finds it whole.
        self._alone = FileLock(self.folder.with_suffix(".lock"))
        self._function = self._open()

    def _open(self) -> Callable[..., None]:
        """The dispatcher of the module in the cache, which is put right first."""
        folder = self.folder
        assert folder is not None
        with _LOCK, self._alone:
            if not _verified(folder, self.source):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(mode=0o700, exist_ok=True)
                _write(folder / "module.py", self.source)
                self._seal()
                _prune(folder.parent)
            else:
                os.utime(folder / _MANIFEST)
            function = _load(self.source, str(folder / "module.py"))
            dispatcher: Callable[..., None] = machine.jitted(function)
            return dispatcher

    def _seal(self) -> None:
        assert self.folder is not None
        try:
            _write(self.folder / _MANIFEST, json.dumps(_sums(self.folder)))
        except OSError as error:
            _LOG.warning("the compiled module could not be kept: %s", error)

    def prepare(self, arguments: tuple[Any, ...]) -> None:
        """Compile or load the code for arguments of these types, once."""
        key = tuple((a.dtype.char, a.flags.writeable) if isinstance(a, np.ndarray) else type(a) for a in arguments)
        if key in self._known or self.folder is None:
            return
        with _LOCK, self._alone:
            if key in self._known:
                return
            if not _verified(self.folder, self.source):
                self._function = self._open()
            before = _stamps(self.folder)
            try:
                machine.prepare(self._function, arguments)
            except Exception:  # noqa: BLE001
                # Whatever the cause, a fresh module tells a broken entry from a broken program.
                _LOG.warning("a compiled module in %s could not be read and is made again", self.folder)
                shutil.rmtree(self.folder, ignore_errors=True)
                self._function = self._open()
                machine.prepare(self._function, arguments)
            if _stamps(self.folder) != before:
                self._seal()
            self._known.add(key)

    def __call__(self, *arguments: Any) -> Any:
        """Run over arrays, and give what the function gives.  `prepare` comes first."""
        if self.engine == "python":
            with np.errstate(all="ignore"):
                return self._function(*arguments)
        return self._function(*arguments)

    @property
    def packed(self) -> int:
        """How many instructions work on several rows at once; 0 without Numba."""
        if self.folder is None:
            return 0
        dispatcher: Any = self._function
        return machine.packed_instructions(dispatcher.py_func, dispatcher.signatures)

    @property
    def hits(self) -> int:
        """How many times compiled code was found in the cache."""
        dispatcher: Any = self._function
        return sum(dispatcher.stats.cache_hits.values()) if self.folder is not None else 0


def _load(source: str, path: str) -> Any:
    """The function of a module, which is known to `sys.modules` and `linecache` before it runs."""
    name = f"rbcalc_generated_{hashlib.sha256(source.encode()).hexdigest()[:24]}"
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 - text made by this package
    return module.__dict__[FUNCTION]


def _prune(folder: Path) -> None:
    """Remove the modules that were not used for longest."""
    entries = []
    for entry in folder.iterdir():
        try:
            entries.append(((entry / _MANIFEST).stat().st_mtime, entry))
        except OSError:
            continue
    for _, entry in sorted(entries, key=lambda pair: pair[0])[: max(0, len(entries) - KEPT)]:
        shutil.rmtree(entry, ignore_errors=True)
        entry.with_suffix(".lock").unlink(missing_ok=True)
