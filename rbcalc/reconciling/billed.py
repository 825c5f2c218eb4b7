"""What the live system billed: one row an account, read as strictly as a caseload is."""

# Every name and text in the queries goes through `quote` or `literal`; they are built from rules and headers.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from rbcalc.caseload import values
from rbcalc.caseload.cells import Cells
from rbcalc.caseload.column_map import ColumnMap
from rbcalc.caseload.csv_text import PROBLEM, plain_name
from rbcalc.caseload.files import ROW, Opened, connect, literal, open_tables, quote
from rbcalc.caseload.purge import working_folder
from rbcalc.errors import DataError
from rbcalc_kernels.language.types import POUNDS
from rbcalc_kernels.program.graph import Input, Reconciled
from rbcalc_kernels.source import suggest

TABLE: Final = "billed"
LARGEST: Final = Fraction(10_000_000)
_SHOWN: Final = 5


@dataclass(slots=True)
class Billed:
    """The live system's figures: councils by place, references, pence with one column for each figure in `compared`.

    `reasons` says of a row, by its place, why its figures cannot be used.
    """

    compared: tuple[Reconciled, ...]
    council: npt.NDArray[np.int64]
    accounts: list[str]
    pence: npt.NDArray[np.int64]
    reasons: dict[int, str] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_billed(
    source: Any,
    councils: Sequence[str],
    figures: Sequence[Reconciled],
    *,
    key: str,
    column_map: ColumnMap | Path | None = None,
    others: Collection[str] = (),
) -> Billed:
    """The live system's figures from a Parquet or CSV file, or a table that another program holds.

    Columns are `council` (unless one council is asked for), the account (`key`) and one for each figure, in pounds as decimal or
    text.  `others` are councils whose rows are counted and left out.  Raises DataError, and UsageError for the column map.
    """
    if not isinstance(column_map, ColumnMap):
        column_map = ColumnMap() if column_map is None else ColumnMap.read(column_map)
    column_map.check({TABLE: {"council": (), key: (), **{each.name: () for each in figures}}})
    if isinstance(source, str | Path) and not Path(source).is_file():
        raise DataError("RC054", f"there is no file {source}", hint="give a Parquet or CSV file with a row for each account")
    with working_folder() as work, connect(work, "700MB", 2) as connection:
        opened = open_tables({TABLE: source}, {TABLE: False}, column_map, connection, work)[TABLE]
        return _Reader(opened, column_map, connection, tuple(councils), tuple(figures), key, tuple(others)).read()


