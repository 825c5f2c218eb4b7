"""What can go wrong with one root row: a reason that programs can tell apart, and a message for people.

The bulk cutter reports the same reasons by their place in `REASONS`, so that both say the same of the same row.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from rbcalc_kernels.program.graph import Ref, Value

if TYPE_CHECKING:
    from rbcalc_kernels.exact.rows import Row


class Reason(StrEnum):
    """Why a root row has no result."""

    REVERSED = "reversed"  # a record ends before it begins
    OUTSIDE_YEAR = "outside_year"  # no day of the root row lies in the program's days
    GAP = "gap"  # a day on which no record is in force where exactly one must be
    OVERLAP = "overlap"  # a day on which two records are in force where at most one may be
    MISSING = "missing"  # a fact that must be given was not
    UNKNOWN = "unknown"  # a rule read an optional fact that was not given
    NO_CELL = "no_cell"  # a table has no value for these keys
    NO_FIGURE = "no_figure"  # a parameter has no figure on that day
    NO_ROWS = "no_rows"  # the least or greatest of no rows
    NO_SOURCE = "no_source"  # a derived row read a timeline that has no row in force
    DIVISION = "division"  # division by nought
    NOT_WHOLE = "not_whole"  # a count of days or months that is not whole
    CIRCULAR = "circular"  # a value needs itself
    REFUSED = "refused"  # a rule says that it cannot be worked out
    TOO_MANY = "too_many"  # more rows of an entity under one row than it may have


REASONS: Final = tuple(Reason)
"""The reasons in a fixed order: the bulk cutter's codes."""


class CalculationFault(Exception):
    """A root row that cannot be worked out.

    `rule`, `table` and `keys` are set for faults in rules; `register`, `column` and the days for faults in records.
    """

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        rule: Ref | None = None,
        row: Row | None = None,
        table: str = "",
        keys: tuple[Value, ...] = (),
        register: str = "",
        column: str = "",
        first_day: int | None = None,
        last_day: int | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.rule = rule
        self.row = row
        self.table = table
        self.keys = keys
        self.register = register
        self.column = column
        self.first_day = first_day
        self.last_day = last_day

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}" if self.rule is not None else self.message
