"""The plan of a sample caseload: what the rules' `sample.yaml` says, checked against the facts that a program declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.rulebook.rules import Rules
from rbcalc.sampling.values import Spec
from rbcalc_kernels.exact.layout import Layout, layout_of
from rbcalc_kernels.language.documents import ProfileFile, Text
from rbcalc_kernels.language.types import DATE, YES_NO, Choice, Number, Type
from rbcalc_kernels.program.graph import Entity, Input, Program, Ref
from rbcalc_kernels.source import Findings

SLOTS: Final = 4  # rows of the root's register that a dwelling may have
THINGS: Final = "dwellings"  # where a sample file has no other word
MEMBERS: Final = 16  # things of any other kind with a reference of its own that a dwelling may have


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a register: how its values are held and what they may be."""

    name: str
    type: Type
    low: int = 0
    high: int = 0
    scale: int = 1
    required: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        """The narrowest kind of number that holds it."""
        if self.type == YES_NO:
            return np.dtype(np.uint8)
        if isinstance(self.type, Choice):
            return np.dtype(np.int16)
        found = np.result_type(np.min_scalar_type(min(self.low, -1)), np.min_scalar_type(self.high))
        return found if found.kind == "i" else np.dtype(np.int64)


@dataclass(frozen=True, slots=True)
class Chance:
    """Something that falls in a share of the dwellings, or with `unless` in the others; one label is one throw."""

    label: str
    share: Fraction
    unless: bool = False


@dataclass(frozen=True, slots=True)
class RowPlan:
    """One row that a dwelling in a situation has, in those dwellings where every one of its chances falls.

    `places` says by reference column which of the dwelling's accounts, claims or people the row belongs to; `usual` names the
    columns that nothing but `always` speaks of, and `alike`, for a later row of the same thing, those of them that it has as
    the row in that slot.  `copied`, for a row that another row brings with it, says which of its columns are columns of that
    other row, and `when` for which members of a list in a column of the other row it is brought at all; None stands for a
    column that is blank there, and is among them or alone.
    """

    register: str
    slot: int
    chances: tuple[Chance, ...]
    columns: Mapping[str, Spec]
    places: Mapping[str, int]
    copied: Mapping[str, str] = field(default_factory=dict)
    when: tuple[tuple[str, tuple[int | None, ...]], ...] = ()
    brings: tuple[RowPlan, ...] = ()
    usual: frozenset[str] = frozenset()
    alike: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A number of dwellings that situations share: published, or a share of all or of another group, or what is left of it."""

    name: str
    of: str = ""
    counts: tuple[tuple[str, Fraction], ...] = ()
    share: Fraction = Fraction(0)
    rest: bool = False
    needs: str = ""
    otherwise: str = ""
    shape: str = ""
    weights: Mapping[str, Fraction] = field(default_factory=dict)


@dataclass(slots=True)
class Situation:
    """A situation that dwellings may be in, and the rows that it makes.

    `gathers` says how many of its dwellings carry the reference by which the rules gather root rows, each with the others.
    """

    name: str
    place: Text
    counts: tuple[str, ...] = ()
    share: Fraction = Fraction(0)
    least: int = 0
    rest: Fraction = Fraction(0)
    among: str = ""
    of: str = ""
    busy: Fraction | None = None
    only: tuple[str, ...] = ()
    changing: bool = False
    gathers: int = 1
    days: dict[str, Spec] = field(default_factory=dict)
    rows: list[RowPlan] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Rows that are wrong on purpose."""

    register: str
    column: str
    value: Text
    rows: int
    copy: bool
    why: str


@dataclass(frozen=True, slots=True)
class Range:
    """One of the sizes that dwellings are made of where no list has them: its share of all, and the amounts that it spans."""

    share: Fraction
    spec: Spec


@dataclass(slots=True)
class Plan:
    """What to make for one council and one year.  What is drawn is called a dwelling here, whatever the rules are about."""

    program: Program
    layout: Layout
    year: FinancialYear
    document: Mapping[str, Any]
    columns: dict[str, dict[str, Column]]
    situations: dict[str, Situation]
    wrong: tuple[Wrong, ...]
    findings: Findings
    texts: Mapping[str, str]
    groups: dict[str, Group] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)
    subject: str = ""  # what tells its random words from those of the first subject
    beside: dict[str, str] = field(default_factory=dict)  # tables of other subjects that are made with these, and whose they are
    heads: frozenset[str] = frozenset()  # those of them that are the first table of their subject
    others: tuple[Program, ...] = ()  # programs whose figures are known too
    remarks: list[str] = field(default_factory=list)

    @property
    def root(self) -> str:
        """The register of the root."""
        return self.layout.root_register.name

    def references(self, register: str) -> tuple[str, ...]:
        """The reference columns of a register."""
        found = self.program.registers[register]
        return tuple(dict.fromkeys(name for name in (found.key, found.by, *found.references) if name))

    @property
    def shape(self) -> Column:
        """The column that sizes are of: its members are published, or ranges of it are stated."""
        name = str(self.document["size"]["column"])
        return next(columns[name] for columns in self.columns.values() if name in columns)

    @property
    def members(self) -> tuple[str, ...]:
        """The sizes: members of a list, or the names of ranges."""
        return tuple(self.ranges) if self.ranges else tuple(self.shape.type.members)  # type: ignore[union-attr]

    @property
    def things(self) -> str:
        """The word for what is drawn."""
        return str(self.document["size"].get("things", THINGS))

    def fail(self, code: str, message: str, place: Text, help_: str = "") -> NoReturn:
        """Say what is wrong with the file, at a place in it."""
        self.findings.error(code, message, place.span, help=help_)
        self.findings.raise_if_errors(self.texts)
        raise AssertionError(message)


