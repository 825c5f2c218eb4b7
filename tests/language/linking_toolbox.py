"""Rules written to a folder, linked, and evaluated for facts given as text: by the exact evaluator and by the compiled one."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.types import Choice, Date, Number, Type
from rbcalc_kernels.program.graph import Input, Program, Ref, Value
from rbcalc_kernels.program.library import Library
from rbcalc_kernels.program.linking import Linked, link
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.program.values import constant
from rbcalc_kernels.source import Findings, RulesError, Scalar, Span, render

ROOT = Path(__file__).resolve().parents[2]
EPOCH = date(1970, 1, 1).toordinal()
Records = dict[str, list[dict[str, Value | None]]]


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH


def year_days(year: int) -> tuple[int, int]:
    return day(f"{year}-04-01"), day(f"{year + 1}-03-31")


# ------------------------------------------------------------------------------------------------------------ linking


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return folder


def linked(root: Path, paths: Sequence[Path] | None = None, *, year: int = 2025, complete: bool = True) -> Linked:
    """The program of the given files, or of all files under the root."""
    return link(Library(root), paths if paths is not None else sorted(root.rglob("*.yaml")), *year_days(year), complete=complete)


def findings(
    root: Path, paths: Sequence[Path] | None = None, *, year: int = 2025, complete: bool = True, kernels: bool = False
) -> Findings:
    """Everything that is found, as values; with `kernels` also when the program is compiled."""
    try:
        made = linked(root, paths, year=year, complete=complete)
        if kernels:
            compiled(made.program)
    except RulesError as error:
        return Findings(error.diagnostics)
    return made.findings


def report(root: Path, paths: Sequence[Path] | None = None, *, year: int = 2025, kernels: bool = False) -> str:
    """All findings as a person reads them."""
    found = findings(root, paths, year=year, kernels=kernels)
    return render(found, Library(root).texts(found)) + "\n"


def codes(root: Path, paths: Sequence[Path] | None = None, *, year: int = 2025, complete: bool = True) -> list[str]:
    return [found.code for found in findings(root, paths, year=year, complete=complete)]


# -------------------------------------------------------------------------------------------------------------- facts


def value_of(word: str, type_: Type, program: Program) -> Value:
    """A value from its text, as a person writes it in a case."""
    found = Findings()
    text = word if isinstance(word, Text) else Text.of(Scalar(str(word), Span("facts", 1, 1, 1, len(str(word)) + 1)))
    value = constant(text, type_, Names(lists=dict(program.lists)), found)
    assert value is not None, render(found, {})
    return value


def record_of(program: Program, register: str, given: Mapping[str, str]) -> dict[str, Value | None]:
    columns = {described.column or described.name: described.type for described in program.inputs.values() if described.table == register}
    record: dict[str, Value | None] = {}
    for name, word in given.items():
        key = str(name)
        if key in ("from", "to"):
            record[key] = value_of(word, Date(), program)
        else:
            record[key] = value_of(word, columns[key], program) if key in columns else str(word)
    return record


def records_of(program: Program, facts: Mapping[str, Any]) -> Records:
    """Records by register, from mappings or lists of mappings of text."""
    made: Records = {}
    for register, given in facts.items():
        assert str(register) in program.registers, f"no such register: {register}"
        rows = given if isinstance(given, list) else [given]
        made[str(register)] = [record_of(program, str(register), row) for row in rows]
    return made


# --------------------------------------------------------------------------------------------------------- evaluation


def evaluate(program: Program, records: Records) -> Row:
    """As the exact evaluator says, and the compiled one too.  Raises CalculationFault when both refuse the row."""
    (found,) = evaluate_all(program, [records])
    if isinstance(found, CalculationFault):
        raise found
    return found


def evaluate_all(program: Program, cases: Sequence[Records]) -> list[Row | CalculationFault]:
    """Each root as the exact evaluator says; the compiled one, where it can be imported, must say the same of all."""
    found: list[Row | CalculationFault] = []
    faulty: list[Row] = []
    for records in cases:
        root = None
        try:
            root = build(program, records)
            Evaluator(program).run(root)
            found.append(root)
        except CalculationFault as fault:
            found.append(fault)
            if root is not None:
                faulty.append(root)
    agree(program, [row for row in found if isinstance(row, Row)])
    for row in faulty:
        refuse(program, row)
    return found


# ------------------------------------------------------------------------------------------------ the compiled evaluator

_COMPILED: dict[str, Any] = {}


def compiled(program: Program) -> Any:
    """The program's rules as kernels (run without Numba, which they do not need), or None while there is no compiled evaluator."""
    try:
        evaluator = importlib.import_module("rbcalc_kernels.compiled.evaluator")
    except ModuleNotFoundError:
        return None
    if program.digest not in _COMPILED:
        outputs = [Ref(rule.entity, rule.name) for rule in program.rules if not rule.hidden]
        _COMPILED[program.digest] = evaluator.compile_program(program, outputs, engine="python")
    return _COMPILED[program.digest]


