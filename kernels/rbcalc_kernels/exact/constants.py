"""Expressions that read no rows, worked out before any row is seen (the cells of tables)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Protocol

from rbcalc_kernels.exact.machine import Bound, flatten, run
from rbcalc_kernels.program.graph import Node, Op, Value


class Environment(Protocol):
    """What an expression of constants is read in: a period's parameters, the tables' cells, and keys."""

    def parameter(self, name: str) -> Value:
        """The figure of a parameter."""

    def cell(self, table: str, keys: tuple[Value, ...]) -> Value:
        """The value of a table."""

    def known(self, table: str, keys: tuple[Value, ...]) -> bool:
        """Whether a table has a value for the keys."""

    def key(self, name: str) -> Value:
        """The value of a key."""


class _Scope:
    """An environment with some keys laid over it."""

    __slots__ = ("environment", "keys")

    def __init__(self, environment: Environment, keys: Mapping[str, Value]) -> None:
        self.environment = environment
        self.keys = keys

    def key(self, name: str) -> Value:
        return self.keys[name] if name in self.keys else self.environment.key(name)


def evaluate_constant(node: Node, environment: Environment, keys: Mapping[str, Value] | None = None) -> Value:
    """The value of an expression that reads no rows: constants, parameters, tables, keys and sums over lists."""
    return constant_of(node)(environment, keys or {})


def constant_of(node: Node) -> Callable[[Environment, Mapping[str, Value]], Value]:
    """The same made ready for many environments and keys."""
    code = flatten(node, _bind_constant)

    def value(environment: Environment, keys: Mapping[str, Value]) -> Value:
        found: Value = run(code, _Scope(environment, keys))
        return found

    return value


def _bind_constant(node: Node) -> Bound:
    what: Any = node.value
    match node.op:
        case Op.PARAMETER:
            return Bound(lambda scope: scope.environment.parameter(what))
        case Op.LOOKUP:
            return Bound(lambda scope, *keys: scope.environment.cell(what, keys), node.args)
        case Op.KNOWN:
            return Bound(lambda scope, *keys: scope.environment.known(what, keys), node.args)
        case Op.KEY:
            return Bound(lambda scope: scope.key(what))
        case Op.OVER:
            name, choice = what
            body = flatten(node.args[0], _bind_constant)

            def total(scope: _Scope) -> Any:
                inner = (_Scope(scope.environment, {**scope.keys, name: member}) for member in choice.members)
                return sum((run(body, each) for each in inner), Fraction(0))

            return Bound(total)
    raise TypeError(f"{node.op} cannot be worked out without rows")
