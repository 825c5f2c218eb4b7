"""Generated kernels as NumPy: the same statements, each over a block of rows, in place of machine code that goes row by row.

What a generated function says of row `i` is said of all rows at once: `x[i]` becomes the column, `x[row]` a `take`, and a
choice `np.where`.  Sums over members become `np.add.reduceat`.  The few functions in which a row needs the row before it
stay machine code, which is to NumPy's advantage.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.cache import Kernel

BLOCK = 16_384
"""Root rows at a time, so that columns stay in the cache."""

_NARROW = {"floor": "np.floor", "abs": "np.abs"}


class Arrays(Kernel):
    """A generated function over NumPy's arrays."""

    @cached_property
    def statements(self) -> Callable[..., None] | None:
        """The function, written for columns; None where a row needs the row before it."""
        tree = ast.parse(self.source)
        function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
        if _is_sequential(function):
            return None
        loop = function.body[-1]
        assert isinstance(loop, ast.For)
        inner = [node for node in loop.body if isinstance(node, ast.For)]
        body = _summed(loop, inner[0]) if inner else [_Columns().visit(node) for node in loop.body]
        function.body[-1:] = [*ast.parse("i = np.arange(n, dtype=np.int32)").body, *body]
        names: dict[str, Any] = {"np": np, "_less": np.minimum, "_more": np.maximum, "_to": _to, "_sum": _sum, "_extreme": _extreme}
        exec(compile(ast.fix_missing_locations(ast.Module([function], [])), "<columns>", "exec"), _types() | names, names)
        made: Callable[..., None] = names[function.name]
        return made

    def entry(self, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        """What runs over arrays of these types."""
        return super().entry(arguments) if self.statements is None else self.statements


def _types() -> dict[str, Any]:
    names = ("float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
    return {name: getattr(np, name) for name in names}


def _is_sequential(function: ast.FunctionDef) -> bool:
    """Whether it reads a column that it writes, at another row."""
    places = [node for node in ast.walk(function) if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)]
    written = {node.value.id for node in places if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)}
    return any(
        isinstance(node.value, ast.Name) and node.value.id in written and not _is_own(node.slice)
        for node in places
        if isinstance(node.ctx, ast.Load)
    )


def _is_own(place: ast.expr) -> bool:
    return isinstance(place, ast.Name) and place.id == "i"


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.parse(name, mode="eval").body, list(arguments), [])


class _Columns(ast.NodeTransformer):
    """What is said of a row, said of all."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.ctx, ast.Store):
            return ast.Subscript(node.value, ast.Slice(), ast.Store())
        if _is_own(node.slice):
            return node.value
        place: ast.expr = self.visit(node.slice)
        if not any(isinstance(each, ast.Name) and not each.id.endswith("start") and each.id not in _types() for each in ast.walk(place)):
            return ast.Subscript(node.value, place, ast.Load())  # the same for all rows
        taken = _call("np.take", node.value, place)
        taken.keywords = [ast.keyword("mode", ast.Constant("clip"))]
        return taken

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return _call("np.where", self.visit(node.test), self.visit(node.body), self.visit(node.orelse))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Not):
            return _call("np.logical_not", self.visit(node.operand))
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        arguments = [self.visit(argument) for argument in node.args]
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in _types():
            return _call("_to", node.func, *arguments)
        return _call({"min": "_less", "max": "_more"}.get(name, _NARROW.get(name, name)), *arguments)


def _to(kind: Any, values: Any) -> Any:
    """A conversion that copies nothing when there is nothing to convert."""
    if isinstance(values, np.ndarray):
        return values if values.dtype == kind else values.astype(kind)
    return np.asarray(values).astype(kind)[()]


def _summed(loop: ast.For, inner: ast.For) -> list[ast.stmt]:
    """Sums, and least or greatest figures, over members."""
    assert isinstance(inner.iter, ast.Call)
    offsets = ast.unparse(inner.iter.args[0]).split("[")[0]
    found: list[str] = []
    here: dict[str, str] = {}
    for node in inner.body:
        assert isinstance(node, ast.Assign)
        name = ast.unparse(node.targets[0])
        text = ast.unparse(node.value)
        if name.endswith("__here"):
            here[name.removesuffix("__here")] = ast.unparse(_Rows().visit(node.value))
        elif name.endswith("__taken"):
            stem = name.removesuffix("__taken")
            taken = ast.unparse(_Rows().visit(node.value.left))  # type: ignore[attr-defined]
            found.append(f"{stem} = _extreme({here[stem]}, {taken}, {offsets}, n, {'<' in text})")
        elif name.endswith("__none") or name in here:
            continue
        else:
            assert isinstance(node.value, ast.Call) and isinstance(node.value.args[0], ast.BinOp)
            values = ast.unparse(_Rows().visit(node.value.args[0].right))
            found.append(f"{name} = _sum({values}, {offsets}, n, {ast.unparse(node.value.func)})")
    summed = {line.partition(" = ")[0] for line in found}
    rest: list[ast.stmt] = []
    for statement in loop.body:
        if isinstance(statement, ast.Assign):
            name = ast.unparse(statement.targets[0])
            if name in summed or name.endswith("__none"):
                continue
            if f"{offsets}[i + 1]" in ast.unparse(statement.value):
                rest += ast.parse(f"{name} = np.diff({offsets}[:n + 1])").body
                continue
            rest.append(_Columns().visit(statement))
    return [*ast.parse("\n".join(found)).body, *rest]


class _Rows(_Columns):
    """The same for rows `j` of members."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return node.value


def _starts(offsets: npt.NDArray[np.int64], count: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], int]:
    some = offsets[1 : count + 1] > offsets[:count]
    return some, offsets[:count][some], int(offsets[count])


def _sum(values: npt.NDArray[Any], offsets: npt.NDArray[np.int64], count: int, kind: Any) -> npt.NDArray[Any]:
    some, starts, end = _starts(offsets, count)
    if some.all() and count:
        return np.add.reduceat(values[:end], starts, dtype=kind)
    found = np.zeros(count, dtype=kind)
    if starts.size:
        found[some] = np.add.reduceat(values[:end], starts, dtype=kind)
    return found


def _extreme(
    values: npt.NDArray[Any], taken: npt.NDArray[Any], offsets: npt.NDArray[np.int64], count: int, least: bool
) -> npt.NDArray[Any]:
    some, starts, end = _starts(offsets, count)
    edge = np.iinfo(values.dtype).max if values.dtype.kind == "i" else 2.0**60
    found = np.zeros(count, dtype=values.dtype)
    if starts.size:
        counted = np.where(taken[:end], values[:end], edge if least else -edge)
        reduced = (np.minimum if least else np.maximum).reduceat(counted, starts)
        found[some] = np.where(np.abs(reduced) == edge, 0, reduced)
    return found
