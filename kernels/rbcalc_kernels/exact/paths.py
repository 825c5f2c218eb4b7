"""The way from a row to a row of another entity that it reads: up to a parent, or across to a source."""

from __future__ import annotations

from dataclasses import dataclass

from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.program.graph import Program


@dataclass(frozen=True, slots=True)
class Path:
    """Steps from a row: None is up to the parent, a name is across to the source of that entity."""

    steps: tuple[str | None, ...]

    def follow(self, row: Row) -> Row:
        """The row at the end.  Raises CalculationFault when a timeline has no row in force."""
        for step in self.steps:
            other = row.parent if step is None else row.sources.get(step)
            if other is None:
                raise CalculationFault(Reason.NO_SOURCE, f"no row of {step} is in force", row=row)
            row = other
        return row

    def leads_on(self, row: Row) -> bool:
        """Whether each timeline on the way has a row in force."""
        for step in self.steps:
            other = row.parent if step is None else row.sources.get(step)
            if other is None:
                return False
            row = other
        return True


def path_between(program: Program, start: str, end: str) -> Path:
    """The shortest way from rows of `start` to rows of `end`, parents before sources.

    Raises KeyError when rules of `start` cannot read `end`.
    """
    found: dict[str, tuple[str | None, ...]] = {start: ()}
    for entity in (queue := [start]):
        if entity == end:
            return Path(found[entity])
        described = program.entities[entity]
        nearby = [(described.parent, None)] if described.parent is not None else []
        for name, step in [*nearby, *((timeline.entity, timeline.entity) for timeline in described.derived)]:
            if name not in found:
                found[name] = (*found[entity], step)
                queue.append(name)
    raise KeyError(f"{start} cannot read {end}")
