"""Reading a parameter's dated figures and a table's cells."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.program.graph import Dated, Parameter, Table, Value


def figure_on(parameter: Parameter, day: int) -> Dated | None:
    """The figure of a parameter in force on a day; None when there is none."""
    at = bisect_right(parameter.history, day, key=lambda dated: dated.first_day)
    return parameter.history[at - 1] if at else None


def cell(table: Table, period: int, keys: tuple[Any, ...]) -> Value:
    """The value of a table for its keys, list members first.  Raises CalculationFault when it has none."""
    width = len(table.axes)
    found = table.by_period[period].rows.get(tuple(keys[:width]))
    if found is not None:
        edges, values = found
        at = 0
        if table.bands is not None:
            at = bisect_left(edges, keys[width]) if table.bands.upper else bisect_right(edges, keys[width]) - 1
        if 0 <= at < len(values):
            return values[at]
    said = ", ".join(str(key) for key in keys)
    raise CalculationFault(Reason.NO_CELL, f"{table.name} has no value for {said}", table=table.name, keys=tuple(keys))
