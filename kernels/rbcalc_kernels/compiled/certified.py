"""Certified numbers: float64 within a proved error, and beside it what int64 holds of the numerator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import gcd, lcm
from typing import Final

from rbcalc_kernels.compiled.bounds import Interval
from rbcalc_kernels.compiled.numbers import (
    FLOAT_LIMIT,
    ROUND_LIMIT,
    WHOLE_LIMIT,
    Divisor,
    Form,
    Lines,
    Num,
    Powers,
    Unfit,
    Wrapped,
    exact,
    form_for,
    held_as,
    literal,
    merged,
    product_range,
    shown,
    truncated,
    within_a_word,
)
from rbcalc_kernels.program.graph import Mode, Rounding

_LARGEST_DIVISOR: Final = 1 << 60  # of which four are held by int64
_LARGEST_DEN: Final = 1 << 200  # float64 holds numerators over it
_LOST: Final = Fraction(1, 1 << 52)  # more than one operation in float64 can lose, as a share of its result
_WIDE: Final = Fraction(5, 4)  # doubt is declared a little wider than proved, to cover the test's own rounding


class Certified:
    """Writes what certified numbers need into `lines`; `read` gives the text of a divisor in an exact form.

    The text of such a number is its value times `den`, a constant: so nothing is multiplied by the parts of an amount and then
    by their number again.
    """

    def __init__(self, lines: Lines, read: Callable[[Divisor, Form], str]) -> None:
        self.lines = lines
        self.read = read
        self.wrapped: dict[tuple[str, int], Wrapped] = {}
        """What int64 holds of certified numbers, by their text and denominator."""

    # texts

    def bound(self, a: Num) -> Num:
        """The same number, held in a variable."""
        return self._noted(replace(a, text=self.lines.bind(a.text)), a)

    def short(self, a: Num) -> Num:
        """The same number, in a variable if its text is long."""
        return self.bound(a) if len(a.text) > 72 else a

    def cast(self, a: Num, form: Form) -> str:
        """The numerator in an exact form."""
        if a.low == a.high and not a.powers:
            return literal(a.low, form)
        return a.text if a.form is form else f"{form}({a.text})"

    def product(self, number: int, powers: Powers, form: Form) -> str:
        """The product of a constant and divisors."""
        parts = [self.read(divisor, form) for divisor, power in powers for _ in range(power)]
        if number != 1 or not parts:
            parts.insert(0, literal(number, form))
        return parts[0] if len(parts) == 1 else f"({' * '.join(parts)})"

    def _share(self, number: int, powers: Powers) -> str:
        """One part of a product, to within three roundings: that of the divisors is the same for all constants, and taken once."""
        if not powers:
            return f"(1.0 / {literal(number, Form.FLOAT)})"
        part = f"(1.0 / {self.product(1, powers, Form.FLOAT)})"
        return part if number == 1 else f"((1.0 / {literal(number, Form.FLOAT)}) * {part})"

    # numbers

    def certified(self, a: Num) -> Num:
        """The number in float64."""
        if a.form is Form.CERTIFIED:
            return a
        number = self.cast(a, Form.FLOAT)
        if a.powers:
            number = f"({number} * {self._share(1, a.powers)})"
        return Num(number, Form.CERTIFIED, a.den, (), 0, 0, a.value, a.value.largest * 8 * _LOST)

    def certain(self, text: str, den: int, value: Interval, error: Fraction) -> Num:
        """What an operation gives whose arguments bring in an error: it loses a little itself."""
        made = Num(text, Form.CERTIFIED, den, (), 0, 0, value, error + (value.largest + error) * _LOST)
        return self.short(made if den < _LARGEST_DEN else self.rescaled(made, 1))

    def rescaled(self, a: Num, den: int) -> Num:
        """A certified number over another denominator."""
        if den == a.den:
            return a
        if a.value.is_point:
            return replace(a, text=_real(a.value.low * den), den=den)
        error = a.error + (a.value.largest + a.error) * 2 * _LOST
        return self._noted(replace(a, text=f"({a.text} * {_real(Fraction(den, a.den))})", den=den, error=error), a)

    def alike(self, a: Num, b: Num) -> tuple[Num, Num]:
        """Both certified, over one denominator."""
        a, b = self.certified(a), self.certified(b)
        den = b.den if a.value.is_point else a.den if b.value.is_point else max(a.den, b.den)
        return self.rescaled(a, den), self.rescaled(b, den)

    def far_or_exact(self, sign: str, a: Num, b: Num, one: Wrapped | None, other: Wrapped | None) -> str | None:
        """A comparison of numbers whose common numerators int64 cannot hold: by float64 where they are apart.

        Where they are near each other int64 holds the difference, though not what it is the difference of.  None where near is too far.
        """
        if one is None or other is None:
            return None
        den, powers = self._over(one, other)
        error = (a.error + b.error) * _WIDE
        if den >= WHOLE_LIMIT or 2 * error * den * product_range(powers)[1] >= WHOLE_LIMIT:
            return None
        left, right = (self.lines.bind(self._widened(x, den, powers)) for x in (one, other))
        near = self.lines.bind(f"abs({a.text} - {b.text}) <= {_real(error * a.den)}")
        return f"(({left} - {right} {sign} 0) if {near} else ({a.text} {sign} {b.text}))"

    def doubtful(self, sign: str, a: Num, b: Num) -> str:
        """A comparison of numbers of which no more is known: rows in which they are near each other are in doubt."""
        if (a.error + b.error) * a.den >= 10**300:
            raise Unfit("RB090", f"the figures can only be compared to within {shown(a.error + b.error)}", "round in between")
        self.lines.doubt(f"abs({a.text} - {b.text}) <= {_real((a.error + b.error) * _WIDE * a.den)}")
        return f"({a.text} {sign} {b.text})"

    # numerators that int64 holds short of multiples of 2^64

    def note(self, a: Num, whole: Wrapped) -> None:
        """Let a certified number be known to have a numerator."""
        self.wrapped[a.text, a.den] = whole

    def _noted(self, made: Num, of: Num) -> Num:
        """The same number in another text, of which no less is known."""
        if of.form is Form.CERTIFIED and (of.text, of.den) in self.wrapped:
            self.note(made, self.wrapped[of.text, of.den])
        return made

    def wrapping(self, a: Num) -> Wrapped | None:
        """A numerator as int64 gives it, however large it is; None where it is not known."""
        if a.form is Form.CERTIFIED:
            return self.wrapped.get((a.text, a.den))
        if a.low == a.high and not a.powers:
            return Wrapped(literal(within_a_word(a.low), Form.WHOLE), a.den, (), a.low)
        return Wrapped(self.cast(a, Form.WHOLE), a.den, a.powers)

    def known(self, made: Num, how: str, one: Wrapped | None, other: Wrapped | None) -> Num:
        """A certified number, its numerator noted: that of the two over their common denominator."""
        if one is not None and other is not None:
            den, powers = self._over(one, other)
            text = f"({how.format(*(self._widened(x, den, powers) for x in (one, other)))})"
            self.note(made, Wrapped(self.lines.bind(text) if len(text) > 72 else text, den, powers))
        return made

    @staticmethod
    def _over(one: Wrapped, other: Wrapped) -> tuple[int, Powers]:
        most: dict[Divisor, int] = dict(one.powers)
        for divisor, power in other.powers:
            most[divisor] = max(power, most.get(divisor, 0))
        return lcm(one.den, other.den), tuple(sorted(most.items()))

    def _widened(self, a: Wrapped, den: int, powers: Powers) -> str:
        """The numerator over another denominator, of which its own is a part."""
        missing = merged([*powers, *((divisor, -power) for divisor, power in a.powers)])
        if a.number is not None and not missing:
            return literal(within_a_word(a.number * (den // a.den)), Form.WHOLE)
        factor = within_a_word(den // a.den)
        return a.text if factor == 1 and not missing else f"({a.text} * {self.product(factor, missing, Form.WHOLE)})"

    # rounding

    def steps(self, count: str, form: Form, value: Interval, step: Fraction) -> Num:
        """So many steps, as a number; the count's text is of the given form."""
        n = value * Interval.of(step.denominator, step.denominator)
        found = form_for(*n.whole())
        if found is None:
            raise Unfit("RB090", f"the rounded figure may reach {shown(n.largest)}", "declare narrower ranges")
        if found is Form.SMALL and value.low >= 0:
            count = truncated(count)
        text = count if found is form else f"{found}({count})"
        if step.numerator != 1:
            text = held_as(f"{text} * {literal(step.numerator, found)}", found)
        return exact(self.lines.bind(text), found, step.denominator, (), *n.whole(), value)

    def certified_round(self, a: Num, rounding: Rounding, value: Interval) -> Num:
        """The multiple of a step next to a number for which no exact form is wide enough."""
        given, a = a, self.certified(a)
        step = rounding.step
        halves = rounding.mode in (Mode.HALF_UP, Mode.HALF_DOWN)
        turned = rounding.mode in (Mode.UP, Mode.HALF_DOWN)
        most = a.value.largest / step
        error = (a.error / step + (most + 1) * 8 * _LOST) * _WIDE
        far = error >= Fraction(1, 4) or most >= ROUND_LIMIT
        scale = 1 / (a.den * step)
        text = a.text if scale == 1 else f"({a.text} * {_real(scale)})"
        edge = self.lines.bind(f"{'-' if turned else ''}{text}{' + 0.5' if halves else ''}")
        wrapped = self.wrapping(given)
        off = error + 3 if far else Fraction(1)
        right = None if wrapped is None else self._put_right(wrapped, edge, step, off, halves=halves, turned=turned)
        if right is not None and most + off < WHOLE_LIMIT:
            return self.steps(f"(-{right})" if turned else right, Form.WHOLE, value, step)
        if far:
            told = f"the figure may reach {shown(a.value.largest)} and can only be known to within {shown(a.error)}"
            raise Unfit("RB090", told, "declare narrower ranges, or round in between")
        count = self.lines.bind(f"floor({edge})")
        rest = self.lines.bind(f"{edge} - {count}")
        self.lines.doubt(f"({rest} < {float(error)!r}) | ({rest} > {float(1 - error)!r})")
        return self.steps(f"(-{count})" if turned else count, Form.FLOAT, value, step)

    def _put_right(self, wrapped: Wrapped, edge: str, step: Fraction, off: Fraction, *, halves: bool, turned: bool) -> str | None:
        """The whole part of a count of steps, put right by what is left of the numerator; None where int64 does not hold that.

        A whole number that float64 gives lies within `off` of it.  Numerator and product may be short of multiples of 2^64; their
        difference lies within `off` and one more divisors of nothing.
        """
        text, den, powers = wrapped.text, wrapped.den, wrapped.powers
        over, under = step.denominator, den * step.numerator
        common = gcd(over, under)
        over, under = over // common, under // common
        if halves and under % 2:
            over, under = over * 2, under * 2
        left = under * product_range(powers)[1] * (off + 3)
        if left >= 4 * _LARGEST_DIVISOR or over >= _LARGEST_DIVISOR:
            return None
        bind = self.lines.bind
        whole = bind(self.product(under, powers, Form.WHOLE))
        top = f"{'-' if turned else ''}{text}{'' if over == 1 else f' * {literal(over, Form.WHOLE)}'}"
        shift = f" + {self.product(under // 2, powers, Form.WHOLE)}" if halves else ""
        # What stands for a missing value may lie beyond all bounds; its row has a fault, and the count only must not fail.
        most = float(FLOAT_LIMIT if off == 1 else WHOLE_LIMIT)
        count = edge if off > 1 else bind(f"floor({edge})")
        below = bind(f"({count} if {count} < {most!r} else {most!r})")
        first = bind(f"int64({below} if {below} > {-most!r} else {-most!r})")
        if off > 1 and left < ROUND_LIMIT // 2:
            # The remainder's own whole part, by a reciprocal: three roundings are less than the half that is added to it.
            half = "0.5"
            if halves and not powers:
                shift, half = "", f"{under // 2}.5"
            rest = bind(f"{top}{shift} - {first} * {whole}")
            return bind(f"{first} + int64(floor((float64({rest}) + {half}) * {self._share(under, powers)}))")
        rest = bind(f"{top}{shift} - {first} * {whole}")
        if off > 1:  # so many divisors more or less, by float64 to within one
            more = bind(f"int64(floor(float64({rest}) * {self._share(under, powers)}))")
            first, rest = bind(f"{first} + {more}"), bind(f"{rest} - {more} * {whole}")
        return bind(f"{first} + int64({rest} >= {whole}) - int64({rest} < 0)")


def _real(number: Fraction) -> str:
    """A number as source text, as near as float64 holds it."""
    text = repr(float(number))
    return f"({text})" if number < 0 else text
