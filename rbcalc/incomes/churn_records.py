"""A register of a caseload with a year of monthly amounts put into its records, so that the ordinary calculation takes them."""

# Every name in the queries goes through `quote` or `literal`; they are built from rules and headers.
# ruff: noqa: S608

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from rbcalc._years import EPOCH, FinancialYear
from rbcalc.caseload.files import connect, literal, quote
from rbcalc.errors import DataError
from rbcalc.incomes.churn_incomes import ABSENT, MONTHS, Incomes, Pence, Replay
from rbcalc_kernels.exact.layout import layout_of
from rbcalc_kernels.program.graph import Program

_OPEN = "DATE '9999-12-31'"
_BEGINS = "nullif(trim(r.\"from\"::VARCHAR), '')::DATE"
_ENDS = f"coalesce(nullif(trim(r.\"to\"::VARCHAR), '')::DATE, {_OPEN})"


class Tables:
    """The tables of a caseload as they come, by register."""

    def __init__(self, source: Any, program: Program) -> None:
        """The tables of a folder, or of a mapping from registers to Arrow tables or files.  Raises DataError."""
        self.program = program
        self.found: dict[str, Any] = dict(source) if isinstance(source, Mapping) else _folder(Path(source), program)
        self._work = tempfile.TemporaryDirectory(prefix="rbcalc-")
        self.connection = connect(Path(self._work.name), "2GB", 2)
        self._held: set[str] = set()

    def close(self) -> None:
        """Leave nothing behind."""
        self.connection.close()
        self._work.cleanup()

    def replayed(self, incomes: Incomes, used: Mapping[str, Pence], year: FinancialYear) -> dict[str, Any]:
        """The tables with the amounts in use in the place of those recorded."""
        replay, connection = incomes.replay, self.connection
        self._hold(replay.register)
        changes = _changes(incomes, used, year)
        connection.register("changes", changes)
        connection.execute("CREATE OR REPLACE TEMP TABLE first AS SELECT key, min(begins) AS begins FROM changes GROUP BY key")
        register, key = quote(f"raw {replay.register}"), quote(replay.key)
        amounts = {column: f"m.{quote(column)}" for column in used}
        values = {**{column: literal(word) for column, word in replay.put.items()}, **amounts}
        others = self._columns(replay.register, {"from", "to", *values})
        kept = ", ".join(f"r.{quote(name)}" for name in others)
        changed = ", ".join(f"{value} AS {quote(name)}" for name, value in values.items())
        same = ", ".join(f"r.{quote(name)}" for name in values)
        within = " AND ".join([f"r.{key}::VARCHAR IN (SELECT key FROM first)", *_where(replay)])
        head, tail = f"SELECT {kept}", f"FROM {register} r"
        sql = f"""
            {head}, {same}, {_BEGINS} AS "from", {_ENDS} AS "to" {tail} WHERE NOT coalesce({within}, false)
            UNION ALL BY NAME
            {head}, {same}, {_BEGINS} AS "from", least({_ENDS}, f.begins - 1) AS "to" {tail}
                JOIN first f ON r.{key}::VARCHAR = f.key WHERE {within} AND {_BEGINS} < f.begins
            UNION ALL BY NAME
            {head}, {changed}, greatest({_BEGINS}, m.begins) AS "from", least({_ENDS}, m.ends) AS "to" {tail}
                JOIN changes m ON r.{key}::VARCHAR = m.key WHERE {within} AND {_BEGINS} <= m.ends AND {_ENDS} >= m.begins
        """
        made = connection.sql(f'SELECT * REPLACE (nullif("to", {_OPEN}) AS "to") FROM ({sql})').to_arrow_table()
        connection.unregister("changes")
        return {**self.found, replay.register: made}

    def recorded(self, replay: Replay, weeks: Mapping[str, Any], column: str) -> tuple[list[str], list[int]]:
        """The keys whose records the replay would replace in the year's first days, and their monthly amounts in pence."""
        self._hold(replay.register)
        first = date.fromordinal(self.program.first_day + EPOCH).isoformat()
        where = " AND ".join([f"{_BEGINS} <= DATE '{first}'", f"{_ENDS} >= DATE '{first}'", *_where(replay)])
        share = "1"
        if weeks:
            whens = " ".join(f"WHEN {literal(word)} THEN {factor}" for word, factor in weeks.items())
            share = f"CASE r.frequency::VARCHAR {whens} END"
        sql = (
            f"SELECT r.{quote(replay.key)}::VARCHAR AS key, max(round(r.{quote(column)}::DOUBLE * 100 * ({share})))::BIGINT "
            f"FROM {quote(f'raw {replay.register}')} r WHERE {where} AND r.{quote(column)} IS NOT NULL GROUP BY key ORDER BY key"
        )
        rows = self._asked(replay.register, sql)
        return [key for key, _ in rows], [int(amount) for _, amount in rows]

    def check(self, incomes: Incomes) -> None:
        """Refuse keys of which two records would be replaced on one day.  Raises DataError."""
        replay = incomes.replay
        self._hold(replay.register)
        register, key = quote(f"raw {replay.register}"), quote(replay.key)
        self.connection.register("keys", pa.table({"key": pa.array(incomes.keys, pa.string())}))
        sql = f"""
            WITH own AS (SELECT r.{key}::VARCHAR AS key, {_BEGINS} AS begins, {_ENDS} AS ends
                FROM {register} r WHERE {" AND ".join([f"r.{key}::VARCHAR IN (SELECT key FROM keys)", *_where(replay)])}),
            ordered AS (SELECT *, max(ends) OVER (PARTITION BY key ORDER BY begins, ends ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                AS before FROM own)
            SELECT count(DISTINCT key) FROM ordered WHERE before >= begins
        """
        twice = self._asked(replay.register, sql)[0][0]
        self.connection.unregister("keys")
        if twice:
            message = f"{twice:,} of the replayed have two records of {replay.register} at a time that the amounts would replace"
            raise DataError("RC071", message, hint="leave them out of the incomes, or record one amount for each")

    def roots(self, incomes: Incomes) -> dict[str, str]:
        """The root row's reference of each key; keys that the caseload does not have are left out."""
        layout = layout_of(self.program)
        register = self.program.registers[incomes.replay.register]
        self._hold(register.name)
        name, sql = register.name, f"SELECT r0.{quote(incomes.replay.key)}::VARCHAR AS key"
        joins, place = f"FROM {quote(f'raw {name}')} r0", 0
        while name != layout.root_register.name:
            by, above = self.program.registers[name].by, layout.anchors[name].name
            self._hold(above)
            held = quote(f"raw {above}")
            joins += f" JOIN {held} r{place + 1} ON r{place}.{quote(by)}::VARCHAR = r{place + 1}.{quote(by)}::VARCHAR"
            name, place = above, place + 1
        sql += f", r{place}.{quote(layout.root_register.key)}::VARCHAR AS root {joins}"
        rows = self.connection.execute(f"SELECT DISTINCT key, root FROM ({sql}) ORDER BY key, root").fetchall()
        wanted = set(incomes.keys)
        return {key: root for key, root in rows if key in wanted}

    def _asked(self, register: str, sql: str) -> list[Any]:
        """The rows of a query.  Raises DataError where a table holds what cannot be read as a date or an amount."""
        try:
            return self.connection.execute(sql).fetchall()
        except duckdb.Error as error:
            message = f"the table '{register}' cannot be replayed as it is: {str(error).splitlines()[0]}"
            raise DataError(
                "RC071", message, hint="dates are year-month-day, amounts plain, and columns are named as rbcalc schema has them"
            ) from error

    def _hold(self, register: str) -> None:
        if register in self._held:
            return
        item = self.found.get(register)
        if item is None:
            raise DataError("RC071", f"the caseload has no table '{register}'", hint="the replay puts amounts into its records")
        if isinstance(item, pa.Table):
            self.connection.register(f"raw {register}", item)
        else:
            paths = [Path(path) for path in (item if isinstance(item, list) else [item])]
            listed = ", ".join(literal(str(path)) for path in paths)
            read = "read_parquet([{}])" if paths[0].suffix.lower() == ".parquet" else "read_csv([{}], all_varchar = true)"
            self.connection.execute(f"CREATE VIEW {quote(f'raw {register}')} AS SELECT * FROM {read.format(listed)}")
        self._held.add(register)

    def _columns(self, register: str, without: set[str]) -> list[str]:
        described = self.connection.execute(f"DESCRIBE {quote(f'raw {register}')}").fetchall()
        there = [str(name) for name, *_ in described]
        lacking = sorted(without - set(there))
        if lacking:
            hint = "a replay reads tables whose columns have the names of the rules; rbcalc schema describes them"
            raise DataError("RC071", f"the table '{register}' has no column {lacking[0]}", hint=hint)
        return [name for name in there if name not in without]


