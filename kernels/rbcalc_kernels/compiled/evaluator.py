"""The compiled evaluator: a program and the outputs that are wanted, as kernels that run over batches of rows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled import passes
from rbcalc_kernels.compiled.batches import Alone, Part, check_values, cut, extent, whole
from rbcalc_kernels.compiled.blocks import Block, Scratch
from rbcalc_kernels.compiled.cache import Kernel
from rbcalc_kernels.compiled.columns import Batch, Column, EntityColumns
from rbcalc_kernels.compiled.divided import Division
from rbcalc_kernels.compiled.gathering import Gathered
from rbcalc_kernels.compiled.layout import Array
from rbcalc_kernels.compiled.module import Slot, stored_type
from rbcalc_kernels.compiled.numbers import Num
from rbcalc_kernels.compiled.passes import Pass
from rbcalc_kernels.compiled.plans import Lowered, ways_of
from rbcalc_kernels.compiled.source import Function
from rbcalc_kernels.compiled.steps import Steps
from rbcalc_kernels.compiled.values import Fault, Held
from rbcalc_kernels.program.graph import Program, Ref

BLOCK: Final = 65_536
"""Root rows worked out at a time at most when there is more than one function, so that what passes between them stays near."""

LEAST_BLOCK: Final = 4_096
"""Of fewer root rows, what each block costs whatever its size would count."""

NEAR: Final = 16 << 20
"""The bytes that columns between functions take about: root rows with much below them are worked out fewer at a time."""

NEAREST: Final = 4 << 20
"""The bytes that such columns take about for the root rows that go through all functions before the next do, where nothing of theirs is
read afterwards."""

_EACH: Final = 4  # blocks for each of several threads at least, since one may have less time than another

LEAST_PIECE: Final = 512
"""Nor are blocks to which much belongs divided into pieces of fewer root rows."""


@dataclass(slots=True)
class Results:
    """What a run gives.

    `columns` are whole numbers over `denominators` (codes for yes/no and lists, days since 1970 for dates), one for each
    row of the output's entity, in the batch's order.  `doubt` is 1 for root rows whose figures are not certain and must be
    worked out exactly; `fault` is the place (from 1) in `faults` of why a root row has no result, 0 where it has one.
    `entities` holds the rows that were made for derived entities.
    """

    columns: dict[Ref, Column]
    denominators: dict[Ref, int]
    doubt: npt.NDArray[np.uint8]
    fault: npt.NDArray[np.uint16]
    faults: tuple[Fault, ...]
    entities: dict[str, EntityColumns] = field(default_factory=dict)
    written: tuple[object, tuple[Column, ...]] | None = field(default=None, repr=False, compare=False)
    """The columns that machine code wrote to, and what tells whether it still would."""


class Share(NamedTuple):
    """A part of a batch, the way in which the program is worked out for it, and how many root rows go through all functions at a time.

    All go together where that is 0.
    """

    part: Part
    variant: Variant
    piece: int


_Slots = tuple[tuple[Slot, tuple[str, str] | None], ...]


class Variant:
    """A program lowered one way, with its functions for rows of one parameter period and of several."""

    def __init__(self, lowering: Lowered) -> None:
        self.lowering = lowering
        self.collapsed = lowering.collapsed
        """The entities that share the root's rows."""
        self.uniform = lowering.uniform
        self.mixed = lowering.mixed
        self.kernels: dict[str, Kernel] = {}
        """The functions that were compiled, by their source."""
        self._slots: dict[bool, tuple[_Slots, tuple[tuple[int, ...], ...]]] = {}
        self.staying = self.uniform.staying
        """The columns that are read after rows are made, or by whoever takes the results; none where no rows are made."""
        self._bytes: Counter[str] = Counter()
        """The bytes of a row of each entity in columns that pass between functions."""
        self._stay: Counter[str] = Counter()
        """And in those that stay."""
        for place, (space, kind) in self.uniform.columns.items():
            (self._stay if place in self.staying else self._bytes)[space] += np.dtype(kind).itemsize
        self._both = self._bytes + self._stay
        self._stretches: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._lasting: dict[Slot, bool] = {}
        self.straight: bool | None = None
        """Whether a whole batch can be worked out in one call (`steps`); None while nobody asked."""
        self.steps: Steps | None = None
        self.idle: list[Scratch] = []
        """The machine code that fitted earlier runs, without their columns."""

    def slots(self, uniform: bool) -> tuple[_Slots, tuple[tuple[int, ...], ...]]:
        """The arguments of all functions, each once, with how it is made; and for each function the places of its own among them."""
        found = self._slots.get(uniform)
        if found is None:
            places: dict[Slot, int] = {}
            functions = (self.uniform if uniform else self.mixed).functions
            own = tuple([tuple([places.setdefault(slot, len(places)) for slot in function.slots]) for function in functions])
            made = self.uniform.columns
            found = self._slots[uniform] = tuple([(slot, made.get(slot[1:3]) if slot.kind == "column" else None) for slot in places]), own
        return found

    def block(self, part: Part, roots: int) -> int:
        """How many root rows are worked out at a time."""
        return min(BLOCK, max(LEAST_BLOCK, NEAR * roots // max(1, self._together(part, self._stay if self.staying else self._bytes))))

    def piece(self, part: Part, roots: int) -> int:
        """How many root rows of a block go through all functions before the next do."""
        return max(LEAST_PIECE, NEAREST * roots // max(1, self._together(part, self._bytes)))

    @staticmethod
    def _together(part: Part, each: Counter[str]) -> int:
        return sum(part.entities[space].count * size for space, size in each.items() if space in part.entities)

    def even(self, program: Program, part: Part, root: str, runs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Runs of root rows, in pieces where far more than usual belongs to one, so that memory for one serves for all."""
        together = [sum(rows * self._both[space] for space, rows in extent(program, part, root, *run).items()) for run in runs]
        most = max(1, sum(together) * 5 // (4 * max(1, len(runs))))
        for (first, last), own in zip(runs, together, strict=True):
            pieces = max(1, min(-(-own // most), (last - first) // LEAST_PIECE))
            size = -(-(last - first) // pieces)
            yield from ((begin, min(begin + size, last)) for begin in range(first, last, size))

    def stretch(self, first: int, end: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The entities whose rows some functions run over, and those by whose periods they read figures."""
        found = self._stretches.get(first)
        if found is None:
            functions = self.uniform.functions[first:end]
            spaces = dict.fromkeys(function.space for function in functions)
            found = self._stretches[first] = tuple(spaces), tuple(dict.fromkeys(each for function in functions for each in function.dated))
        return found

    def lasting(self, program: Program, slot: Slot) -> bool:
        """Whether an argument that is made for a block is the same in every run: it says nothing of rows that are made in the run."""
        found = self._lasting.get(slot)
        if found is None:
            named = {slot.entity, *(entity for step in slot.steps for entity in step if entity is not None)}
            if slot.kind == "offsets":
                named.add(slot.name)
            found = slot.kind in ("period", "before", "offsets", "way") and not any(program.entities[name].derived for name in named)
            self._lasting[slot] = found
        return found

    def kernel(self, function: Function, engine: str) -> Kernel:
        """The compiled form of a function."""
        found = self.kernels.get(function.source)
        if found is None:
            found = self.kernels[function.source] = Kernel(function.source, engine=engine)
        return found

    def held(self, ref: Ref) -> Held:
        """How an output's column is held."""
        return self.lowering.helds[ref]


class Compiled:
    """A program made ready for any number of batches.  It keeps no rows between runs, so threads may share it."""

    def __init__(self, program: Program, outputs: Sequence[Ref], engine: str, *, keep: bool = True) -> None:
        self.program = program
        self.outputs = tuple(dict.fromkeys(outputs))
        self.engine = engine
        self.root = _root(program, self.outputs)
        self._ways, self._arrays = ways_of(program, self.outputs, self.root, keep=keep)
        self.general = Variant(self._ways.general)
        self.single = Variant(self._ways.single) if self._ways.single is not None else None
        self.denominators = {ref: self._denominator(ref) for ref in self.outputs}
        self._kinds: dict[tuple[Variant, ...], tuple[dict[Ref, np.dtype[Any]], frozenset[Ref]]] = {}
        self.faults = tuple(dict.fromkeys(fault for variant in self.variants for fault in variant.lowering.faults))
        place = {fault: at for at, fault in enumerate(self.faults, 1)}
        self._codes = [np.array([0, *(place[fault] for fault in each.lowering.faults)], dtype=np.uint16) for each in self.variants]

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The ways in which the program was lowered."""
        return (self.general,) if self.single is None else (self.general, self.single)

    def codes(self, variant: Variant) -> npt.NDArray[np.uint16]:
        """The places in `faults`, from 1, of what the functions of a variant note."""
        return self._codes[0 if variant is self.general else 1]

    def arrays(self, variant: Variant) -> dict[str, Array]:
        """The figures for the functions of a variant."""
        return self._arrays[0 if variant is self.general else 1]

    def _denominator(self, ref: Ref) -> int:
        helds = [variant.held(ref) for variant in self.variants]
        return lcm(*(held.den for held in helds if isinstance(held, Num)))

    def kinds(self, variants: tuple[Variant, ...]) -> tuple[dict[Ref, np.dtype[Any]], frozenset[Ref]]:
        """The types of the outputs' columns that serve these variants, and the outputs that all of them can write in place."""
        if variants not in self._kinds:
            types: dict[Ref, np.dtype[Any]] = {}
            in_place = set()
            for ref in self.outputs:
                if ref not in self.program.inputs:
                    own = [self._kind(variant, ref) for variant in variants]
                    types[ref] = np.result_type(*own)
                    if all(variant.lowering.outputs[ref] == ref for variant in variants) and set(own) == {types[ref].name}:
                        in_place.add(ref)
            self._kinds[variants] = types, frozenset(in_place)
        return self._kinds[variants]

    def _kind(self, variant: Variant, ref: Ref) -> str:
        held = variant.held(ref)
        scaled = isinstance(held, Num) and held.den != self.denominators[ref]
        return "int64" if scaled else stored_type(held, output=True)

    @property
    def source(self) -> str:
        """The generated text, the usual variant first."""
        texts = [function.source for variant in reversed(self.variants) for function in variant.uniform.functions if function.source]
        return "\n\n".join(dict.fromkeys(texts))

    def with_parameters(self, program: Program) -> Compiled:
        """The same for a program whose figures differ: new arrays only, unless its rules or ranges differ too."""
        same = program.rules == self.program.rules and program.inputs == self.program.inputs
        arrays = self._ways.arrays(program, (self.program, self._arrays)) if same and program.entities == self.program.entities else None
        if arrays is None:
            return compile_program(program, self.outputs, engine=self.engine)
        other = object.__new__(Compiled)
        other.__dict__.update(self.__dict__)
        other.program = program
        other._arrays = arrays
        return other

    def changed_arrays(self, program: Program, names: Collection[str]) -> tuple[dict[str, Array], ...] | None:
        """The arrays of a program whose figures of these names differ; None when they do not fit."""
        return self._ways.changed(program, names, self._arrays)

    def run(
        self,
        batch: Batch,
        threads: int = 1,
        *,
        block: int | None = None,
        checked: bool = False,
        narrow: bool = False,
        into: Results | None = None,
    ) -> Results:
        """Work out the outputs for all rows.

        `checked` says that columns are known to be within their inputs' ranges.  A column has the same type in every run,
        wide enough for any batch, unless `narrow` allows the type that this batch needs.  `into` are results of an earlier
        run that nobody reads any more; their columns are written over where type and size are the same.  Raises ValueError
        when the batch does not fit the program.
        """
        how = threads, narrow
        found: Pass | Division | None = batch.found.take() if block is None else None
        if found is not None and not found.serves(self, batch, how):
            found = None
        gathered: Gathered | None = None
        part = whole(self.program, batch, self.root) if found is None else found.part
        if not checked:
            check_values(self.program, part)
        if found is None:
            alone = self.alone(part)
            variants = (self.single,) if narrow and self.single is not None and alone is None else self.variants
            gathered = Gathered(self, part, variants, into)
            usual = self.single if self.single is not None and alone is None else self.general
            found = passes.ready(self, usual, batch, part, gathered, how) if block is None else None
            found = found or Division(batch, part, variants, list(self.shares(part, threads, block, alone)), how)
        results: Results = found.run(self, into, gathered, Results)
        if block is None:
            batch.found[:] = [found]
        return results

    def shares(self, part: Part, threads: int, block: int | None, alone: Alone | None) -> Iterator[Share]:
        """The parts that a batch is worked out in; one in which each root row has one row of each spell entity takes the shorter way."""
        count = part.entities[self.root].count
        usual = self.single if self.single is not None and alone is None else self.general
        size = block or usual.block(part, count)
        if len(usual.uniform.functions) == 1 and block is None:
            size = max(1, -(-count // threads))
        size = min(size, max(1, -(-count // threads)))
        if block is None and count:
            blocks = -(-count // size)
            size = -(-count // (-(-blocks // threads) * threads))  # as many for each thread, of one size
        runs = [(first, min(first + size, count)) for first in range(0, count, size)]
        derived = any(entity.derived for entity in self.program.entities.values())
        piece = 0 if block is not None else usual.piece(part, count)
        if piece and not derived:
            most = count if threads == 1 else -(-count // (_EACH * threads))
            runs = list(_joined(runs, most, lambda first, last: alone is None or alone.all(first, last)))
        elif block is None and len(runs) > threads:
            runs = list(usual.even(self.program, part, self.root, runs))
        if piece and derived and count:
            runs = _learning(runs, threads)
        for first, last in runs:
            single = self.single if self.single is not None and (alone is None or alone.all(first, last)) else None
            shared = single.collapsed if single is not None and not derived else ()
            own = part if last - first == count else cut(self.program, part, self.root, first, last, shared)
            yield Share(own, single or self.general, piece)

    def blocks(
        self,
        shares: Iterable[Share],
        gathered: Gathered,
        pools: dict[Variant, list[Scratch]],
        *,
        check: bool = True,
        written: object = None,
    ) -> Iterator[Block]:
        """The parts of a batch ready to be worked out; with `check` it is seen to that they write nowhere where they read."""
        for part, variant, piece in shares:
            way = 0 if variant is self.general else 1
            targets = gathered.targets(part) | (gathered.whole(variant, part) if piece and not variant.staying else {})
            yield Block(
                self, variant, self._arrays[way], part, targets, pool=pools[variant], check=check, way=way, written=written, piece=piece
            )
            check = False

    def alone(self, part: Part) -> Alone | None:
        """Which root rows have just one row of each spell entity that can share their place; None when all have."""
        names = self.single.collapsed if self.single is not None else ()
        found = Alone(self.program, part, self.root, names)
        return None if found.all(0, part.entities[self.root].count) else found


def _learning(runs: Sequence[tuple[int, int]], threads: int) -> list[tuple[int, int]]:
    """Runs of root rows, the first of them short, one for each thread: after those it is known how functions are called together."""
    if max(last - first for first, last in runs) <= 2 * LEAST_BLOCK:
        return list(runs)
    begin = runs[0][0]
    end = min(begin + threads * LEAST_BLOCK, runs[-1][1])
    short = [(at, min(at + LEAST_BLOCK, end)) for at in range(begin, end, LEAST_BLOCK)]
    return short + [(max(first, end), last) for first, last in runs if last > end]


def _joined(runs: Sequence[tuple[int, int]], most: int, short: Callable[[int, int], bool]) -> Iterator[tuple[int, int]]:
    """Runs of root rows, those next to each other that go the same way as one, of so many rows at most if several become one."""
    at: tuple[int, int, bool] | None = None
    for first, last in runs:
        way = short(first, last)
        if at is not None and way is at[2] and last - at[0] <= most:
            at = at[0], last, way
            continue
        if at is not None:
            yield at[:2]
        at = first, last, way
    if at is not None:
        yield at[:2]


def compile_program(program: Program, outputs: Sequence[Ref], *, engine: str | None = None, keep: bool | None = None) -> Compiled:
    """Make kernels for the outputs of a program.

    `engine` is numba or python (the same source without Numba); by default that of RBCALC_ENGINE, or numba.  Machine code
    is made, or read from the cache, when a batch is run.  With `keep` the lowered program is read from the cache or kept
    there; by default unless `engine` asks for Python.  Raises RulesError when an expression fits no number form.
    """
    chosen = engine or os.environ.get("RBCALC_ENGINE") or "numba"
    if chosen not in ("numba", "python"):
        raise ValueError(f"the engine is numba or python, not {chosen}")
    return Compiled(program, outputs, chosen, keep=engine != "python" if keep is None else keep)


def _root(program: Program, outputs: Sequence[Ref]) -> str:
    roots = {(ref.entity, *program.ancestors(ref.entity))[-1] for ref in outputs}
    if len(roots) != 1:
        raise ValueError(f"outputs must belong to one root entity, not {len(roots)}")
    return roots.pop()
