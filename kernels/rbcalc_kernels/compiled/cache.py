"""Machine code on disk: an object file for each generated function and each set of argument types.

Damaged machine code would end the process, or worse give figures: `kept` hands out only what is as it was left.  What the
functions of a plan needed in earlier processes stands in one file besides, its pack, and is loaded together.
"""

from __future__ import annotations

import ast
import atexit
import hashlib
import linecache
import pickle
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

import numpy as np

from rbcalc_kernels.compiled import machine, native
from rbcalc_kernels.compiled.module import FUNCTION
from rbcalc_kernels.compiled.source import GENERATOR
from rbcalc_kernels.kept import kernels_folder, read, write

CODE: Final = ".code"
PACK: Final = ".pack"
_PACKS_KEPT: Final = 200
_MOST: Final = 500
"""Files in a pack; those that came first give way."""

_LOCK: Final = threading.RLock()


class Pack:
    """The machine code that the functions of a plan needed so far, by the names of its files."""

    def __init__(self, path: Path) -> None:
        """The pack in a file, which may not be there yet."""
        self._path = path
        self._held: dict[str, bytes] | None = None
        self._library: native.Library | None = None
        self._new: dict[str, bytes] = {}

    def entry(self, name: str, types: native.Types) -> native.Entry | None:
        """The function in a file of the pack; None when it holds no such file."""
        code = self._files().get(name)
        if code is not None and self._library is None:
            self._library = native.Library(self._files().values())
        return None if code is None or self._library is None else self._library.entry(code, types)

    def has(self, name: str) -> bool:
        """Whether it holds a file."""
        return name in self._files()

    def _files(self) -> dict[str, bytes]:
        if self._held is None:
            self._held = self._read()
        return self._held

    def add(self, name: str, code: bytes) -> None:
        """Put a file in the pack, which is written when the process ends."""
        if not self._new:
            atexit.register(self._write)
        self._new[name] = code

    def _read(self) -> dict[str, bytes]:
        held = read(self._path)
        found: dict[str, bytes] = {} if held is None else pickle.loads(held)  # noqa: S301 - our own file, in our own folder, as we left it
        return found

    def _write(self) -> None:
        if self._path.parent.is_dir():
            found = {**self._read(), **self._new}  # as it is by now: other processes write too
            write(self._path, pickle.dumps(dict(list(found.items())[-_MOST:]), protocol=5), _PACKS_KEPT)


_PACKS: Final[dict[int, Pack]] = {}


def pack(path: Path, sources: Iterable[str]) -> None:
    """Look for the machine code of these functions in a pack, and keep it there."""
    made = Pack(path)
    with _LOCK:
        for source in sources:
            _PACKS[hash(source)] = made


@cache
def _common(folder: Path) -> Pack:
    """The pack of the functions of this package."""
    text = f"{GENERATOR}\n{native.FORM}\n{machine.versions()}"
    return Pack(folder / f"{hashlib.sha256(text.encode()).hexdigest()[:40]}{PACK}")


