"""Writes arithmetic as statements of a generated function, and proves a bound for each numerator as it goes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import gcd, lcm, prod
from typing import Final

from rbcalc_kernels.compiled.bounds import Interval
from rbcalc_kernels.compiled.certified import Certified
from rbcalc_kernels.compiled.numbers import (
    FLOAT_LIMIT,
    ROUND_LIMIT,
    WHOLE_LIMIT,
    Divisor,
    Form,
    Num,
    Powers,
    Unfit,
    Wrapped,
    constant,
    decided,
    exact,
    form_for,
    form_of,
    held_as,
    literal,
    merged,
    opened,
    product_range,
    rounded,
)
from rbcalc_kernels.program.graph import Mode, Rounding

_WHOLE_DIVISOR: Final = 1 << 50
_MOST_APART: Final = 8  # so far may a divisor vary for its multiples to be of use


class Arithmetic(Certified):
    """Writes arithmetic into `lines`; `read` gives the text of a divisor in an exact form."""

    # texts

    def scaled(self, a: Num, den: int, powers: Powers, form: Form) -> str:
        """The numerator over another denominator, of which a's is a part."""
        missing = merged([*powers, *((divisor, -power) for divisor, power in a.powers)])
        factor = den // a.den
        if a.low == a.high == 0:
            return literal(0, form)
        if factor == 1 and not missing:
            return self.cast(a, form)
        if a.low == a.high and not a.powers and not missing:
            return literal(a.low * factor, form)
        return held_as(f"{self.cast(a, form)} * {self.product(factor, missing, form)}", form)

    @staticmethod
    def _typed(text: str, form: Form) -> str:
        """A text of a form that Numba does not widen for a constant's sake."""
        return f"int32({text.strip('()')})" if form is Form.SMALL and text.strip("(-)").isdigit() else text

    def _common(self, a: Num, b: Num) -> tuple[int, Powers, Interval, Interval]:
        """The common denominator, and where both numerators lie over it."""
        if a.low == a.high == 0:
            a = replace(a, den=1, powers=())
        if b.low == b.high == 0:
            b = replace(b, den=1, powers=())
        den = lcm(a.den, b.den)
        most: dict[Divisor, int] = dict(a.powers)
        for divisor, power in b.powers:
            most[divisor] = max(power, most.get(divisor, 0))
        powers = tuple(sorted(most.items()))

        def numerator(x: Num) -> Interval:
            missing = merged([*powers, *((divisor, -power) for divisor, power in x.powers)])
            return Interval.of(x.low, x.high) * Interval.of(den // x.den, den // x.den) * Interval.of(*product_range(missing))

        return den, powers, numerator(a), numerator(b)

    # arithmetic

    def add(self, a: Num, b: Num, *, minus: bool = False) -> Num:
        """The sum, or the difference."""
        value = a.value - b.value if minus else a.value + b.value
        sign = "-" if minus else "+"
        if Form.CERTIFIED not in (a.form, b.form):
            if b.low == b.high == 0:
                return a
            if a.low == a.high == 0 and not minus:
                return b
            den, powers, left, right = self._common(a, b)
            total = left - right if minus else left + right
            form = form_of((a, b), *left.whole(), *right.whole(), *total.whole())
            if form is not None:
                one, other = (opened(self.scaled(x, den, powers, form)) for x in (a, b))
                text = held_as(f"{one} {sign} {other}", form)
                return self.short(exact(text, form, den, powers, *total.whole(), value))
        wrapped = self.wrapping(a), self.wrapping(b)
        a, b = self.alike(a, b)
        made = self.certain(f"({a.text} {sign} {b.text})", a.den, value, a.error + b.error)
        return self.known(made, f"{{}} {sign} {{}}", *wrapped)

    def negative(self, a: Num) -> Num:
        """The number with the other sign."""
        if a.form is Form.CERTIFIED:
            return replace(a, text=f"(-{a.text})", value=-a.value)
        if a.is_constant:
            return replace(a, text=literal(-a.low, a.form), low=-a.low, high=-a.high, value=-a.value, leaf=None)
        return replace(a, text=held_as(f"-{a.text}", a.form), low=-a.high, high=-a.low, value=-a.value, leaf=None)

    def multiply(self, a: Num, b: Num) -> Num:
        """The product, cancelling what can be cancelled."""
        value = a.value * b.value
        if Form.CERTIFIED not in (a.form, b.form):
            for x, y in ((a, b), (b, a)):
                if y.leaf is not None and y.leaf in dict(x.powers):
                    powers = merged([*x.powers, *y.powers, (y.leaf, -1)])
                    return exact(x.text, x.form, x.den * y.den, powers, x.low, x.high, value)
            across, back = 1, 1
            if a.low == a.high and not a.powers:
                across = gcd(a.low, b.den) or 1
            elif b.low == b.high and not b.powers:
                back = gcd(b.low, a.den) or 1
            a, b = self._without(a, across, back), self._without(b, back, across)
            total = Interval.of(a.low, a.high) * Interval.of(b.low, b.high)
            form = form_of((a, b), a.low, a.high, b.low, b.high, *total.whole())
            powers = merged([*a.powers, *b.powers])
            if form is not None and form_for(a.den * b.den) is not None:
                texts = [self.cast(x, form) for x in (a, b) if not (x.low == x.high == 1 and not x.powers)]
                text = held_as(" * ".join(texts), form) if len(texts) == 2 else texts[0] if texts else literal(1, form)
                return self.short(exact(text, form, a.den * b.den, powers, *total.whole(), value))
        one, other = self.wrapping(a), self.wrapping(b)
        a, b = self.certified(a), self.certified(b)
        error = a.value.largest * b.error + b.value.largest * a.error + a.error * b.error
        made = self.certain(f"({a.text} * {b.text})", a.den * b.den, value, error)
        if one is not None and other is not None:
            if one.number is not None and other.number is not None:
                return made  # two figures with too many digits: not worth a word
            text = f"({one.text} * {other.text})"
            powers = merged([*one.powers, *other.powers])
            self.note(made, Wrapped(self.lines.bind(text) if len(text) > 72 else text, one.den * other.den, powers))
        return made

    @staticmethod
    def _without(a: Num, numerator: int, denominator: int) -> Num:
        """A constant with a common factor taken from its numerator, or a number with it taken from its denominator."""
        if numerator != 1:
            n = a.low // numerator
            a = replace(a, text=literal(n, a.form), low=n, high=n)
        return replace(a, den=a.den // denominator) if denominator != 1 else a

    def divide(self, a: Num, b: Num) -> Num:
        """The quotient; b is above 0 in every row, and unless it is a constant or certified its numerator is a divisor."""
        if b.is_constant:
            return self.multiply(a, constant(1 / b.value.low))
        value = a.value / b.value
        if Form.CERTIFIED not in (a.form, b.form) and b.leaf is not None:
            common = gcd(a.den, b.den)
            up = b.den // common
            missing = merged([*b.powers, *((divisor, -power) for divisor, power in a.powers)])
            over = tuple((divisor, power) for divisor, power in missing if power > 0)
            under = merged([*((divisor, -power) for divisor, power in missing if power < 0), (b.leaf, 1)])
            total = Interval.of(a.low, a.high) * Interval.of(up, up) * Interval.of(*product_range(over))
            form = form_of((a,), *total.whole(), up)
            if form is not None:
                text = self.cast(a, form)
                if up != 1 or over:
                    text = held_as(f"{text} * {self.product(up, over, form)}", form)
                return self.short(exact(text, form, a.den // common, under, *total.whole(), value))
        a, b = self.certified(a), self.certified(b)
        if a.den % b.den:
            b = self.rescaled(b, 1)
        least = b.value.low - b.error
        if least <= 0:
            raise Unfit("RB092", "the divisor is too near 0 for its precision", "round the divisor, or write max(x, 1)")
        error = (a.error + value.largest * b.error) / least
        return self.certain(f"({a.text} / {b.text})", a.den // b.den, value, error)

    def choose(self, condition: str, a: Num, b: Num) -> Num:
        """A where the condition holds, else b."""
        value = a.value.join(b.value)
        if Form.CERTIFIED not in (a.form, b.form):
            den, powers, left, right = self._common(a, b)
            both = left.join(right)
            form = form_of((a, b), *both.whole())
            if form is not None:
                text = held_as(f"{self.scaled(a, den, powers, form)} if {condition} else {self.scaled(b, den, powers, form)}", form)
                return self.short(exact(text, form, den, powers, *both.whole(), value))
        one, other = self.wrapping(a), self.wrapping(b)
        a, b = self.alike(a, b)
        made = self.short(replace(a, text=f"({a.text} if {condition} else {b.text})", value=value, error=max(a.error, b.error)))
        return self.known(made, f"{{}} if {condition} else {{}}", one, other)

    def extreme(self, a: Num, b: Num, *, greatest: bool) -> Num:
        """The greater or the lesser of two numbers."""
        if a.value.low >= b.value.high:
            return a if greatest else b
        if b.value.low >= a.value.high:
            return b if greatest else a
        value = a.value.greatest(b.value) if greatest else a.value.least(b.value)
        sign = ">" if greatest else "<"
        if Form.CERTIFIED not in (a.form, b.form):
            den, powers, left, right = self._common(a, b)
            form = form_of((a, b), *left.whole(), *right.whole())
            if form is not None:
                one, other = (self.lines.bind(self.scaled(x, den, powers, form)) for x in (a, b))
                both = left.greatest(right) if greatest else left.least(right)
                return exact(held_as(f"{one} if {one} {sign} {other} else {other}", form), form, den, powers, *both.whole(), value)
        wrapped = self.wrapping(a), self.wrapping(b)
        a, b = (self.bound(x) for x in self.alike(a, b))
        apart = self.far_or_exact(sign, a, b, *wrapped)
        condition = f"{a.text} {sign} {b.text}" if apart is None else self.lines.bind(apart)
        made = replace(a, text=f"({a.text} if {condition} else {b.text})", value=value, error=max(a.error, b.error))
        return made if apart is None else self.known(made, f"{{}} if {condition} else {{}}", *wrapped)

    def compare(self, sign: str, a: Num, b: Num) -> str:
        """The condition `a sign b`; sign is one of == != < <= > >=."""
        known = decided(sign, a.value, b.value)
        if known is not None:
            return str(known)
        if Form.CERTIFIED not in (a.form, b.form):
            den, powers, left, right = self._common(a, b)
            form = form_of((a, b), *left.whole(), *right.whole())
            if form is not None:
                one, other = (self._typed(self.scaled(x, den, powers, form), form) for x in (a, b))
                return f"({one} {sign} {other})"
        wrapped = self.wrapping(a), self.wrapping(b)
        a, b = (self.bound(x) for x in self.alike(a, b))
        apart = self.far_or_exact(sign, a, b, *wrapped)
        if apart is not None:
            return apart
        return self.doubtful(sign, a, b)

    # rounding

    def round(self, a: Num, rounding: Rounding, ahead: Fraction = Fraction(0)) -> Num:
        """The multiple of a step next to the number, in the direction of the mode; `ahead`, less than half a step, is added first."""
        step = rounding.step
        value = Interval(rounded(a.value.low + ahead, rounding), rounded(a.value.high + ahead, rounding))
        if a.form is not Form.CERTIFIED:
            if a.is_constant:
                return constant(value.low)
            over = step.denominator
            under = a.den * step.numerator
            common = gcd(over, under)
            over, under = over // common, under // common
            if under == 1 and not a.powers:
                form = form_of((a,), a.low * over * step.numerator, a.high * over * step.numerator)
                if form is not None:
                    text = self.scaled(a, a.den * over * step.numerator, (), form)
                    n = Interval.of(a.low, a.high) * Interval.of(over * step.numerator, over * step.numerator)
                    return exact(text, form, step.denominator, (), *n.whole(), value)
            count = self._counted(a, over, under, rounding.mode, ahead / step)
            if count is not None:
                return self.steps(*count, value, step)
        return self.certified_round(self.add(a, constant(ahead)) if ahead else a, rounding, value)

    def _counted(self, a: Num, over: int, under: int, mode: Mode, ahead: Fraction) -> tuple[str, Form] | None:
        """The whole number of steps, as text and its form; None when no exact form can hold what leads to it."""
        halves = mode in (Mode.HALF_UP, Mode.HALF_DOWN)
        turned = mode in (Mode.UP, Mode.HALF_DOWN)
        doubled = lcm(2 if halves and under % 2 else 1, (ahead * under).denominator)
        over, under = over * doubled, under * doubled
        shift = (under // 2 if halves else 0) + int(ahead * under)
        least, most = product_range(a.powers)
        n = Interval.of(a.low, a.high) * Interval.of(over, over)
        added = under - shift if turned else shift
        low, high = (n + Interval.of(added * least, added * most)).join((-n) + Interval.of(0, shift * most)).whole()
        largest, below = max(abs(low), abs(high)), under * most
        form = Form.FLOAT if largest < ROUND_LIMIT and below < ROUND_LIMIT else Form.WHOLE
        if form is Form.WHOLE and (n.largest >= WHOLE_LIMIT or below >= _WHOLE_DIVISOR):
            return None
        if form is Form.FLOAT and n.largest >= FLOAT_LIMIT:
            return None
        top = self.scaled(a, a.den * over, a.powers, form)
        divisor = self.product(under, a.powers, Form.FLOAT)
        sign = "-" if turned else ""
        if form is Form.FLOAT:
            # Upwards, the quotient of n and d is floor((n + d - 1) / d); the half keeps the reciprocal on the right side.
            half = -0.5 if turned else 0.5
            add = f" + {self.product(added, a.powers, form)} {'-' if turned else '+'} 0.5" if added and a.powers else f" + {added + half}"
            return f"floor(({top}{add}) * (1.0 / {divisor}))", form
        return self._whole_count(a, f"{sign}{top}", shift, under, divisor, turned), form

    def _whole_count(self, a: Num, top: str, shift: int, under: int, divisor: str, turned: bool) -> str:
        """Whole division in int64: a first quotient by float64, put right by its remainder."""
        bind = self.lines.bind
        add = f" + {self.product(shift, a.powers, Form.WHOLE)}" if shift else ""
        top = bind(f"{top}{add}")
        whole = self.product(under, a.powers, Form.WHOLE)
        share = bind(f"1.0 / {divisor}")
        first = bind(f"int64(float64({top}) * {share})")
        rest = bind(f"{top} - {first} * {whole}")
        count = f"({first} + int64(floor((float64({rest}) + 0.5) * {share})))"
        return f"(-{count})" if turned else count

    # shapes

    def converted(self, a: Num, shape: Num) -> Num:
        """The number in another's shape, whose denominator is a multiple of its own."""
        if shape.form is Form.CERTIFIED:
            return self.rescaled(self.certified(a), shape.den)
        text = self.scaled(a, shape.den, shape.powers, shape.form)
        return replace(shape, text=text, leaf=None)

    def settled(self, a: Num) -> Num:
        """The number over a constant denominator; certified where no constant is small enough."""
        if not a.powers:
            return a
        most = self._multiples(a)
        times = prod(most)
        fitting = form_for(a.low * times, a.high * times, a.den * times)
        if a.form is Form.CERTIFIED or fitting is None:
            return self.certified(a)
        form, sign = (Form.WHOLE, "//") if fitting is Form.WHOLE else (Form.FLOAT, "/")
        text = self.cast(a, form)
        for multiple, divisor in zip(most, _each(a.powers), strict=True):
            text = f"({text} * ({literal(multiple, form)} {sign} {self.read(divisor, form)}))"
        return exact(text, form, a.den * times, (), a.low * times, a.high * times, a.value)

    def numerator(self, a: Num) -> Wrapped | None:
        """The numerator over a constant denominator, as int64 gives it however large it is; None where that denominator is too large."""
        most = self._multiples(a)
        den = a.den * prod(most)
        if a.form is Form.CERTIFIED or den >= WHOLE_LIMIT:
            return None
        text = self.cast(a, Form.WHOLE)
        for multiple, divisor in zip(most, _each(a.powers), strict=True):
            text = f"({text} * ({literal(multiple, Form.WHOLE)} // {self.read(divisor, Form.WHOLE)}))"
        return Wrapped(text, den, ())

    @staticmethod
    def _multiples(a: Num) -> list[int]:
        """For each divisor a multiple of all that it can be; one that nothing fits where that is too many."""
        return [lcm(*range(d.low, d.high + 1)) if d.high - d.low <= _MOST_APART else WHOLE_LIMIT for d in _each(a.powers)]


def _each(powers: Powers) -> list[Divisor]:
    """Each divisor as often as it divides."""
    return [divisor for divisor, power in powers for _ in range(power)]