def agree(program: Program, roots: Sequence[Row]) -> None:
    """Hold the compiled evaluator against rows of the exact one, value by value."""
    kernels = compiled(program) if roots else None
    if kernels is None:
        return
    results = kernels.run(batch(program, roots))
    assert not results.fault.any(), [results.faults[place - 1] for place in results.fault if place]
    held = rows_of(roots)
    for ref in kernels.outputs:
        rows, root_of = held.get(ref.entity, []), roots_of(roots, ref.entity)
        column = results.columns[ref]
        assert len(column) == len(rows), f"{ref}: {len(column)} rows, {len(rows)} expected"
        for row, root, raw in zip(rows, root_of, column, strict=True):
            if not results.doubt[root]:
                value = decoded(program.rule(ref.entity, ref.name).type, int(raw), results.denominators[ref])
                assert value == row.values[ref.name], f"{ref}: compiled {value}, exact {row.values[ref.name]}"


def refuse(program: Program, root: Row) -> None:
    """See that the compiled evaluator gives no result for a row that the exact one refuses."""
    kernels = compiled(program)
    if kernels is not None:
        results = kernels.run(batch(program, [root]))
        assert results.fault.all() or results.doubt.all()


def rows_of(roots: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for root in roots:
        for row in root.walk():
            found.setdefault(row.entity, []).append(row)
    return found


def roots_of(roots: Sequence[Row], entity: str) -> list[int]:
    return [place for place, root in enumerate(roots) for row in root.walk() if row.entity == entity]


def batch(program: Program, roots: Sequence[Row]) -> Any:
    """The facts of rows as columns, as a caseload would bring them."""
    columns = importlib.import_module("rbcalc_kernels.compiled.columns")
    made: dict[str, Any] = {}
    rows: dict[str, list[Row]] = {}
    for entity in program.entities.values():
        if entity.parent is None:
            rows[entity.name] = list(roots)
    pending = [entity for entity in program.entities.values() if entity.parent is not None and not entity.derived]
    while pending:
        entity = next(each for each in pending if each.parent in rows)
        pending.remove(entity)
        rows[entity.name] = [row for parent in rows[str(entity.parent)] for row in parent.children.get(entity.name, [])]
    for name, own in rows.items():
        above = rows.get(str(program.entities[name].parent), [])
        place = {id(row): number for number, row in enumerate(above)}
        parents = offsets = None
        if above or program.entities[name].parent is not None:
            parents = np.array([place[id(row.parent)] for row in own], dtype=np.int32)
            offsets = np.searchsorted(parents, np.arange(len(above) + 1)).astype(np.int64)
        period = np.array([row.period for row in own], dtype=np.uint8)
        strand = np.array([row.strand for row in own], dtype=np.int32) if any(row.strand for row in own) else None
        made[name] = columns.EntityColumns(len(own), {}, parents, offsets, period, strand=strand)
        for described in program.inputs.values():
            if described.entity == name:
                values = [row.values.get(described.name) for row in own]
                made[name].columns[described.name] = np.array([encoded(described, value) for value in values], dtype=np.int64)
                if described.optional:
                    made[name].columns[f"{described.name}?"] = np.array([value is not None for value in values], dtype=np.uint8)
    return columns.Batch(made)


def encoded(described: Input, value: Value | None) -> int:
    if isinstance(described.type, Number):
        scaled = Fraction(described.low if value is None else value) * described.step.denominator
        assert scaled.denominator == 1, f"{described.name}: {value} is finer than its step"
        return int(scaled)
    if value is None:
        return int(described.low)
    return described.type.code(str(value)) if isinstance(described.type, Choice) else int(value)


def decoded(type_: Type, raw: int, denominator: int) -> Value:
    if isinstance(type_, Number):
        return Fraction(raw, denominator)
    if isinstance(type_, Choice):
        return type_.members[raw]
    return raw if isinstance(type_, Date) else bool(raw)


def rows_called(program: Program, row: Row, name: str) -> list[Row] | None:
    """The rows below a row by the name for its members, or None when it is no such name."""
    for entity in program.entities.values():
        if entity.members == name and entity.parent == row.entity:
            return row.children.get(entity.name, [])
    return None


def compare(program: Program, row: Row, expected: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Differences between a row and what is expected of it, in words."""
    for name, wanted in expected.items():
        place = f"{where}{name}"
        below = rows_called(program, row, str(name))
        if below is not None:
            if len(below) != len(wanted):
                yield f"{place}: {len(below)} rows, expected {len(wanted)}"
                continue
            for number, (child, inner) in enumerate(zip(below, wanted, strict=True), 1):
                yield from compare(program, child, inner, f"{place} {number}: ")
            continue
        ref = Ref(row.entity, str(name))
        if row.entity == program.gathering and not any((rule.entity, rule.name) == (row.entity, str(name)) for rule in program.rules):
            (only,) = row.children[program.root]  # a single account is told of without the row above
            yield from compare(program, only, {name: wanted}, where)
            continue
        type_ = program.inputs[ref].type if ref in program.inputs else program.rule(row.entity, str(name)).type
        value, found = value_of(wanted, type_, program), row.values[str(name)]
        if found != value:
            yield f"{place}: found {found} ({float(found) if not isinstance(found, str | bool) else found}), expected {wanted}"  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- a small set of rules

BASE = """\
kind: statute
title: Accounts and residents
from: 2013-04-01
source: {document: Made up for tests}
lists:
  band: {members: [A, B, C]}
  use: {members: [home, shop]}
entities:
  account: {title: Account}
  period: {parent: account, spell: yes, members: periods}
  resident: {parent: period, members: residents}
registers:
  accounts: {of: account, key: account, references: [dwelling], dated: yes}
  dwellings: {of: period, by: dwelling, dated: yes}
  people: {of: resident, by: dwelling, dated: yes, optional: yes}
inputs:
  band: {of: period, unit: band, register: dwellings}
  use: {of: period, unit: use, optional: yes, register: dwellings}
  rent: {of: period, unit: £/week, range: £0/week to £5000/week, register: dwellings}
  rooms: {of: period, unit: count, range: 0 to 20, optional: yes, register: dwellings}
  empty_since: {of: period, unit: date, range: 2000-01-01 to 2100-12-31, optional: yes, register: dwellings}
  income: {of: resident, unit: £/week, range: £0/week to £5000/week, register: people}
  birth_date: {of: resident, unit: date, range: 1900-01-01 to 2100-12-31, optional: yes, register: people}
  student: {of: resident, unit: yes/no, register: people}
rules:
  every_fact_is_used:
    of: period
    unit: yes/no
    output: yes
    is: >-
      band = A or known(use) or rent > £1/week or known(rooms) or known(empty_since)
      or any(residents where income > £0 or known(birth_date) or student)
"""
FACTS: dict[str, Any] = {
    "accounts": {"account": "1", "dwelling": "d", "from": "2025-04-01"},
    "dwellings": {"dwelling": "d", "from": "2000-01-01", "band": "B", "rent": "£100/week"},
}


def rule(name: str, of: str, unit: str, expression: str, **more: str) -> str:
    """A rule of one expression, for `BASE`."""
    rest = "".join(f"    {key}: {value}\n" for key, value in more.items())
    return f"  {name}:\n    of: {of}\n    unit: {unit}\n    output: yes\n{rest}    is: >-\n      {expression}\n"


def based(folder: Path, *rules: str, extra: str = "") -> Linked:
    """`BASE` with more rules, linked; `extra` are further keys of the file."""
    write(folder, {"base.yaml": BASE + "".join(rules) + extra})
    return linked(folder)


def value(folder: Path, unit: str, expression: str, facts: Mapping[str, Any] | None = None, of: str = "period") -> Value | None:
    """What an expression comes to for the first row of an entity."""
    program = based(folder, rule("answer", of, unit, expression)).program
    row = evaluate(program, records_of(program, {**FACTS, **(facts or {})}))
    return next(found for found in row.walk() if found.entity == of).values["answer"]


def refused(folder: Path, unit: str, expression: str, of: str = "period") -> list[str]:
    """The codes with which an expression is refused."""
    with pytest.raises(RulesError) as caught:
        based(folder, rule("answer", of, unit, expression))
    return [found.code for found in caught.value.diagnostics if found.severity == "error"]
