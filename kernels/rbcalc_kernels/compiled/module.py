"""One generated module: its arguments, what its rows read, and what they store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from rbcalc_kernels.compiled.lowering import Lowering
from rbcalc_kernels.compiled.names import sanitised
from rbcalc_kernels.compiled.numbers import Form, Num
from rbcalc_kernels.compiled.packing import Field
from rbcalc_kernels.compiled.values import Flag, Held, Leaf, Member, Steps
from rbcalc_kernels.program.graph import Ref

FUNCTION: Final = "work_out"
"""The name of the function in every generated module."""

_SIZES: Final = ((7, "int8"), (15, "int16"), (31, "int32"))

_FAULT: Final = re.compile(r"failed = (\d+) if ")


class Slot(NamedTuple):
    """An argument of a generated function: what array the run must pass.

    `kind` is rows (the count of rows of a space), column, known, way, before, offsets, parameters (`name` lists them),
    period, cells, edges, doubt, fault or code (the number that `name` is, for the function's first fault); `entity`, `name`
    and `steps` say which.
    """

    kind: str
    entity: str = ""
    name: str = ""
    steps: Steps = ()


def stored_type(held: Held, *, output: bool = False) -> str:
    """The narrowest type of a column that holds the value."""
    if isinstance(held, Flag):
        return "uint8"
    if isinstance(held, Member):
        return "uint8" if held.count <= 256 else "uint16"
    if held.form is Form.CERTIFIED:
        return "float64"
    for bits, name in _SIZES:
        if -(1 << bits) <= held.low and held.high < 1 << bits:
            return name
    return "int64" if output or held.form is Form.WHOLE else "float64"


def _loaded(held: Held, text: str) -> str:
    if isinstance(held, Flag):
        return f"{text} != 0"
    if isinstance(held, Member):
        # Places are never below 0, and the compiler reads tables at such places in fewer steps.
        return f"{stored_type(held)}({text})"
    return f"{machine_type(held)}({text})"


def machine_type(held: Held) -> str:
    """The type of a number's variable."""
    return held.form.value if isinstance(held, Num) and held.form is not Form.CERTIFIED else Form.FLOAT.value


class Module:
    """Gathers the parts of one generated module."""

    def __init__(
        self, lowering: Lowering, mixed: bool, outputs: frozenset[Ref], fields: Mapping[Ref, Field], reads: Iterable[Leaf]
    ) -> None:
        self.lowering = lowering
        self.mixed = mixed
        self.outputs = outputs
        self.fields = fields
        self.faults: dict[int, int] = {}
        """The program's code of each fault, and its place, from 0, among those of the function."""
        figures = dict.fromkeys((leaf.entity, leaf.name) for leaf in reads if leaf.kind == "parameter")
        self._figures = {entity: [name for owner, name in figures if owner == entity] for entity, _ in figures}
        self.slots: dict[Slot, str] = {}
        self.before: list[str] = []
        self.load: list[str] = []
        self.body: list[str] = []
        self.store: list[str] = []
        self.writes: list[Slot] = []
        self._defined: set[str] = set()

    def argument(self, slot: Slot, name: str) -> str:
        """The argument for an array."""
        return self.slots.setdefault(slot, name)

    def define(self, name: str, text: str, *, once: bool = False) -> str:
        """Define a variable at the top, or at the top of each row."""
        if name not in self._defined:
            self._defined.add(name)
            (self.before if once else self.load).append(f"{name} = {text}")
        return name

    def _period(self, entity: str) -> str:
        array = self.argument(Slot("period", entity), f"{self.lowering.names.of(('entity', entity), entity)}__periods")
        return self.define(array.removesuffix("s"), f"uint32({array}[i])")

    def _row(self, leaf: Leaf) -> str:
        """Text of the index of the row that a leaf is read from."""
        if leaf.kind == "previous":
            stem = self.lowering.names.of(("entity", leaf.entity), leaf.entity)
            self._first(leaf.entity, stem)
            return f"uint32({self.define(f'{stem}__before_row', f'i - 1 + int64({stem}__firsts[i])')})"
        if not leaf.steps:
            return "i"
        way = self.lowering.names.of_leaf(Leaf("way", "", leaf.entity, leaf.steps))
        array = self.argument(Slot("way", leaf.steps[0][0], steps=leaf.steps), f"{way}s")
        self.define(way, f"{array}[i]")
        if self.lowering.may_lack(leaf.steps):
            return f"uint32({way} if {way} > 0 else 0)"
        return f"uint32({way})"

    def _first(self, entity: str, stem: str) -> str:
        """The variable that says whether a row is the first under its parent."""
        array = self.argument(Slot("before", self.lowering.space(entity)), f"{stem}__firsts")
        return self.define(f"{stem}__first", f"{array}[i] != 0")

    def read(self, leaf: Leaf) -> None:
        """Define a leaf's variable."""
        names, lowering = self.lowering.names, self.lowering
        name = names.of_leaf(leaf)
        if name in self._defined and leaf.kind != "values":
            return
        if leaf.kind in ("column", "known", "previous"):
            ref = Ref(leaf.entity, leaf.name.removesuffix("?"))
            known = leaf.kind == "known" or leaf.name.endswith("?")
            stem = names.of_ref(ref)
            kind, array = ("known", f"{stem}__known_col") if known else ("column", f"{stem}__col")
            if known:
                array = self.argument(Slot(kind, ref.entity, ref.name), array)
                self.define(name, f"{array}[{self._row(leaf)}] != 0")
            else:
                held, text = lowering.held(ref), self.stored(ref, self._row(leaf))
                if isinstance(held, Num) and held.low > 0 and lowering.may_lack(leaf.steps):
                    # What is never nought may be divided by before it is known whether there is a row.
                    way = names.of_leaf(Leaf("way", "", leaf.entity, leaf.steps))
                    text = f"{text} if {way} >= 0 else {held.low}"
                self.define(name, _loaded(held, text))
        elif leaf.kind == "first":
            stem = names.of(("entity", leaf.entity), leaf.entity)
            self._first(leaf.entity, stem)
        elif leaf.kind == "way":
            self._row(Leaf("column", leaf.name, "", leaf.steps))
        elif leaf.kind == "parameter":
            held = lowering.layout.parameter_place(leaf.name)[1]
            stem = names.of(("entity", leaf.entity), leaf.entity)
            figures = self._figures[leaf.entity]
            array = self.argument(Slot("parameters", leaf.entity, ",".join(figures)), f"{stem}__figures")
            at = f"uint32({figures.index(leaf.name)})"
            if self.mixed:
                at = f"{self._period(leaf.entity)} * uint32({len(figures)}) + {at}"
            text = f"{array}[{at}]"
            self.define(name, _loaded(held, text), once=not self.mixed)
        elif leaf.kind == "values":
            self._values(leaf, name)
        else:
            self._table(leaf, name)

    def _values(self, leaf: Leaf, name: str) -> None:
        if name not in self._defined:
            self._table(leaf, name)
        place = self.lowering.layout.tables[leaf.name]
        for k in range(place.combinations):
            self.define(f"{name}__{k}", f"{name}__cells[{name}__start + uint32({k})]", once=place.steady or not self.mixed)

    def _table(self, leaf: Leaf, name: str) -> None:
        place = self.lowering.layout.tables[leaf.name]
        self._defined.add(name)
        self.argument(Slot("cells", leaf.entity, leaf.name), f"{name}__cells")
        sizes = {"start": place.combinations * place.slots}
        if place.bands is not None:
            self.argument(Slot("edges", leaf.entity, leaf.name), f"{name}__edges")
            sizes["edge_start"] = place.edges
        dated = self.mixed and not place.steady
        for what, size in sizes.items():
            text = f"{self._period(leaf.entity)} * uint32({size})" if dated else "uint32(0)"
            self.define(f"{name}__{what}", text, once=not dated)

    def stored(self, ref: Ref, row: str) -> str:
        """Text of what stands in a column, or in the bits of one that several share."""
        field = self.fields.get(ref)
        place = ref if field is None else field.column
        array = self.argument(Slot("column", place.entity, place.name), f"{self.lowering.names.of_ref(place)}__col")
        return f"{array}[{row}]" if field is None else field.text(f"{array}[{row}]")

    def write(self, refs: Iterable[Ref]) -> None:
        """Store values in their columns."""
        shared: dict[Ref, list[str]] = {}
        for ref in refs:
            name = self.lowering.names.of_ref(ref)
            field = self.fields.get(ref)
            if field is None:
                self._store(ref, f"{stored_type(self.lowering.held(ref), output=ref in self.outputs)}({name})")
            else:
                shared.setdefault(field.column, []).append(f"(int32({name}) << {field.shift})" if field.shift else f"int32({name})")
        for column, parts in shared.items():
            self._store(column, f"int32({' | '.join(parts)})")

    def whole(self, column: Ref, row: str) -> str:
        """Text of what stands in a column that several share."""
        return f"{self.argument(Slot('column', column.entity, column.name), f'{self.lowering.names.of_ref(column)}__col')}[{row}]"

    def keep(self, column: Ref, name: str) -> None:
        """Store the whole of a column that several share."""
        self._store(column, f"int32({name})")

    def _store(self, column: Ref, text: str) -> None:
        slot = Slot("column", column.entity, column.name)
        array = self.argument(slot, f"{self.lowering.names.of_ref(column)}__col")
        self.store.append(f"{array}[i] = {text}")
        self.writes.append(slot)

    def marks(self, space: str, stem: str, codes: int) -> None:
        """Let doubts and faults of the rows be noted; `codes` faults are those of functions before this one."""
        text = [line.split(" = ")[0] for line in self.body]
        if "unsure" in text:
            array = self.argument(Slot("doubt", space), f"{stem}__doubt")
            self.load.insert(0, "unsure = False")
            self.store.append(f"{array}[i] = {array}[i] | uint8(unsure)")
            self.writes.append(Slot("doubt", space))
        if "failed" in text:
            first = self.argument(Slot("code", space, str(codes + 1)), f"{stem}__first_fault")
            self.body = [_FAULT.sub(lambda found: f"failed = {self._fault(int(found[1]), first)} if ", line) for line in self.body]
            array = self.argument(Slot("fault", space), f"{stem}__fault")
            self.load.insert(0, "failed = 0")
            self.store.append(f"{array}[i] = uint16(failed) if {array}[i] == 0 else {array}[i]")
            self.writes.append(Slot("fault", space))

    def _fault(self, code: int, first: str) -> str:
        place = self.faults.setdefault(code, len(self.faults))
        return f"({first} + {place})" if place else first

    def text(self, title: str, loops: Sequence[str]) -> str:
        """The module's source."""
        arguments = ["n", *self.slots.values()]
        head = [
            f'"""{sanitised(title)}"""',
            "",
            "from numpy import float64, floor, int8, int16, int32, int64, uint8, uint16, uint32",
            "",
            "",
            f"def {FUNCTION}(",
        ]
        lines = [
            *(f"    {name}," for name in arguments),
            "):",
            *(f"    {line}" for line in self.before),
            *(f"    {line}" for line in loops),
        ]
        return "\n".join([*head, *self.lowering.names.localised(lines)]) + "\n"
