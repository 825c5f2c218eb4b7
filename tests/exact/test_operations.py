from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.exact.operations import OPERATIONS, civil, day_number
from rbcalc_kernels.program.graph import Mode, Op, Rounding

EPOCH = date(1970, 1, 1)
DATES = st.dates(min_value=date(1, 1, 1), max_value=date(9998, 12, 31))
PENNY = Fraction(1, 100)


def days(day: date) -> int:
    return (day - EPOCH).days


def test_every_operator_that_needs_no_surroundings_has_a_function() -> None:
    surroundings = {
        Op.CONST, Op.COLUMN, Op.KNOWN, Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP, Op.AGGREGATE, Op.PREVIOUS, Op.REACHED,
        Op.KEY, Op.OVER, Op.REFUSE,
    }  # fmt: skip
    assert set(OPERATIONS) == set(Op) - surroundings


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        # half up, half down, up, down
        ("1.005", ("1.01", "1", "1.01", "1")),
        ("1.004", ("1", "1", "1.01", "1")),
        ("1.006", ("1.01", "1.01", "1.01", "1")),
        ("1.01", ("1.01", "1.01", "1.01", "1.01")),
        ("-1.005", ("-1", "-1.01", "-1", "-1.01")),
        ("-1.004", ("-1", "-1", "-1", "-1.01")),
        ("-1.006", ("-1.01", "-1.01", "-1", "-1.01")),
        ("0", ("0", "0", "0", "0")),
        ("1/3", ("0.33", "0.33", "0.34", "0.33")),
    ],
)
def test_rounding_directions_are_by_value(amount: str, expected: tuple[str, ...]) -> None:
    modes = (Mode.HALF_UP, Mode.HALF_DOWN, Mode.UP, Mode.DOWN)
    found = [OPERATIONS[Op.ROUND](Fraction(amount), Rounding(mode, PENNY)) for mode in modes]
    assert found == [Fraction(value) for value in expected]


@given(st.fractions(), st.sampled_from(list(Mode)), st.fractions(min_value=Fraction(1, 1000), max_value=50))
def test_rounding_stays_within_a_step(amount: Fraction, mode: Mode, step: Fraction) -> None:
    found = OPERATIONS[Op.ROUND](amount, Rounding(mode, step))
    assert (found / step).denominator == 1
    distance = found - amount
    low, high = {
        Mode.UP: (Fraction(0), step),
        Mode.DOWN: (-step, Fraction(0)),
        Mode.HALF_UP: (-step / 2, step / 2),
        Mode.HALF_DOWN: (-step / 2, step / 2),
    }[mode]
    assert low <= distance <= high
    assert not (mode is Mode.HALF_UP and distance == low)
    assert not (mode is Mode.HALF_DOWN and distance == high)


@given(DATES)
def test_calendar_against_datetime(day: date) -> None:
    number = days(day)
    assert civil(number) == (day.year, day.month, day.day)
    assert day_number(day.year, day.month, day.day) == number
    assert OPERATIONS[Op.YEAR](number) == day.year
    assert OPERATIONS[Op.MONTH](number) == day.month
    assert OPERATIONS[Op.DAY_OF_MONTH](number) == day.day


@given(DATES, st.integers(1, 7))
def test_next_weekday(day: date, weekday: int) -> None:
    found = OPERATIONS[Op.NEXT_WEEKDAY](days(day), weekday)
    assert 1 <= found - days(day) <= 7
    if day < date(9998, 12, 20):
        assert (EPOCH + timedelta(days=found)).isoweekday() == weekday


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)), st.integers(-500, 500))
def test_months_after(day: date, count: int) -> None:
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    expected = date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    assert OPERATIONS[Op.MONTHS_AFTER](days(day), Fraction(count)) == days(expected)
    over = expected if expected.day == day.day else expected + timedelta(days=1)
    assert OPERATIONS[Op.AFTER_MONTHS](days(day), Fraction(count)) == days(over)


@pytest.mark.parametrize(
    ("start", "end", "years", "months"),
    [
        (date(2008, 2, 29), date(2026, 2, 28), 17, 215),
        (date(2008, 2, 29), date(2026, 3, 1), 18, 216),
        (date(2008, 2, 29), date(2028, 2, 29), 20, 240),
        (date(2000, 6, 15), date(2026, 6, 14), 25, 311),
        (date(2000, 6, 15), date(2026, 6, 15), 26, 312),
        (date(2026, 1, 31), date(2026, 2, 28), 0, 0),
        (date(2026, 1, 31), date(2026, 3, 1), 0, 1),
        (date(2026, 6, 15), date(2020, 6, 15), 0, 0),
    ],
)
def test_completed_years_and_months(start: date, end: date, years: int, months: int) -> None:
    assert OPERATIONS[Op.YEARS_BETWEEN](days(start), days(end)) == years
    assert OPERATIONS[Op.MONTHS_BETWEEN](days(start), days(end)) == months


def test_dates_and_days() -> None:
    assert OPERATIONS[Op.ADD](100, Fraction(14)) == 114
    assert OPERATIONS[Op.ADD](Fraction(14), 100) == 114
    assert OPERATIONS[Op.SUB](100, Fraction(14)) == 86
    between = OPERATIONS[Op.SUB](100, 86)
    assert between == 14
    assert isinstance(between, Fraction)
    assert isinstance(OPERATIONS[Op.ADD](100, Fraction(14)), int)
    for op in (Op.ADD, Op.SUB):
        with pytest.raises(CalculationFault) as caught:
            OPERATIONS[op](100, Fraction(1, 2))
        assert caught.value.reason is Reason.NOT_WHOLE


def test_division_by_nought_is_a_fault() -> None:
    with pytest.raises(CalculationFault) as caught:
        OPERATIONS[Op.DIV](Fraction(1), Fraction(0))
    assert caught.value.reason is Reason.DIVISION
