"""The plan of a sample caseload: what the rules' `sample.yaml` says, checked against the facts that a program declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from rbcalc._rules import Rules
from rbcalc._sample_values import Spec, SpecReader, share_of
from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc_kernels.exact.layout import Layout, layout_of
from rbcalc_kernels.language.documents import ProfileFile, Text
from rbcalc_kernels.language.types import DATE, YES_NO, Choice, Number, Type
from rbcalc_kernels.program.graph import Input, Program
from rbcalc_kernels.source import Findings, Span, suggest

_TOP: Final = ("kind", "title", "source", "size", "references", "spread", "changing", "values", "always", "situations", "private", "wrong")
_SITUATION: Final = ("title", "source", "each", "count", "share", "least", "rest", "among", "only", "changing", "let")
_WRONG: Final = ("register", "column", "value", "rows", "copy", "why")
_NEEDED: Final = ("size", "references", "situations")
SLOTS: Final = 4  # rows of the root's register that a dwelling may have

Written = Mapping[Any, Any]
"""A mapping as written: its keys know their place, and are asked for by plain words."""


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
        return np.result_type(np.min_scalar_type(min(self.low, -1)), np.min_scalar_type(self.high))


@dataclass(frozen=True, slots=True)
class RowPlan:
    """One row that a dwelling in a situation has: `chance` is the share of the dwellings that have it."""

    register: str
    slot: int
    chance: Fraction
    columns: Mapping[str, Spec]


@dataclass(slots=True)
class Situation:
    """A situation that dwellings may be in, and the rows that it makes."""

    name: str
    place: Text
    counts: tuple[str, ...] = ()
    share: Fraction = Fraction(0)
    least: int = 0
    rest: Fraction = Fraction(0)
    among: str = ""
    only: tuple[str, ...] = ()
    changing: bool = False
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


@dataclass(slots=True)
class Plan:
    """What to make for one council and one year."""

    program: Program
    layout: Layout
    year: FinancialYear
    document: Mapping[str, Any]
    columns: dict[str, dict[str, Column]]
    situations: dict[str, Situation]
    wrong: tuple[Wrong, ...]
    findings: Findings
    texts: Mapping[str, str]

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
        """The column whose members the published sizes are given by."""
        name = str(self.document["size"]["column"])
        return next(columns[name] for columns in self.columns.values() if name in columns)

    def fail(self, code: str, message: str, place: Text, help_: str = "") -> NoReturn:
        """Say what is wrong with the file, at a place in it."""
        self.findings.error(code, message, place.span, help=help_)
        self.findings.raise_if_errors(self.texts)
        raise AssertionError(message)


def document_of(rules: Rules) -> tuple[Mapping[str, Any], Path]:
    """The sample file of the rules.  Raises UsageError when there is none."""
    paths = sorted(rules.library.root.glob("*/*/sample.yaml"))
    findings = Findings()
    source = rules.library.open(paths[0], findings) if paths else None
    findings.raise_if_errors(rules.library.texts(findings))
    if source is None or not isinstance(source.content, ProfileFile):
        raise UsageError(
            "RC044", "the rules say nothing about sample caseloads", hint="they need a file sample.yaml beside the rules of a subject"
        )
    return source.content.model_dump(), paths[0]


def read_plan(rules: Rules, program: Program, year: FinancialYear) -> Plan:
    """The plan for a program.  Raises RulesError when the file does not fit it."""
    document, path = document_of(rules)
    findings = Findings()
    file = rules.library.shown(path)
    texts = {file: rules.library.text(file)}
    layout = layout_of(program)
    plan = Plan(program, layout, year, document, _columns(layout), {}, (), findings, texts)
    _Reader(plan, findings).read()
    findings.raise_if_errors(texts)
    return plan


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


class _Reader:
    """Reads one sample file for one program."""

    def __init__(self, plan: Plan, findings: Findings) -> None:
        self.plan, self.findings = plan, findings

    def read(self) -> None:
        document = self.plan.document
        self._keys(document, _TOP)
        for key in _NEEDED:
            if not isinstance(document.get(key), Mapping):
                self.findings.error("RB036", f"'{key}' is missing", self._top(), help=f"add {key}: with what belongs to it")
        self.findings.raise_if_errors(self.plan.texts)
        always = document.get("always", {})
        for name, written in document["situations"].items():
            if not isinstance(written, Mapping):
                self.findings.error("RB037", "expected a mapping", name.span)
                continue
            for filled, each in _each(name, written):
                if str(filled) in self.plan.situations:
                    self.findings.error("RB069", f"there are two situations {filled}", filled.span)
                self._situation(filled, each, always)
        for name, situation in self.plan.situations.items():
            if situation.among and situation.among not in self.plan.situations:
                known = list(self.plan.situations)
                self.findings.error(
                    "RB039",
                    f"{name} is among {situation.among}, which is no situation",
                    situation.place.span,
                    help=suggest(situation.among, known),
                )
        self.plan.wrong = tuple(self._wrong(item) for item in document.get("wrong", ()))

    def _keys(self, written: Written, known: tuple[str, ...]) -> None:
        for key in written:
            if str(key) not in known:
                self.findings.error(
                    "RB035",
                    f"unknown key '{key}'",
                    key.span if isinstance(key, Text) else self._top(),
                    help=f"known keys here: {', '.join(known)}{suggest(str(key), known)}",
                )

    def _top(self) -> Span:
        return Span(next(iter(self.plan.texts)), 1, 1, 1, 1)

    def _whole(self, text: Text | None, otherwise: int) -> int:
        if text is None:
            return otherwise
        if not str(text).isdigit() or len(text) > 9:
            self.findings.error("RB037", f"expected a whole number, not {text}", text.span)
            return otherwise
        return int(text)

    def _situation(self, name: Text, written: Written, always: Mapping[str, Any]) -> None:
        self._keys(written, (*_SITUATION, *self.plan.columns))
        count = written.get("count", ())
        made = Situation(
            str(name),
            name,
            tuple(str(path) for path in (count if isinstance(count, list) else [count])),
            least=self._whole(written.get("least"), 0),
            among=str(written.get("among", "")),
            only=tuple(str(member) for member in written.get("only", ())),
            changing=str(written.get("changing", "no")) == "yes",
        )
        for key in ("share", "rest"):
            if key in written:
                setattr(made, key, share_of(written[key], self.findings) or Fraction(0))
        named = self.plan.document.get("values", {})
        days = {"year_start", "year_end"}
        for day, spec in written.get("let", {}).items():
            found = SpecReader(self.findings, named, days).read(spec, DATE)
            if found is not None:
                made.days[str(day)] = found
                days = days | {str(day)}
        reader = SpecReader(self.findings, named, days)
        for register in self.plan.columns:
            optional = self.plan.program.registers[register].optional
            rows = written.get(register, [] if optional else [{}])
            for row in rows if isinstance(rows, list) else [rows]:
                if not isinstance(row, Mapping):
                    self.findings.error("RB037", f"expected a row of {register}, or a list of rows", name.span)
                    continue
                for _ in range(self._whole(row.get("times"), 1)):
                    self._row(made, register, {**always.get(register, {}), **row}, reader)
        self.plan.situations[made.name] = made

    def _row(self, made: Situation, register: str, row: Mapping[str, Any], reader: SpecReader) -> None:
        columns = self.plan.columns[register]
        specs: dict[str, Spec] = {}
        for name, written in row.items():
            if str(name) in ("chance", "times"):
                continue
            column = columns.get(str(name))
            if column is None:
                place = name.span if isinstance(name, Text) else made.place.span
                self.findings.error(
                    "RB039", f"{register} has no column {name}", place, help=f"columns: {', '.join(columns)}{suggest(str(name), columns)}"
                )
                continue
            spec = reader.read(written, column.type, column.scale)
            if spec is not None:
                specs[str(name)] = spec
        missing = [name for name, column in columns.items() if column.required and name not in specs]
        if missing:
            self.findings.error(
                "RB036", f"a row of {register} lacks {', '.join(missing)}", made.place.span, help="give it in the row or under always"
            )
        chance = share_of(row["chance"], self.findings) if "chance" in row else Fraction(1)
        slot = sum(plan.register == register for plan in made.rows)
        if register == self.plan.root and (slot >= SLOTS or "chance" in row):
            self.findings.error("RB037", f"a dwelling has at most {SLOTS} rows of {register}, none of them by chance", made.place.span)
        made.rows.append(RowPlan(register, slot, chance or Fraction(0), specs))

    def _wrong(self, item: Written) -> Wrong:
        self._keys(item, _WRONG)
        register, column = str(item["register"]), str(item.get("column", ""))
        if column and column not in self.plan.columns.get(register, {}) and column not in self.plan.references(register):
            self.findings.error("RB039", f"{register} has no column {column}", item["register"].span)
        value = item.get("value", item["register"])
        return Wrong(
            register, column, value, self._whole(item.get("rows"), 1), str(item.get("copy", "no")) == "yes", str(item.get("why", ""))
        )


def _each(name: Text, written: Written) -> Iterator[tuple[Text, Written]]:
    """A situation, or one for each of the words under `each`, with the word in place of `<each>`."""
    for word in written.get("each", [None]):
        if word is None:
            yield name, written
        else:
            made = {key: _filled(value, str(word)) for key, value in written.items() if str(key) != "each"}
            if isinstance(made.get("share"), Mapping):
                made["share"] = made["share"].get(str(word))
            yield _filled(name, str(word)), made


def _filled(written: Any, word: str) -> Any:
    if isinstance(written, Text):
        made = Text(str(written).replace("<each>", word))
        made.scalar = written.scalar
        return made
    if isinstance(written, Mapping):
        return {_filled(key, word): _filled(value, word) for key, value in written.items()}
    if isinstance(written, list):
        return [_filled(value, word) for value in written]
    return written
