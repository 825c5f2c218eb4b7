"""Numba and its flags, in one place.  Numba is imported when something is first compiled, not before."""

from __future__ import annotations

import ast
import importlib
import platform
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

SUPPORTED: Final = ((0, 60), (0, 69))
"""The Numba versions (from, below) whose private no-alias flag is known to mean what it says."""

FLAGS: Final = {"nogil": True, "error_model": "numpy", "boundscheck": False, "fastmath": False, "parallel": False}
"""How functions are compiled.  Division by 0 is not looked for, since every divisor is proved to be above 0."""

PICK: Final = "pick"
"""The name by which a generated module's code chooses between two values."""

_PACKED: Final = re.compile(r"^\s+v(?:mul|add|sub|div|max|min|rndscale|round|cvt|cmp|blend|pgather|gather|padd|psub|pmul)\w*"
                                  r"\s.*[yz]mm\d", re.MULTILINE)  # fmt: skip
_LOCK: Final = threading.RLock()
_RESOLVED: Final[dict[tuple[Any, tuple[Any, ...]], Any]] = {}
_CALLED: Final[dict[tuple[Any, tuple[Any, ...]], Any]] = {}


def _numba() -> Any:
    return importlib.import_module("numba")


@cache
def versions() -> str:
    """What machine code depends on, as one line of text: versions, processor and flags."""
    binding = importlib.import_module("llvmlite.binding")
    features = binding.get_host_cpu_features().flatten()
    parts = [
        metadata.version("numba"), metadata.version("llvmlite"), np.__version__, sys.version, platform.machine(),
        binding.get_host_cpu_name(), features, repr(sorted(FLAGS.items())), f"noalias={has_noalias()}",
    ]  # fmt: skip
    return "\n".join(parts)


@cache
def has_noalias() -> bool:
    """Whether Numba has the private flag that tells LLVM that arrays do not overlap, in a version that we know."""
    found = tuple(int(part) for part in re.findall(r"\d+", metadata.version("numba"))[:2])
    return SUPPORTED[0] <= found < SUPPORTED[1]


@cache
def _pipeline() -> Any:
    """The compiler with the flag set.

    Without it table look-ups are done row by row, about five times slower; results are the same.
    """
    compiler = importlib.import_module("numba.core.compiler")

    def define_pipelines(self: Any) -> list[Any]:
        self.state.flags.noalias = True
        return [compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)]

    return type("NoAlias", (compiler.CompilerBase,), {"define_pipelines": define_pipelines})


@cache
def passes() -> Any:
    """A compiler that leaves out what Numba does for functions that hold functions, `with` or literals to be unrolled: none of ours do."""
    compiler, machinery = (importlib.import_module(f"numba.core.{name}") for name in ("compiler", "compiler_machinery"))
    untyped, typed = (importlib.import_module(f"numba.core.{name}_passes") for name in ("untyped", "typed"))
    wanted = [
        *(untyped.TranslateByteCode, untyped.FixupArgs, untyped.IRProcessing, untyped.ReconstructSSA),
        *(typed.NopythonTypeInference, typed.PreLowerStripPhis, typed.NoPythonSupportedFeatureValidation),
        *(typed.IRLegalization, typed.AnnotateTypes, typed.NativeLowering, typed.NoPythonBackend),
    ]

    def define_pipelines(self: Any) -> list[Any]:
        found = machinery.PassManager("generated functions")
        for each in wanted:
            found.add_pass(each, each.name())
        found.finalize()
        return [found]

    return type("Passes", (compiler.CompilerBase,), {"define_pipelines": define_pipelines})


