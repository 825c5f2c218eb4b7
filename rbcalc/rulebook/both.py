"""The compiled evaluator held against the exact one: the same accounts through both, every value compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from rbcalc._show import amount
from rbcalc_kernels.exact.layout import Layout, layout_of
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import OPEN
from rbcalc_kernels.language.types import DATE, Choice, Number, Type
from rbcalc_kernels.program.graph import Input, Program, Ref, Value

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.registers import RegisterColumns

Records = Mapping[str, Sequence[Mapping[str, Value | None]]]
FEW = 500


def encoded(program: Program, roots: Sequence[Records]) -> dict[str, RegisterColumns]:
    """The records of many roots as columns; each root's register has one record a root.

    Where roots are gathered, each entry of `roots` holds the records of all that one row gathers.
    """
    from rbcalc_kernels.compiled.registers import RegisterColumns

    layout = layout_of(program)
    order = [layout.root_register.name, *(name for name in program.registers if name != layout.root_register.name)]
    order.sort(key=lambda name: _depth(layout, name))
    rows: dict[str, list[Mapping[str, Value | None]]] = {name: [] for name in order}
    owners: dict[str, list[int]] = {name: [] for name in order}
    of_root: dict[str, list[int]] = {name: [] for name in order}
    gathered = program.gathering is not None
    for number, root in enumerate(roots):
        held = {name: (len(rows[name]), root.get(name, ())) for name in order}
        if gathered and layout.root_register.dated:
            own = sorted(root[order[0]], key=lambda record: _day(record.get("from"), -OPEN))
            held[order[0]] = (len(rows[order[0]]), own)
        for name in order:
            if name != layout.root_register.name:
                first, above = held[layout.anchors[name].name]
                by = program.registers[name].by
                for record in held[name][1]:
                    place = next((n for n, other in enumerate(above) if other.get(by) == record.get(by)), None)
                    owners[name].append(-1 if place is None else first + place)
            rows[name].extend(held[name][1])
            of_root[name] += [number] * len(held[name][1])
    made: dict[str, RegisterColumns] = {}
    for name in order:
        register = program.registers[name]
        columns: dict[str, Any] = {}
        for found in layout.inputs[name]:
            columns |= _column(found, [record.get(found.column) for record in rows[name]])
        begins = ends = order_column = None
        if register.dated:
            begins = np.array([_day(record.get("from"), -OPEN) for record in rows[name]], dtype=np.int32)
            ends = np.array([_day(record.get("to"), OPEN) for record in rows[name]], dtype=np.int32)
        if register.order_by:
            order_column = np.array([int(record.get(register.order_by) or 0) for record in rows[name]], dtype=np.int64)
        owner = None if name == layout.root_register.name else np.array(owners[name], dtype=np.int32)
        made[name] = RegisterColumns(
            len(rows[name]), columns, owner, begins, ends, order_column, _same(register.key, rows[name], of_root[name])
        )
    if gathered:
        for reference in layout.root_register.references:  # several root rows of one bundle may carry the same
            made[order[0]].same |= _same(reference, rows[order[0]], of_root[order[0]])
    return made


def _same(key: str, rows: Sequence[Mapping[str, Value | None]], roots: Sequence[int]) -> dict[str, Any]:
    """For each row the first of its root that carries the same key; nothing where all differ."""
    carried = [(root, record.get(key)) for root, record in zip(roots, rows, strict=True)]
    if not key or len(set(carried)) == len(rows):
        return {}
    first: dict[tuple[int, Value | None], int] = {}
    return {key: np.array([first.setdefault(each, place) for place, each in enumerate(carried)], dtype=np.int32)}


def _depth(layout: Layout, name: str) -> int:
    depth = 0
    while name != layout.root_register.name:
        name = layout.anchors[name].name
        depth += 1
    return depth


def _day(value: Value | None, missing: int) -> int:
    return missing if value is None else int(value)


def _column(found: Input, values: Sequence[Value | None]) -> dict[str, Any]:
    codes = [_code(found, value) for value in values]
    columns: dict[str, Any] = {found.name: np.array(codes, dtype=_narrow(found))}
    if found.optional:
        columns[found.name + "?"] = np.array([value is not None for value in values], dtype=np.uint8)
    return columns


def _code(found: Input, value: Value | None) -> int:
    if value is None:
        return int(found.low * found.step.denominator) if isinstance(found.type, Number) or found.type == DATE else 0
    if isinstance(found.type, Choice):
        return found.type.code(str(value))
    if isinstance(found.type, Number):
        return int(Fraction(value) * found.step.denominator)
    return int(value)


def _narrow(found: Input) -> Any:
    if isinstance(found.type, Choice):
        return np.uint8 if len(found.type.members) <= 256 else np.uint16
    if isinstance(found.type, Number):
        high = max(abs(found.low), abs(found.high)) * found.step.denominator
        return np.int8 if high < 2**7 else np.int16 if high < 2**15 else np.int32 if high < 2**31 else np.int64
    return np.int32 if found.type == DATE else np.uint8


def decoded(code: int, denominator: int, type_: Type) -> Value:
    """A value from its code in a result column."""
    if isinstance(type_, Choice):
        return type_.members[code]
    if isinstance(type_, Number):
        return Fraction(code, denominator)
    return code if type_ == DATE else bool(code)


def records_of(program: Program, registers: Mapping[str, RegisterColumns], root_row: int) -> dict[str, list[dict[str, Value | None]]]:
    """One root's records again, from the columns; references become row numbers.

    Where roots are gathered, the records of all that are gathered with it.
    """
    layout = layout_of(program)
    root = layout.root_register.name
    chosen: dict[str, Any] = {root: np.array([root_row])}
    if program.gathering is not None:
        carried = registers[root].same.get(program.entities[program.gathering].by)
        if carried is not None:
            chosen[root] = np.flatnonzero(carried == carried[root_row])
    order = sorted((name for name in program.registers if name != root), key=lambda name: _depth(layout, name))
    for name in order:
        above = layout.anchors[name]
        owners = chosen[above.name]
        key = program.registers[name].by
        same = registers[above.name].same.get(key)
        if same is not None:
            owners = np.flatnonzero(np.isin(same, same[owners]))
        owner = registers[name].owner
        assert owner is not None
        chosen[name] = np.flatnonzero(np.isin(owner, owners))
    found: dict[str, list[dict[str, Value | None]]] = {}
    for name in (root, *order):
        columns = registers[name]
        found[name] = []
        for row in chosen[name]:
            record: dict[str, Value | None] = {}
            for described in layout.inputs[name]:
                given = not described.optional or bool(columns.columns[described.name + "?"][row])
                code = int(columns.columns[described.name][row])
                record[described.column] = decoded(code, described.step.denominator, described.type) if given else None
            if program.registers[name].dated:
                assert columns.begins is not None
                assert columns.ends is not None
                record["from"] = int(columns.begins[row])
                record["to"] = None if columns.ends[row] == OPEN else int(columns.ends[row])
            record |= _references(layout, name, registers, int(row))
            found[name].append(record)
    return found


def _references(layout: Layout, name: str, registers: Mapping[str, RegisterColumns], row: int) -> dict[str, Value | None]:
    register = layout.program.registers[name]
    found: dict[str, Value | None] = {}
    for reference in (register.key, *register.references):
        if reference:
            same = registers[name].same.get(reference)
            found[reference] = str(row if same is None else int(same[row]))
    if name in layout.anchors:
        owner = registers[name].owner
        assert owner is not None
        above = layout.anchors[name].name
        same = registers[above].same.get(register.by)
        found[register.by] = str(int(owner[row]) if same is None else int(same[int(owner[row])]))
    return found


def differences(program: Program, records: Sequence[Records], roots: Sequence[Row | None]) -> list[list[str]]:
    """For each root, what the compiled evaluator says otherwise; `roots` are those worked out exactly, or None."""
    from rbcalc_kernels.compiled.cutting import CutDates
    from rbcalc_kernels.compiled.evaluator import compile_program
    from rbcalc_kernels.compiled.spells import cut

    problems: list[list[str]] = [[] for _ in records]
    refs = [Ref(rule.entity, rule.name) for rule in program.rules if not rule.hidden]
    batch, rejected = cut(program, encoded(program, records), CutDates(program, engine="python" if len(records) < FEW else None))
    of_record = np.repeat(np.arange(len(records)), [len(root[layout_of(program).root_register.name]) for root in records])
    whose = of_record[batch.kept]
    top = program.gathering
    firsts = batch.entities[program.root].offsets
    if firsts is not None:
        whose = whose[firsts[:-1]]
    for place, reason in zip(of_record[rejected.root], rejected.reasons, strict=True):
        if roots[int(place)] is not None and (top is None or place not in whose):
            problems[int(place)].append(f"the compiled evaluator refuses it: {reason}")
    # A handful of accounts does not repay machine code: the same generated source runs as plain Python.
    engine = "python" if len(records) < FEW else None
    results = compile_program(program, refs, engine=engine, keep=True).run(batch)
    entities = {**batch.entities, **results.entities}
    places = {entity: _root_places(program, entities, entity) for entity in {ref.entity for ref in refs}}
    types = {Ref(rule.entity, rule.name): rule.type for rule in program.rules}
    for kept, place in enumerate(whose):
        root = roots[int(place)]
        if root is None or results.fault[kept]:
            if (root is None) != bool(results.fault[kept]) and not results.doubt[kept]:
                problems[int(place)].append(f"refused by one evaluator only (compiled: {int(results.fault[kept])})")
            continue
        rows: dict[str, list[Row]] = {entity: [] for entity in places}
        for row in root.walk():
            rows.setdefault(row.entity, []).append(row)
        own = {entity: np.flatnonzero(of_rows == kept) for entity, of_rows in places.items()}
        for ref in refs:
            found = own[ref.entity]
            exact = [row.values.get(ref.name) for row in rows[ref.entity]]
            compiled = [decoded(int(results.columns[ref][i]), results.denominators.get(ref, 1), types[ref]) for i in found]
            if exact != compiled and not results.doubt[kept]:
                shown = ", ".join(
                    f"{amount(e, types[ref])} / {amount(c, types[ref])}" for e, c in zip(exact, compiled, strict=False) if e != c
                )
                problems[int(place)].append(f"{ref.name}: exact / compiled differ: {shown or f'{len(exact)} / {len(compiled)} rows'}")
    return problems


def _root_places(program: Program, entities: Mapping[str, Any], entity: str) -> Any:
    """The root row of each row of an entity."""
    places = np.arange(entities[entity].count)
    current: str | None = entity
    while current is not None and program.entities[current].parent is not None:
        places = entities[current].parent[places]
        current = program.entities[current].parent
    return places
