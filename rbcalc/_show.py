"""Values as people read them: £1,234.50, 25 %, 1 April 2025, yes."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from rbcalc._years import shown
from rbcalc_kernels.language.types import DATE, RATE, RATIO, Choice, Number, Type
from rbcalc_kernels.program.graph import Value

_PLAIN = 1000
"""As large a denominator of a fraction is still read with ease."""


def amount(value: Value | None, type_: Type) -> str:
    """A value in words; what is not known is said to be so."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if type_ == DATE:
        return shown(int(value))
    if isinstance(type_, Choice) or isinstance(value, str):
        return str(value).replace("_", " ")
    assert isinstance(type_, Number)
    number = Fraction(value)
    if type_.is_money:
        per = type_.unit[1:].replace("/", " a ") if "/" in type_.unit else ""
        return pounds(number) + per
    if type_ == RATE:
        return f"{_mixed(number * 100)} %"
    if type_ == RATIO and number.denominator != 1:
        text = _decimal(number, 6)
        return text + "0" * (3 - len(text.partition(".")[2]))  # 4.950, as the law rounds it
    unit = " days" if type_.unit == "days" and number != 1 else " day" if type_.unit == "days" else ""
    return _decimal(number, 6, grouped=type_.unit in ("days", "ratio")) + unit


def total(value: Value | None, type_: Type) -> str:
    """A sum in words; money to the penny, half up, since amounts of single days may be finer."""
    if isinstance(type_, Number) and type_.is_money and value is not None and not isinstance(value, str | bool):
        return amount(Fraction(floor(Fraction(value) * 100 + Fraction(1, 2)), 100), type_)
    return amount(value, type_)


def pounds(number: Fraction) -> str:
    """An amount of money: to the penny when it is whole pence, else exactly as a fraction of a penny shows it."""
    sign = "-" if number < 0 else ""
    number = abs(number)
    pence = number * 100
    if pence.denominator == 1:
        return f"{sign}£{int(pence) // 100:,}.{int(pence) % 100:02d}"
    return f"{sign}£{_decimal(number, 6, grouped=True)}"


def _mixed(number: Fraction) -> str:
    """A decimal where one ends soon, else a mixed number such as 2 6/7."""
    if (number * 10**6).denominator == 1 or number.denominator > _PLAIN:
        return _decimal(number, 6)
    whole, rest = divmod(abs(number), 1)
    return f"{'-' if number < 0 else ''}{f'{whole} ' if whole else ''}{rest.numerator}/{rest.denominator}"


def _decimal(number: Fraction, places: int, *, grouped: bool = False) -> str:
    """A decimal; one that does not end within the places is cut there and marked with an ellipsis."""
    sign = "-" if number < 0 else ""
    number = abs(number)
    scaled = number * 10**places
    digits = int(scaled)
    whole, part = divmod(digits, 10**places)
    text = f"{whole:,}" if grouped else str(whole)
    tail = f"{part:0{places}d}".rstrip("0")
    if scaled.denominator != 1:
        return f"{sign}{text}.{part:0{places}d}…"
    return f"{sign}{text}.{tail}" if tail else f"{sign}{text}"


def plain(number: Fraction) -> str:
    """A number for machines: a decimal where one is exact, else a fraction."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{number.numerator}/{number.denominator}"
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    whole = int(abs(number) * 10**places)
    text = f"{whole // 10**places}.{whole % 10**places:0{places}d}" if places else str(whole)
    return f"-{text}" if number < 0 else text
