"""Machine code of one function: made by Numba, kept as an object file, loaded and called without Numba.

Importing Numba and letting it load what it keeps takes longer than most runs.  An object file holds the function and an
entry that takes the arguments as Python holds them: a tuple with the arrays, and then the plain numbers once more.  The
entry reads where an array's memory is from the places that are part of NumPy's and CPython's binary interface.  A second
entry takes a table of 64-bit numbers: the plain numbers, and where the arrays' memory is; a third calls one function after
another that way, and a fourth does so over the rows of a whole batch (`driving`).  Every name in an object file ends in a
sum of what it was made from, so that many files are loaded together, which takes a seventh of the time.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from rbcalc_kernels.compiled import driving, machine
from rbcalc_kernels.compiled.entries import DATA, ENTRY, FAILED, SIZES, STEPS, STRIDES, TABLE, TUPLE_ITEMS, common, entries

FORM: Final = "7"
"""The version of what object files hold; part of the name of each."""

_TAIL: Final = 32  # characters at the end of the names in an object file, and before the file
_TYPES: Final = frozenset(("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"))
_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400  # NumPy's flags

Types = tuple[str, ...]
_LOG: Final = logging.getLogger(__name__)
_LOCK: Final = threading.RLock()
_ENGINES: Final[list[Any]] = []  # machine code lives as long as what loaded it


def kind(argument: Any) -> tuple[Any, ...] | type:
    """What tells arguments apart that need machine code of their own, quickly."""
    if type(argument) is np.ndarray:
        return argument.dtype, argument.ndim, argument.flags.num
    return type(argument)


def types_of(arguments: Sequence[Any]) -> Types | None:
    """The types of arguments as text; None when one has no place in an object file."""
    found: list[str] = []
    for each in arguments:
        if type(each) is np.ndarray:
            flags = each.flags.num
            if each.ndim != 1 or each.dtype.name not in _TYPES or not each.dtype.isnative or not flags & _ALIGNED:
                return None
            layout = "::1" if flags & _CONTIGUOUS else ":"
            found.append(f"{each.dtype.name}[{layout}]{'' if flags & _WRITEABLE else ' const'}")
        elif type(each) in (int, bool):
            found.append("bool" if type(each) is bool else "int64")
        else:
            return None
    return tuple(found) if _as_expected() else None


@cache
def _as_expected() -> bool:
    """Whether tuples and arrays lie in memory as the entries take for granted."""
    sizes = (object.__basicsize__, tuple.__basicsize__, ctypes.sizeof(ctypes.c_void_p))
    if sys.implementation.name != "cpython" or sizes != (16, TUPLE_ITEMS, 8):
        return False
    array = np.arange(14, dtype=np.int16)[::2]
    held = (array,)
    place = id(array)

    def at(address: int) -> int:
        return ctypes.c_int64.from_address(address).value

    found = at(id(held) + TUPLE_ITEMS), at(place + DATA), at(at(place + SIZES)), at(at(place + STRIDES))
    return found == (place, array.ctypes.data, 7, 4)


def made(function: Callable[..., Any], types: Types) -> bytes | None:
    """The object file of a function for arguments of these types, after the end of its names; None when it would not work on its own."""
    with _LOCK:
        try:
            result = _compiled(function, types)
        except importlib.import_module("numba.core.errors").NumbaError as error:
            _LOG.info("%s cannot stand in an object file: %s", function, error)
            return None
        target = result.target_context
        binding = importlib.import_module("llvmlite.binding")
        if str(result.fndesc.restype) not in ("none", "int64"):
            return None
        text = str(result.library._final_module)  # noqa: SLF001 - what Numba itself turns into machine code
        ways = entries(result, types)
        if ways is None:
            return None
        module = binding.parse_assembly(text)
        for each in (ways, common(result)):
            module.link_in(binding.parse_assembly(each))
        # Whatever the code would need of Numba is not there when it is loaded without.
        if any(each.is_declaration and not each.name.startswith("llvm.") for each in module.functions):
            return None
        if any(each.is_declaration for each in module.global_variables):
            return None
        tail = hashlib.sha256(f"{text}\n{ways}".encode()).hexdigest()[:_TAIL]
        for each in (*module.functions, *module.global_variables):
            if not each.name.startswith("llvm."):
                each.name = f"{each.name}_{tail}"
        module.verify()
        code: bytes = target.codegen()._tm.emit_object(module)  # noqa: SLF001
        return tail.encode() + code


def _compiled(function: Callable[..., Any], types: Types) -> Any:
    """What Numba makes of a function, without the wrappers that it would be called through."""
    compiler = importlib.import_module("numba.core.compiler")
    dispatcher = machine.jitted(function, cached=False)
    flags = compiler.Flags()
    dispatcher.targetdescr.options.parse_as_flags(flags, dispatcher.targetoptions)
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.nrt = False  # no arrays are made, and who holds those given is no matter of the code's
    if machine.has_noalias():
        flags.noalias = True
    flags.no_rewrites = True  # nothing in a generated function is written otherwise by them: no arrays are worked with as a whole
    flags.no_compile = True
    lock = importlib.import_module("numba.core.compiler_lock").global_compiler_lock
    typing, target = dispatcher.typingctx, dispatcher.targetctx
    with machine.remembering(typing, target), lock:
        library = _library()(target.codegen(), function.__qualname__)
        result = compiler.compile_extra(typing, target, function, signature(types), None, flags, {}, library, machine.passes())
        library.finalize()
        return result


@cache
def _library() -> Any:
    """A library of Numba's that is brought into its last form, but not made into machine code for this process."""

    def finished(self: Any) -> None:
        self._finalized = True

    return type("Unloaded", (importlib.import_module("numba.core.codegen").JITCodeLibrary,), {"_finalize_final_module": finished})