class _Reader:
    """Reads one opened table."""

    def __init__(
        self,
        opened: Opened,
        column_map: ColumnMap,
        connection: duckdb.DuckDBPyConnection,
        councils: tuple[str, ...],
        figures: tuple[Reconciled, ...],
        key: str,
        others: tuple[str, ...],
    ) -> None:
        self.opened, self.map, self.connection = opened, column_map.table(TABLE), connection
        self.cells = Cells(opened, self.map)
        self.councils, self.figures, self.key, self.others = councils, figures, key, others
        self.assumptions: list[str] = []
        self.notes = list(opened.notes)

    def read(self) -> Billed:
        compared: list[Reconciled] = []
        missing: list[str] = []
        account = self.cells.of(self.key)
        council = self.cells.of("council")
        cells: list[values.Cell] = []
        for figure in self.figures:
            cell = self.cells.of(figure.name)
            if cell is not None:
                compared.append(figure)
                cells.append(cell)
            elif figure.optional:
                self.notes.append(f"{self.opened.label}: no column '{figure.name}', so '{figure.title}' was not compared")
            else:
                missing.append(figure.name)
        if account is None:
            missing.insert(0, self.key)
        if council is None and len(self.councils) > 1:
            missing.insert(0, "council")
        if missing:
            self._refuse_missing(missing)
        assert account is not None
        self._note_unread()
        good, reason = values.key_field(account, self.opened.label, self.key, self.opened.is_csv)
        fields = [self._field(figure, cell) for figure, cell in zip(compared, cells, strict=True)]
        problem = quote(PROBLEM) if PROBLEM in self.opened.types else "NULL"
        columns = [f"{quote(ROW)} AS row", f"({good}) AS account", f"({reason}) AS reason", f"{self._council(council)} AS council"]
        columns.append(f"{problem} AS problem")
        for place, each in enumerate(fields):
            columns += [f"{each.value} AS v{place}", f"({each.given}) AS g{place}"]
            columns.append(f"CASE WHEN {each.given} AND ({each.value}) IS NULL THEN {each.reason} END AS r{place}")
        rows = self.connection.sql(f"SELECT {', '.join(columns)} FROM {quote(self.opened.view)} ORDER BY row").to_arrow_table()
        return self._billed(rows, tuple(compared))

    def _refuse_missing(self, missing: list[str]) -> None:
        names = ", ".join(f"'{name}'{suggest(name, map(plain_name, self.cells.unread))}" for name in missing)
        what = "column" if len(missing) == 1 else "columns"
        hint = "name it under `columns:` of the table `billed` in a column map, or declare what is assumed under `assume:`"
        raise DataError("RC003", f"the live system's figures lack the {what} {names}", self.opened.label, hint)

    def _note_unread(self) -> None:
        if self.cells.unread:
            self.notes.append(f"{self.opened.label}: not compared: {', '.join(self.cells.unread[:20])}")

    def _field(self, figure: Reconciled, cell: values.Cell) -> values.Field:
        described = Input(figure.name, figure.figure.entity, POUNDS, -LARGEST, LARGEST, Fraction(1, 100), optional=True, column=figure.name)
        return values.field(described, cell, {}, self.opened.label)

    def _council(self, cell: values.Cell | None) -> str:
        if cell is None:
            return "0"
        if not cell.is_text:
            raise DataError("RC006", f"the column 'council' holds {cell.kind} and cannot be a name", self.opened.label, "give it as text")
        codes = self.map.codes.get("council", {})
        places = {name: place for place, name in enumerate(self.councils)} | dict.fromkeys(self.others, -1)
        known = {**places, **{theirs: places[ours] for theirs, ours in codes.items() if ours in places}}
        told = " ".join(f"WHEN {literal(name)} THEN {place}" for name, place in known.items())
        return f"CASE {cell.text} {told} END"

    def _billed(self, rows: Any, compared: tuple[Reconciled, ...]) -> Billed:
        import pyarrow.compute as pc

        for place in pc.indices_nonzero(pc.and_(pc.is_null(rows["council"]), pc.is_valid(rows["problem"]))).to_pylist()[:1]:
            told = f"row {rows['row'][place].as_py():,}: {rows['problem'][place].as_py()}"
            raise DataError("RC054", told, self.opened.label, "correct the row: as many cells as the first line has names")
        self._refuse(rows, pc.is_null(rows["council"]), "a council that is not one of this run", f"the councils are {self._listed()}")
        elsewhere = pc.equal(rows["council"], -1)
        left = pc.sum(elsewhere).as_py() or 0
        if left:
            counted = "1 row of another council was" if left == 1 else f"{left:,} rows of other councils were"
            self.notes.append(f"{self.opened.label}: {counted} left out")
            rows = rows.filter(pc.invert(elsewhere))
        self._refuse(rows, pc.is_null(rows["account"]), "no usable reference of the account", values.KEY_REMEDY)
        keys = pc.binary_join_element_wise(rows["council"].cast("string"), rows["account"], "\x1f")
        counts = pc.value_counts(keys.combine_chunks())
        twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        self._refuse(rows, pc.is_in(keys, twice), "an account that stands in several rows", "give one row for each account, its whole year")
        pence = np.zeros((rows.num_rows, len(compared)), np.int64)
        reasons: dict[int, str] = {}
        for place, figure in enumerate(compared):
            found = rows[f"v{place}"]
            blank = pc.invert(rows[f"g{place}"])
            if figure.blank is not None and (number := pc.sum(blank).as_py()):
                self.assumptions.append(f"{TABLE}.{figure.name} is blank for {number:,} accounts: taken as £{float(figure.blank):,.2f}")
                found = pc.if_else(blank, int(figure.blank * 100), found)
            for row in np.flatnonzero(pc.is_null(found).to_numpy(zero_copy_only=False)):
                told = rows[f"r{place}"][int(row)].as_py() or "is blank"
                reasons.setdefault(int(row), f"{TABLE}.{figure.name} {told}")
            pence[:, place] = pc.fill_null(found, 0).cast("int64").to_numpy()
        for row in np.flatnonzero(pc.is_valid(rows["problem"]).to_numpy(zero_copy_only=False)):
            reasons[int(row)] = f"{TABLE}: {rows['problem'][int(row)].as_py()}"
        council: npt.NDArray[np.int64] = rows["council"].cast("int64").to_numpy()
        assumptions = (*map(str, self.cells.assumptions), *self.assumptions)
        return Billed(compared, council, rows["account"].to_pylist(), pence, reasons, assumptions, tuple(self.notes))

    def _listed(self) -> str:
        return f"{', '.join(self.councils)}; say `codes:` in a column map where they are called otherwise"

    def _refuse(self, rows: Any, bad: Any, what: str, hint: str) -> None:
        """Refuse the file for rows that no account can be told for; rows are named by number, never by what they hold."""
        import pyarrow.compute as pc

        numbers = rows["row"].filter(bad).to_pylist()
        if not numbers:
            return
        shown = ", ".join(str(number) for number in numbers[:_SHOWN]) + (" ..." if len(numbers) > _SHOWN else "")
        told = rows.filter(bad)["reason"][0].as_py() if not pc.is_valid(rows.filter(bad)["account"])[0].as_py() else ""
        why = f" ({told})" if told else ""
        count = f"{len(numbers):,} row{'' if len(numbers) == 1 else 's'}"
        raise DataError("RC054", f"{count} with {what}{why}: row {shown}", self.opened.label, hint)


def rejected_references(source: Any, root: str, key: str, rows: Mapping[int, str], column_map: ColumnMap | Path | None) -> dict[int, str]:
    """The references in rows of the root's table that the import rejected, by row number; rows without one are left out."""
    if not rows or not isinstance(source, str | Path | Mapping):
        return {}
    if not isinstance(column_map, ColumnMap):
        column_map = ColumnMap() if column_map is None else ColumnMap.read(column_map)
    held = {root: source[root]} if isinstance(source, Mapping) else source
    import pyarrow as pa

    with working_folder() as work, connect(work, "700MB", 2) as connection:
        opened = open_tables(held, {root: False}, column_map, connection, work)[root]
        header = opened.header(column_map.table(root).columns.get(key, key))
        if header is None:
            return {}
        good, _ = values.key_field(values.Cell(quote(header), opened.types[header]), opened.label, key, opened.is_csv)
        connection.register("wanted", pa.table({"row": pa.array(sorted(rows), pa.int64())}))
        sql = f"SELECT {quote(ROW)}, ({good}) FROM {quote(opened.view)} WHERE {quote(ROW)} IN (SELECT row FROM wanted)"
        return {int(row): str(name) for row, name in connection.sql(sql).fetchall() if name is not None}