def _where(replay: Replay) -> list[str]:
    return [f"r.{quote(column)}::VARCHAR = {literal(word)}" for column, word in replay.where.items()]


def _folder(folder: Path, program: Program) -> dict[str, Any]:
    """The files of each register in a folder."""
    if not folder.is_dir():
        raise DataError("RC001", "there is no such folder", str(folder), "name the folder that holds the tables")
    found: dict[str, Any] = {}
    for name in program.registers:
        paths = [path for path in (folder / f"{name}.parquet", folder / f"{name}.csv") if path.is_file()]
        paths += sorted((folder / name).glob("*.parquet")) if (folder / name).is_dir() else []
        if paths:
            found[name] = paths
    return found


def _changes(incomes: Incomes, used: Mapping[str, Pence], year: FinancialYear) -> Any:
    """One row for each key and stretch of months with the same amounts in use: its days and its amounts."""
    starts = np.array([_first(year, month) for month in range(MONTHS)], np.int32)
    there = np.all([held != ABSENT for held in used.values()], axis=0)
    new = there.copy()
    new[:, 1:] &= np.any([held[:, 1:] != held[:, :-1] for held in used.values()], axis=0)
    rows, months = np.nonzero(new)
    last = np.append(rows[1:] != rows[:-1], True) if rows.size else np.zeros(0, bool)
    following = np.append(starts[months[1:]] - 1, 0).astype(np.int32) if rows.size else np.zeros(0, np.int32)
    never = (date(9999, 12, 31) - date(1970, 1, 1)).days
    ends = np.where(last, never, following).astype(np.int32)
    columns: dict[str, Any] = {
        "key": pa.array([incomes.keys[row] for row in rows], pa.string()),
        "begins": pa.array(starts[months]).cast(pa.date32()),
        "ends": pa.array(ends).cast(pa.date32()),
    }
    for name, held in used.items():
        pence = np.ascontiguousarray(held[rows, months])
        columns[name] = pa.Array.from_buffers(pa.decimal64(18, 2), len(pence), [None, pa.py_buffer(pence)]).cast(pa.decimal128(18, 2))
    return pa.table(columns)


def _first(year: FinancialYear, month: int) -> int:
    """The first day of a month of the year, April being 0."""
    return date(year.begins + (month + 3) // 12, (month + 3) % 12 + 1, 1).toordinal() - EPOCH


def first_days(year: FinancialYear) -> list[int]:
    """The first day of each month of the year."""
    return [_first(year, month) for month in range(MONTHS)]
