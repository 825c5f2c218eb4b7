"""The types of the rule language: amounts with units, dates, yes/no and named lists.

A `Type` says what a value means, never how a machine holds it.  Two amounts can be added or compared only when their
units are equal; every change of unit is written in the rule (`as £/week`, `per_day(...)`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MONEY_UNITS: Final = ("£", "£/day", "£/week", "£/month", "£/year")
PLAIN_UNITS: Final = ("rate", "ratio", "count", "days")
UNITS: Final = MONEY_UNITS + PLAIN_UNITS

NOT_RECORDED: Final = "not_recorded"
"""The member of a list that says nothing."""


@dataclass(frozen=True, slots=True)
class Number:
    """An exact rational number with a unit: one of `UNITS`."""

    unit: str

    @property
    def is_money(self) -> bool:
        """Whether the amount is in pounds (for a day, a week, a month, a year, or outright)."""
        return self.unit.startswith("£")

    def __str__(self) -> str:
        return self.unit


@dataclass(frozen=True, slots=True)
class YesNo:
    """A condition: yes or no."""

    def __str__(self) -> str:
        return "yes/no"


@dataclass(frozen=True, slots=True)
class Date:
    """A calendar day, held as the count of days since 1 January 1970."""

    def __str__(self) -> str:
        return "date"


@dataclass(frozen=True, slots=True)
class Choice:
    """One member of a named list; a member's code is its place in the list, from 0."""

    name: str
    members: tuple[str, ...]

    def code(self, member: str) -> int:
        """The place of `member` in the list.  Raises ValueError when it is not there."""
        return self.members.index(member)

    def __str__(self) -> str:
        return self.name


Type = Number | YesNo | Date | Choice

POUNDS: Final = Number("£")
RATE: Final = Number("rate")
RATIO: Final = Number("ratio")
"""A number like a rate that people read as a decimal: a divisor, a factor."""
COUNT: Final = Number("count")
DAYS: Final = Number("days")
YES_NO: Final = YesNo()
DATE: Final = Date()


def is_dimensionless(value: Type) -> bool:
    """Whether the type is a plain number: a rate, a ratio or a count."""
    return value in (RATE, RATIO, COUNT)
