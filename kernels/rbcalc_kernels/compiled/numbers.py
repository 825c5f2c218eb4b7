"""Exact numbers as machine numbers: whole numbers over known denominators, in the cheapest form that is proved sound.

A number is `n / (den * product of divisors)`: `n` a whole number held in a variable, `den` a constant, and divisors whole
numbers above 0 that are known only when a row is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Final

from rbcalc_kernels.compiled.bounds import Interval
from rbcalc_kernels.program.graph import Mode, Ref, Rounding

SMALL_LIMIT: Final = 1 << 31
"""Below this, and above its negative, int32 holds a whole number and its opposite."""

FLOAT_LIMIT: Final = 1 << 52
"""Below this, sums and products of whole numbers in float64 are exact."""

ROUND_LIMIT: Final = 1 << 51
"""Below this, `floor((a + 1/2) * (1 / b))` is the whole part of a / b."""

WHOLE_LIMIT: Final = 1 << 62
"""Below this, int64 cannot overflow in one addition."""


class Form(StrEnum):
    """How a numerator is held."""

    SMALL = "int32"  # fills half of what the others fill of a vector register
    FLOAT = "float64"  # a whole number in float64
    WHOLE = "int64"
    CERTIFIED = "certified"  # the value itself in float64, within a proved error


class Unfit(Exception):
    """A number that no form can hold; `help` says what the author can do."""

    def __init__(self, code: str, message: str, help: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


@dataclass(frozen=True, slots=True, order=True)
class Divisor:
    """A whole number above 0 that varies by row: the numerator of a column, or of a parameter of the entity's rows."""

    ref: Ref
    parameter: bool
    low: int
    high: int


Powers = tuple[tuple[Divisor, int], ...]


@dataclass(frozen=True, slots=True)
class Num:
    """A number in a generated function.

    `low` and `high` bound the numerator, `value` the number itself; `error` is the certified form's.  `leaf` is set where
    the numerator is a divisor's own.
    """

    text: str
    form: Form
    den: int
    powers: Powers
    low: int
    high: int
    value: Interval
    error: Fraction = Fraction(0)
    leaf: Divisor | None = None

    @property
    def is_constant(self) -> bool:
        """Whether the number is the same in every row."""
        return self.form is not Form.CERTIFIED and self.low == self.high and not (self.powers and self.low)


class Lines:
    """The statements of one rule, with names for what stands between."""

    def __init__(self, stem: str) -> None:
        self.stem = stem
        self.text: list[str] = []

    def bind(self, text: str) -> str:
        """A variable that holds the value of an expression."""
        if text.isidentifier() or text.replace(".", "", 1).isdigit():
            return text
        name = f"{self.stem}__{len(self.text) + 1}"
        self.text.append(f"{name} = {text}")
        return name

    def name(self, name: str, text: str) -> None:
        """Give the value of an expression its own name."""
        if self.text and self.text[-1].startswith(f"{text} = "):
            text = self.text.pop().partition(" = ")[2]
        self.text.append(f"{name} = {text}")

    def doubt(self, condition: str) -> None:
        """Note that the row's figures are not certain where the condition holds."""
        self.text.append(f"unsure = unsure | ({condition})")

    def fault(self, condition: str, code: int) -> None:
        """Note that the row has no result where the condition holds."""
        self.text.append(f"failed = {code} if (failed == 0) & ({condition}) else failed")


def form_for(*bounds: int) -> Form | None:
    """The cheapest exact form for whole numbers within the bounds; None when there is none."""
    largest = max(abs(bound) for bound in bounds)
    if largest < SMALL_LIMIT:
        return Form.SMALL
    return Form.FLOAT if largest < FLOAT_LIMIT else Form.WHOLE if largest < WHOLE_LIMIT else None


def form_of(operands: Iterable[Num], *bounds: int) -> Form | None:
    """The cheapest exact form for an operation on the operands with results within the bounds.

    An operand in float64 keeps the operation there, whatever the bounds: narrower ones may hold in one branch alone, and
    converting takes as long as is won.
    """
    form = form_for(*bounds)
    wide = any(each.form is not Form.SMALL and not (each.low == each.high and not each.powers) for each in operands)
    return Form.FLOAT if form is Form.SMALL and wide else form


def literal(number: int, form: Form) -> str:
    """A whole number as source text."""
    text = f"{number}.0" if form is Form.FLOAT else str(number)
    return f"({text})" if number < 0 else text


def held_as(text: str, form: Form) -> str:
    """An operation on numbers of a form, as text; int32 has to be said, since Numba gives int64 for what it adds."""
    return f"int32({text})" if form is Form.SMALL else f"({text})"


def opened(text: str) -> str:
    """The text without `int32` around it, for use within a larger sum."""
    return text[5:] if text.startswith("int32(") and _enclosed(text[5:]) else text


