"""Rows of tables that several subjects share: which of them belong to an account of another subject alone.

People and claims are recorded once, for Council Tax Reduction and for Housing Benefit.  A claim of somebody who pays
no Council Tax is no mistake in the run of Council Tax: it is the other subject's, and is neither used nor rejected.
"""

# Every name and text in the queries goes through `quote`; they are built from rules and headers.
# ruff: noqa: S608

from __future__ import annotations

from pathlib import Path

import duckdb

from rbcalc.caseload.column_map import ColumnMap
from rbcalc.caseload.files import Opened, Source, holds, open_tables, quote
from rbcalc_kernels.exact.layout import Layout


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
