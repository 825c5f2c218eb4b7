"""Generates Python source: one self-contained module for each function, plain enough to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rbcalc_kernels.compiled.groups import effective_dates
from rbcalc_kernels.compiled.lowering import Lowering
from rbcalc_kernels.compiled.module import Module, Slot, machine_type, stored_type
from rbcalc_kernels.compiled.names import sanitised
from rbcalc_kernels.compiled.packing import packed
from rbcalc_kernels.compiled.schedule import Stage, schedule
from rbcalc_kernels.compiled.values import Fault
from rbcalc_kernels.program.graph import Ref

GENERATOR: Final = "3"
"""The version of the generated code; part of every cache key."""

WORTH_TWO: Final = 12
"""From so many statements on, those of rows carried from the row before are written out for first rows and for others."""

Place = tuple[str, str]
"""An entity and a column of it; what a `Ref` says, but found in a table in less time."""

_BY_PERIOD: Final = frozenset({"parameters", "cells", "edges"})


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
    """Functions in the order in which they run, the space and type of each column that they write, and the faults that they note.

    `staying` are the columns that are read after rows were made, or by whoever takes the results; none where no rows are made.
    """

    functions: tuple[Function, ...]
    columns: dict[Place, tuple[str, str]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    staying: frozenset[Place] = frozenset()


def generate(lowering: Lowering, outputs: Sequence[Ref], *, mixed: bool) -> Plan:
    """The functions that work out the outputs; `mixed` where rows of one call may be of different parameter periods."""
    stages = schedule(lowering, outputs)
    wanted = frozenset(outputs)
    kept = _kept(stages, wanted) | _effective(lowering)
    fields = packed(lowering, stages, wanted | _effective(lowering))
    functions: list[Function] = []
    faults: list[Fault] = []
    columns: dict[Place, tuple[str, str]] = {}
    for stage in stages:
        if stage.derive:
            functions.append(Function("", stage.space, derive=stage.derive))
            continue
        module = Module(lowering, mixed, wanted, fields, (leaf for task in stage.tasks for leaf in task.reads))
        loops = _aggregates(module, stage) if stage.kind == "aggregate" else _rows(module, stage, kept, len(faults))
        faults += [lowering.faults[code - 1] for code in module.faults]
        title = f"{stage.space}: " + ", ".join(ref.name for task in stage.tasks for ref in task.refs if ref.name.isidentifier())
        slots = tuple(module.slots)
        written = tuple(sorted({slots.index(slot) for slot in module.writes}))
        dated = tuple(sorted({slot.entity for slot in slots if slot.kind in _BY_PERIOD}))
        functions.append(Function(module.text(title, loops), stage.space, slots, tuple(module.writes), "", written, dated))
        for task in stage.tasks:
            for ref in task.refs:
                if ref in fields:
                    columns[fields[ref].column.entity, fields[ref].column.name] = (stage.space, "int32")
                elif ref in kept:
                    columns[ref.entity, ref.name] = (stage.space, stored_type(lowering.held(ref), output=ref in wanted))
    return Plan(tuple(functions), columns, tuple(faults), _staying(functions, columns, wanted | _effective(lowering)))


def _staying(functions: Sequence[Function], columns: Mapping[Place, object], asked: Collection[Ref]) -> frozenset[Place]:
    """The columns that are asked for afterwards, or that a function reads before which rows were made since they were written."""
    if not any(function.derive for function in functions):
        return frozenset()
    found = {(ref.entity, ref.name) for ref in asked} & columns.keys()
    near: set[Place] = set()
    for function in functions:
        if function.derive:
            near.clear()
        near.update((slot.entity, slot.name) for slot in function.writes if slot.kind == "column")
        read = {(slot.entity, slot.name) for slot in function.slots if slot.kind == "column"}
        found |= (read & columns.keys()) - near
    return frozenset(found)


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


def _rows(module: Module, stage: Stage, kept: set[Ref], codes: int) -> list[str]:
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
    module.write(ref for task in stage.tasks for ref in task.refs if ref in kept)
    module.marks(stage.space, module.lowering.names.of(("entity", stage.space), stage.space), codes)
    if stage.kind == "sequential":
        module.body = _twice(module)
    return ["for i in range(n):", *(f"    {line}" for line in [*module.load, *module.body, *module.store])]


def _twice(module: Module) -> list[str]:
    """The statements for a row that is the first under its parent, and for one that follows another.

    Most rows are the first: such a row then waits for nothing that the row before it wrote.
    """
    first = [line.partition(" = ")[0] for line in module.load if line.endswith("__firsts[i] != 0")]
    if not first or len(module.body) < WORTH_TWO:
        return module.body
    found: list[str] = []
    for known in (True, False):
        found.append(f"if {first[0]}:" if known else "else:")
        found += [f"    {line}" for line in [f"{first[0]} = {known}", *module.body]]
    return found


def _aggregates(module: Module, stage: Stage) -> list[str]:
    lowering, names, fields = module.lowering, module.lowering.names, module.fields
    child = stage.tasks[0].child
    offsets = module.argument(Slot("offsets", stage.space, child), f"{names.of(('entity', child), child)}__offsets")
    start: list[str] = []
    inner: list[str] = []
    at = "uint32(j)"  # of a signed place the compiler would ask, for each column, whether it is below 0
    added: set[Ref] = set()
    for task in stage.tasks:
        total = task.refs[0]
        name = names.of_ref(total)
        form = machine_type(lowering.held(total))
        if total in fields:
            # What shares a column is added as one number.
            column = fields[total].column
            if column not in added:
                added.add(column)
                word = names.of_ref(column)
                start.append(f"{word} = int32(0)")
                inner.append(f"{word} = int32({word} + {module.whole(fields[task.over[0]].column, at)})")
                module.keep(column, word)
            continue
        module.write([total])
        if task.kind == "rows":
            start.append(f"{name} = {offsets}[i + 1] - {offsets}[i]")
            continue
        values = module.stored(task.over[0], at)
        start.append(f"{name} = {form}(0)")
        if task.kind == "sum":
            inner.append(f"{name} = {form}({name} + {form}({values}))")
            continue
        sign = "<" if task.kind == "min" else ">"
        start.append(f"{name}__none = True")
        inner.append(f"{name}__here = {form}({values})")
        inner.append(f"{name}__taken = ({module.stored(task.over[1], at)} != 0) & ({name}__none | ({name}__here {sign} {name}))")
        inner.append(f"{name} = {name}__here if {name}__taken else {name}")
        inner.append(f"{name}__none = {name}__none & (not {name}__taken)")
    loop = [f"for j in range({offsets}[i], {offsets}[i + 1]):", *(f"    {line}" for line in inner)] if inner else []
    return ["for i in range(n):", *(f"    {line}" for line in [*start, *loop, *module.store])]
