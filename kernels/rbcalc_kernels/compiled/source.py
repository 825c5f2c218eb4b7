"""Generates Python source: one self-contained module for each function, plain enough to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from rbcalc_kernels.compiled.groups import effective_dates
from rbcalc_kernels.compiled.lowering import Lowering
from rbcalc_kernels.compiled.names import sanitised
from rbcalc_kernels.compiled.numbers import Form, Num
from rbcalc_kernels.compiled.schedule import Stage, schedule
from rbcalc_kernels.compiled.values import Flag, Held, Leaf, Member, Steps
from rbcalc_kernels.program.graph import Ref

GENERATOR: Final = "2"
"""The version of the generated code; part of every cache key."""

FUNCTION: Final = "work_out"
"""The name of the function in every generated module."""

Place = tuple[str, str]
"""An entity and a column of it; what a `Ref` says, but found in a table in less time."""

_BY_PERIOD: Final = frozenset({"parameters", "cells", "edges"})

_SIZES: Final = ((7, "int8"), (15, "int16"), (31, "int32"))


class Slot(NamedTuple):
    """An argument of a generated function: what array the run must pass.

    `kind` is rows (the count of rows of a space), column, known, way, before, offsets, parameters, period, cells, edges,
    doubt or fault; `entity`, `name` and `steps` say which.
    """

    kind: str
    entity: str = ""
    name: str = ""
    steps: Steps = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A generated function: its module's text, its arguments, and the columns that it writes.

    `written` are the places of those among the arguments; `dated` the entities by whose rows' periods figures are read.
    """

    source: str
    space: str
    slots: tuple[Slot, ...] = ()
    writes: tuple[Slot, ...] = ()
    derive: str = ""
    written: tuple[int, ...] = ()
    dated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Functions in the order in which they run, and the space and type of each column that they write."""

    functions: tuple[Function, ...]
    columns: dict[Place, tuple[str, str]] = field(default_factory=dict)


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
    return f"{_machine_type(held)}({text})"


def _machine_type(held: Held) -> str:
    """The type of a number's variable."""
    return held.form.value if isinstance(held, Num) and held.form is not Form.CERTIFIED else Form.FLOAT.value


