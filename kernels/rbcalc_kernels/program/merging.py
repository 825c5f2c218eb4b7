"""Parameter periods as few as figures need: days on which something was stated anew, and stayed as it was, divide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rbcalc_kernels.program.graph import Parameter, Period, Table


def merged(
    periods: tuple[Period, ...], parameters: Mapping[str, Parameter], tables: Mapping[str, Table]
) -> tuple[tuple[Period, ...], dict[str, Parameter], dict[str, Table]]:
    """The periods between which some figure changes, and the figures by them."""
    held: list[Parameter | Table] = [*parameters.values(), *tables.values()]
    kept = [
        place for place in range(len(periods)) if place == 0 or any(each.by_period[place] != each.by_period[place - 1] for each in held)
    ]
    if len(kept) == len(periods):
        return periods, dict(parameters), dict(tables)
    ends = [periods[place - 1].last_day for place in kept[1:]] + [periods[-1].last_day]
    return (
        tuple(Period(periods[place].first_day, last) for place, last in zip(kept, ends, strict=True)),
        {name: replace(each, by_period=tuple(each.by_period[place] for place in kept)) for name, each in parameters.items()},
        {name: replace(each, by_period=tuple(each.by_period[place] for place in kept)) for name, each in tables.items()},
    )