def has_plan(rules: Rules, subject: str = "") -> bool:
    """Whether the sample files of the rules say how many things of a subject there are."""
    return any("size" in content for _, content in _contents(rules, subject))


def _contents(rules: Rules, subject: str) -> list[tuple[Path, Mapping[str, Any]]]:
    """The sample files of a subject; one that names none is of the first."""
    paths = sorted(rules.library.root.glob("*/*/sample*.yaml"))
    findings = Findings()
    sources = [(path, rules.library.open(path, findings)) for path in paths]
    findings.raise_if_errors(rules.library.texts(findings))
    found = [
        (path, source.content.model_dump()) for path, source in sources if source is not None and isinstance(source.content, ProfileFile)
    ]
    first = rules.subjects.named("").name
    return [(path, content) for path, content in found if str(content.get("subject", first)) == (subject or first)]


def document_of(rules: Rules, subject: str = "") -> tuple[Mapping[str, Any], list[Path]]:
    """What the sample files of a subject say together.  Raises UsageError when there are none."""
    contents = _contents(rules, subject)
    if not any("size" in content for _, content in contents):
        about = f" of {rules.subjects.named(subject).title}" if subject else ""
        raise UsageError(
            "RC044",
            f"the rules say nothing about sample caseloads{about}",
            hint="they need a file sample.yaml beside the rules of a subject",
        )
    together: dict[str, Any] = {}
    for _, content in contents:
        for key, value in content.items():
            held = together.get(key)
            if isinstance(held, dict) and isinstance(value, dict):
                together[key] = {**held, **value}
            elif isinstance(held, list) and isinstance(value, list):
                together[key] = [*held, *value]
            elif held is None:
                together[key] = value
    return together, [path for path, _ in contents]


def read_plan(
    rules: Rules,
    program: Program,
    year: FinancialYear,
    subject: str = "",
    beside: Mapping[str, Program] | None = None,
    profile: Mapping[str, Any] | None = None,
    made: Sequence[str] | None = None,
) -> Plan:
    """The plan for a program of a subject, the first where none is named.  Raises RulesError when the files do not fit it.

    `beside` are programs of subjects that have no plan of their own: their figures are known, and rows of their tables, or of
    those of the subjects that are `made`, go with those of this one.  What a council's profile says under the name of one of
    the files' values stands in the place of that value.
    """
    from rbcalc.sampling.reader import Reader

    document, paths = document_of(rules, subject)
    findings = Findings()
    texts = {rules.library.shown(path): rules.library.text(rules.library.shown(path)) for path in paths}
    whose: dict[str, str] = {}
    heads = set()
    others = dict(beside or {})
    for name, other in others.items():
        if made is not None and name not in made:
            continue
        whose |= {register: name for register in other.registers if register not in program.registers}
        heads |= {register.name for register in other.registers.values() if register.entity == other.root}
        program = _with_tables(program, other)
    layout = layout_of(program)
    plan = Plan(program, layout, year, document, _columns(layout), {}, (), findings, texts)
    plan.subject = "" if subject == rules.subjects.named("").name else subject
    plan.beside, plan.heads, plan.others = whose, frozenset(heads), tuple(others.values())
    Reader(plan, findings, profile or {}).read()
    findings.raise_if_errors(texts)
    return plan


def _with_tables(program: Program, other: Program) -> Program:
    """A program with the tables that only another reads, hung on its own root: they are drawn, and no rule sees them."""
    root = next(register for register in program.registers.values() if register.entity == program.root)
    registers, inputs, entities = dict(program.registers), dict(program.inputs), dict(program.entities)
    for register in other.registers.values():
        if register.name in registers:
            continue
        entity = f"with {register.name}"
        entities[entity] = Entity(entity, program.root)
        registers[register.name] = replace(register, entity=entity, by=root.key, key="", references=(), optional=True)
        inputs |= {
            Ref(entity, ref.name): replace(described, entity=entity, table=register.name)
            for ref, described in other.inputs.items()
            if ref.entity == register.entity and not described.built_in and described.table in ("", register.name)
        }
    return replace(program, registers=registers, inputs=inputs, entities=entities)


def _columns(layout: Layout) -> dict[str, dict[str, Column]]:
    found: dict[str, dict[str, Column]] = {}
    for register in layout.program.registers.values():
        found[register.name] = {
            name: Column(name, DATE, -(10**6), 10**6, required=name == "from") for name in (("from", "to") if register.dated else ())
        }
        for described in layout.inputs[register.name]:
            name = described.column or described.name
            found[register.name][name] = _column(name, described)
    return found


def _column(name: str, described: Input) -> Column:
    if isinstance(described.type, Choice):
        return Column(name, described.type, 0, len(described.type.members) - 1, required=not described.optional)
    if described.type == YES_NO:
        return Column(name, described.type, 0, 1, required=not described.optional)
    scale = described.step.denominator if isinstance(described.type, Number) else 1
    return Column(name, described.type, int(described.low * scale), int(described.high * scale), scale, not described.optional)
