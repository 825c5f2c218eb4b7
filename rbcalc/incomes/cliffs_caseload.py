"""How many of a caseload stand close below each edge: in bulk, by the same figures that the edge's table is read with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from rbcalc.incomes.cliffs_edges import Course, Mark
from rbcalc.incomes.cliffs_model import Measure
from rbcalc.running.run import Kernel, calculated
from rbcalc_kernels.program.graph import Node, Op, Program, Ref

if TYPE_CHECKING:
    from rbcalc.caseload.model import Caseload


@dataclass(frozen=True, slots=True)
class Place:
    """The values of a row with which an edge's table is read: those of its lists, and the amount."""

    lists: tuple[Ref, ...]
    amount: Ref


def near(
    program: Program,
    council: str,
    measure: Measure,
    courses: Mapping[str, Course],
    caseload: Any,
    column_map: Path | None = None,
    threads: int = 2,
) -> dict[tuple[str, int], int]:
    """By household and edge, how many rows in force on the year's last day stand no more than `measure.near` below it.

    Edges that are no edges of a banded amount of such rows are not counted.
    """
    places = {
        (name, number): place
        for name, course in courses.items()
        for number, edge in enumerate(course.edges)
        if (place := _place(program, measure, edge.mark)) is not None
    }
    refs = tuple(dict.fromkeys(ref for place in places.values() for ref in (*place.lists, place.amount)))
    if not refs:
        return {}
    root = program.root
    wanted = (Ref(root, measure.income), measure.counted, *(ref for ref in refs if ref != measure.counted))
    kernel = Kernel(replace(program, outputs=wanted, reports=(), comparisons=()), periods=True)
    held = held_caseload(caseload, program, council, column_map, threads)
    entity = measure.counted.entity
    rows = calculated(kernel, held, council, threads).details[program.entities[entity].members or entity]
    rows = rows.filter(
        pc.and_(rows[measure.counted.name], pc.equal(rows["last_day"], pa.scalar(program.last_day, pa.int32()).cast(pa.date32())))
    )
    return {key: _count(rows, place, _mark(courses, key), measure) for key, place in places.items()}


def held_caseload(caseload: Any, program: Program, council: str, column_map: Path | None, threads: int) -> Caseload:
    """The council's part of a caseload that was imported, or of a folder or tables."""
    from rbcalc.caseload.importing import import_caseload
    from rbcalc.caseload.model import Caseload

    if isinstance(caseload, Caseload):
        return caseload if len(caseload.councils) == 1 else caseload.of(council)
    held = import_caseload(caseload, {council: program}, column_map=column_map, council=council, threads=threads)
    return held if len(held.councils) == 1 else held.of(council)


def _mark(courses: Mapping[str, Course], key: tuple[str, int]) -> Mark:
    return courses[key[0]].edges[key[1]].mark


def _place(program: Program, measure: Measure, mark: Mark) -> Place | None:
    """How the table of an edge is read, where that is by values of the rows that are counted."""
    if mark.rule is None or mark.edge is None or mark.rule.entity != measure.counted.entity:
        return None
    table = program.tables[mark.table]
    for node in _lookups(program.rule(mark.rule.entity, mark.rule.name).body, mark.table):
        refs = [argument.value if argument.op is Op.COLUMN else None for argument in node.args]
        own = [ref for ref in refs if isinstance(ref, Ref) and ref.entity == measure.counted.entity]
        if len(own) == len(table.axes) + 1:
            return Place(tuple(own[:-1]), own[-1])
    return None


def _lookups(node: Node, table: str) -> Iterator[Node]:
    work = [node]
    while work:
        found = work.pop()
        if found.op is Op.LOOKUP and found.value == table:
            yield found
        work += found.args


def _count(rows: Any, place: Place, mark: Mark, measure: Measure) -> int:
    """The rows whose amount is not far below the edge, in the row of the table that has it."""
    assert mark.edge is not None
    amounts = rows[place.amount.name]
    below = pc.less_equal if mark.upper else pc.less
    above = pc.greater if mark.upper else pc.greater_equal
    chosen = pc.and_(below(amounts, _money(mark.edge)), above(amounts, _money(mark.edge - measure.near)))
    for ref, key in zip(place.lists, mark.keys, strict=True):
        chosen = pc.and_(chosen, pc.equal(rows[ref.name].cast(pa.string()), str(key)))
    return int(pc.sum(chosen.cast(pa.int64())).as_py() or 0)


def _money(value: Any) -> Any:
    from rbcalc.incomes.cliffs import pence

    return pa.scalar(pence(value), pa.decimal128(18, 2))
