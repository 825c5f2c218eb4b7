"""What is asked of a program beside its values: totals, statements, comparisons, and what is held against other figures."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rbcalc_kernels.program.refs import Ref, Source


@dataclass(frozen=True, slots=True)
class Report:
    """Totals that a run adds up: `sums` of the rows of an entity, for each combination of `by`.

    With `split`, a table whose first axis is not among `by`, each sum is divided over the members of that axis in
    proportion to the table's amounts.  `down` and `headings` (by the name of a column) are for people who read it: whether
    each sum has a line of its own, and what a column is called.
    """

    name: str
    title: str
    entity: str
    by: tuple[Ref, ...]
    sums: tuple[Ref, ...]
    split: str = ""
    down: bool = False
    headings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """A fact of a statement: the sum at a place of a report's figures (the last is the number of rows), over some lines.

    `where` gives, by the place of a key, the members that count; other keys may be anything.
    """

    fact: str
    report: str
    place: int
    where: tuple[tuple[int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """What a council makes of its totals: the file of further rules, whose root is the council, and their facts."""

    name: str
    title: str
    rules: str
    figures: tuple[Counted, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the amounts of a table are compared with those of the year before.

    `less` and `base` are yes/no tables over the table's first axis twice: which of last year's amounts are taken from this
    year's, and over which of them the difference is put.  The change is rounded half up to `decimals` of a per cent.
    """

    name: str
    title: str
    table: str
    less: str
    base: str
    decimals: int
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """What is compared when rules change: `amount`, for the year, of each row of `entity`, a root.

    `days` says for how many days the amount is; a row without days is not known to the council.  `by` are list members or
    flags of the root, or of a spell entity right below it, whose last row counts.  `split` is the report that divides the
    amount over those who bear it.  `characteristics` are titles, each with the value that holds it, or None.  Of an amount that
    is `owed` more is a loss.  `note` says whom the figures cover.
    """

    name: str
    title: str
    entity: str
    amount: Ref
    days: Ref
    by: tuple[Ref, ...]
    split: str = ""
    characteristics: tuple[tuple[str, Ref | None], ...] = ()
    owed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A figure that is held against the live system's: `figure`, an amount for the year of each row of a root entity.

    `blank` is what an empty cell of the live system says, None where it says nothing.  What may explain a difference:
    `roundings` are rules that may be rounded otherwise, `facts` are inputs that may be recorded otherwise, `records` are
    dated registers whose records may begin or end on another day, be missing or be too many.
    """

    name: str
    title: str
    figure: Ref
    blank: Fraction | None = None
    optional: bool = False
    roundings: tuple[Ref, ...] = ()
    facts: tuple[Ref, ...] = ()
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure whose difference between two years is divided: `figure`, an amount for the year of each row of a root entity.

    `days` is what the part that comes of the days is called.  `steps`, in the order of their exchange, are titles with the values
    that a step ends with: a rule, a figure or a fact belongs to the first step that needs it, not counting what is needed only
    through the values of another.
    """

    name: str
    title: str
    figure: Ref
    days: str
    steps: tuple[tuple[str, tuple[Ref, ...]], ...]
