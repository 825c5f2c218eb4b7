"""The typed graph: what the checker hands to both evaluators.

One small immutable node type, a handful of descriptions beside it, and `Program`, which holds everything that is needed
to compute one council's figures for one financial year.  Nothing here knows councils, taxes or benefits.

Values: numbers are `Fraction`, dates are whole days since 1 January 1970 (`int`), conditions are `bool`, members of
lists are `str`.
"""

# What other modules ask for by one name stands in three: this one, refs and asked.
# ruff: noqa: PLC0414

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from typing import Final

from rbcalc_kernels.language.types import Choice, Type
from rbcalc_kernels.program.asked import Comparison as Comparison
from rbcalc_kernels.program.asked import Counted as Counted
from rbcalc_kernels.program.asked import Difference as Difference
from rbcalc_kernels.program.asked import Impact as Impact
from rbcalc_kernels.program.asked import Reconciled as Reconciled
from rbcalc_kernels.program.asked import Report as Report
from rbcalc_kernels.program.asked import Statement as Statement
from rbcalc_kernels.program.refs import Ref as Ref
from rbcalc_kernels.program.refs import Source as Source
from rbcalc_kernels.source import Span

Value = Fraction | int | bool | str

MOST_ROWS: Final = 4_096
"""The most rows that may belong to one row above, of an entity that says nothing."""

MOST_BESIDE: Final = 512
"""The most rows that may belong to one row above, of all strands together."""


class Op(StrEnum):
    """The operators.  `args` and `value` of a node are as said beside each."""

    # leaves
    CONST = "const"  # value: Value
    COLUMN = "column"  # value: Ref - an input or a rule of the same entity, of one it belongs to, or of its source
    KNOWN = "known"  # value: Ref - whether an optional input was given
    PARAMETER = "parameter"  # value: name - the figure in force on the row's days
    PARAMETER_AT = "parameter_at"  # value: name; args: date - the figure in force on that day
    LOOKUP = "lookup"  # value: table name; args: one key for each of the table's axes
    # other rows
    AGGREGATE = "aggregate"  # value: Aggregate; args: (member value, condition[, value when there is none])
    PREVIOUS = "previous"  # value: Ref of the same, ordered entity; args: value of the first row
    REACHED = "reached"  # args: date - the row's days are on or after it (days are cut there)
    # arithmetic
    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    DIV = "div"
    NEG = "neg"
    MIN = "min"  # two args
    MAX = "max"  # two args
    ROUND = "round"  # value: Rounding
    AS = "as"  # another unit, the same number
    # conditions
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    AND = "and"
    OR = "or"
    NOT = "not"
    IF = "if"  # args: condition, then, otherwise
    REFUSE = "refuse"  # value: why; args: a constant that stands in - the row has no result if it comes this way
    # dates.  Date + days and date - days use ADD and SUB; date - date is SUB and gives days
    MONTHS_AFTER = "months_after"  # args: date, count of months (the last day of a shorter month)
    AFTER_MONTHS = "after_months"  # args: date, count of months - the first day after so many that begin with the date
    YEARS_BETWEEN = "years_between"  # args: from, to - completed years (age on a day); never below 0
    MONTHS_BETWEEN = "months_between"  # args: from, to - completed months; never below 0
    YEAR = "year"
    MONTH = "month"
    DAY_OF_MONTH = "day_of_month"
    NEXT_WEEKDAY = "next_weekday"  # value: 1 Monday ... 7 Sunday; args: date - the first such day after the date
    # only inside tables that are worked out before any row is seen; neither evaluator of rows meets them
    KEY = "key"  # value: name of the key
    OVER = "over"  # value: (key name, Choice); args: body - the sum over the members of a list


READING: Final = frozenset((Op.COLUMN, Op.KNOWN, Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP, Op.AGGREGATE, Op.PREVIOUS, Op.REACHED))
"""The operators whose value names something outside the expression, and that which asks for a day."""


