"""What the names of a program mean: the declarations that expressions are typed against."""

from __future__ import annotations

from dataclasses import dataclass, field

from rbcalc_kernels.language.types import DATE, DAYS, Choice, Type
from rbcalc_kernels.program.graph import Bands, Entity, Input, Ref
from rbcalc_kernels.source import Span


@dataclass(slots=True)
class Signature:
    """The type of a rule and where it is declared."""

    ref: Ref
    type: Type
    span: Span


@dataclass(slots=True)
class TableShape:
    """The axes and the type of a table, before its contents are known."""

    name: str
    type: Type
    axes: tuple[Choice, ...]
    keys: tuple[str, ...]
    bands: Bands | None
    sparse: bool
    span: Span
    worked_out: bool = False


YEAR_PARAMETERS: dict[str, Type] = {"year_start": DATE, "year_end": DATE, "days_in_year": DAYS}
BUILT_IN = ("first_day", "last_day", "days")


@dataclass(slots=True)
class Names:
    """All declarations of a program, by name."""

    entities: dict[str, Entity] = field(default_factory=dict)
    lists: dict[str, Choice] = field(default_factory=dict)
    inputs: dict[Ref, Input] = field(default_factory=dict)
    rules: dict[Ref, Signature] = field(default_factory=dict)
    parameters: dict[str, tuple[Type, Span | None]] = field(default_factory=dict)
    tables: dict[str, TableShape] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)  # declared with a mistake, which is reported where they are declared

    def chain(self, entity: str) -> list[str]:
        """The entities whose values a rule of `entity` may read, nearest first."""
        found = [entity]
        for name in found:
            declared = self.entities.get(name)
            if declared is None:
                continue
            for timeline in declared.derived:
                if timeline.entity not in found:
                    found.append(timeline.entity)
            if declared.parent is not None and declared.parent not in found:
                found.append(declared.parent)
        return found

    def may_lack(self, start: str, end: str) -> bool:
        """Whether rows of `start` may find no row of `end` in force: one stands across a timeline that is not needed."""
        lacking = {start: False}
        for name in (queue := [start]):
            declared = self.entities.get(name)
            if declared is None:
                continue
            nearby = [] if declared.parent is None else [(declared.parent, False)]
            for other, perhaps in [*nearby, *((timeline.entity, not timeline.needed) for timeline in declared.derived)]:
                if other not in lacking:
                    lacking[other] = lacking[name] or perhaps
                    queue.append(other)
        return lacking.get(end, False)

    def find(self, entity: str, name: str) -> Ref | None:
        """The value that `name` means in a rule of `entity`."""
        for owner in self.chain(entity):
            ref = Ref(owner, name)
            if ref in self.inputs or ref in self.rules:
                return ref
        return None

    def spell_of(self, entity: str) -> str | None:
        """The nearest spell entity at or above `entity`."""
        current: str | None = entity
        while current is not None:
            declared = self.entities.get(current)
            if declared is None:
                return None
            if declared.spell:
                return current
            current = declared.parent
        return None

    def type_of(self, ref: Ref) -> Type:
        """The type of an input or a rule."""
        return self.inputs[ref].type if ref in self.inputs else self.rules[ref].type

    def place_of(self, ref: Ref) -> Span | None:
        """Where an input or a rule is declared."""
        return self.inputs[ref].span if ref in self.inputs else self.rules[ref].span

    def visible(self, entity: str) -> list[str]:
        """Every name that a rule of `entity` may write."""
        owners = set(self.chain(entity))
        values = [ref.name for ref in (*self.inputs, *self.rules) if ref.entity in owners]
        members = [e.members for e in self.entities.values() if e.parent in owners and e.members]
        return sorted({*values, *members, *self.parameters, *self.tables})
