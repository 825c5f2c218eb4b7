"""Financial years: 2025-26 runs from 1 April 2025 to 31 March 2026."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from rbcalc.errors import UsageError

EPOCH: Final = date(1970, 1, 1).toordinal()
_LABEL: Final = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class FinancialYear:
    """The year that begins on 1 April of `begins`."""

    begins: int

    @classmethod
    def of(cls, label: str | FinancialYear) -> FinancialYear:
        """The year of a label such as 2025-26.  Raises UsageError."""
        if isinstance(label, FinancialYear):
            return label
        match = _LABEL.fullmatch(label.strip())
        if match is None or int(match[2]) != (int(match[1]) + 1) % 100:
            hint = "write the two years, as 2025-26"
            if re.fullmatch(r"\d{4}", label.strip()):
                hint = f"write {label.strip()}-{(int(label) + 1) % 100:02d} for the year that begins on 1 April {label.strip()}"
            raise UsageError("RC040", f"no such financial year: {label}", hint=hint)
        return cls(int(match[1]))

    @classmethod
    def containing(cls, day: int) -> FinancialYear:
        """The year that a day (days since 1970) lies in."""
        when = date.fromordinal(day + EPOCH)
        return cls(when.year if when.month >= 4 else when.year - 1)

    @property
    def first_day(self) -> int:
        """1 April, as days since 1970."""
        return date(self.begins, 4, 1).toordinal() - EPOCH

    @property
    def last_day(self) -> int:
        """31 March, as days since 1970."""
        return date(self.begins + 1, 3, 31).toordinal() - EPOCH

    @property
    def days(self) -> int:
        """365, or 366 when the year contains 29 February."""
        return self.last_day - self.first_day + 1

    def __str__(self) -> str:
        return f"{self.begins}-{(self.begins + 1) % 100:02d}"


def shown(day: int) -> str:
    """A day as people write it: 1 April 2025."""
    when = date.fromordinal(day + EPOCH)
    return f"{when.day} {when:%B %Y}"


def iso(day: int) -> str:
    """A day as year-month-day."""
    return date.fromordinal(day + EPOCH).isoformat()