class Mode(StrEnum):
    """How a figure is rounded.  Up and down are by value: down takes -1.5 to -2."""

    HALF_UP = "half up"
    HALF_DOWN = "half down"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Rounding:
    """Round to a multiple of `step` (1/100 for a penny), in the direction of `mode`."""

    mode: Mode
    step: Fraction


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A figure over the rows of `child` that belong to the row at hand.

    `function` is one of sum, count, any, all, min, max.  `count` and `any` and `all` look at the condition only.
    """

    function: str
    child: str


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One step of a calculation.

    Programs that are linked in one process share the nodes of rules that mean the same in both, so that most comparisons of two nodes
    are of a node with itself.
    """

    op: Op
    type: Type
    args: tuple[Node, ...] = ()
    value: object = None
    span: Span | None = field(default=None, compare=False, repr=False)
    _hash: int = field(init=False, repr=False)
    _reading: tuple[Node, ...] = field(init=False, repr=False)
    _digest: str = field(init=False, repr=False)

    def __eq__(self, other: object) -> bool:
        """Whether it calculates the same; where it was written makes no difference."""
        if self is other:
            return True
        if not isinstance(other, Node):
            return NotImplemented
        return (self.op, self.type, self.args, self.value) == (other.op, other.type, other.args, other.value)

    def __hash__(self) -> int:
        """Worked out once for each node."""
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", hash((self.op, self.type, self.args, self.value)))
            return self._hash

    @property
    def reading(self) -> tuple[Node, ...]:
        """The nodes of it that read a fact, a figure, another rule or other rows, or ask for a day; found once for each node."""
        try:
            return self._reading
        except AttributeError:
            found: list[Node] = []
            pending = [self]
            while pending:
                current = pending.pop()
                if current.op in READING:
                    found.append(current)
                pending.extend(current.args)
            object.__setattr__(self, "_reading", tuple(found))
            return self._reading

    @property
    def digest(self) -> str:
        """The sum of what it calculates: equal nodes have one, others have others; worked out once for each node."""
        try:
            return self._digest
        except AttributeError:
            object.__setattr__(self, "_digest", _digest(self))
            return self._digest

    def __reduce__(self) -> tuple[object, ...]:
        """How it is copied, many times as fast as dataclasses do it by themselves."""
        return Node, (self.op, self.type, self.args, self.value, self.span)


