"""One block of root rows on its way through the functions of a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled import timelines
from rbcalc_kernels.compiled.batches import Part, below, cut, firsts
from rbcalc_kernels.compiled.calls import Calls
from rbcalc_kernels.compiled.columns import Column, EntityColumns
from rbcalc_kernels.compiled.groups import effective_dates
from rbcalc_kernels.compiled.layout import FIGURES, Array
from rbcalc_kernels.compiled.machine import check_apart, surely_apart
from rbcalc_kernels.compiled.memory import Bytes, given_back, taken
from rbcalc_kernels.compiled.module import Slot
from rbcalc_kernels.compiled.native import Entry, kind
from rbcalc_kernels.compiled.source import Function, Place
from rbcalc_kernels.program.graph import MOST_BESIDE

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.evaluator import Compiled, Variant

_TOGETHER: Final = 16  # pieces of a block that are worked out at once before it is known how to go from one to the next
_PAGE: Final = 4096
_STEP: Final = 64
"""How much further into its page each column begins, in bytes: the next line of the cache, so that 64 columns use 64 of them."""


class Room(NamedTuple):
    """Columns of an entity's rows that have memory together: those that pass between functions, or those that stay.

    What stays is read after rows are made, or by whoever takes the results, so that it holds all rows of a block.
    """

    space: str
    stays: bool


class Scratch:
    """Columns that one block after the other fills, and the machine code that suits them and the blocks' own.

    Memory that is used again is near the processor already, and needs not be made clean by the system.  The columns of an
    entity's rows stand together, each a little further into its page than the one before: those that begin at the same place
    of their pages would drive each other out of the nearest cache.
    """

    def __init__(self, columns: Mapping[Place, tuple[str, str]], staying: Collection[Place] = ()) -> None:
        """`columns` are those that functions write: the entity whose rows they have, and their type; some are `staying`."""
        self._room = {place: Room(space, place in staying) for place, (space, _) in columns.items()}
        self._layout: dict[Room, dict[Place, np.dtype[Any]]] = {}
        for place, (_, type_) in columns.items():
            self._layout.setdefault(self._room[place], {})[place] = np.dtype(type_)
        self._rooms: dict[Room, tuple[int, Column, dict[Place, int]]] = {}
        self._memory: dict[Room, Bytes] = {}
        self._outgrown: list[Bytes] = []
        self._columns: dict[Place, Column] = {}
        self._kinds: dict[tuple[bool, int], object] = {}
        self.entries: dict[tuple[bool, int], Callable[..., Any]] = {}
        self.calls: dict[tuple[object, ...], Calls | None] = {}
        self.version = 0
        """Another number after columns were given another place in memory."""

    def another(self) -> Scratch:
        """Room of the same kind, without anything in it."""
        found = object.__new__(Scratch)
        found.__dict__.update(_layout=self._layout, _room=self._room, _rooms={}, _memory={}, _outgrown=[], _columns={}, version=0)
        found._kinds, found.entries, found.calls = {}, {}, {}
        return found

    def room_of(self, place: Place) -> Room:
        """The room that a column stands in."""
        return self._room[place]

    def room(self, room: Room, count: int) -> tuple[int, Column, dict[Place, int]]:
        """Memory for so many rows of all columns of a room: how many fit, the memory, and where each column begins."""
        found = self._rooms.get(room)
        if found is None or found[0] < count:
            size, total, begins = count + count // 4 + 64, 0, {}  # room for the largest block at once; what is never written costs nothing
            for number, (place, kind) in enumerate(self._layout.get(room, {}).items()):
                begins[place] = total + number * _STEP % _PAGE
                total += -(-(size * kind.itemsize + _PAGE) // _PAGE) * _PAGE
            if found is not None:
                self._outgrown.append(self._memory[room])  # columns of the block at hand may be there still
            memory = self._memory[room] = taken(total + _PAGE)
            first = -memory.__array_interface__["data"][0] % _PAGE
            found = self._rooms[room] = size, memory[first:], begins
            self.version += 1
        return found

    def addresses(self, room: Room) -> npt.NDArray[np.int64]:
        """Where all columns of a room are in memory, in the order of `order`."""
        _, memory, begins = self._rooms[room]
        start: int = memory.__array_interface__["data"][0]
        return np.array([start + begin for begin in begins.values()], dtype=np.int64)

    def order(self, room: Room) -> list[Place]:
        """The columns of a room."""
        return list(self._layout[room])

    def column(self, place: Place, kind: npt.DTypeLike, count: int) -> Column:
        """A column of so many rows, which hold anything."""
        if not count:
            return np.zeros(1, dtype=kind)  # rows that point nowhere read the first place, so that there must be one
        room = self._room.get(place)
        if room is not None:
            _, memory, begins = self.room(room, count)
            begin = begins[place]
            return memory[begin : begin + count * self._layout[room][place].itemsize].view(kind)
        held = self._columns.get(place)
        if held is None or held.size < count:
            held = self._columns[place] = np.empty(count + count // 16, dtype=kind)
        return held[:count]

    def clear(self) -> None:
        """Let go of the columns, and keep the machine code."""
        self._columns.clear()
        self._rooms.clear()
        given_back([*self._memory.values(), *self._outgrown])
        self._memory.clear()
        self._outgrown.clear()

    def seen(self, place: tuple[bool, int], argument: Any) -> None:
        """Forget the machine code when an argument is of another type than in the block before."""
        now = kind(argument)
        if self._kinds.setdefault(place, now) != now:
            self._kinds[place] = now
            self.entries.clear()
            self.calls.clear()


class Block:
    """Some root rows, the columns that are worked out for them, and what was noted of their rows.

    `targets` holds the outputs' columns where they can be written in place; `written` is another object where they are others.
    """

    def __init__(
        self,
        compiled: Compiled,
        variant: Variant,
        arrays: dict[str, Array],
        part: Part,
        targets: dict[Place, Column],
        *,
        pool: list[Scratch],
        check: bool = False,
        way: int = 0,
        written: object = None,
        piece: int = 0,
    ) -> None:
        self.compiled = compiled
        self.variant = variant
        self.arrays = arrays
        self.way = way
        self.written = written
        self.piece = piece
        """Root rows that go through all functions before the next do; 0 where all go together."""
        self.part = part
        self.entities = dict(part.entities)
        self.columns = targets
        self.targets = frozenset(targets)
        self.marks: dict[tuple[str, str], npt.NDArray[Any]] = {}
        self.made: dict[str, EntityColumns] = {}
        self._pool = pool
        self._held: Scratch | None = None
        if check and targets:
            # All else that is written is the block's own.
            written, others = list(targets.values()), self.given(part)
            if not surely_apart(written, others):
                check_apart(written, others)
        self._found: dict[bool, list[Any]] = {}
        self._others: dict[object, Any] = {}
        self._periods: dict[str, int | None] = {}
        self._first: tuple[Callable[..., Any], list[Any]] | None = None

    @property
    def scratch(self) -> Scratch:
        """Where columns are that nobody reads afterwards: those of a block that is done, or new ones."""
        if self._held is None:
            try:
                self._held = self._pool.pop()
            except IndexError:
                self._held = Scratch(self.variant.uniform.columns, self.variant.staying)
        return self._held

    def release(self) -> None:
        """Leave the columns to the next block, when nobody reads them any more."""
        if self._held is not None:
            self._pool.append(self._held)
        self._held = None
        self.columns, self.marks, self._found, self._others, self._first = {}, {}, {}, {}, None

    def prepare(self) -> None:
        """Find what the first function needs, so that a thread has nothing left to do but call it."""
        function = self.variant.uniform.functions[0]
        if not self.piece and not function.derive and self.entities[function.space].count:
            self._first = self._ready(0, function)

    def run(self, places: Iterable[int] | None = None) -> None:
        """Work out the columns; with `places`, those of these functions alone."""
        functions = self.variant.uniform.functions
        if places is not None:
            self._each(places)
            return
        first = 0
        for place, function in enumerate(functions):
            if function.derive:
                self._together(first, place)
                self._derive(function.derive)
                first = place + 1
        self._together(first, len(functions))

    def _each(self, places: Iterable[int]) -> None:
        """Call functions one by one, with their arguments as Python holds them."""
        functions = self.variant.uniform.functions
        for place in places:
            function = functions[place]
            if function.derive:
                self._derive(function.derive)
                continue
            count = self.entities[function.space].count
            if not count:
                continue
            entry, arrays = self._first if place == 0 and self._first is not None else self._ready(place, function)
            entry(count, *arrays)

    def _together(self, first: int, end: int) -> None:
        """Call functions between which no rows are made: all at once, where an earlier block has shown how."""
        spaces, dated = self.variant.stretch(first, end)
        idle = tuple([space for space in spaces if not self.entities[space].count])
        several = tuple([entity for entity in dated if self.entities[entity].count and self.period(entity) is None])
        key = (first, idle, several)
        calls = self.scratch.calls.get(key)
        if calls is not None:
            if calls.run(self):
                return
            del self.scratch.calls[key]
        if self.piece and not self.variant.staying and self.entities[self.compiled.root].count > (most := self.piece * _TOGETHER):
            self._in_parts(first, end, most)
            return
        functions = self.variant.uniform.functions
        busy = [place for place in range(first, end) if functions[place].space not in idle]
        self._each(busy)
        if len(busy) < 2 or key in self.scratch.calls:
            return
        uniform = [not any(entity in several for entity in functions[place].dated) for place in busy]
        entries = [self.scratch.entries.get((alike, place)) for place, alike in zip(busy, uniform, strict=True)]
        if None in entries:
            return  # an argument of a later function was of another type than in the block before: all were forgotten
        native = [entry for entry in entries if isinstance(entry, Entry) and entry.table]
        self.scratch.calls[key] = None
        if len(native) == len(entries) and all(isinstance(rows, slice) for rows in self.part.rows.values()):
            own = [functions[place] if alike else self.variant.mixed.functions[place] for place, alike in zip(busy, uniform, strict=True)]
            self.scratch.calls[key] = Calls(self, list(zip(own, uniform, native, strict=True)))

    def _in_parts(self, first: int, end: int, most: int) -> None:
        """Work out fewer root rows at a time, of which the first show how the others are worked out together."""
        program, root, origin = self.compiled.program, self.compiled.root, self.part.origin or self.part
        start = self.first_row(root)
        stop = start + self.entities[root].count
        for begin in range(start, stop, most):
            part = cut(program, origin, root, begin, min(begin + most, stop), self.variant.collapsed)
            rows = {entity: slice(low := self._lows(part, entity), low + held.count) for entity, held in part.entities.items()}
            targets = {place: self.columns[place][rows[place[0]]] for place in self.targets}
            inner = Block(
                self.compiled, self.variant, self.arrays, part, targets, pool=[], way=self.way, written=self.written, piece=self.piece
            )
            inner._held = self.scratch
            inner._together(first, end)
            for (what, entity), marks in inner.marks.items():
                if (what, entity) not in self.marks:
                    self.marks[what, entity] = np.zeros(self.entities[entity].count, dtype=marks.dtype)
                self.marks[what, entity][rows[entity]] = marks

    def _lows(self, part: Part, entity: str) -> int:
        """The first row of a part of the block, counted from the block's own."""
        own, whole = part.rows[entity], self.part.rows[entity]
        assert isinstance(own, slice) and isinstance(whole, slice)
        return int(own.start - whole.start)

    def first_row(self, entity: str) -> int:
        """The row of the whole batch that is the block's first of an entity; 0 for rows that are made in the block."""
        rows = self.part.rows.get(entity, slice(0, 0))
        assert isinstance(rows, slice)
        return int(rows.start)

    def call(self, place: int, function: Function) -> tuple[Callable[..., Any], list[Any], list[tuple[int, Slot]], bool]:
        """The machine code of a function, its arguments, those of them that hold figures, and whether rows are of one period."""
        entry, arrays = self._ready(place, function)
        uniform = all(self.period(entity) is not None for entity in function.dated)
        slots, places = self.variant.slots(uniform)
        figures = [(n, slots[at][0]) for n, at in enumerate(places[place]) if slots[at][0].kind in ("parameters", "cells", "edges")]
        return entry, arrays, figures, uniform

    def figures(self, slot: Slot, *, uniform: bool) -> Any:
        """The figures that a function reads, as they are now."""
        return self.array(slot, uniform)

    @staticmethod
    def given(part: Part) -> list[npt.NDArray[Any]]:
        """All arrays of some rows."""
        found: list[npt.NDArray[Any] | None] = []
        for rows in part.entities.values():
            found += [*rows.columns.values(), rows.parent, rows.offsets, rows.period]
        return list({id(array): array for array in found if array is not None}.values())

    def _ready(self, place: int, function: Function) -> tuple[Callable[..., Any], list[Any]]:
        """The machine code of a function, and its arguments."""
        uniform = all(self.period(entity) is not None for entity in function.dated)
        slots, places = self.variant.slots(uniform)
        found = self._found.get(uniform)
        if found is None:
            found = self._found[uniform] = [None] * len(slots)
        arrays = []
        for at in places[place]:
            array = found[at]
            if array is None:
                slot, made = slots[at]
                if made is None:
                    array = self.array(slot, uniform)
                    self.scratch.seen((uniform, at), array)
                else:
                    array = self.column(slot[1:3])
                found[at] = array
            arrays.append(array)
        entries = self.scratch.entries
        entry = entries.get((uniform, place))
        if entry is None:
            if not uniform:
                function = self.variant.mixed.functions[place]
            entry = entries[uniform, place] = self.variant.kernel(function, self.compiled.engine).entry((0, *arrays))
        return entry, arrays

    def _derive(self, entity: str) -> None:
        program = self.compiled.program
        dates: dict[str, npt.NDArray[np.int32]] = {}
        for ref in effective_dates(program, entity):
            dates[ref.entity] = self.column((ref.entity, ref.name)).astype(np.int32)
        made = self.made[entity] = self.entities[entity] = timelines.derive(program, entity, self.entities, dates, self.part.spans)
        if made.strand is not None and made.offsets is not None and (crowded := np.diff(made.offsets) > MOST_BESIDE).any():
            self.marks["crowded", entity] = np.repeat(crowded, np.diff(made.offsets)).astype(np.uint8)

    def period(self, entity: str) -> int | None:
        """The parameter period of the entity's rows; None where they have several."""
        kept = self._periods if entity in self.made else self.part.periods
        if entity not in kept:
            periods = self.entities[entity].period
            if periods is None or not periods.size:
                kept[entity] = 0
            else:
                first = int(periods[0])
                kept[entity] = first if bool((periods == first).all()) else None
        return kept[entity]

    def array(self, slot: Slot, uniform: bool = True) -> Any:
        """An argument; where rows are `uniform`, which is to say of one parameter period, figures are those of that period."""
        if slot[0] == "column":
            return self.column(slot[1:3])
        if slot.kind == "code":
            return int(slot.name)
        if slot.kind in ("parameters", "cells", "edges"):
            found = self._figures(slot.name) if slot.kind == "parameters" else self.arrays[f"{slot.name} {slot.kind}"]
            if not uniform:
                return found.reshape(-1)
            return found[(self.period(slot.entity) or 0) if len(found) > 1 else 0]
        kept = self.part.kept if self.variant.lasting(self.compiled.program, slot) else self._others
        if slot not in kept:
            kept[slot] = self._made_array(slot)
        return kept[slot]

    def _figures(self, names: str) -> Array:
        """The parameters that a function reads, those of a period together."""
        key = f"{FIGURES}{names}"
        found = self.arrays.get(key)
        if found is None:
            parameters = self.variant.lowering.layout.parameters
            places = [parameters[name][0] for name in names.split(",")]
            found = self.arrays[key] = np.take(cast("npt.NDArray[np.float64]", self.arrays["parameters"]), places, axis=1)
        return found

    def _made_array(self, slot: Slot) -> Any:
        rows = self.entities[slot.entity]
        match slot.kind:
            case "known":
                return self.column((slot.entity, f"{slot.name}?"))
            case "period":
                return np.zeros(rows.count, dtype=np.uint8) if rows.period is None else np.ascontiguousarray(rows.period)
            case "before":
                return firsts(rows)
            case "offsets":
                collapsed = self.variant.collapsed
                return below(self.entities, self.compiled.program, slot.entity, slot.name, collapsed)
            case "way":
                return self._way(slot)
            case "doubt" | "fault":
                type_ = np.uint8 if slot.kind == "doubt" else np.uint16
                found = self.scratch.column((f"~{slot.kind}", slot.entity), type_, rows.count)
                found[:] = 0
                self.marks[slot.kind, slot.entity] = found
                return found
        raise ValueError(slot.kind)

    def column(self, place: Place) -> Column:
        """A column of the batch, or one that is worked out, made when first asked for."""
        column = self.columns.get(place)
        if column is not None:
            return column
        made = self.variant.uniform.columns.get(place)
        if made is not None:
            column = self.scratch.column(place, made[1], self.entities[made[0]].count)
        else:
            entity, name = place
            column = self.entities[entity].columns.get(name)
            if column is None:
                raise ValueError(f"the batch has no column {name} for {entity}")
        if not column.size:
            # Rows that point nowhere read the first place, so that there must be one.
            column = np.zeros(1, dtype=column.dtype)
        self.columns[place] = column
        return column

    def _way(self, slot: Slot) -> npt.NDArray[np.int32]:
        found: npt.NDArray[Any] | None = None
        for entity, step in slot.steps:
            rows = self.entities[entity]
            following = rows.parent if step is None else rows.sources[step]
            assert following is not None
            if found is None:
                found = following
            elif all(each is None for _, each in slot.steps):
                found = following[found]  # rows belong to one above them, whichever it is
            else:
                found = np.where(found < 0, np.int32(-1), following[np.maximum(found, 0)] if following.size else np.int32(-1))
        assert found is not None
        return np.ascontiguousarray(found, dtype=np.int32)

    def root_of(self, entity: str) -> npt.NDArray[np.integer[Any]] | None:
        """The block's root row of each row of an entity; None for the root itself."""
        program, found = self.compiled.program, None
        while entity != self.compiled.root and entity not in self.variant.collapsed:
            parents = self.entities[entity].parent
            assert parents is not None
            found = parents if found is None else parents[found]
            above = program.entities[entity].parent
            assert above is not None
            entity = above
        return found
