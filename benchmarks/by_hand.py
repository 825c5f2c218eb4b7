"""The bill and the reduction of work/bill written out for polars and DuckDB, in the form that suits each best."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SQL = Path(__file__).with_name("bill.sql")
RESULTS = ("charge", "reduction", "to_pay")


@dataclass(frozen=True)
class Constants:
    """What the rules leave to officers, taken from the linked program: pence, per cent and days."""

    amounts: npt.NDArray[np.int32]  # by area, the reduced one first
    deductions: npt.NDArray[np.int32]
    one_adult: int  # what is left of 100 where one adult counts
    no_adult: int
    days: int
    capital_ignored: int
    capital_step: int
    income_for_step: int
    capital_limit: int
    for_single: int
    for_couple: int
    for_child: int
    for_severe_disability: int
    for_carer: int
    taper: int

    @property
    def whole(self) -> int:
        """What the product of pence, a percentage and days is divided by."""
        return 100 * self.days

    @property
    def figures(self) -> npt.NDArray[np.int32]:
        """As C takes them."""
        return np.array([
            self.one_adult, self.no_adult, self.days, self.capital_ignored, self.capital_step, self.income_for_step, self.capital_limit,
            self.for_single, self.for_couple, self.for_child, self.for_severe_disability, self.for_carer, self.taper,
        ], dtype=np.int32)  # fmt: skip


def polars_query(columns: dict[str, Any], constants: Constants) -> Any:
    """A lazy query over a frame in memory."""
    import polars as pl

    frame = pl.DataFrame(columns)
    c = pl.col
    amounts = constants.amounts.reshape(-1)
    lookup = pl.DataFrame({"place": np.arange(len(amounts), dtype=np.int16), "amount": amounts}).lazy()

    def given(value: int) -> Any:
        return pl.lit(value, pl.Int32)

    def deduction(column: Any) -> Any:
        found = given(int(constants.deductions[0]))
        for code, value in enumerate(constants.deductions[1:], 1):
            found = pl.when(column == code).then(given(int(value))).otherwise(found)
        return found

    def rounded(amount: Any, whole: int) -> Any:
        return ((amount + (whole / 2 + 0.5)) * (1.0 / whole)).cast(pl.Int32)

    counted = c.adults - c.not_counting
    share = pl.when(counted <= 0).then(given(constants.no_adult)).when(counted == 1).then(given(constants.one_adult)).otherwise(given(100))
    above = (c.capital - constants.capital_ignored).clip(0).cast(pl.Float64)
    assumed = ((above + (constants.capital_step - 0.5)) * (1.0 / constants.capital_step)).cast(pl.Int32) * constants.income_for_step
    needs = (
        pl.when(c.couple != 0).then(given(constants.for_couple)).otherwise(given(constants.for_single))
        + c.children.cast(pl.Int32) * constants.for_child
        + c.severe_disability.cast(pl.Int32) * constants.for_severe_disability
        + c.carers.cast(pl.Int32) * constants.for_carer
    )
    excess = pl.when(c.passported != 0).then(given(0)).otherwise((c.income + assumed - needs).clip(0))
    deducted = deduction(c.first_other) + deduction(c.second_other)
    week = (
        c.annual * 7.0
        - deducted.cast(pl.Float64) * float(constants.whole)
        - excess.cast(pl.Float64) * float(constants.days * constants.taper)
    )
    rich = (c.capital > constants.capital_limit) & (c.passported == 0)
    reduced = pl.min_horizontal(rounded(week.clip(0.0) * c.days.cast(pl.Float64), constants.whole * 7), c.charge)
    place = c.area.cast(pl.Int16) * 9 + c.band + 1 - c.adapted
    return (
        frame.lazy()
        .with_columns(place=place.cast(pl.Int16))
        .join(lookup, on="place", how="left", maintain_order="left")
        .with_columns(annual=c.amount.cast(pl.Float64) * share.cast(pl.Float64))
        .with_columns(charge=rounded(c.annual * c.days.cast(pl.Float64), constants.whole))
        .with_columns(reduction=pl.when(rich).then(given(0)).otherwise(reduced))
        .select(c.charge, c.reduction, to_pay=c.charge - c.reduction)
    )


def duckdb_session(columns: dict[str, Any], constants: Constants, threads: int) -> tuple[Any, str]:
    """A connection with the caseload in a table of its own, and the query."""
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    amounts = constants.amounts.reshape(-1)
    connection.register("given_columns", pa.table(columns))
    connection.register("given_amounts", pa.table({"place": np.arange(len(amounts), dtype=np.int16), "amount": amounts}))
    connection.execute("CREATE TABLE accounts AS SELECT * FROM given_columns")
    connection.execute("CREATE TABLE amounts AS SELECT * FROM given_amounts")
    connection.unregister("given_columns")

    def deduction(column: str) -> str:
        return f"CASE {column} " + " ".join(f"WHEN {code} THEN {value}" for code, value in enumerate(constants.deductions)) + " END"

    names = (
        "no_adult", "one_adult", "capital_ignored", "capital_step", "income_for_step", "capital_limit",
        "for_single", "for_couple", "for_child", "for_severe_disability", "for_carer",
    )  # fmt: skip
    query = SQL.read_text(encoding="utf-8").format(
        **{name: getattr(constants, name) for name in names},
        first_deduction=deduction("first_other"), second_deduction=deduction("second_other"),
        round_up=constants.capital_step - 1, half=constants.whole // 2, whole=constants.whole,
        half_week=constants.whole * 7 // 2, whole_week=constants.whole * 7, tapered=constants.days * constants.taper,
    )  # fmt: skip
    return connection, query
