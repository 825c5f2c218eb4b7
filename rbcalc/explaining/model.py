"""What an explained account consists of: facts, lines of working, sections for rows, and what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rbcalc._years import shown
from rbcalc.errors import UsageError
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.trace import Step, Trace
from rbcalc_kernels.language.types import Type
from rbcalc_kernels.program.graph import Program, Ref, Value
from rbcalc_kernels.source import suggest


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that was recorded."""

    name: str
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the working.

    `working` is the arithmetic with its figures, `exact` the figure before rounding and `rounding` how it was rounded (both
    empty where nothing was rounded away), `parts` what a figure of a table is made of, `set_aside` the lines of the rule
    that came near and why they do not apply.  Of one that `adds_up` the figure of two stretches of days is the sum of
    their figures.
    """

    name: str
    title: str
    words: str
    working: str = ""
    exact: str = ""
    rounding: str = ""
    because: str = ""
    source: str = ""
    provisional: bool = False
    parts: tuple[tuple[str, str], ...] = ()
    set_aside: tuple[str, ...] = ()
    value: Value | None = field(default=None, repr=False)
    type: Type | None = field(default=None, repr=False)
    adds_up: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A row: its facts, its lines and the rows below it that matter."""

    entity: str
    title: str
    days: str
    facts: tuple[Fact, ...]
    lines: tuple[Line, ...]
    members: tuple[Section, ...]
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out for a stretch of days: the figures that people ask for, and what decided them.

    `refused` is empty but where nothing is due: then it says in one line which line of the rules decided that, and
    `needed` what would have to be otherwise.
    """

    title: str
    first_day: int
    last_day: int
    figures: tuple[Line, ...]
    deciding: tuple[Line, ...]
    refused: str = ""
    needed: str = ""
    source: str = ""
    amount: Fraction = Fraction(0)

    @property
    def days(self) -> str:
        """The days in words."""
        return f"{shown(self.first_day)} to {shown(self.last_day)}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """An account worked out: `account` holds the totals and, as members, its periods.

    `provisional` gives the titles of the figures it rests on that are not confirmed, `adopted` what the rule files say about
    their adoption, `values` every value of every row.
    """

    reference: str
    council: str
    year: str
    account: Section
    provisional: tuple[str, ...]
    adopted: tuple[str, ...]
    hypothetical: bool
    digest: str
    values: tuple[dict[str, Any], ...]
    program: Program
    root: Row
    trace: Trace
    outcomes: tuple[Outcome, ...] = ()

    def working(self, name: str) -> list[Step]:
        """The trees of steps behind a value, one for each row that has it.  Raises UsageError for an unknown name."""
        found = [rule for rule in self.program.rules if rule.name == name and not rule.hidden]
        if not found:
            known = [rule.name for rule in self.program.rules if not rule.hidden]
            raise UsageError("RC046", f"no rule is called {name}{suggest(name, known)}", hint="rbcalc show graph lists what reads what")
        refs = {Ref(rule.entity, rule.name) for rule in found}
        return [self.trace.working(Ref(row.entity, name), row) for row in self.root.walk() if Ref(row.entity, name) in refs]