class Kernel:
    """A function, compiled for the types of the arrays that it is called with: a generated one, or one of this package."""

    def __init__(self, source: str, *, engine: str = "numba", function: Callable[..., Any] | None = None) -> None:
        """The function of a generated module; with `function` that one, and the source is what tells it from others."""
        self.source = source
        self.engine = engine
        self.hits = 0
        """How many times machine code was found in the cache."""
        self._entries: dict[tuple[Any, ...], Callable[..., Any]] = {}
        self._missing: set[tuple[Any, ...]] = set()
        self._types: dict[native.Types, None] = {}
        self._function = function
        self._common = function is not None
        if engine == "python" and function is None:
            self._function = _load(source, "<generated>")
            machine.pure(self._function.__globals__)

    def _name(self, types: native.Types) -> str:
        """The name of the file with the machine code for arguments of some types."""
        text = "\n".join((GENERATOR, native.FORM, machine.versions(), *types, self.source))
        return f"{hashlib.sha256(text.encode()).hexdigest()[:40]}{CODE}"

    def prepare(self, arguments: tuple[Any, ...]) -> None:
        """Compile or load the code for arguments of these types, once; a call does so too."""
        if self.engine != "python":
            self._entry(arguments)

    def has(self, arguments: tuple[Any, ...]) -> bool:
        """Whether the code for arguments of these types is there already."""
        return tuple([native.kind(each) for each in arguments]) in self._entries

    def kept(self, arguments: tuple[Any, ...]) -> bool:
        """Whether the code for arguments of these types need not be made; once it was not there, it is not looked for again."""
        key = tuple([native.kind(each) for each in arguments])
        if key not in self._entries and key not in self._missing:
            types = native.types_of(arguments)
            name = "" if types is None else self._name(types)
            pack = _common(kernels_folder()) if self._common else _PACKS.get(hash(self.source))
            if not name or not ((pack is not None and pack.has(name)) or (kernels_folder() / name).is_file()):
                self._missing.add(key)
        return key in self._entries or key not in self._missing

    def entry(self, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        """What runs over arrays of these types, and no others."""
        return self if self.engine == "python" else self._entry(arguments)

    def __call__(self, *arguments: Any) -> Any:
        """Run over arrays, and give the whole number that the function gives, if any."""
        if self.engine == "python":
            assert self._function is not None
            with np.errstate(all="ignore"):
                return self._function(*arguments)
        return self._entry(arguments)(*arguments)

    def _entry(self, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        key = tuple([native.kind(each) for each in arguments])
        found = self._entries.get(key)
        if found is None:
            with _LOCK:
                found = self._entries.get(key) or self._opened(arguments)
                self._entries[key] = found
        return found

    def _opened(self, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        """The function from the cache, or compiled and kept."""
        types = native.types_of(arguments)
        if types is None:
            return self._unkept(arguments)
        self._types[types] = None
        name = self._name(types)
        pack = _common(kernels_folder()) if self._common else _PACKS.get(hash(self.source))
        found = pack.entry(name, types) if pack is not None else None
        if found is not None:
            self.hits += 1
            return found
        path = kernels_folder() / name
        code = read(path)
        if code is not None:
            self.hits += 1
        else:
            code = self._made(path, types)
            if code is None:
                return self._unkept(arguments)
        if pack is not None:
            pack.add(name, code)
        return native.loaded(code, types)

    def _made(self, path: Path, types: native.Types) -> bytes | None:
        """The machine code made and kept; None when an object file cannot hold it."""
        from filelock import FileLock

        # Several processes may want one file at once; whoever comes second waits and finds it whole.
        with FileLock(path.with_suffix(".lock")):
            code = read(path)
            if code is None:
                code = native.made(self._python(), types)
                if code is not None:
                    write(path, code)
        return code

    def _unkept(self, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        """The function compiled for this process alone, for what an object file cannot hold."""
        dispatcher: Callable[..., Any] = machine.jitted(self._python(), cached=False)
        machine.prepare(dispatcher, arguments)
        return dispatcher

    def _python(self) -> Callable[..., Any]:
        if self._function is None:
            path = f"<generated {hashlib.sha256(self.source.encode()).hexdigest()[:12]}>"
            self._function = _load(self.source, path, choices=True)
        return self._function

    @property
    def packed(self) -> int:
        """How many instructions work on several rows at once; 0 without Numba."""
        if self.engine == "python":
            return 0
        return machine.packed_instructions(self._python(), [native.signature(types) for types in self._types])


def identity(function: Callable[..., Any]) -> str:
    """What tells a function of this package from others, and from itself before a change.

    It is what Python runs, not the file, which may have been changed since.  The function may use NumPy and nothing else
    from outside.
    """
    code = function.__code__
    outside = [name for name in code.co_names if not isinstance(function.__globals__.get(name, np), ModuleType)]
    if outside or code.co_freevars or any(isinstance(each, CodeType) for each in code.co_consts):
        raise ValueError(f"{function.__qualname__} does not stand alone")
    parts = (function.__qualname__, code.co_argcount, code.co_code, code.co_consts, code.co_names, code.co_varnames, code.co_exceptiontable)
    return repr(parts)


def _load(source: str, path: str, *, choices: bool = False) -> Any:
    """The function of a module, which is known to `sys.modules` and `linecache` before it runs.

    With `choices`, for Numba: what stands on either side of `if` and `else` in an expression is worked out and one taken.
    """
    name = f"rbcalc_generated_{hashlib.sha256(source.encode()).hexdigest()[:24]}"
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    with _LOCK:  # Python 3.11 loses count of the depth of a tree that two threads make at once
        tree = ast.parse(source, path)
        if choices:
            tree = ast.fix_missing_locations(machine.picking(tree))
            module.__dict__[machine.PICK] = machine.pick()
        exec(compile(tree, path, "exec"), module.__dict__)  # noqa: S102 - text made by this package
    return module.__dict__[FUNCTION]
