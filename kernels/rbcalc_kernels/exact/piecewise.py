"""Numbers that vary with one amount: what the exact evaluator works with when it follows a calculation along a line.

The amount moves in whole steps (pennies).  A `Varying` holds the exact value where the line begins, how much it changes with
each step, and the roundings on the way, each with bounds.  Whatever answers yes or no, or a whole number, about a `Varying`
is exact at the beginning and says how many steps it certainly stays the same: `Line.reach` is the least of these.  So along a
line of that reach every comparison, every table row and every line of a rule is the same as at its beginning.

Roundings of a few steps of the amount are carried as bounds; of coarser ones the line ends where the rounded value changes.
What is neither is exact for the one step alone (`Line.pin`): right, and slow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final, Self

from rbcalc_kernels.program.graph import Ref, Value

FINE: Final = 25
"""A rounding whose value changes at least once in so many steps is carried as bounds."""

_NOUGHT: Final = Fraction(0)
Noise = Mapping[int, Fraction]
"""How much of each rounding is in a number."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Why a line ends: what the rule was doing whose answer changes at the next step.

    `table` and `keys` are those of a table that was read; `rounding` marks a coarse rounding.
    """

    rule: Ref | None
    table: str = ""
    keys: tuple[Value, ...] = ()
    rounding: bool = False


@dataclass(slots=True)
class Line:
    """One stretch of the amount, begun at some step and followed upwards."""

    reach: int | None = None  # steps for which all answers stay the same; None: without end
    limits: list[Limit] = field(default_factory=list)
    at: Limit = field(default_factory=lambda: Limit(None))  # what is being worked out
    bounds: list[tuple[Fraction, Fraction]] = field(default_factory=list)  # of each rounding, against its value at the beginning
    _roundings: dict[object, int] = field(default_factory=dict)

    def limit(self, steps: int | None) -> None:
        """Keep that an answer is the same for so many steps and perhaps no longer."""
        if steps is None or self.reach is not None and steps > self.reach:
            return
        if self.reach is None or steps < self.reach:
            self.reach = steps
            self.limits.clear()
        if self.at not in self.limits:
            self.limits.append(self.at)

    def pin(self) -> None:
        """Keep that something is exact for the first step alone."""
        self.limit(0)

    def rounding(self, number: Varying) -> tuple[int, Fraction]:
        """The number of the rounding down of a value, and what it takes off at the beginning.  One value has one rounding."""
        part = number.at - floor(number.at)
        key = (number.at, number.slope, frozenset(number.noise.items()))
        known = self._roundings.get(key)
        if known is None:
            known = self._roundings[key] = len(self.bounds)
            self.bounds.append((part - 1, part))
        return known, part


class Varying(Fraction):
    """A number on a line: `at` + `slope` * steps + roundings.

    It is a `Fraction` so that whatever works with numbers takes it; every way to look into it is defined here.
    """

    __slots__ = ("at", "line", "noise", "slope")
    at: Fraction
    slope: Fraction
    noise: Noise
    line: Line

    def __new__(cls, line: Line, at: Fraction, slope: Fraction, noise: Noise | None = None) -> Self:
        """A number that varies on a line."""
        made = super().__new__(cls, at)
        made.line, made.at, made.slope, made.noise = line, at, slope, noise or {}
        return made

    def _made(self, at: Fraction, slope: Fraction, noise: Noise) -> Fraction:
        """The number, plain when nothing of it varies."""
        if not slope and not any(noise.values()):
            return at
        return Varying(self.line, at, slope, {name: part for name, part in noise.items() if part})

    def spread(self) -> tuple[Fraction, Fraction]:
        """The bounds of what the roundings add, against the beginning."""
        low = high = _NOUGHT
        for name, part in self.noise.items():
            least, most = self.line.bounds[name]
            low += part * (least if part > 0 else most)
            high += part * (most if part > 0 else least)
        return low, high

    # ---- arithmetic
    def __add__(self, other: Any) -> Any:
        if isinstance(other, Varying):
            noise = dict(self.noise)
            for name, part in other.noise.items():
                noise[name] = noise.get(name, _NOUGHT) + part
            return self._made(self.at + other.at, self.slope + other.slope, noise)
        return Varying(self.line, self.at + other, self.slope, self.noise)

    __radd__ = __add__

    def __neg__(self) -> Any:
        return self * Fraction(-1)

    def __pos__(self) -> Any:
        return self

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Varying):  # of the second degree: exact at the first step
            self.line.pin()
            return self.at * other.at
        return self._made(self.at * other, self.slope * other, {name: part * other for name, part in self.noise.items()})

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Varying):
            self.line.pin()
            return self.at / other.at
        return self * (1 / Fraction(other))

    def __rtruediv__(self, other: Any) -> Any:
        self.line.pin()
        return other / self.at

    def __abs__(self) -> Any:
        return self if self >= 0 else -self

    # ---- questions: each says for how long its answer holds
    def _above(self, *, strictly: bool) -> None:
        """Keep for how many steps the number, which is above nought (or not below it), surely stays so."""
        low = self.at + self.spread()[0]
        if self.slope >= 0:
            after = low + self.slope
            self.line.limit(None if after > 0 or not strictly and after == 0 else 0)
            return
        steps = low / -self.slope
        self.line.limit(max(ceil(steps) - 1 if strictly else floor(steps), 0))

    def __lt__(self, other: Any) -> bool:
        gap = self - other
        if not isinstance(gap, Varying):
            return bool(gap < 0)
        below = gap.at < 0
        (-gap if below else gap)._above(strictly=below)
        return below

    def __gt__(self, other: Any) -> bool:
        gap = other - self
        if not isinstance(gap, Varying):
            return bool(gap < 0)
        return gap < 0

    def __le__(self, other: Any) -> bool:
        return not self > other

    def __ge__(self, other: Any) -> bool:
        return not self < other

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fraction | int):
            return NotImplemented
        gap = self - other
        if not isinstance(gap, Varying):
            return not gap
        if not gap.at:
            self.line.pin()
            return True
        (gap if gap.at > 0 else -gap)._above(strictly=True)
        return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __bool__(self) -> bool:
        return self != 0

    def __floor__(self) -> Any:
        """The whole number below: carried as bounds where it changes every few steps, else the same until it changes."""
        whole = floor(self.at)
        if abs(self.slope) * FINE >= 1 or not self.slope:
            name, _ = self.line.rounding(self)
            return self._made(Fraction(whole), self.slope, {**self.noise, name: self.noise.get(name, _NOUGHT) + 1})
        before, self.line.at = self.line.at, Limit(self.line.at.rule, rounding=True)
        for bound in (self - whole >= 0, self - whole - 1 < 0):
            assert bound
        self.line.at = before
        return Fraction(whole)

    def __ceil__(self) -> Any:
        return -floor(-self)

    # ---- all else is exact at the first step
    def __hash__(self) -> int:  # type: ignore[override]
        self.line.pin()
        return hash(self.at)

    @property
    def numerator(self) -> int:
        """The numerator at the first step."""
        self.line.pin()
        return self.at.numerator

    @property
    def denominator(self) -> int:
        """The denominator at the first step."""
        self.line.pin()
        return self.at.denominator

    def __reduce__(self) -> Any:
        """A number that varies belongs to its line and is not copied to another."""
        raise TypeError("a number that varies cannot be copied")


def _pinned(name: str) -> Any:
    def method(self: Varying, *values: Any) -> Any:
        self.line.pin()
        return getattr(self.at, name)(*(value.at if isinstance(value, Varying) else value for value in values))

    return method


for _name in ("int", "trunc", "round", "float", "complex", "mod", "rmod", "floordiv", "rfloordiv", "divmod", "rdivmod", "pow", "rpow"):
    setattr(Varying, f"__{_name}__", _pinned(f"__{_name}__"))
for _name in ("limit_denominator", "as_integer_ratio"):
    setattr(Varying, _name, _pinned(_name))
