"""Monthly incomes for a replay: read from a table or made up, and what becomes of them under a tolerance or a fixed period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rbcalc._years import FinancialYear
from rbcalc.errors import DataError, UsageError
from rbcalc.sampling.values import Stream
from rbcalc_kernels.source import suggest

MONTHS = 12
ABSENT = -1
Pence = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Replay:
    """Which records a table of monthly incomes replaces: those of `register` that hold its key, and `where` says so.

    `columns` gives the register's column for each column of the table; `put` what else stands in the records made.
    """

    key: str
    register: str
    columns: Mapping[str, str]
    where: Mapping[str, str]
    put: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Incomes:
    """Amounts in pence by key and month of the year, for each column; ABSENT where none is known."""

    replay: Replay
    keys: tuple[str, ...]
    amounts: Mapping[str, Pence]
    invented: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """How a scheme answers changes: each at once, only beyond a tolerance for the week, or once in so many months."""

    tolerance: Fraction | None = None
    months: int | None = None

    def __str__(self) -> str:
        """As it heads a column."""
        if self.tolerance is not None:
            return f"changes of more than £{float(self.tolerance):,.2f} a week"
        return "every change" if self.months is None else f"fixed for {self.months} months"

    def used(self, incomes: Incomes, weeks: Fraction) -> dict[str, Pence]:
        """The amounts in use in each month; ABSENT before the first that is known.  A tolerance is held against their sum."""
        first = next(iter(incomes.amounts.values()))
        known = np.all([held != ABSENT for held in incomes.amounts.values()], axis=0)
        total = np.sum(list(incomes.amounts.values()), axis=0)
        taken = np.full(first.shape, ABSENT, np.int64)  # the month whose amounts are in use
        rows = np.arange(len(first))
        current = np.full(len(first), ABSENT, np.int64)
        for month in range(MONTHS):
            there = current != ABSENT
            before = total[rows, current]
            act = known[:, month] & ~there
            if self.tolerance is not None:
                gap = np.abs(total[:, month] - before) * weeks.denominator
                act |= known[:, month] & there & (gap * self.tolerance.denominator > int(self.tolerance.numerator * 100 * weeks.numerator))
            elif self.months is not None:
                act |= known[:, month] & there & (month % self.months == 0)
            else:
                act |= known[:, month]
            current = np.where(act, month, current)
            taken[:, month] = current
        return {
            name: np.where(taken == ABSENT, ABSENT, np.take_along_axis(held, np.maximum(taken, 0), 1))
            for name, held in incomes.amounts.items()
        }


def read(path: Path, replays: Sequence[Replay], year: FinancialYear) -> Incomes:
    """The incomes of a Parquet or CSV file.  Raises DataError with the row, UsageError for a file of another kind."""
    table = _table(path)
    names = {name.strip().lower(): name for name in table.column_names}
    replay = next((each for each in replays if each.key in names), None)
    if replay is None or "month" not in names:
        keys = " or ".join(each.key for each in replays)
        hint = f"give the columns {keys}, month (as {year.begins}-04) and amount"
        raise DataError("RC071", "the table does not say whose the amounts are, or of which month", path.name, hint)
    given = [name for name in names if name not in (replay.key, "month")]
    wrong = [name for name in given if name not in replay.columns]
    if wrong or "amount" not in given:
        near = suggest(wrong[0], replay.columns) if wrong else ""
        what = f"there is no column {wrong[0]}{near}" if wrong else "the column amount is missing"
        raise DataError("RC071", what, path.name, f"columns: {replay.key}, month, {', '.join(replay.columns)}")
    owners = [str(value) for value in table[names[replay.key]].to_pylist()]
    months = [_month(value, year, path, row) for row, value in enumerate(table[names["month"]].to_pylist(), 2)]
    places = {owner: place for place, owner in enumerate(dict.fromkeys(owners))}
    rows = np.array([places[owner] for owner in owners], np.int64)
    columns = np.array(months, np.int64)
    inside = columns >= 0
    cells, first = np.unique(rows[inside] * MONTHS + columns[inside], return_index=True)
    if len(cells) < int(inside.sum()):
        twice = int(np.setdiff1d(np.flatnonzero(inside), np.flatnonzero(inside)[first])[0])
        raise DataError("RC071", f"row {twice + 2}: a second amount for one {replay.key} and month", path.name, "keep one of them")
    made: dict[str, Pence] = {}
    for name in given:
        pence = np.array([_pence(value, name, path, row) for row, value in enumerate(table[names[name]].to_pylist(), 2)], np.int64)
        held = np.full((len(places), MONTHS), ABSENT, np.int64)
        held[rows[inside], columns[inside]] = pence[inside]
        made[replay.columns[name]] = held
    return Incomes(replay, tuple(places), made)


def invented(keys: Sequence[str], amounts: Sequence[int], replay: Replay, months: Fraction, within: Fraction, seed: int) -> Incomes:
    """Months made up around recorded monthly amounts in pence, the same for one seed anywhere."""
    count = len(keys)
    stream, size = Stream(f"churn/{seed}"), Stream(f"churn/size/{seed}")
    differs = stream.below(10_000, count * MONTHS).reshape(count, MONTHS) < int(months * 10_000)
    shares = size.below(2 * int(within * 10_000) + 1, count * MONTHS).reshape(count, MONTHS) - int(within * 10_000)
    base = np.array(amounts, np.int64)[:, None]
    made = np.where(differs, base + base * shares // 10_000, base)
    return Incomes(replay, tuple(keys), {replay.columns["amount"]: made}, invented=True)


def _table(path: Path) -> Any:
    from pyarrow import csv, parquet

    if not path.is_file():
        raise UsageError("RC044", f"no such file: {path}", hint="give a Parquet or CSV file of monthly incomes")
    try:
        if path.suffix.lower() == ".parquet":
            return parquet.read_table(path)
        headers = csv.open_csv(path).schema.names
        return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=dict.fromkeys(headers, pa.string())))
    except (pa.ArrowException, OSError) as error:
        raise DataError("RC071", "the table cannot be read", path.name, "give a Parquet file, or CSV in UTF-8 with a header") from error


def _month(value: object, year: FinancialYear, path: Path, row: int) -> int:
    """The place of a month in the year; below nought for one of another year."""
    text = str(value)[:7]
    try:
        begins, month = (int(part) for part in text.split("-"))
        if not 1 <= month <= 12:
            raise ValueError
    except ValueError as error:
        raise DataError("RC071", f"row {row}: no month: {value}", path.name, f"write it as {year.begins}-04") from error
    place = (begins - year.begins) * 12 + month - 4
    return place if 0 <= place < MONTHS else ABSENT


def _pence(value: object, name: str, path: Path, row: int) -> int:
    try:
        pence = Decimal(str(value).strip().removeprefix("£")) * 100
        if not 0 <= pence <= 10**12 or pence != int(pence):
            raise InvalidOperation
    except InvalidOperation as error:
        raise DataError("RC071", f"row {row}: {name} is no amount: {value}", path.name, "write pounds and pence, as 812.50") from error
    return int(pence)