@cache
def pick() -> Any:
    """What `chosen if condition else other` becomes: a choice between two values, not a jump.

    Jumps are followed by the compiler from one to the next where answers exclude each other (this kind of income, or that),
    until a loop is full of them and is worked out row by row.
    """
    extending, types = importlib.import_module("numba.extending"), importlib.import_module("numba.core.types")

    @extending.intrinsic  # type: ignore[untyped-decorator]
    def picked(typing: Any, condition: Any, chosen: Any, other: Any) -> Any:
        kind = typing.unify_types(types.unliteral(chosen), types.unliteral(other))

        def written(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            wanted = (types.boolean, kind, kind)
            return builder.select(*(context.cast(builder, *each) for each in zip(arguments, signature.args, wanted, strict=True)))

        return kind(condition, chosen, other), written

    return picked


class _Picking(ast.NodeTransformer):
    """Writes `chosen if condition else other` as a call."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """One of them, and those inside."""
        self.generic_visit(node)
        return ast.copy_location(ast.Call(ast.Name(PICK, ast.Load()), [node.test, node.body, node.orelse], []), node)


def picking(tree: ast.Module) -> ast.Module:
    """A generated module in which values are chosen between without jumps.

    Where a row reads what the row before it wrote, rows are worked out one by one whatever is done, and jumps are quicker.
    """
    held = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)]
    names = {node.value.id for node in held if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)}
    carried = any(
        node.value.id in names and not isinstance(node.slice, ast.Name)
        for node in held
        if isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name)
    )
    return tree if carried else cast("ast.Module", _Picking().visit(tree))


def jitted(function: Callable[..., None], *, cached: bool = True) -> Any:
    """Numba's dispatcher for a generated function, its cache files beside the function's own file."""
    with _LOCK:
        config: Any = importlib.import_module("numba.core.config")
        elsewhere, config.CACHE_DIR = config.CACHE_DIR, ""
        try:
            options: dict[str, Any] = dict(FLAGS)
            if has_noalias():
                options["pipeline_class"] = _pipeline()
            return _numba().njit(cache=cached, **options)(function)
        finally:
            config.CACHE_DIR = elsewhere


@cache
def _told(typing: Any, target: Any) -> None:
    """Let Numba take up once all that may be called; only what this package adds comes later."""
    typing.refresh()
    target.refresh()


@contextmanager
def remembering(typing: Any, target: Any) -> Iterator[None]:
    """Within it, Numba remembers what it found an operation on values of some types to give.

    It would go through all that it knows of `+` for each sum, twice; generated functions consist of a few operations on a few
    types.  Nor does it look for new libraries whenever an operation has no short form.
    """
    types = importlib.import_module("numba.core.types")
    plain = (types.Number, types.Boolean, types.Literal, types.Array)
    resolve, call = typing.resolve_function_type, types.BaseFunction.get_call_type

    def resolved(function: Any, arguments: Any, named: Any) -> Any:
        if named or not all(isinstance(each, plain) for each in arguments):
            return resolve(function, arguments, named)
        key = function, tuple(arguments)
        found = _RESOLVED.get(key)
        if found is None:
            found = resolve(function, arguments, named)
            if found is not None:
                _RESOLVED[key] = found
        return found

    def called(self: Any, context: Any, arguments: Any, named: Any) -> Any:
        if named or context is not typing or not all(isinstance(each, plain) for each in arguments):
            return call(self, context, arguments, named)
        key = self, tuple(arguments)
        found = _CALLED.get(key)
        if found is None:
            found = _CALLED[key] = call(self, context, arguments, named)
        return found

    def told() -> None:
        for registry in (*target._registries,):  # noqa: SLF001
            target.install_registry(registry)

    with _LOCK:
        _told(typing, target)
        typing.resolve_function_type, types.BaseFunction.get_call_type = resolved, called
        typing.refresh, target.refresh = typing._load_builtins, told  # noqa: SLF001
        try:
            yield
        finally:
            types.BaseFunction.get_call_type = call
            del typing.resolve_function_type, typing.refresh, target.refresh


def prepare(dispatcher: Any, arguments: Sequence[Any]) -> None:
    """Compile (or load) the code for arguments of these types."""
    with _LOCK:
        typeof = _numba().typeof
        dispatcher.compile(tuple(typeof(argument) for argument in arguments))


def surely_apart(written: Sequence[npt.NDArray[Any]], others: Sequence[npt.NDArray[Any]]) -> bool:
    """Whether no array that is written can share memory with another, as far as can be told without looking where it is.

    Arrays that own their memory share none.  Parts of one may, and of any other memory nothing is known.
    """
    own, given = ({_owner(array) for array in arrays} for arrays in (written, others))
    return None not in own | given and len(own) == len(written) and own.isdisjoint(given)


def _owner(array: npt.NDArray[Any]) -> int | None:
    """Which array's memory an array is in; None where that is not known."""
    base = array.base
    if base is None:
        return id(array)
    return id(base) if type(base) is np.ndarray and base.base is None else None


def check_apart(written: Sequence[npt.NDArray[Any]], others: Sequence[npt.NDArray[Any]]) -> None:
    """Raise ValueError when an array that is written shares memory with another, which the compiler takes for impossible."""
    ranges = []
    for kind, arrays in ((True, written), (False, others)):
        for array in arrays:
            start = array.__array_interface__["data"][0]
            if array.size:
                ranges.append((start, start + array.nbytes, kind))
    ranges.sort()
    end, end_written = -1, -1
    for start, stop, is_written in ranges:
        if start < end_written or (is_written and start < end):
            raise ValueError("a column that is written shares memory with another")
        end = max(end, stop)
        if is_written:
            end_written = max(end_written, stop)


def packed_instructions(function: Callable[..., None], signatures: Sequence[Any]) -> int:
    """How many instructions of a function's machine code work on several rows at once.

    The code is made afresh, since what came from a cache cannot be looked at.
    """
    dispatcher = jitted(function, cached=False)
    for signature in signatures:
        dispatcher.compile(signature)
    return sum(len(_PACKED.findall(text)) for text in dispatcher.inspect_asm().values())


def pure(namespace: dict[str, Any]) -> None:
    """Let generated source run without Numba: conversions that wrap where machine code would, and never raise."""
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"):
        namespace[name] = _converter(name)


def _converter(name: str) -> Callable[[Any], Any]:
    kind = np.dtype(name)

    def convert(value: Any) -> Any:
        return np.asarray(value).astype(kind)[()]

    return convert