class _Module:
    """Gathers the parts of one generated module."""

    def __init__(self, lowering: Lowering, mixed: bool, outputs: frozenset[Ref]) -> None:
        self.lowering = lowering
        self.mixed = mixed
        self.outputs = outputs
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
            array = self.argument(Slot("before", self.lowering.space(leaf.entity)), f"{stem}__before_rows")
            return f"uint32({self.define(f'{stem}__before_row', f'{array}[i]')})"
        if not leaf.steps:
            return "i"
        way = self.lowering.names.of_leaf(Leaf("way", "", leaf.entity, leaf.steps))
        array = self.argument(Slot("way", leaf.steps[0][0], steps=leaf.steps), f"{way}s")
        self.define(way, f"{array}[i]")
        if any(step is not None for _, step in leaf.steps):
            return f"uint32({way} if {way} > 0 else 0)"
        return f"uint32({way})"

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
            array = self.argument(Slot(kind, ref.entity, ref.name), array)
            text = f"{array}[{self._row(leaf)}]"
            self.define(name, f"{text} != 0" if known else _loaded(lowering.held(ref), text))
        elif leaf.kind == "first":
            stem = names.of(("entity", leaf.entity), leaf.entity)
            self._row(Leaf("previous", leaf.entity))
            self.define(name, f"{stem}__before_row == i")
        elif leaf.kind == "way":
            self._row(Leaf("column", leaf.name, "", leaf.steps))
        elif leaf.kind == "parameter":
            place, held = lowering.layout.parameter_place(leaf.name)
            stem = names.of(("entity", leaf.entity), leaf.entity)
            array = self.argument(Slot("parameters", leaf.entity), f"{stem}__figures")
            at = f"uint32({place})"
            if self.mixed:
                at = f"{self._period(leaf.entity)} * uint32({len(lowering.layout.parameters)}) + {at}"
            text = f"{array}[{at}]"
            self.define(name, _loaded(held, text), once=not self.mixed)
        elif leaf.kind == "values":
            self._values(leaf, name)
        else:
            self._table(leaf, name)

    def _values(self, leaf: Leaf, name: str) -> None:
        if name not in self._defined:
            self._table(leaf, name)
        for k in range(self.lowering.layout.tables[leaf.name].combinations):
            self.define(f"{name}__{k}", f"{name}__cells[{name}__start + uint32({k})]", once=not self.mixed)

    def _table(self, leaf: Leaf, name: str) -> None:
        place = self.lowering.layout.tables[leaf.name]
        self._defined.add(name)
        self.argument(Slot("cells", leaf.entity, leaf.name), f"{name}__cells")
        sizes = {"start": place.combinations * place.slots}
        if place.bands is not None:
            self.argument(Slot("edges", leaf.entity, leaf.name), f"{name}__edges")
            sizes["edge_start"] = place.combinations * place.capacity
        dated = self.mixed and not place.history
        for what, size in sizes.items():
            text = f"{self._period(leaf.entity)} * uint32({size})" if dated else "uint32(0)"
            self.define(f"{name}__{what}", text, once=not dated)

    def write(self, ref: Ref) -> None:
        """Store a value in its column."""
        name = self.lowering.names.of_ref(ref)
        slot = Slot("column", ref.entity, ref.name)
        array = self.argument(slot, f"{name}__col")
        kind = stored_type(self.lowering.held(ref), output=ref in self.outputs)
        self.store.append(f"{array}[i] = {kind}({name})")
        self.writes.append(slot)

    def marks(self, space: str, stem: str) -> None:
        """Let doubts and faults of the rows be noted."""
        text = [line.split(" = ")[0] for line in self.body]
        if "unsure" in text:
            array = self.argument(Slot("doubt", space), f"{stem}__doubt")
            self.load.insert(0, "unsure = False")
            self.store.append(f"{array}[i] = {array}[i] | uint8(unsure)")
            self.writes.append(Slot("doubt", space))
        if "failed" in text:
            array = self.argument(Slot("fault", space), f"{stem}__fault")
            self.load.insert(0, "failed = 0")
            self.store.append(f"{array}[i] = uint16(failed) if {array}[i] == 0 else {array}[i]")
            self.writes.append(Slot("fault", space))

    def text(self, title: str, loops: Sequence[str]) -> str:
        """The module's source."""
        arguments = ["n", *self.slots.values()]
        lines = [
            f'"""{sanitised(title)}"""',
            "",
            "from numpy import float64, floor, int8, int16, int32, int64, uint8, uint16, uint32",
            "",
            "",
            f"def {FUNCTION}(",
            *(f"    {name}," for name in arguments),
            "):",
            *(f"    {line}" for line in self.before),
            *(f"    {line}" for line in loops),
        ]
        return "\n".join(lines) + "\n"


def generate(lowering: Lowering, outputs: Sequence[Ref], *, mixed: bool) -> Plan:
    """The functions that work out the outputs; `mixed` where rows of one call may be of different parameter periods."""
    stages = schedule(lowering, outputs)
    wanted = frozenset(outputs)
    kept = _kept(stages, wanted) | _effective(lowering)
    functions: list[Function] = []
    columns: dict[Place, tuple[str, str]] = {}
    for stage in stages:
        if stage.derive:
            functions.append(Function("", stage.space, derive=stage.derive))
            continue
        module = _Module(lowering, mixed, wanted)
        loops = _aggregates(module, stage) if stage.kind == "aggregate" else _rows(module, stage, kept)
        title = f"{stage.space}: " + ", ".join(ref.name for task in stage.tasks for ref in task.refs if ref.name[0] != "~")
        slots = tuple(module.slots)
        written = tuple(sorted({slots.index(slot) for slot in module.writes}))
        dated = tuple(sorted({slot.entity for slot in slots if slot.kind in _BY_PERIOD}))
        functions.append(Function(module.text(title, loops), stage.space, slots, tuple(module.writes), "", written, dated))
        for task in stage.tasks:
            for ref in task.refs:
                if ref in kept:
                    columns[ref.entity, ref.name] = (stage.space, stored_type(lowering.held(ref), output=ref in wanted))
    return Plan(tuple(functions), columns)