def truncated(text: str) -> str:
    """The text without `floor` around it, for a number from 0 on that is converted to a whole number anyway."""
    return text[6:-1] if text.startswith("floor(") and _enclosed(text[5:]) else text


def _enclosed(text: str) -> bool:
    """Whether the bracket that the text begins with is closed by its last character."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if not depth:
            return place == len(text) - 1
    return False


def product_range(powers: Powers) -> tuple[int, int]:
    """The least and greatest product of the divisors."""
    low = high = 1
    for divisor, power in powers:
        low *= divisor.low**power
        high *= divisor.high**power
    return low, high


def merged(parts: Iterable[tuple[Divisor, int]]) -> Powers:
    """Powers of the same divisor added up."""
    found: dict[Divisor, int] = {}
    for divisor, power in parts:
        found[divisor] = found.get(divisor, 0) + power
    return tuple(sorted((divisor, power) for divisor, power in found.items() if power))


def exact(text: str, form: Form, den: int, powers: Powers, low: int, high: int, value: Interval | None = None) -> Num:
    """A number in an exact form, each of its two bounds tightened by the other."""
    least, most = product_range(powers)
    scale = Interval.of(den * least, den * most)
    own = Interval.of(low, high) / scale
    value = own if value is None else value.meet(own)
    below, above = (value * scale).whole()
    low, high = max(low, below), min(high, above)
    return Num(literal(low, form) if low == high and not powers else text, form, den, powers, low, high, value)


def constant(value: Fraction | int) -> Num:
    """A number that every row has.  Raises Unfit when it has too many digits."""
    value = Fraction(value)
    form = form_for(value.numerator, value.denominator)
    if form is None:
        raise Unfit("RB091", f"{value} has too many digits", "write fewer digits")
    n = value.numerator
    return Num(literal(n, form), form, value.denominator, (), n, n, Interval(value, value))


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What int64 holds of a numerator that may be too large for it: the numerator less a multiple of 2^64.

    `number` is the numerator itself where every row has the same.
    """

    text: str
    den: int
    powers: Powers
    number: int | None = None


def within_a_word(number: int) -> int:
    """A whole number less a multiple of 2^64, as int64 holds it."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def word(text: str) -> Num:
    """What int64 holds of a numerator, as a number of its own."""
    most = 1 << 63
    return Num(text, Form.WHOLE, 1, (), -most, most - 1, Interval.of(-most, most - 1))


def rounded(amount: Fraction, rounding: Rounding) -> Fraction:
    """An amount as a rounding leaves it."""
    steps = amount / rounding.step
    match rounding.mode:
        case Mode.HALF_UP:
            return floor(steps + Fraction(1, 2)) * rounding.step
        case Mode.HALF_DOWN:
            return ceil(steps - Fraction(1, 2)) * rounding.step
        case Mode.UP:
            return ceil(steps) * rounding.step
        case Mode.DOWN:
            return floor(steps) * rounding.step


def summed(held: Num, most: int) -> Num:
    """The shape of a sum of so many numbers at most.  Raises Unfit when no form can hold it."""
    value = (held.value * Interval.of(0, most)).join(Interval.of(0, 0))
    if held.form is Form.CERTIFIED:
        error = held.error * most + value.largest * most * 2 / (1 << 52)
        return replace(held, value=value, error=error)
    total = (Interval.of(held.low, held.high) * Interval.of(0, most)).join(Interval.of(0, 0))
    form = form_for(*total.whole())
    if form is None:
        raise Unfit("RB090", f"a sum over up to {most} rows may reach {float(value.largest):.4g}", "declare narrower ranges")
    return exact("", form, held.den, held.powers, *total.whole(), value)


def guarded(lines: Lines, a: Num, most: int) -> Num:
    """The number, in doubt where its numerator is beyond a bound."""
    within = lines.bind(f"abs({a.text}) <= {literal(most, a.form)}")
    lines.doubt(f"not {within}")
    return exact(f"({a.text} if {within} else {literal(0, a.form)})", a.form, a.den, a.powers, max(a.low, -most), min(a.high, most))


def decided(sign: str, a: Interval, b: Interval) -> bool | None:
    """Whether a comparison comes out the same for all values."""
    if sign in (">", ">="):
        return decided("<" if sign == ">" else "<=", b, a)
    if sign == "<":
        return True if a.high < b.low else False if a.low >= b.high else None
    if sign == "<=":
        return True if a.high <= b.low else False if a.low > b.high else None
    apart = a.high < b.low or b.high < a.low
    same = a.is_point and b.is_point and a.low == b.low
    if not (apart or same):
        return None
    return same if sign == "==" else not same


def shown(amount: Fraction) -> str:
    """A bound in words, however large."""
    if abs(amount) >= 10**300:
        return f"1e{len(str(abs(amount.numerator) // amount.denominator)) - 1}"
    return f"{float(amount):.4g}"
