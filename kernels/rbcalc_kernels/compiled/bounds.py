"""Between which values a number can lie: intervals of rationals, and the ranges that proofs assume."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, lcm
from typing import Final

from rbcalc_kernels.language.types import Date, Number, Type
from rbcalc_kernels.program.graph import MOST_BESIDE, MOST_ROWS, Entity, Input, Value

FIRST_DATE: Final = -25_567
"""1 January 1900, the first date for which calendar arithmetic is proved."""

LAST_DATE: Final = 84_371
"""31 December 2200, the last one."""

MOST_ORDERED: Final = 512
"""The most rows below one parent of an entity whose rules carry figures from row to row."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The values from `low` to `high`, both included."""

    low: Fraction
    high: Fraction

    @staticmethod
    def of(low: Fraction | int, high: Fraction | int) -> Interval:
        """The interval between two numbers in either order."""
        low, high = (low, high) if low <= high else (high, low)
        return Interval(Fraction(low), Fraction(high))

    @property
    def largest(self) -> Fraction:
        """The greatest absolute value."""
        return max(abs(self.low), abs(self.high))

    @property
    def is_point(self) -> bool:
        """Whether there is only one value."""
        return self.low == self.high

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __mul__(self, other: Interval) -> Interval:
        # Nearly all are products with what is never below 0, of which the outermost corners are known.
        if other.low.numerator >= 0:
            low = self.low * (other.low if self.low.numerator >= 0 else other.high)
            return Interval(low, self.high * (other.high if self.high.numerator >= 0 else other.low))
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(corners), max(corners))

    def __truediv__(self, other: Interval) -> Interval:
        """The quotient; the divisor must not hold 0."""
        if other.low.numerator > 0:
            low = self.low / (other.high if self.low.numerator >= 0 else other.low)
            return Interval(low, self.high / (other.low if self.high.numerator >= 0 else other.high))
        corners = [a / b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(corners), max(corners))

    def least(self, other: Interval) -> Interval:
        """Where the lesser of two values lies."""
        return Interval(min(self.low, other.low), min(self.high, other.high))

    def greatest(self, other: Interval) -> Interval:
        """Where the greater of two values lies."""
        return Interval(max(self.low, other.low), max(self.high, other.high))

    def join(self, other: Interval) -> Interval:
        """Where either of two values lies."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def meet(self, other: Interval) -> Interval:
        """Where a value lies that is known to lie in both; where they contradict each other, this one."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Interval(low, high) if low <= high else self

    def within(self, other: Interval) -> bool:
        """Whether every value lies in the other interval."""
        return other.low <= self.low and self.high <= other.high

    def whole(self) -> tuple[int, int]:
        """The least and greatest whole numbers of the interval's outward rounding."""
        return floor(self.low), ceil(self.high)


def round_figure_above(amount: Fraction) -> int:
    """The least of 1, 1.5, 2, 3, 4, 5, 6 and 8 times a power of ten that is at least the amount and at least 1."""
    power = 1
    while True:
        for tenths in (10, 15, 20, 30, 40, 50, 60, 80):
            top = Fraction(tenths * power, 10)
            if top >= amount and top.denominator == 1:
                return int(top)
        power *= 10


def generous(values: Iterable[Fraction], step: Fraction, *, divisor: bool = False) -> Interval:
    """The range that a figure is assumed to keep when it is changed.

    From 0 to the next round figure from twice the largest value on, mirrored when a value is below 0.  A figure that
    something is divided by stays above 0: from a quarter of the least, or for a whole number between its present least and greatest.
    """
    given = list(values)
    if divisor and given and min(given) > 0:
        if step.denominator == 1:
            return Interval(min(given), max(given))
        return Interval(step * max(1, floor(min(given) / 4 / step)), Fraction(round_figure_above(2 * max(given))))
    if not given:
        return Interval(Fraction(0), Fraction(1))
    top = Fraction(round_figure_above(2 * max(abs(value) for value in given)))
    return Interval(-top if min(given) < 0 else Fraction(0), top if max(given) > 0 else Fraction(0))


def most_rows(described: Entity, days: int) -> int:
    """The most rows of an entity below one row of its parent, unless it says; a spell of a program has a day at least."""
    if described.beside:
        return MOST_BESIDE
    if described.spell:
        return min(MOST_ORDERED, max(days, 1))
    return MOST_ORDERED if described.ordered else MOST_ROWS


def of_input(fact: Input) -> Interval:
    """The declared range of an input; built-in values without one get that of the calendar."""
    if isinstance(fact.type, Date) and (fact.built_in or fact.low == fact.high == 0):
        return Interval.of(FIRST_DATE, LAST_DATE)
    if fact.low == fact.high == 0 and fact.built_in:
        return Interval.of(0, 1000)
    return Interval.of(fact.low, fact.high)


def of_values(kind: Type, values: Sequence[Value], step: Fraction, *, divisor: bool = False) -> Interval:
    """The range assumed for the figures of a parameter or a table."""
    if isinstance(kind, Number):
        return generous([Fraction(value) for value in values if isinstance(value, Fraction | int)], step, divisor=divisor)
    if isinstance(kind, Date):
        return Interval.of(FIRST_DATE, LAST_DATE)
    return Interval.of(0, 1 << 16)


def common_denominator(values: Iterable[Fraction | int], step: Fraction) -> int:
    """The least denominator in which the step and all values are whole."""
    return lcm(step.denominator, *(Fraction(value).denominator for value in values))


def capacity(count: int) -> int:
    """How many places are kept for so many edges: the next of 4, 8, 16 ..."""
    size = 4
    while size < count:
        size *= 2
    return size