def _kept(stages: Sequence[Stage], outputs: frozenset[Ref]) -> set[Ref]:
    """The values that must be stored: outputs, and what another function or another row reads."""
    kept = set(outputs)
    for stage in stages:
        made = {ref for task in stage.tasks for ref in task.refs}
        for task in stage.tasks:
            kept.update(task.over)
            if task.kind not in ("vector", "sequential"):
                kept.update(task.refs)
            for leaf in task.reads:
                ref = Ref(leaf.entity, leaf.name.removesuffix("?"))
                if leaf.kind in ("column", "previous") and (ref not in made or leaf.steps or leaf.kind == "previous"):
                    kept.add(ref)
    return kept


def _effective(lowering: Lowering) -> set[Ref]:
    """The values that say where rows of derived entities begin."""
    entities = lowering.program.entities
    return {ref for name in entities for ref in effective_dates(lowering.program, name)}


def _rows(module: _Module, stage: Stage, kept: set[Ref]) -> list[str]:
    made = {ref for task in stage.tasks for ref in task.refs}
    for task in stage.tasks:
        for leaf in task.reads:
            own = leaf.kind == "column" and not leaf.steps and Ref(leaf.entity, leaf.name) in made
            if not own:
                module.read(leaf)
    for task in stage.tasks:
        if task.title:
            module.body.append(f"# {sanitised(task.title)}")
        module.body += task.lines
    for task in stage.tasks:
        for ref in task.refs:
            if ref in kept:
                module.write(ref)
    module.marks(stage.space, module.lowering.names.of(("entity", stage.space), stage.space))
    return ["for i in range(n):", *(f"    {line}" for line in [*module.load, *module.body, *module.store])]


def _aggregates(module: _Module, stage: Stage) -> list[str]:
    lowering, names = module.lowering, module.lowering.names
    child = stage.tasks[0].child
    offsets = module.argument(Slot("offsets", stage.space, child), f"{names.of(('entity', child), child)}__offsets")
    start: list[str] = []
    inner: list[str] = []
    for task in stage.tasks:
        name = names.of_ref(task.refs[0])
        held = lowering.held(task.refs[0])
        module.write(task.refs[0])
        form = _machine_type(held)
        if task.kind == "rows":
            start.append(f"{name} = {offsets}[i + 1] - {offsets}[i]")
            continue
        arrays = [module.argument(Slot("column", ref.entity, ref.name), f"{names.of_ref(ref)}__col") for ref in task.over]
        start.append(f"{name} = {form}(0)")
        if task.kind == "sum":
            inner.append(f"{name} = {form}({name} + {form}({arrays[0]}[j]))")
            continue
        sign = "<" if task.kind == "min" else ">"
        start.append(f"{name}__none = True")
        inner.append(f"{name}__here = {form}({arrays[0]}[j])")
        inner.append(f"{name}__taken = ({arrays[1]}[j] != 0) & ({name}__none | ({name}__here {sign} {name}))")
        inner.append(f"{name} = {name}__here if {name}__taken else {name}")
        inner.append(f"{name}__none = {name}__none & (not {name}__taken)")
    loop = [f"for j in range({offsets}[i], {offsets}[i + 1]):", *(f"    {line}" for line in inner)] if inner else []
    return ["for i in range(n):", *(f"    {line}" for line in [*start, *loop, *module.store])]
