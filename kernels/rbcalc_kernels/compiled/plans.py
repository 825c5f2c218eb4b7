"""Lowered programs, kept on disk by their shape: a program that differs in figures alone is not lowered again.

The shape is everything that lowering reads: of figures, only how they would be held and the ranges that are proved for
them, which are wide.  So a kept plan is the one that lowering would make, whatever was kept before.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from rbcalc_kernels.compiled.cache import PACK, pack
from rbcalc_kernels.compiled.layout import Array, Layout
from rbcalc_kernels.compiled.lowering import Lowering, divisors
from rbcalc_kernels.compiled.numbers import Unfit
from rbcalc_kernels.compiled.source import Plan, generate
from rbcalc_kernels.compiled.values import Fault, Held
from rbcalc_kernels.kept import code_state, kernels_folder, read, write
from rbcalc_kernels.program.graph import Op, Program, Ref

Arrays = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Lowered:
    """A program lowered one way: what a run needs to know, and nothing of the way there.

    `outputs` says which column holds each output, and `helds` how; `touched` are the entities that the functions work on.
    `uniform` are the functions for rows of one parameter period, `mixed` the same for rows of several.
    """

    collapsed: frozenset[str]
    layout: Layout
    outputs: dict[Ref, Ref]
    helds: dict[Ref, Held]
    faults: tuple[Fault, ...]
    touched: frozenset[str]
    uniform: Plan
    mixed: Plan


@dataclass(frozen=True, slots=True)
class Ways:
    """A program lowered for any rows, and (if that is shorter) for root rows with one row of each spell entity."""

    general: Lowered
    single: Lowered | None

    def sources(self) -> Iterator[str]:
        """The texts of the functions."""
        for way in (self.general, self.single):
            for plan in (way.uniform, way.mixed) if way is not None else ():
                yield from (function.source for function in plan.functions)

    def arrays(self, program: Program, known: tuple[Program, tuple[Arrays, ...]] | None = None) -> tuple[Arrays, ...] | None:
        """The arrays with a program's figures for each way; None when they do not fit.

        `known` are a program and its arrays, for what is the same in both.
        """
        found = []
        for place, each in enumerate(way for way in (self.general, self.single) if way is not None):
            arrays = each.layout.arrays(program, None if known is None else (known[0], known[1][place]))
            if arrays is None:
                return None
            found.append(arrays)
        return tuple(found)

    def changed(self, program: Program, names: Collection[str], known: tuple[Arrays, ...]) -> tuple[Arrays, ...] | None:
        """The arrays of a program of which only the figures of these names differ from what is known."""
        found = []
        for way, arrays in zip((way for way in (self.general, self.single) if way is not None), known, strict=True):
            changed = way.layout.changed(program, names, arrays)
            if changed is None:
                return None
            found.append(changed)
        return tuple(found)


def ways_of(program: Program, outputs: Sequence[Ref], root: str, *, keep: bool) -> tuple[Ways, tuple[Arrays, ...]]:
    """A program lowered, and its figures; read from disk, and kept there, with `keep`.

    Raises RulesError when an expression fits no number form.
    """
    with _deep():
        path = kernels_folder() / f"{shape(program, outputs)[:40]}.plan" if keep else None
        held = read(path) if path is not None else None
        if held is not None and path is not None:
            kept, known = _opened(path.name, held)
            arrays = kept.arrays(program, known)
            if arrays is not None:
                _OPENED[path.name] = kept, (program, arrays)
                pack(path.with_suffix(PACK), kept.sources())
                return kept, arrays
        general = _lowered(program, outputs, frozenset())
        collapsible = _collapsible(program, root, general)
        ways = Ways(general, _lowered(program, outputs, collapsible) if collapsible else None)
        arrays = ways.arrays(program)
        if arrays is None:
            raise ValueError("the program's figures do not fit its own kernels")
        if path is not None:
            write(path, pickle.dumps(ways, protocol=5))
            pack(path.with_suffix(PACK), ways.sources())
        return ways, arrays


_Known = tuple[Program, tuple[Arrays, ...]]

_OPENED: Final[dict[str, tuple[Ways, _Known | None]]] = {}
"""Plans that were opened last, by the name of their file, each with a program that it served and the arrays of that."""
_MOST_OPENED: Final = 12


def _opened(name: str, held: bytes) -> tuple[Ways, _Known | None]:
    """The plan in a file that is whole; programs of one shape share one."""
    found = _OPENED.pop(name, None)
    if found is None:
        found = pickle.loads(held), None  # noqa: S301 - our own file, in our own folder, as we left it
    _OPENED[name] = found
    while len(_OPENED) > _MOST_OPENED:
        _OPENED.pop(next(iter(_OPENED)), None)
    return found


def _lowered(program: Program, outputs: Sequence[Ref], collapsed: frozenset[str]) -> Lowered:
    lowering = Lowering(program, outputs, collapsed)
    inner = tuple(dict.fromkeys(lowering.outputs.values()))
    uniform = generate(lowering, inner, mixed=False)
    mixed = generate(lowering, inner, mixed=True) if len(program.periods) > 1 else uniform  # no rows are of several
    helds = {ref: lowering.held(column) for ref, column in lowering.outputs.items()}
    touched = {task.entity for task in lowering.tasks} | {task.child for task in lowering.tasks}
    layout: Any = copy(lowering.layout)
    layout.program = None  # the figures of one program are no part of the plan
    return Lowered(collapsed, layout, dict(lowering.outputs), helds, uniform.faults, frozenset(touched), uniform, mixed)


def _collapsible(program: Program, root: str, general: Lowered) -> frozenset[str]:
    """The spell entities right below the root that the kernels touch; and the root itself where another entity gathers its rows."""
    touched = set(general.touched)
    for name in general.touched:
        if name:
            touched.update(program.ancestors(name))
    gathered = {program.root} if program.entities[root].by else set()
    return frozenset(gathered & touched) | frozenset(
        name
        for name, entity in program.entities.items()
        if entity.parent == program.root and entity.spell and not entity.derived and not entity.gaps and name in touched
    )


def shape(program: Program, outputs: Sequence[Ref]) -> str:
    """The sum of all that lowering reads, and of the code that does it."""
    named = {  # tables, and parameters that are read as tables of their history
        str(node.value) for rule in program.rules for node in rule.body.reading if node.op in (Op.LOOKUP, Op.KNOWN, Op.PARAMETER_AT)
    }
    rules = [(rule.entity, rule.name, rule.title, rule.type, rule.body.digest) for rule in program.rules]
    parts: tuple[object, ...] = (
        sys.version,
        code_state(),
        program.first_day,
        program.last_day,
        len(program.periods) > 1,
        list(program.entities.values()),
        list(program.inputs.values()),
        [(each.name, each.type, each.step) for each in program.parameters.values()],
        [(each.name, each.type, each.axes, each.bands, each.step) for each in program.tables.values()],
        _figures(program, named),
        list(outputs),
        rules,
    )
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()


def _figures(program: Program, named: set[str]) -> list[object]:
    """How each figure and table would be held, and the ranges that would be proved for them."""
    layout = Layout(program, divisors(program))
    found: list[object] = []
    ways: list[tuple[Callable[[str], object], str]] = [(layout.parameter, name) for name in program.parameters]
    ways += [(layout.table, name) for name in program.tables if name in named]
    ways += [(partial(layout.table, history=True), name) for name in program.parameters if name in named]
    for way, name in ways:
        try:
            found.append((name, way(name)))
        except Unfit as refusal:  # nothing may read it
            found.append((name, refusal.code, refusal.message))
    return found


@contextmanager
def _deep() -> Iterator[None]:
    """Room for deeply nested expressions."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 50_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
