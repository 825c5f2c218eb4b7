"""How units combine: what may be added, multiplied and divided, and what comes of it."""

from __future__ import annotations

from typing import Final

from rbcalc_kernels.language.types import COUNT, DATE, DAYS, POUNDS, RATE, Number, Type, is_dimensionless

_SPREAD: Final = " for days"


class UnitError(Exception):
    """Two units that do not go together, and what to write instead."""

    def __init__(self, message: str, help_: str = "") -> None:
        super().__init__(message)
        self.message, self.help = message, help_


def added(left: Type, right: Type, sign: str) -> Type:
    """The type of left + right or left - right.  Raises UnitError."""
    verb = "add" if sign == "+" else "subtract"
    if left == DATE and right == DAYS:
        return DATE
    if left == DATE and right == DATE and sign == "-":
        return DAYS
    if left == DAYS and right == DATE and sign == "+":
        return DATE
    if isinstance(left, Number) and isinstance(right, Number):
        if left == right and _SPREAD not in left.unit:
            return left
        if is_dimensionless(left) and is_dimensionless(right):
            raise UnitError(f"cannot {verb} a {left} and a {right}", "write `x as rate` or `x as count`")
        raise UnitError(f"cannot {verb} {left} and {right}", conversion(right, left))
    if left == DATE and isinstance(right, Number):
        raise UnitError(f"cannot {verb} {right} and a date", "write 14 days, or months_after(date, 6)")
    raise UnitError(f"cannot {verb} {left} and {right}")


def multiplied(left: Type, right: Type) -> Type:
    """The type of left * right.  Raises UnitError."""
    if not isinstance(left, Number) or not isinstance(right, Number):
        raise UnitError(f"cannot multiply {left} by {right}")
    if is_dimensionless(left) and not is_dimensionless(right):
        left, right = right, left
    if is_dimensionless(right):
        if left == COUNT and right == COUNT:
            return COUNT
        return RATE if is_dimensionless(left) else left
    if left == DAYS and right.is_money:
        left, right = right, left
    if left.is_money and right == DAYS:
        if left.unit == "£/day":
            return POUNDS
        if "/" in left.unit and _SPREAD not in left.unit:
            return Number(left.unit + _SPREAD)
    raise UnitError(f"cannot multiply {left} by {right}")


def divided(left: Type, right: Type) -> Type:
    """The type of left / right.  Raises UnitError."""
    if not isinstance(left, Number) or not isinstance(right, Number):
        raise UnitError(f"cannot divide {left} by {right}")
    if left == right:
        return RATE
    if is_dimensionless(right):
        return RATE if is_dimensionless(left) else left
    if right == DAYS and left.unit.endswith(_SPREAD):
        return POUNDS
    if right == DAYS and left == POUNDS:
        return Number("£/day")
    raise UnitError(f"cannot divide {left} by {right}", conversion(right, left) if left.is_money and right.is_money else "")


def conversion(given: Type, wanted: Type) -> str:
    """What to write so that `given` becomes `wanted`, where a named conversion does it."""
    if isinstance(given, Number) and isinstance(wanted, Number) and given.is_money and wanted.is_money:
        name = {"£/day": "per_day", "£/week": "per_week", "£/month": "per_month", "£/year": "per_year"}.get(wanted.unit)
        if name is not None and given.unit in CONVERSIONS.get(name, {}):
            return f"write {name}(...) round the {given} amount"
        return f"write `... as {wanted}` after the arithmetic that turns {given} into {wanted}"
    return ""


CONVERSIONS: Final[dict[str, dict[str, tuple[int, int, int]]]] = {
    # name: {unit given: (times, divided by, days in the year: 1 times, -1 divided by, 0 neither)}
    "per_day": {"£/week": (1, 7, 0), "£/year": (1, 1, -1)},
    "per_week": {"£/day": (7, 1, 0), "£/year": (7, 1, -1), "£/month": (12, 52, 0)},
    "per_month": {"£/year": (1, 12, 0)},
    "per_year": {"£/month": (12, 1, 0), "£/week": (1, 7, 1), "£/day": (1, 1, 1)},
}
