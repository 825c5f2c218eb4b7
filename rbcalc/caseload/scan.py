"""From a raw table to encoded rows in one scan: which columns are read and how, as one SQL query for each register."""

# Every name and text in the queries goes through `quote` or `literal`; they are built from rules and headers.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from rbcalc.caseload import values
from rbcalc.caseload.cells import Cells
from rbcalc.caseload.column_map import ColumnMap
from rbcalc.caseload.csv_text import PROBLEM, plain_name
from rbcalc.caseload.files import PLAIN, ROW, Opened, literal, quote
from rbcalc.caseload.model import Assumption
from rbcalc.caseload.pseudonyms import Pseudonyms, kind_of
from rbcalc.errors import DataError, UsageError
from rbcalc_kernels.exact.layout import Layout
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Program, Register
from rbcalc_kernels.source import suggest

COUNCIL = "council"
ELSEWHERE = -2
UNKNOWN = -1
BATCH = 1 << 18


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong with a row: where, when (SQL), the words for it (SQL) and the remedy."""

    column: str
    bad: str
    reason: str
    remedy: str
    alone: bool = False  # what else is wrong with the row is not worth saying


@dataclass(slots=True)
class Plan:
    """How one register is read."""

    register: Register
    opened: Opened
    keys: dict[str, tuple[str, str, bool]] = field(default_factory=dict)  # name -> good text, reason, required
    fields: list[values.Field] = field(default_factory=list)
    absent: list[tuple[str, np.dtype[np.generic], int]] = field(default_factory=list)
    unions: dict[str, tuple[str, ...]] = field(default_factory=dict)  # facts whose list differs between councils
    council: str = ""  # SQL of the council's place; empty when the table does not say
    elsewhere: str = ""  # the table of references that are another subject's
    begins: str = ""
    ends: str = ""
    order: str = ""
    hashed: tuple[str, ...] = ()  # the keys whose hashes are wanted
    plain: dict[str, str] = field(default_factory=dict)  # keys that are text: the column as the file holds it
    packed: bool = False  # keys become numbers after the query, which leaves their blanks and what is missing
    private: dict[str, tuple[str, str]] = field(default_factory=dict)  # header -> kind, SQL
    checks: list[Check] = field(default_factory=list)
    assumptions: list[Assumption] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def select(self) -> str:
        """The query of the encoded rows."""
        inner = [f"{quote(ROW)}::INTEGER AS row"]
        outer = ["row"]
        plain = self.plain if self.packed else {}
        inner += [f"{plain.get(name, good)} AS {quote(f'key {name}')}" for name, (good, _, _) in self.keys.items()]
        outer += [quote(f"key {name}") for name in self.keys]
        bad = []
        if not self.packed:
            outer += [f"hash({quote(f'key {name}')}) AS {quote(f'hash {name}')}" for name in self.hashed]
            bad += [f"{quote(f'key {name}')} IS NULL" for name, (_, _, required) in self.keys.items() if required]
        if PROBLEM in self.opened.types:
            inner.append(f"{quote(PROBLEM)} IS NOT NULL AS problem")
            bad.append("problem")
        if self.council:
            inner.append(f"{self.council} AS council")
            outer.append(f"coalesce(council, {UNKNOWN})::SMALLINT AS council")
            bad.append("council IS NULL")
        if self.elsewhere:
            key = self.keys[self.register.by][0]
            inner.append(f"{key} IN (SELECT k FROM {quote(self.elsewhere)}) AS elsewhere")
            outer.append("coalesce(elsewhere, false) AS elsewhere")
        if self.begins:
            inner += [f"{self.begins} AS begins", f"{self.ends} AS ends"]
            outer += ["coalesce(begins, 0)::INTEGER AS begins", "coalesce(ends, 0)::INTEGER AS ends"]
            bad += ["begins IS NULL", "ends IS NULL", "begins > ends"]
        if self.order:
            inner.append(f"{self.order} AS order_by")
            outer.append("coalesce(order_by, 0)::BIGINT AS order_by")
            bad.append("order_by IS NULL")
        for item in self.fields:
            value, given = quote(f"v {item.name}"), quote(f"g {item.name}")
            inner.append(f"{item.value} AS {value}")
            outer.append(f"coalesce({value}, {item.filler})::{_sql_type(item.dtype)} AS {values.alias(item.name)}")
            if item.required:
                bad.append(f"{value} IS NULL")
            else:
                inner.append(f"{item.given} AS {given}")
                outer.append(f"({value} IS NOT NULL)::UTINYINT AS {values.alias(item.name + '?')}")
                bad.append(f"({given} AND {value} IS NULL)")
        for header, (_, sql) in self.private.items():
            inner.append(f"{sql} AS {quote(f'private {header}')}")
            outer.append(quote(f"private {header}"))
        wrong = " OR ".join(bad) or "false"
        return f"SELECT {', '.join(outer)}, coalesce({wrong}, true) AS bad FROM (SELECT {', '.join(inner)} FROM {quote(self.opened.view)})"

    def reasons(self, connection: duckdb.DuckDBPyConnection, rows: Any) -> Any:
        """What is wrong with some rows: an Arrow table of row, column, reason and remedy."""
        connection.register("bad rows", pa.table({"row": rows}))
        raw = quote(self.opened.view)
        bad = f'SELECT * FROM {raw} WHERE {quote(ROW)} IN (SELECT row FROM "bad rows")'
        connection.execute(f'CREATE OR REPLACE TEMP TABLE "bad raw" AS {bad}')
        parts: list[str] = []
        before = ["false"]
        for check in self.checks:
            parts.append(
                f'SELECT {quote(ROW)} AS row, {literal(check.column)} AS "column", {check.reason} AS reason, '
                f'{literal(check.remedy)} AS remedy FROM "bad raw" WHERE ({check.bad}) AND NOT ({" OR ".join(before)})'
            )
            if check.alone:
                before.append(f"coalesce({check.bad}, false)")
        found = connection.sql(f"SELECT DISTINCT * FROM ({' UNION ALL '.join(parts)}) ORDER BY ALL").to_arrow_table()
        connection.execute('DROP TABLE "bad raw"')
        connection.unregister("bad rows")
        return found


def batches(
    plan: Plan, connection: duckdb.DuckDBPyConnection, extra: str = "", pseudonyms: Pseudonyms | None = None, query: str = ""
) -> Iterator[Any]:
    """The encoded rows, a batch at a time; private columns hold pseudonyms before anything else sees them.

    Without `pseudonyms` private columns stay as they are.
    """
    reader = connection.sql(query or f"SELECT *{extra} FROM ({plan.select()})").to_arrow_reader(BATCH)
    for batch in reader:
        rows = batch
        for header, (kind, _) in plan.private.items() if pseudonyms is not None else ():
            assert pseudonyms is not None
            place = rows.schema.get_field_index(f"private {header}")
            rows = rows.set_column(place, f"private {header}", pseudonyms.column(kind, rows.column(place)))
        yield rows


def _sql_type(dtype: np.dtype[np.generic]) -> str:
    return ("U" if dtype.kind == "u" else "") + {1: "TINYINT", 2: "SMALLINT", 4: "INTEGER", 8: "BIGINT"}[dtype.itemsize]


class Planner:
    """Works out how each register of a caseload is read."""

    def __init__(
        self,
        layout: Layout,
        programs: Mapping[str, Program],
        column_map: ColumnMap,
        constant: str,
        strict: bool,
    ) -> None:
        """`constant` is the council of a caseload that does not say; `strict` refuses councils not asked for."""
        self.layout, self.programs, self.column_map = layout, programs, column_map
        self.constant, self.strict = constant, strict
        self.used: dict[str, dict[str, bool]] = {name: {} for name in layout.program.registers}
        for register in layout.program.registers.values():
            anchor = layout.anchors.get(register.name)
            if anchor is not None:
                self.used[register.name][register.by] = True
                required = requires(layout, register) or register.by == anchor.key
                self.used[anchor.name][register.by] = required or self.used[anchor.name].get(register.by, False)
            if register.key:
                self.used[register.name][register.key] = True
        gathered = layout.program.gathered_by
        if gathered:
            self.used[layout.root_register.name][gathered] = True

    def known(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """The columns of each register and the values they may take, for checking a column map."""
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for name, register in self.layout.program.registers.items():
            columns: dict[str, tuple[str, ...]] = {COUNCIL: ()}
            columns |= {key: () for key in (register.key, register.by, *register.references) if key}
            columns |= {"from": (), "to": ()} if register.dated else {}
            columns |= {register.order_by: ()} if register.order_by else {}
            for described in self.layout.inputs[name]:
                members = described.type.members if isinstance(described.type, Choice) else ()
                columns[described.column or described.name] = self.union(described.entity, described.name) or members
            found[name] = columns
        return found

    def plan(self, opened: Opened) -> Plan:
        """How a register is read.  Raises DataError for columns that are missing or cannot be used."""
        register = self.layout.program.registers[opened.register]
        return _Maker(self, register, opened).make()

    def union(self, entity: str, name: str) -> tuple[str, ...]:
        """All members of a list that differs between councils; none when it does not."""
        lists: list[tuple[str, ...]] = []
        for program in self.programs.values():
            for ref, described in program.inputs.items():
                if (ref.entity, ref.name) == (entity, name) and isinstance(described.type, Choice):
                    lists.append(described.type.members)
        return tuple(sorted({member for members in lists for member in members})) if len(set(lists)) > 1 else ()


class _Maker:
    """Makes one plan."""

    def __init__(self, planner: Planner, register: Register, opened: Opened) -> None:
        self.planner, self.register, self.opened = planner, register, opened
        self.map = planner.column_map.table(register.name)
        self.cells = Cells(opened, self.map)
        self.made = Plan(register, opened, assumptions=self.cells.assumptions)
        self.missing: list[str] = []

    def make(self) -> Plan:
        register, made = self.register, self.made
        if PROBLEM in self.opened.types:
            self._check("", f"{quote(PROBLEM)} IS NOT NULL", quote(PROBLEM), "mend the row, or remove it", True)
        for name, required in self.planner.used[register.name].items():
            self._key(name, required)
        self._council()
        if register.dated:
            self._days()
        if register.order_by:
            self._order()
        for described in self.planner.layout.inputs[register.name]:
            self._fact(described)
        self._refuse_missing()
        self._private()
        return made

    def _check(self, column: str, bad: str, reason: str, remedy: str, alone: bool = False) -> None:
        self.made.checks.append(Check(column, bad, reason, remedy, alone))

    def _key(self, name: str, required: bool) -> None:
        cell = self.cells.of(name)
        if cell is None:
            self.missing.append(name)
            return
        good, reason = values.key_field(cell, self.opened.label, name, self.opened.is_csv)
        header = self.opened.header(self.map.columns.get(name, name))
        if header is not None and cell.is_text and not self.opened.is_csv:
            self.made.plain[name] = quote(PLAIN + header)
        main = name == (self.register.key or self.register.by)
        if main:
            last = f"{quote(ROW)} = {self.opened.last_row} AND {quote(ROW)} > 1 AND NOT ({cell.given})"
            reason = f"CASE WHEN {last} THEN 'looks like a row of totals: it has no reference' ELSE {reason} END"
        self.made.keys[name] = (good, reason, required)
        if required:
            totals = f"({good}) IS NULL AND ({reason}) LIKE 'looks like%'"
            if main:
                self._check(name, totals, reason, values.KEY_REMEDY, True)
                self._check(name, f"({good}) IS NULL", reason, values.KEY_REMEDY)
            else:
                self._check(name, f"({good}) IS NULL", reason, values.KEY_REMEDY)

    def _council(self) -> None:
        planner, names = self.planner, tuple(self.planner.programs)
        is_root = self.register.name == planner.layout.root_register.name
        cell = self.cells.of(COUNCIL)
        if cell is None:
            if is_root and planner.constant:
                self.made.council = str(names.index(planner.constant))
            elif is_root and len(names) == 1:
                self.made.council = "0"
            elif is_root:
                hint = "add the column, or say `constants: {council: ...}` in the column map"
                raise DataError("RC003", "the table does not say whose rows are whose: no column 'council'", self.opened.label, hint)
            return
        if not cell.is_text:
            raise DataError("RC006", f"the column 'council' holds {cell.kind} and cannot be a name", self.opened.label)
        text = cell.text
        codes = self.map.codes.get(COUNCIL, {})
        told = " ".join(f"WHEN {literal(name)} THEN {place}" for place, name in enumerate(names))
        told += " ".join([""] + [f"WHEN {literal(theirs)} THEN {names.index(ours)}" for theirs, ours in codes.items() if ours in names])
        other = "NULL" if planner.strict else f"CASE WHEN {text} IS NOT NULL THEN {ELSEWHERE} END"
        sql = f"CASE {text} {told} ELSE {other} END"
        self.made.council = sql
        reason = f"CASE WHEN {text} IS NULL THEN 'is blank and must be given' ELSE 'is not a council of this run' END"
        self._check(COUNCIL, f"({sql}) IS NULL", reason, f"the councils are {', '.join(names)}; say `codes:` in the column map")

    def _days(self) -> None:
        begin, end = self.cells.of("from"), self.cells.of("to")
        if begin is None:
            self.missing.append("from")
            return
        label = self.opened.label
        self.made.begins = begins = values.day_sql(begin, label, "from")
        self._check("from", f"({begins}) IS NULL", values.day_reason(begin), values.day_remedy(begin))
        self.made.ends = str(values.OPEN_END)
        if end is not None:
            day = values.day_sql(end, label, "to")
            self.made.ends = ends = f"CASE WHEN {end.given} THEN {day} ELSE {values.OPEN_END} END"
            self._check("to", f"({ends}) IS NULL", values.day_reason(end), values.day_remedy(end))
            self._check("to", f"({begins}) > ({ends})", "'is before the first day (from)'", "correct the dates")

    def _order(self) -> None:
        name = self.register.order_by
        cell = self.cells.of(name)
        if cell is None:
            self.missing.append(name)
            return
        sql = f"TRY_CAST({cell.sql} AS BIGINT)"
        if cell.is_text or cell.kind == "DATE" or cell.kind.startswith("TIMESTAMP"):
            day = values.day_sql(cell, self.opened.label, name)
            sql = f"coalesce({day}, TRY_CAST({cell.text} AS BIGINT))" if cell.is_text else day
        self.made.order = sql
        self._check(name, f"({sql}) IS NULL", "'is neither a date nor a whole number'", "give the order of the rows")

    def _fact(self, described: Any) -> None:
        column = described.column or described.name
        cell = self.cells.of(column)
        union = self.planner.union(described.entity, described.name)
        if cell is None:
            if described.optional:
                filler = values.bounds(described)[0] if values.is_measured(described) else 0
                self.made.absent.append((described.name, values.dtype_of(described), filler))
            else:
                self.missing.append(column)
            return
        item = values.field(described, cell, self.map.codes.get(column, {}), self.opened.label, union or None)
        self.made.fields.append(item)
        if union:
            self.made.unions[item.name] = union
        bad = f"({item.value}) IS NULL" if item.required else f"({item.given}) AND ({item.value}) IS NULL"
        self._check(column, bad, item.reason, item.remedy)

    def _refuse_missing(self) -> None:
        if not self.missing:
            return
        names = ", ".join(f"'{name}'{suggest(name, map(plain_name, self.cells.unread))}" for name in self.missing)
        one = len(self.missing) == 1
        what = f"the table '{self.register.name}' lacks the {'column' if one else 'columns'} {names}"
        hint = f"name {'it' if one else 'them'} under `columns:` in a column map, or declare what is assumed under `assume:`"
        raise DataError("RC003", what, self.opened.label, hint)

    def _private(self) -> None:
        """What no rule reads: private columns are carried, the rest is left."""
        declared = {self.opened.header(name): name for name in self.map.private}
        if None in declared:
            near = suggest(declared[None], self.opened.types)
            raise UsageError("RC011", f"what is to be kept private is not there: no column '{declared[None]}'{near}", self.opened.label)
        clash = next((header for header in declared if header in self.cells.read), None)
        if clash is not None:
            hint = "remove it from `private:`; the rules need it as it is"
            raise UsageError("RC021", f"the rules read the column '{clash}', so it cannot be private", self.opened.label, hint)
        left: list[str] = []
        for header in self.cells.unread:
            if header in declared or kind_of(header):
                cell = values.Cell(quote(header), self.opened.types[header])
                text = cell.text if cell.is_text else f"{cell.sql}::VARCHAR"
                self.made.private[header] = (kind_of(header) or "other", text)
            else:
                left.append(header)
        if left:
            which = "the column" if len(left) == 1 else f"{len(left)} columns:"
            self.made.notes.append(f"{self.opened.label}: no rule reads {which} {', '.join(left[:20])}")
        unread = {plain_name(header): header for header in left}
        for name, *_ in self.made.absent:
            for near in get_close_matches(name, sorted(unread), n=1):
                self.made.notes.append(f"{self.opened.label}: there is a column '{unread[near]}', which no rule reads; was '{name}' meant?")


def requires(layout: Layout, register: Register) -> bool:
    """Whether each row above must have a row of this register: it holds facts of a spell that may not be absent."""
    return layout.program.entities[register.entity].spell and not layout.may_lack(register)
