"""Random records of several roots, and the same as registers for the bulk cutter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from exact.graphs import COLOUR, FIRST, HALF_YEAR, LAST, column, const, node, periods, program
from rbcalc_kernels.compiled.columns import Batch, EntityColumns
from rbcalc_kernels.compiled.registers import RegisterColumns
from rbcalc_kernels.compiled.spells import CutBatch
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.rows import Record, Row
from rbcalc_kernels.language.types import COUNT, DATE, Date, Number
from rbcalc_kernels.program.graph import Op, Program, Ref, Value

OPEN = 2**31 - 1
FLOOR = (date(2026, 3, 1) - date(1970, 1, 1)).days

Registers = dict[str, list[dict[str, Value | None]]]

EIGHTEENTH = node(Op.MONTHS_AFTER, column("member.born", DATE), const(Fraction(216), COUNT), type_=DATE)
DIVIDED = program(
    periods=periods(FIRST, HALF_YEAR),
    cuts=(("member", EIGHTEENTH), ("holder", const(FIRST + 100)), ("period", const(FIRST + 40))),
)
PLAIN = program()


def crowded_and_with_gaps(made: Program) -> Program:
    """The same, with periods only where facts are recorded, and few members and items allowed."""
    entities = dict(made.entities)
    entities["period"] = replace(entities["period"], gaps=True)
    entities["member"] = replace(entities["member"], most=2)
    entities["item"] = replace(entities["item"], most=1)
    return replace(made, entities=entities)


GAPPED = crowded_and_with_gaps(DIVIDED)


def beside_each_other(made: Program) -> Program:
    """The same, with facts of each colour beside those of the other."""
    entities = {**made.entities, "period": replace(made.entities["period"], gaps=True, beside=True)}
    return replace(made, entities=entities, registers={**made.registers, "facts": replace(made.registers["facts"], key="colour")})


BESIDE = beside_each_other(DIVIDED)


def doubled(made: Registers) -> Registers:
    """The same with other facts of the other colour, which begin and end on other days."""
    found = list(made["facts"])
    for place, record in enumerate(made["facts"]):
        if place % 3:
            first, last = int(record["from"] or 0) + 5 * (place % 5) - 7, record["to"]
            colour = "green" if record["colour"] == "red" else "red"
            found.append({**record, "colour": colour, "from": first, "to": None if last is None else max(int(last), first) + place % 4})
    return {**made, "facts": found}


@st.composite
def stretch(draw: st.DrawFn, *, backwards: bool = False) -> tuple[int, int | None]:
    first = draw(st.integers(-40, 380))
    length = draw(st.integers(-3 if backwards else 0, 200))
    return FIRST + first, draw(st.sampled_from([None, FIRST + first + length, FIRST + first + length]))


@st.composite
def partition(draw: st.DrawFn, first: int, last: int | None, *, faulty: bool) -> list[tuple[int, int | None]]:
    """Days that cover the span once; or, now and then, with a gap or an overlap."""
    starts = sorted({first, *draw(st.lists(st.integers(FIRST, LAST), max_size=3))})
    starts = [start for start in starts if start >= first]
    pieces: list[tuple[int, int | None]] = [(start, following - 1) for start, following in pairwise(starts)]
    pieces.append((starts[-1], last if last is not None and last >= starts[-1] else None))
    if faulty and draw(st.booleans()):
        place = draw(st.integers(0, len(pieces) - 1))
        shift = draw(st.integers(-3, 3))
        begins, ends = pieces[place]
        pieces[place] = begins + shift, ends
    return pieces


@st.composite
def registers(draw: st.DrawFn, *, faulty: bool = True, roots: int = 4) -> Registers:
    """Records of up to so many roots; some share a site, some members come twice, some records belong to nothing."""
    made: Registers = {name: [] for name in PLAIN.registers}
    amounts = st.integers(0, 100).map(Fraction)
    for holder in range(draw(st.integers(1, roots))):
        begins = FIRST + draw(st.sampled_from([-10, 0, 0, 0, 5, 200, *([400] if faulty else [])]))
        ends = draw(st.sampled_from([None, None, begins + 30, begins + 300, *([begins - 1] if faulty else [])]))
        site = draw(st.sampled_from(["S0", "S1", None]))
        made["holders"].append({"holder": f"H{holder}", "site": site, "from": begins, "to": ends})
        covered = draw(partition(begins, ends, faulty=faulty))
        made["facts"] += [
            {"holder": f"H{holder}", "from": a, "to": b, "amount": draw(amounts), "colour": draw(st.sampled_from(["red", "green"]))}
            for a, b in covered
        ]
        for member in range(draw(st.integers(0, 3))):
            key = f"M{holder}.{member}"
            born = draw(st.none() | st.integers(FIRST - 6600, FIRST - 6150))
            for a, b in draw(partition(*draw(stretch(backwards=faulty)), faulty=faulty)) if draw(st.booleans()) else [draw(stretch())]:
                adult = draw(st.booleans())
                made["members"].append({"holder": f"H{holder}", "member": key, "from": a, "to": b, "born": born, "adult": adult})
            for _ in range(draw(st.integers(0, 2))):
                a, b = draw(stretch())
                made["items"].append({"member": key, "from": a, "to": b, "income": draw(amounts)})
        for _ in range(draw(st.integers(0, 3))):
            number, effective = Fraction(draw(st.integers(0, 3))), FIRST + draw(st.integers(-20, 380))
            made["events"].append({"holder": f"H{holder}", "number": number, "effective": effective})
    for site in draw(st.sets(st.sampled_from(["S0", "S1", "S2"]))):
        a, b = draw(stretch())
        made["sites"].append({"site": site, "from": a, "to": b, "level": draw(st.none() | st.just(Fraction(5)))})
    return {name: draw(st.permutations(rows)) if name != "holders" else rows for name, rows in made.items()}


def of_one(made: Registers, holder: Mapping[str, Value | None]) -> dict[str, Sequence[Record]]:
    """What the exact maker of rows is given for one root."""
    return {**made, "holders": [holder]}


def code(described: Any, value: Value | None) -> int:
    if value is None:
        return int(described.low)
    if isinstance(described.type, Number):
        scaled = Fraction(value) * described.step.denominator
        assert scaled.denominator == 1
        return int(scaled)
    return int(value) if isinstance(described.type, Date) or isinstance(value, bool) else COLOUR.code(str(value))


def first_of(values: list[Value | None]) -> np.ndarray[Any, np.dtype[np.int32]]:
    seen: dict[Value | None, int] = {}
    return np.array([seen.setdefault(value, place) for place, value in enumerate(values)], dtype=np.int32)


def encode(made_for: Program, made: Registers) -> dict[str, RegisterColumns]:
    """The registers as columns, as a caller would make them."""
    found: dict[str, RegisterColumns] = {}
    anchors = {"facts": "holders", "sites": "holders", "members": "holders", "events": "holders", "items": "members"}
    for name, register in made_for.registers.items():
        rows = made[name]
        columns = found[name] = RegisterColumns(len(rows))
        for described in made_for.inputs.values():
            if described.table == name and not described.built_in:
                values = [row[described.column] for row in rows]
                columns.columns[described.name] = np.array([code(described, value) for value in values], dtype=np.int32)
                if described.optional:
                    columns.columns[f"{described.name}?"] = np.array([value is not None for value in values], dtype=np.uint8)
        if register.dated:
            columns.begins = np.array([row["from"] for row in rows], dtype=np.int32)
            columns.ends = np.array([OPEN if row["to"] is None else row["to"] for row in rows], dtype=np.int32)
        if register.order_by:
            columns.order = np.array([int(row[register.order_by] or 0) for row in rows], dtype=np.int32)
        for reference in (register.key, *register.references):
            if reference:
                columns.same[reference] = first_of([row[reference] for row in rows])
        if name in anchors:
            places = {row[register.by]: place for place, row in reversed(list(enumerate(made[anchors[name]])))}
            owners = [places.get(row[register.by], -1) if row[register.by] is not None else -1 for row in rows]
            columns.owner = np.array(owners, dtype=np.int32)
    return found


def cut_dates(made_for: Program) -> Any:
    """Works out the dates to cut at with the exact evaluator, as the compiled one would."""
    evaluator = Evaluator(made_for)

    def dates(batch: Batch) -> dict[int, np.ndarray[Any, np.dtype[np.int32]]]:
        found = {}
        for place, (entity, body) in enumerate(made_for.cuts):
            read = evaluator.reader(body, entity)
            days = []
            for row in range(batch.entities[entity].count):
                try:
                    days.append(read(Row(entity, decoded(made_for, batch.entities[entity], entity, row))))
                except CalculationFault:
                    days.append(OPEN)
            found[place] = np.array(days, dtype=np.int32)
        return found

    return dates


def decoded(made_for: Program, columns: EntityColumns, entity: str, row: int) -> dict[str, Value | None]:
    """The facts of one row of a batch as the exact evaluator holds them."""
    values: dict[str, Value | None] = {}
    for ref, described in made_for.inputs.items():
        if ref.entity != entity or ref.name not in columns.columns:
            continue
        value: Value | None = int(columns.columns[ref.name][row])
        if isinstance(described.type, Number):
            value = Fraction(int(columns.columns[ref.name][row]), described.step.denominator)
        elif not isinstance(described.type, Date):
            value = COLOUR.members[int(columns.columns[ref.name][row])] if described.type == COLOUR else bool(value)
        if described.optional and not columns.columns[f"{ref.name}?"][row]:
            value = None
        values[ref.name] = value
    return values


@dataclass(slots=True)
class Flat:
    """A row as plain values, to compare."""

    values: dict[str, Value | None]
    period: int
    children: dict[str, list[Flat]]


def flat_row(row: Row) -> Flat:
    children = {name: [flat_row(child) for child in rows] for name, rows in row.children.items()}
    return Flat(row.values, row.period, {name: rows for name, rows in children.items() if rows})


def flat_batch(made_for: Program, batch: CutBatch, entity: str, row: int) -> Flat:
    columns = batch.entities[entity]
    children: dict[str, list[Flat]] = {}
    for name, described in made_for.entities.items():
        if described.parent == entity and not described.derived:
            below = batch.entities[name]
            assert below.offsets is not None
            assert below.parent is not None
            places = range(below.offsets[row], below.offsets[row + 1])
            assert all(below.parent[place] == row for place in places)
            if places:
                children[name] = [flat_batch(made_for, batch, name, place) for place in places]
    period = int(columns.period[row]) if columns.period is not None else 0
    return Flat(decoded(made_for, columns, entity, row), period, children)


def refs(entity: str, *names: str) -> list[Ref]:
    return [Ref(entity, name) for name in names]
