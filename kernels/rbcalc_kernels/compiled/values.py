"""What stands for a value while a function is being written, and the leaves that its statements read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rbcalc_kernels.compiled.bounds import Interval
from rbcalc_kernels.compiled.numbers import Num
from rbcalc_kernels.exact.faults import Reason
from rbcalc_kernels.program.graph import Node, Op, Ref

Steps = tuple[tuple[str, str | None], ...]
"""A way to a row of another entity: at each entity, None for its parent or the name of a timeline's entity."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A condition; `known` where it is the same in every row."""

    text: str
    known: bool | None = None

    @staticmethod
    def of(text: str) -> Flag:
        """The condition that a text says, constant or not."""
        return Flag(text, {"True": True, "False": False}.get(text))


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a list, by its code; `code` where it is the same in every row."""

    text: str
    count: int
    code: int | None = None


Held = Num | Flag | Member


@dataclass(frozen=True, slots=True)
class Leaf:
    """Something that a function's rows read: a column, a parameter, a table or the way to another row.

    `kind` is column, known, previous, first, parameter, table, values (of a small table) or way; `entity` the one that holds
    it (for a parameter, a table and a way, the one that reads).
    """

    kind: str
    entity: str
    name: str = ""
    steps: Steps = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row may have no result: the rule, the reason, and the table or column that it concerns."""

    rule: Ref
    reason: Reason
    about: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known in a branch: narrower ranges of nodes (by number), and optional facts that were given."""

    ranges: Mapping[int, Interval] = field(default_factory=dict)
    given: frozenset[Ref] = frozenset()


NOTHING: Final = Facts()


class Nodes:
    """Numbers nodes so that equal ones have the same number, and remembers what lies within each."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._by_id: dict[int, tuple[int, Node]] = {}
        self._within: dict[int, frozenset[int]] = {}
        self._refs: dict[int, frozenset[Ref]] = {}
        self._ops: dict[int, frozenset[Op]] = {}

    def number(self, node: Node) -> int:
        """The number of a node."""
        known = self._by_id.get(id(node))
        if known is not None:
            return known[0]
        parts = tuple(self.number(arg) for arg in node.args)
        key = (node.op, node.type, parts, type(node.value), node.value)
        number = self._numbers.setdefault(key, len(self._numbers))
        self._by_id[id(node)] = number, node  # the node is kept so that its id is not used again
        if number not in self._within:
            own = frozenset([node.value]) if isinstance(node.value, Ref) else frozenset()
            self._within[number] = frozenset([number]).union(*(self._within[part] for part in parts))
            self._refs[number] = own.union(*(self._refs[part] for part in parts))
            self._ops[number] = frozenset([node.op]).union(*(self._ops[part] for part in parts))
        return number

    def within(self, node: Node) -> frozenset[int]:
        """The numbers of a node and of all that lie within it."""
        return self._within[self.number(node)]

    def refs(self, node: Node) -> frozenset[Ref]:
        """The columns that a node reads."""
        return self._refs[self.number(node)]

    def ops(self, node: Node) -> frozenset[Op]:
        """The operators within a node."""
        return self._ops[self.number(node)]

    def relevant(self, node: Node, facts: Facts) -> Facts:
        """The facts that can make a difference to a node."""
        if not facts.ranges and not facts.given:
            return facts
        within = self._within[self.number(node)]
        ranges = {number: interval for number, interval in facts.ranges.items() if number in within}
        return Facts(ranges, facts.given & self.refs(node))
