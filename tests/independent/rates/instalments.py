"""Instalments of a bill, first and adjusted: SI 1989/1058 Sch 1, as amended by SI 2014/479.  Amounts are in whole pence."""

from __future__ import annotations

from datetime import date

POUND = 100
FIFTY_POUNDS = 50 * POUND


def instalment_count(issued: date | None, year: int, *, twelve: bool = False) -> int:
    """Paras 1(2), 1(2C) and 2; a notice whose day is not given was issued before the year."""
    if issued is None:
        issued = date(year, 3, 31)
    if issued >= date(year + 1, 1, 1):  # from January, and regulation 7(5) after the year
        return 1
    left = 12 if issued < date(year, 4, 1) else 12 - (issued.month - 3)  # whole months after that of the issue
    if twelve and year >= 2014:
        return 12 if issued <= date(year, 4, 15) else left
    return min(10, left - 1)


def first_and_rest(total: int, count: int) -> list[int]:
    """Para 1(4), (5): whole pounds except the first, which takes the rest; half a pound goes up."""
    if total % (count * POUND) == 0:
        return [total // count] * count
    rest = (2 * total + count * POUND) // (2 * count * POUND) * POUND
    return [total - (count - 1) * rest] + [rest] * (count - 1)


def split(total: int, count: int) -> tuple[int, ...]:
    """The amounts, the power of para 3 to have fewer instalments being used where one would be under fifty pounds."""
    if total <= 0:
        return ()
    amounts = first_and_rest(total, count)
    if count > 1 and min(amounts) < FIFTY_POUNDS:
        count = 1 if total < 2 * FIFTY_POUNDS else min(count, total // FIFTY_POUNDS)
        amounts = first_and_rest(total, count)
    return tuple(amounts)


def remaining(total: int, fallen_due: int, left: int) -> tuple[int, ...]:
    """Sch 1 Part II para. 7(4), (5): what the revised estimate leaves, over the instalments not yet due, or in a single one."""
    excess = total - fallen_due
    if excess <= 0:
        return ()
    return tuple(first_and_rest(excess, left)) if left else (excess,)
