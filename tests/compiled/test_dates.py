"""Calendar arithmetic against the standard library, from 1900 to 2200."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiled.programs import (
    COUNT,
    DATE,
    DAYS,
    ROOT,
    Batch,
    Op,
    Ref,
    agrees,
    check_against,
    col,
    const,
    fact,
    node,
    program,
    rows,
    rule,
    test,
)
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.program.graph import Node
from rbcalc_kernels.source import RulesError

FIRST, LAST = -25_567, 84_371
DAY, OTHER = col("day", DATE), col("other", DATE)


def calendar() -> Any:
    """A rule for each operator of dates."""
    rules = [
        rule("year", node(Op.YEAR, DAY)),
        rule("month", node(Op.MONTH, DAY)),
        rule("of_month", node(Op.DAY_OF_MONTH, DAY)),
        rule("age", node(Op.YEARS_BETWEEN, DAY, OTHER)),
        rule("months", node(Op.MONTHS_BETWEEN, DAY, OTHER)),
        rule("later", node(Op.MONTHS_AFTER, DAY, col("months_on"), kind=DATE)),
        rule("over", node(Op.AFTER_MONTHS, DAY, col("months_on"), kind=DATE)),
        rule("gap", node(Op.SUB, OTHER, DAY, kind=DAYS)),
        rule("soon", test(Op.LT, node(Op.ADD, DAY, const(14, DAYS), kind=DATE), OTHER)),
        *(rule(f"next_{k}", node(Op.NEXT_WEEKDAY, DAY, kind=DATE, value=k)) for k in range(1, 8)),
    ]
    facts = [fact("day", FIRST, LAST, kind=DATE), fact("other", FIRST, LAST, kind=DATE), fact("months_on", -30, 30)]
    return program(rules, facts)


def test_every_day_of_three_centuries() -> None:
    """Year, month, day and the following weekdays are right on every day; the rest on random pairs and month ends."""
    made = calendar()
    random = np.random.default_rng(0)
    days = np.arange(FIRST, LAST - 1200, dtype=np.int32)
    other = np.clip(days + random.integers(-800, 800, len(days)), FIRST, LAST).astype(np.int32)
    other[::3] = random.integers(FIRST, LAST, len(other[::3]))
    days[: 31 * 40] += 0
    count = random.integers(-30, 31, len(days)).astype(np.int8)
    count[days < FIRST + 1000] = 1
    outputs = [Ref(ROOT, each.name) for each in made.rules]
    batch = Batch({ROOT: rows(day=days, other=other, months_on=count)})
    results = compile_program(made, outputs, engine="numba").run(batch)
    sample = np.unique(np.concatenate([random.integers(0, len(days), 6000), np.arange(0, 3000)]))
    small = Batch({ROOT: rows(day=days[sample], other=other[sample], months_on=count[sample])})
    part = compile_program(made, outputs, engine="python").run(small)
    for ref in outputs:
        assert np.array_equal(results.columns[ref][sample], part.columns[ref]), ref
    check_against(made, small, outputs, part)
    stamps = days.astype("datetime64[D]")
    assert np.array_equal(results.columns[Ref(ROOT, "year")], stamps.astype("datetime64[Y]").astype(int) + 1970)
    months = stamps.astype("datetime64[M]")
    assert np.array_equal(results.columns[Ref(ROOT, "month")], months.astype(int) % 12 + 1)
    assert np.array_equal(results.columns[Ref(ROOT, "of_month")], (stamps - months).astype(int) + 1)


def test_parts_of_days_are_faults() -> None:
    """A date and a day and a half have no sum."""
    half = node(Op.DIV, col("months_on"), const(2))
    later = node(Op.ADD, DAY, Node(Op.AS, DAYS, (half,)), kind=DATE)
    made = program([rule("later", later)], [fact("day", 0, 30_000, kind=DATE), fact("months_on", 0, 9)])
    batch = Batch({ROOT: rows(day=np.arange(10, dtype=np.int32), months_on=np.arange(10, dtype=np.int8))})
    results = agrees(made, batch, [Ref(ROOT, "later")])
    assert results.fault.tolist() == [0, 1] * 5
    assert results.columns[Ref(ROOT, "later")].dtype == np.int16


def test_dates_beyond_the_calendar_are_refused() -> None:
    """The year of a date that may lie after 2200 is refused at its expression."""
    made = program([rule("year", node(Op.YEAR, DAY, kind=COUNT))], [fact("day", 0, 10**6, kind=DATE)])
    with pytest.raises(RulesError) as refusal:
        compile_program(made, [Ref(ROOT, "year")])
    assert [each.code for each in refusal.value.diagnostics] == ["RB094"]