def signature(types: Types) -> tuple[Any, ...]:
    """The same types for Numba."""
    return tuple(_numba_type(name) for name in types)


def _numba_type(name: str) -> Any:
    types = importlib.import_module("numba.core.types")
    stem, _, rest = name.partition("[")
    scalar = types.boolean if stem == "bool" else getattr(types, stem)
    if not rest:
        return scalar
    return types.Array(scalar, 1, "C" if rest.startswith("::1") else "A", readonly=rest.endswith("const"))


@cache
def _target() -> Any:
    """The processor, for LLVM."""
    binding = importlib.import_module("llvmlite.binding")
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple()


class Entry:
    """A function in an object file.  It takes the arguments; without Numba, nothing checks that they are of the right types.

    `table` is where its entry for tables is, `steps` and `drive` where the entries are that call several, once or over the rows
    of a batch; 0 where there is none.
    """

    __slots__ = ("_entry", "_numbers", "drive", "steps", "table")

    def __init__(self, engine: Any, types: Types, tail: str) -> None:
        self._numbers = [place for place, name in enumerate(types) if "[" not in name]
        shape = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.py_object, *([ctypes.c_int64] * len(self._numbers)))
        names = (ENTRY, TABLE, STEPS, driving.DRIVE)
        at, self.table, self.steps, self.drive = (int(engine.get_function_address(f"{name}_{tail}")) for name in names)
        self._entry = shape(at)

    def __call__(self, *arguments: Any) -> int:
        """Run over arrays, and give the whole number that the function gives."""
        found: int = self._entry(arguments, *[arguments[place] for place in self._numbers])
        if found == FAILED:
            raise RuntimeError("a compiled function failed")
        return found


class Library:
    """Some object files, which were made on this machine, in memory."""

    def __init__(self, codes: Iterable[bytes]) -> None:
        """Load the files together."""
        with _LOCK:
            binding = importlib.import_module("llvmlite.binding")
            self._engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target().create_target_machine())
            for tail, code in {each[:_TAIL]: each[_TAIL:] for each in codes}.items():
                assert len(tail) == _TAIL
                self._engine.add_object_file(binding.ObjectFileRef.from_data(code))
            self._engine.finalize_object()
            _ENGINES.append(self._engine)

    def entry(self, code: bytes, types: Types) -> Entry:
        """The function in one of the files, which was made for arguments of these types."""
        with _LOCK:
            return Entry(self._engine, types, code[:_TAIL].decode())


def loaded(code: bytes, types: Types) -> Entry:
    """The function in an object file, which was made on this machine for arguments of these types."""
    return Library([code]).entry(code, types)
