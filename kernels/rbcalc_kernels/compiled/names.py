"""Identifiers of generated code: what an author calls a thing, made safe and unique."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Hashable, Sequence
from typing import Final

from rbcalc_kernels.compiled.values import Leaf
from rbcalc_kernels.program.graph import Ref

_PLAIN: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_OTHER: Final = re.compile(r"[^a-z0-9]+")
_SPOKEN: Final = re.compile(r"[^A-Za-z0-9 ,.;:()'%£/-]+")
NUMBERED: Final = re.compile(r"(?<=.) \d+$")
"""The end of a name that tells apart things without names of their own."""

_IDENTIFIER: Final = re.compile(r"(?<![\w.])[a-z]\w*")
_RESERVED: Final = frozenset(
    {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "i", "j", "n", "p", "total", "best", "seen", "unsure"}
    | {"failed", "floor", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"}
)


def sanitised(text: str, length: int = 100) -> str:
    """Author's text as it may stand in a comment: one line of plain characters."""
    return " ".join(_SPOKEN.sub(" ", text).split())[:length].strip()


class Names:
    """Gives each thing one identifier.

    Author's names never hold two underscores in a row, so that identifiers with `__` are free for what is made here.
    """

    def __init__(self) -> None:
        self._taken: dict[str, Hashable] = {}
        self._given: dict[Hashable, str] = {}
        self._wishes: dict[Hashable, tuple[str, ...]] = {}

    def of(self, key: Hashable, *wishes: str) -> str:
        """The identifier of a thing: the first wish that nothing else has, else the last with a number."""
        found = self._given.get(key)
        if found is not None:
            return found
        safe = [self._safe(wish) for wish in wishes]
        count = 2
        while safe[0] in self._taken:
            safe = safe[1:] or [f"{self._safe(wishes[-1])}_{count}"]
            count += 1
        self._taken[safe[0]] = key
        self._given[key] = safe[0]
        self._wishes[key] = wishes
        return safe[0]

    def localised(self, lines: Sequence[str]) -> list[str]:
        """The lines of one function with identifiers that do not depend on what other functions hold."""
        local = Names()
        known: dict[str, str] = {}  # most identifiers stand in many places

        def renamed(found: re.Match[str]) -> str:
            name = known.get(found[0])
            if name is None:
                stem, dash, rest = found[0].partition("__")
                name = found[0]
                if stem in self._taken:
                    key = self._taken[stem]
                    name = f"{local.of(key, *(NUMBERED.sub('', wish) for wish in self._wishes[key]))}{dash}{rest}"
                known[found[0]] = name
            return name

        return [line if line.lstrip().startswith("#") else _IDENTIFIER.sub(renamed, line) for line in lines]

    @staticmethod
    def _safe(wish: str) -> str:
        name = wish if _PLAIN.fullmatch(wish) else _OTHER.sub("_", wish.lower()).strip("_") or "value"
        if not name[0].isalpha():
            name = f"x_{name}"
        name = name[:60].rstrip("_")
        return f"{name}_value" if name in _RESERVED else name

    def of_ref(self, ref: Ref) -> str:
        """The identifier of a column."""
        return self.of(ref, ref.name, f"{ref.entity}_{ref.name}")

    def of_leaf(self, leaf: Leaf) -> str:
        """The variable that holds a leaf's value for the row at hand (for a table: the stem of its variables)."""
        match leaf.kind:
            case "column":
                return self.of_ref(Ref(leaf.entity, leaf.name))
            case "known":
                return f"{self.of_ref(Ref(leaf.entity, leaf.name))}__known"
            case "previous":
                known = leaf.name.endswith("?")
                stem = self.of_ref(Ref(leaf.entity, leaf.name.removesuffix("?")))
                return f"{stem}__before_known" if known else f"{stem}__before"
            case "first":
                return f"{self.of(('entity', leaf.entity), leaf.entity)}__first"
            case "way":
                return f"{self.of(('way', leaf.steps), leaf.name, f'{leaf.steps[0][0]} {leaf.name}')}__row"
            case "values":
                return self.of(("table", leaf.entity, leaf.name), leaf.name, f"{leaf.entity} {leaf.name}")
        return self.of((leaf.kind, leaf.entity, leaf.name), leaf.name, f"{leaf.entity} {leaf.name}")
