"""Tables that several councils or subjects share.

People and claims are recorded once, for Council Tax Reduction and for Housing Benefit.  A claim of somebody who pays
no Council Tax is no mistake in the run of Council Tax: it is the other subject's, and is neither used nor rejected.
"""

# Every name and text in the queries goes through `quote`; they are built from rules and headers.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from rbcalc.caseload.column_map import ColumnMap
from rbcalc.caseload.files import Opened, Source, holds, open_tables, quote
from rbcalc.errors import UsageError
from rbcalc_kernels.exact.layout import Layout
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Input, Program


def others(layout: Layout) -> tuple[str, ...]:
    """The tables of other subjects' accounts to which rows may belong instead."""
    return tuple(dict.fromkeys(name for register in layout.program.registers.values() for name in register.instead))


def of_others(
    source: Source, layout: Layout, column_map: ColumnMap, opened: dict[str, Opened], connection: duckdb.DuckDBPyConnection, work: Path
) -> dict[str, str]:
    """By register, the table of references that stand in another subject's accounts and not in those of this one."""
    found: dict[str, str] = {}
    root = layout.root_register
    mine = _references(opened[root.name], column_map, root.key)
    for register in layout.program.registers.values():
        queries = []
        for name in register.instead if register.name in opened and register.by == root.key else ():
            if not holds(source, name, column_map):
                continue
            held = source if isinstance(source, str | Path) else {name: source[name]}
            other = open_tables(held, {name: False}, column_map, connection, work)[name]
            queries.append(_references(other, column_map, register.by))
        if queries:
            found[register.name] = f"of others {register.name}"
            connection.execute(f"CREATE TABLE {quote(found[register.name])} AS (({' UNION '.join(queries)}) EXCEPT ({mine}))")
    return found


def _references(opened: Opened, column_map: ColumnMap, key: str) -> str:
    header = opened.header(column_map.table(opened.register).columns.get(key, key))
    if header is None:  # said where the table itself is read
        return "SELECT NULL::VARCHAR AS k WHERE false"
    return f"SELECT {quote(header)}::VARCHAR AS k FROM {quote(opened.view)} WHERE {quote(header)} IS NOT NULL"


def check_shared(programs: Mapping[str, Program]) -> None:
    """Refuse councils whose rules read different tables; only the members of lists may differ."""
    first_name, first = next(iter(programs.items()))
    for name, program in programs.items():
        same = set(program.registers.values()) == set(first.registers.values())
        for ref, described in first.inputs.items():
            other = program.inputs.get(ref)
            same = same and other is not None and _reading(other) == _reading(described)
        if not same or set(program.inputs) != set(first.inputs):
            hint = "import the councils one by one"
            raise UsageError("RC013", f"the rules of '{name}' and '{first_name}' do not read the same tables", hint=hint)


def _reading(described: Input) -> tuple[object, ...]:
    """How a fact is read, whatever the members of its list."""
    kind = type(described.type) if isinstance(described.type, Choice) else described.type
    limits = described.low, described.high, described.step
    return kind, limits, described.optional, described.table, described.column
