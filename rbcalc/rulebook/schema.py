"""What rule files look like, for editors, and what tables a program needs, for whoever makes them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rbcalc._show import amount
from rbcalc_kernels.language.types import DATE, Choice, Number, YesNo
from rbcalc_kernels.program.graph import Input, Program, Register

RULES_FILE = "rbcalc-rules.schema.json"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a caseload table, in words."""

    table: str
    name: str
    kind: str
    allowed: str
    required: str
    title: str
    members: tuple[str, ...] = ()
    low: str = ""
    high: str = ""


def modeline(path: str = RULES_FILE) -> str:
    """The line to put first in a rule file, so that editors know its schema."""
    return f"# yaml-language-server: $schema={path}"


def rule_schema() -> dict[str, Any]:
    """The JSON Schema of every kind of rule file."""
    from rbcalc_kernels.language.shaping import json_schema

    return json_schema()


def columns(program: Program) -> list[Column]:
    """The columns that the rules of a program read, table by table: references and days first."""
    found: list[Column] = []
    for register in program.registers.values():
        found += _references(program, register)
        inputs = [described for described in program.inputs.values() if described.table == register.name and not described.built_in]
        found += [_column(register.name, described) for described in inputs]
    return found


def _references(program: Program, register: Register) -> list[Column]:
    made = []
    root = register.entity == program.root
    if root:
        made.append(Column(register.name, "council", "text", "a council's name", "unless one council is asked for", "Council"))
    for name in dict.fromkeys(filter(None, (register.key, register.by, *register.references))):
        title = f"Reference of the {name.replace('_', ' ')}"
        made.append(Column(register.name, name, "text", "kept as text, leading zeros included", "yes", title))
    if register.dated:
        made.append(Column(register.name, "from", "date", "2025-04-01", "yes", "First day on which the row holds"))
        made.append(Column(register.name, "to", "date", "2025-04-01, or empty", "no", "Last day on which the row holds"))
    if register.order_by:
        made.append(Column(register.name, register.order_by, "count", "a whole number", "yes", "Order of the rows"))
    return made


def _column(table: str, described: Input) -> Column:
    name, required = described.column or described.name, "no" if described.optional else "yes"
    title = described.title or name
    kind = described.type
    if isinstance(kind, Choice):
        return Column(table, name, "one of a list", ", ".join(kind.members), required, title, kind.members)
    if isinstance(kind, YesNo):
        return Column(table, name, "yes/no", "yes, no", required, title)
    low, high = (amount(int(edge) if kind == DATE else edge, kind) for edge in (described.low, described.high))
    unit = str(kind) if isinstance(kind, Number) else "date"
    return Column(table, name, unit, f"{low} to {high}", required, title, (), low, high)


def input_schema(program: Program) -> dict[str, Any]:
    """The tables of a caseload as JSON: for each its columns with type, unit, range, members and whether they may be empty."""
    tables: dict[str, Any] = {}
    for register in program.registers.values():
        made = [_described(program, column) for column in columns(program) if column.table == register.name]
        tables[register.name] = {"title": register.title, "optional": register.optional, "columns": made}
    return {"formats": ["Parquet", "CSV"], "tables": tables}


def _described(program: Program, column: Column) -> dict[str, Any]:
    made: dict[str, Any] = {"name": column.name, "title": column.title, "type": column.kind, "required": column.required}
    described = next(
        (each for each in program.inputs.values() if each.table == column.table and (each.column or each.name) == column.name), None
    )
    if column.members:
        made["members"] = list(column.members)
    elif column.low and described is not None:
        made["range"] = [column.low, column.high]
        if isinstance(described.type, Number):
            made |= {"unit": described.type.unit, "step": str(Fraction(described.step))}
    return made


__all__ = ["RULES_FILE", "Column", "columns", "input_schema", "modeline", "rule_schema"]