def _digest(node: Node) -> str:
    """The sum of a calculation's steps, each said once."""
    types: dict[Type, int] = {}
    numbers: dict[tuple[object, ...], int] = {}
    by_id: dict[int, int] = {}

    def number(node: Node) -> int:
        found = by_id.get(id(node))
        if found is None:
            args = tuple([number(arg) for arg in node.args])
            key = (node.op.value, types.setdefault(node.type, len(types)), args, repr(node.value))
            found = by_id[id(node)] = numbers.setdefault(key, len(numbers))
        return found

    number(node)
    return sha256(f"{list(types)}\n{list(numbers)}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a derived entity is cut from: the rows of `entity`, each from its own first day or from a date it states.

    With `effective`, the row in force on a day is the last one (in the entity's order) whose date is not after the day;
    it ends with the run of rows that follow each other without a gap.  Where a `needed` timeline has no row in force, the
    derived entity has none.
    """

    entity: str
    effective: str | None = None
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of row.

    A root entity has no parent.  Rows of an `ordered` entity stand in order under their parent, so that `previous` means
    something; a `spell` entity is ordered in time, its rows do not overlap, and it has the built-in values `first_day`,
    `last_day` and `days`.  A `derived` entity is a spell entity whose rows are worked out during the run: wherever one of
    its timelines changes a new row begins, and each row can read the row of each timeline that is in force.  A spell
    entity with `gaps` has rows only on days on which its first register has a record.  Where `most` is given, a root with
    more rows of the entity under one row is rejected, and sums over them are proved for so many.  An entity with `by` has no
    register and stands above the root: each of its rows gathers the root rows that carry the same reference in that column.

    Rows of an entity that stands `beside` are held apart by the key of its first register: below one row the records of each
    key are a strand, cut in time and carried on from row to row by itself, and strands may overlap.  Of each row they stand in the order
    of their first records.  A derived entity is beside where one of its timelines is: it has rows of each strand.
    """

    name: str
    parent: str | None
    ordered: bool = False
    spell: bool = False
    derived: tuple[Timeline, ...] = ()
    title: str = ""
    members: str = ""  # the name for its rows in aggregates: "residents"
    gaps: bool = False
    most: int = 0
    by: str = ""
    beside: bool = False


def root_of(entities: Mapping[str, Entity]) -> str:
    """The entity without a parent; the one below it where that gathers by a reference."""
    top = next(entity for entity in entities.values() if entity.parent is None)
    return next(entity.name for entity in entities.values() if entity.parent == top.name) if top.by else top.name


def is_root(entities: Mapping[str, Entity], name: str) -> bool:
    """Whether an entity has a row for each thing that is worked out: nothing stands above it but what gathers its rows."""
    entity = entities[name]
    above = entities.get(entity.parent or "")  # one that is not there was reported
    return not entity.by and (entity.parent is None or (above is not None and bool(above.by)))


@dataclass(frozen=True, slots=True)
class Input:
    """A fact of the caseload.

    `low`, `high` bound a number or a date; `step` is the smallest difference of a number (1/100 for pence).  `absent` says
    that no row gives an optional fact.
    """

    name: str
    entity: str
    type: Type
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)
    step: Fraction = Fraction(1)
    optional: bool = False
    built_in: bool = False  # first_day, last_day, days of a spell entity
    title: str = ""
    table: str = ""  # the caseload table and column that it is read from
    column: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a first-that-applies rule; `when` is None on the last."""

    when: Node | None
    give: Node
    because: str = ""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A named value of an entity.  `body` is the whole of it, rounding included; `cases` tell the same for explaining."""

    name: str
    entity: str
    type: Type
    body: Node
    title: str = ""
    source: Source | None = None
    cases: tuple[Case, ...] = ()
    rounding: Rounding | None = None
    hidden: bool = False  # made by the checker, not by an author
    origin: str = "statute"  # or "council", "scenario": the kind of document it came from
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Dated:
    """A figure from a day on (`first_day` as days since 1970)."""

    first_day: int
    value: Value
    source: Source


@dataclass(frozen=True, slots=True)
class Parameter:
    """A dated figure.  `by_period[i]` is the one in force in the program's i-th parameter period.

    `also` are values that it is to be given later; kernels are proved for them too.
    """

    name: str
    type: Type
    history: tuple[Dated, ...]
    by_period: tuple[Value, ...]
    step: Fraction = Fraction(1, 100)
    title: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)
    also: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Bands:
    """The banded last axis of a table: a value from each edge on, or up to and including each edge.

    With `upper` false an amount takes the value of the greatest edge that is not above it.  With `upper` true it takes
    that of the smallest edge that is not below it, and `beyond` (in `Table.cells`, one value more than edges) above all.
    """

    type: Type
    upper: bool


