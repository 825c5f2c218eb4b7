"""Names of values and where figures come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from rbcalc_kernels.source import Span


class Ref(NamedTuple):
    """The name of a value and the entity it belongs to."""

    entity: str
    name: str

    def __str__(self) -> str:
        return f"{self.entity}.{self.name}"

    def __reduce__(self) -> tuple[object, ...]:
        """How it is copied, many times as fast as tuples with names do it by themselves."""
        return Ref, (self.entity, self.name)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure or a rule comes from, and how sure it is."""

    text: str
    status: str = "confirmed"  # or "provisional"
    span: Span | None = field(default=None, compare=False, repr=False)

    def __reduce__(self) -> tuple[object, ...]:
        """How it is copied, many times as fast as dataclasses do it by themselves."""
        return Source, (self.text, self.status, self.span)
