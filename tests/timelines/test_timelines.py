"""Derived rows: what is in force on each day, and the exact and the bulk maker of rows agree."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exact.graphs import FIRST, HALF_YEAR, periods, program
from rbcalc_kernels.compiled import spells_machine
from rbcalc_kernels.compiled.batches import firsts
from rbcalc_kernels.compiled.columns import EntityColumns
from rbcalc_kernels.compiled.timelines import derive as derive_many
from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.timelines import derive, span_of
from rbcalc_kernels.program.graph import Entity, Program, Timeline, Value

Root = tuple[list[int], list[int], list[int]]
"""The lengths of the periods, the effective dates of the periods, and those of the events."""

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=5)
DATES = st.integers(FIRST - 30, FIRST + 200)


def made_program(*timelines: Timeline, gaps: bool = False, beside: bool = False) -> Program:
    made = program(periods=periods(FIRST, HALF_YEAR))
    period = replace(made.entities["period"], gaps=gaps, beside=beside)
    award = Entity("award", "holder", True, True, timelines, beside=beside)
    return replace(made, entities={**made.entities, "period": period, "award": award})


SHAPES = {
    "plain": (Timeline("period"),),
    "effective": (Timeline("period", "when"),),
    "events": (Timeline("event", "when"),),
    "both": (Timeline("period", "when"), Timeline("event", "when")),
    "plain and events": (Timeline("period"), Timeline("event", "when")),
    "needed": (Timeline("period"), Timeline("event", "when", needed=True)),
    "with gaps": (Timeline("period", "when"), Timeline("event", "when")),
}
GAPPED = ("with gaps",)


@st.composite
def roots(draw: st.DrawFn) -> list[Root]:
    found = []
    for _ in range(draw(st.integers(1, 4))):
        lengths = draw(LENGTHS)
        dates = draw(st.lists(DATES, min_size=len(lengths), max_size=len(lengths)))
        found.append((lengths, dates, draw(st.lists(DATES, max_size=4))))
    return found


def exact_root(root: Root, start: int, *, gaps: bool = False) -> Row:
    lengths, dates, events = root
    top = Row("holder", {})
    top.children = {"period": [], "event": []}
    for length, date in zip(lengths, dates, strict=True):
        values: dict[str, Value | None] = {"first_day": start, "last_day": start + length - 1, "when": date}
        top.children["period"].append(Row("period", values, parent=top))
        start += length + (length % 3 if gaps else 0)
    top.children["event"] = [Row("event", {"when": date}, parent=top) for date in events]
    return top


def columns(tops: list[Row]) -> tuple[dict[str, EntityColumns], dict[str, np.ndarray[tuple[int], np.dtype[np.int32]]]]:
    found = {"holder": EntityColumns(len(tops))}
    effective = {}
    for name in ("period", "event"):
        counts = [len(top.children[name]) for top in tops]
        rows = [row for top in tops for row in top.children[name]]
        days = ("first_day", "last_day") if name == "period" else ()
        found[name] = EntityColumns(
            len(rows),
            {day: np.array([row.values[day] for row in rows], dtype=np.int32) for day in days},
            parent=np.repeat(np.arange(len(tops), dtype=np.int32), counts),
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        )
        effective[name] = np.array([row.values["when"] for row in rows], dtype=np.int32)
    return found, effective


def read(row: Row, name: str) -> int:
    day = row.values[name]
    assert isinstance(day, int)
    return day


def both_agree(shape: str, many: list[Root]) -> None:
    made = made_program(*SHAPES[shape], gaps=shape in GAPPED)
    tops = [exact_root(root, FIRST + 17 * place, gaps=shape in GAPPED) for place, root in enumerate(many)]
    entities, effective = columns(tops)
    found = derive_many(made, "award", entities, effective)
    numbers = {id(row): place for name in ("period", "event") for place, row in enumerate(r for top in tops for r in top.children[name])}
    expected = [(place, row) for place, top in enumerate(tops) for row in derive(made, "award", top, read)]
    assert found.count == len(expected)
    assert found.parent is not None
    assert found.offsets is not None
    assert found.period is not None
    for at, (place, row) in enumerate(expected):
        assert found.parent[at] == place
        assert found.offsets[place] <= at < found.offsets[place + 1]
        assert found.period[at] == row.period
        assert {name: int(found.columns[name][at]) for name in found.columns} == row.values
        assert {name: int(source[at]) for name, source in found.sources.items()} == {
            name: numbers[id(source)] if source is not None else -1 for name, source in row.sources.items()
        }


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=60, deadline=None)
@given(many=roots())
def test_exact_and_bulk_rows_are_the_same(shape: str, many: list[Root]) -> None:
    both_agree(shape, many)


@settings(max_examples=10, deadline=None)
@given(many=roots())
def test_compiled_loops_do_as_the_plain_ones(many: list[Root]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spells_machine, "SMALL", 0)
        both_agree("both", many)


def end_of_run(rows: list[Row], row: Row) -> int:
    """The last day of the rows that follow a row without a gap."""
    for after in rows[rows.index(row) + 1 :]:
        if read(after, "first_day") > read(row, "last_day") + 1:
            break
        row = after
    return read(row, "last_day")


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=60, deadline=None)
@given(many=roots())
def test_each_day_has_the_rows_in_force_on_it(shape: str, many: list[Root]) -> None:
    """Against the plain words: for each day, the period that contains it or the last row whose date has come."""
    made = made_program(*SHAPES[shape], gaps=shape in GAPPED)
    top = exact_root(many[0], FIRST, gaps=shape in GAPPED)
    rows = derive(made, "award", top, read)
    first, last = read(top.children["period"][0], "first_day"), read(top.children["period"][-1], "last_day")
    by_day = {day: row for row in rows for day in range(read(row, "first_day"), read(row, "last_day") + 1)}
    assert len(by_day) == sum(Fraction(row.values["days"] or 0) for row in rows)
    for day in range(first, last + 1):
        expected: dict[str, Row | None] = {}
        for timeline in SHAPES[shape]:
            children = top.children[timeline.entity]
            if timeline.effective is None:
                in_force = [row for row in children if read(row, "first_day") <= day <= read(row, "last_day")]
            else:
                in_force = [row for row in children if read(row, "when") <= day]
                if shape in GAPPED and timeline.entity == "period":
                    in_force = [row for row in in_force if day <= end_of_run(children, row)]
            expected[timeline.entity] = in_force[-1] if in_force else None
        if any(timeline.needed and expected[timeline.entity] is None for timeline in SHAPES[shape]):
            assert day not in by_day
        elif day in by_day:
            assert all(by_day[day].sources[name] is row for name, row in expected.items())
        else:
            assert not any(expected.values())
    for before, after in pairwise(rows):
        assert after.previous is before
        same = all(before.sources[name] is source for name, source in after.sources.items())
        beside = after.values["first_day"] == read(before, "last_day") + 1
        assert not (same and beside) or after.values["first_day"] == HALF_YEAR


# ------------------------------------------------------------------------------------------------------------ beside each other
BESIDE = {name: SHAPES[name] for name in ("plain", "effective", "plain and events", "both", "needed")}


def strands_of(root: Root, place: int) -> Row:
    """A holder whose periods stand in one to three strands, which overlap."""
    top = exact_root(root, FIRST + 17 * place, gaps=True)
    rows = top.children["period"]
    for number, row in enumerate(rows):
        row.strand = number * (1 + place % 3) // len(rows)
        if row.strand and row.strand != rows[number - 1].strand:
            back = read(row, "first_day") - FIRST - 11 * row.strand
            for later in rows[number:]:
                later.values |= {day: read(later, day) - back for day in ("first_day", "last_day")}
    return top


@pytest.mark.parametrize("shape", BESIDE)
@settings(max_examples=60, deadline=None)
@given(many=roots())
def test_rows_of_each_strand_are_made_by_both(shape: str, many: list[Root]) -> None:
    made = made_program(*BESIDE[shape], gaps=True, beside=True)
    tops = [strands_of(root, place) for place, root in enumerate(many)]
    entities, effective = columns(tops)
    entities["period"].strand = np.array([row.strand for top in tops for row in top.children["period"]], dtype=np.int32)
    found = derive_many(made, "award", entities, effective)
    expected = [(place, row) for place, top in enumerate(tops) for row in derive(made, "award", top, read)]
    numbers = {id(row): place for name in ("period", "event") for place, row in enumerate(r for top in tops for r in top.children[name])}
    assert found.parent is not None and found.offsets is not None
    assert found.parent.tolist() == [place for place, _ in expected]
    assert found.offsets.tolist() == [sum(place < top for place, _ in expected) for top in range(len(tops) + 1)]
    assert [{name: int(found.columns[name][at]) for name in found.columns} for at in range(found.count)] == [
        row.values for _, row in expected
    ]
    assert firsts(found).tolist() == [row.previous is None for _, row in expected]
    for name, source in found.sources.items():
        assert source.tolist() == [numbers[id(row.sources[name])] if row.sources[name] is not None else -1 for _, row in expected]


@settings(max_examples=40, deadline=None)
@given(many=roots())
def test_a_strand_has_the_rows_that_it_would_have_alone(many: list[Root]) -> None:
    made = made_program(*SHAPES["needed"], gaps=True, beside=True)
    for place, root in enumerate(many):
        top = strands_of(root, place)
        span = span_of(made, top)
        rows = derive(made, "award", top, read)
        for strand in {row.strand for row in top.children["period"]}:
            own = [row for row in rows if row.strand == strand]
            alone = Row("holder", {}, children={**top.children, "period": [row for row in top.children["period"] if row.strand == strand]})
            for row in derive(made, "award", alone, read):
                match = next(each for each in own if each.values["first_day"] == row.values["first_day"])
                assert match.sources == row.sources and read(match, "last_day") >= read(row, "last_day")
        assert span is not None


def test_more_rows_of_all_strands_than_sums_are_proved_for_are_refused() -> None:
    made = made_program(Timeline("period"), Timeline("event", "when"), gaps=True, beside=True)
    top = exact_root(([1] * 300, [FIRST] * 300, []), FIRST, gaps=True)
    for number, row in enumerate(top.children["period"]):
        row.strand, row.values = number % 2, row.values
    top.children["period"].sort(key=lambda row: row.strand)
    top.children["event"] = [Row("event", {"when": FIRST + day}, parent=top) for day in range(200)]
    with pytest.raises(CalculationFault) as caught:
        derive(made, "award", top, read)
    assert caught.value.reason is Reason.TOO_MANY