@dataclass(frozen=True, slots=True)
class Cells:
    """One period's contents of a table: for each combination of list members, the edges and the values.

    Without a banded axis `edges` is empty and there is one value.  A combination that is missing has no value: reading
    it is an error, which the run reports for the row (or the checker proves impossible).
    """

    rows: Mapping[tuple[str, ...], tuple[tuple[Fraction | int, ...], tuple[Value, ...]]]


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table or a table of amounts: list axes first, then at most one banded axis.

    `rests_on` are the figures from which a table was worked out while the program was linked; `also` as for a parameter.
    """

    name: str
    type: Type
    axes: tuple[Choice, ...]
    bands: Bands | None
    by_period: tuple[Cells, ...]
    step: Fraction = Fraction(1, 100)
    title: str = ""
    source: Source | None = None
    span: Span | None = field(default=None, compare=False, repr=False)
    rests_on: frozenset[str] = frozenset()
    also: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """Days (both included) in which no parameter and no table changes."""

    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class Register:
    """A table of the caseload and the entity whose facts it holds.

    Rows of the root's register are one for each root row.  Rows of another register belong to the row of the entity
    above whose column `by` holds the same reference (the root's own key, another reference that the root row carries, or
    the `key` of the register of the parent entity).  A dated register has the columns `from` and `to` (both included, `to`
    may be empty): of an ordinary spell entity exactly one row must be in force on each day of the root's own from and to;
    of any other entity below a spell any number may be.  The rows of an ordered entity that is not a spell stand in the
    order of the column `order_by`.
    """

    name: str
    entity: str
    by: str = ""
    key: str = ""
    references: tuple[str, ...] = ()  # further reference columns that the rows carry
    dated: bool = False
    order_by: str = ""
    optional: bool = False  # a caseload may lack the whole table: no rows
    instead: tuple[str, ...] = ()  # tables of other programs' roots, with the column `by`: what belongs there alone is theirs
    title: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Program:
    """Everything that one council's figures for one financial year need, checked.

    `rules` are in an order in which each can be worked out from those before it (rules of one entity may stand between
    rules of another).  `cuts` are dates, by entity, at which a spell must be divided because a rule asks `reached`; they
    are made only of inputs of that entity, of entities that it belongs to, parameters and constants.
    """

    name: str
    first_day: int
    last_day: int
    entities: Mapping[str, Entity]
    inputs: Mapping[Ref, Input]
    rules: tuple[Rule, ...]
    parameters: Mapping[str, Parameter]
    tables: Mapping[str, Table]
    periods: tuple[Period, ...]
    cuts: tuple[tuple[str, Node], ...]
    lists: Mapping[str, Choice]
    registers: Mapping[str, Register]
    provisional: tuple[str, ...]
    sources: Mapping[str, str] = field(repr=False)  # file name -> text, for messages
    digest: str = ""
    outputs: tuple[Ref, ...] = ()  # what people ask for
    reports: tuple[Report, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    impacts: tuple[Impact, ...] = ()
    hypothetical: bool = False
    supposed: tuple[tuple[str, str], ...] = ()  # figures that a scenario lets go on or puts up, and how
    reconciliation: tuple[Reconciled, ...] = ()
    differences: tuple[Difference, ...] = ()
    statements: tuple[Statement, ...] = ()

    @property
    def root(self) -> str:
        """The entity whose register has a row for each thing that is worked out."""
        return root_of(self.entities)

    @property
    def gathering(self) -> str | None:
        """The entity above the root that gathers its rows by a reference; None where there is none."""
        return self.entities[self.root].parent

    @property
    def gathered_by(self) -> str:
        """The reference by which root rows are gathered; nothing where they are not."""
        return self.entities[self.gathering].by if self.gathering is not None else ""

    def without(self, facts: Collection[Ref]) -> Program:
        """The program for caseloads in which no row gives these optional facts: compiled, it asks for none of them.

        Raises ValueError when one of them is no optional fact.
        """
        for ref in facts:
            if ref not in self.inputs or not self.inputs[ref].optional:
                raise ValueError(f"{ref} is no optional fact")
        return replace(self, inputs={ref: replace(fact, absent=ref in facts) for ref, fact in self.inputs.items()})

    def rule(self, entity: str, name: str) -> Rule:
        """The rule of that name.  Raises KeyError when there is none."""
        for rule in self.rules:
            if rule.entity == entity and rule.name == name:
                return rule
        raise KeyError(f"{entity}.{name}")

    def ancestors(self, entity: str) -> tuple[str, ...]:
        """The entities that `entity` belongs to, nearest first."""
        found: list[str] = []
        parent = self.entities[entity].parent
        while parent is not None:
            found.append(parent)
            parent = self.entities[parent].parent
        return tuple(found)
