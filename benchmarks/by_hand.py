"""The bill of work/bill written out for NumPy, polars and DuckDB, in the form that suits each best."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 16_384
SQL = Path(__file__).with_name("bill.sql")
RESULTS = ("charge", "bill", "to_pay")


@dataclass(frozen=True)
class Constants:
    """What the rules leave to officers, taken from the linked program: pence, per cent and days."""

    amounts: npt.NDArray[np.int32]  # by area, the reduced one first
    one_adult: int  # what is left of 100 where one adult counts
    no_adult: int
    furnished: int  # 100 and the addition
    attached: int
    days: int
    ladder: npt.NDArray[np.int32]  # 100 and the addition, by full years
    steps: tuple[tuple[int, int], ...]  # the same as (from, per cent)

    @property
    def whole(self) -> int:
        """What the product of pence, two percentages and days is divided by."""
        return 10_000 * self.days

    @property
    def figures(self) -> npt.NDArray[np.int32]:
        """As C takes them."""
        return np.array([100 - self.one_adult, 100 - self.no_adult, self.furnished - 100, 100 - self.attached, self.days], dtype=np.int32)


class Blocked:
    """NumPy over blocks that stay in the cache, doubles that hold whole numbers, narrow tables in place of comparisons."""

    def __init__(self, constants: Constants) -> None:
        self.amounts = constants.amounts.reshape(-1)
        self.home = np.full(256, 100, dtype=np.int16)
        self.home[0], self.home[1] = constants.no_adult, constants.one_adult
        self.ladder = constants.ladder.astype(np.int16)
        self.furnished = np.int16(constants.furnished)
        self.attached = np.array([100, constants.attached], dtype=np.int32)
        self.guard = constants.whole / 2 + 0.5
        self.by = 1.0 / constants.whole

    def block(self, g: SimpleNamespace, first: int, last: int, out: npt.NDArray[np.int32]) -> None:
        """Some rows."""
        rows = slice(first, last)
        place = g.area[rows].astype(np.int16)
        place *= 9
        place += g.band[rows]
        place += 1
        place -= g.adapted[rows]
        amount = self.amounts.take(place)
        use = g.occupation[rows]
        away = np.where(use == 1, self.furnished, self.ladder.take(g.years_empty[rows]))
        away[g.spared[rows].view(np.bool_)] = 100
        share = np.where(use == 0, self.home.take(g.counted_adults[rows]), away)
        share[g.not_charged[rows].view(np.bool_)] = 0
        product = self.attached.take(g.attached[rows])
        product *= share
        product *= g.days[rows]
        pence = np.multiply(amount, product, dtype=np.float64)
        pence += self.guard
        pence *= self.by
        charge, bill, to_pay = out[0, rows], out[1, rows], out[2, rows]
        charge[:] = pence
        np.subtract(charge, g.reduction[rows], out=bill)
        bill -= g.discretionary[rows]
        np.maximum(bill, 0, out=bill)
        np.subtract(bill, g.credit[rows], out=to_pay)
        np.maximum(to_pay, 0, out=to_pay)

    def run(self, g: SimpleNamespace, first: int, last: int, out: npt.NDArray[np.int32]) -> None:
        """Many rows, block by block."""
        for begin in range(first, last, BLOCK):
            self.block(g, begin, min(begin + BLOCK, last), out)


def polars_query(columns: dict[str, Any], constants: Constants) -> Any:
    """A lazy query over a frame in memory."""
    import polars as pl

    frame = pl.DataFrame(columns)
    c = pl.col
    amounts = constants.amounts.reshape(-1)
    lookup = pl.DataFrame({"place": np.arange(len(amounts), dtype=np.int16), "amount": amounts}).lazy()
    ladder = pl.lit(constants.steps[0][1], pl.Int32)
    for edge, value in constants.steps[1:]:
        ladder = pl.when(c.years_empty >= edge).then(pl.lit(value, pl.Int32)).otherwise(ladder)

    def given(value: int) -> Any:
        return pl.lit(value, pl.Int32)

    home = (
        pl.when(c.counted_adults == 0)
        .then(given(constants.no_adult))
        .when(c.counted_adults == 1)
        .then(given(constants.one_adult))
        .otherwise(given(100))
    )
    share = (
        pl.when(c.not_charged != 0).then(given(0))
        .when(c.occupation == 0).then(home)
        .when(c.spared != 0).then(given(100))
        .when(c.occupation == 1).then(given(constants.furnished))
        .otherwise(ladder)
    )  # fmt: skip
    part = pl.when(c.attached != 0).then(given(constants.attached)).otherwise(given(100))
    pence = (c.amount.cast(pl.Float64) * c.share.cast(pl.Float64) + (constants.whole / 2 + 0.5)) * (1.0 / constants.whole)
    place = c.area.cast(pl.Int16) * 9 + c.band + 1 - c.adapted
    return (
        frame.lazy()
        .with_columns(place=place.cast(pl.Int16), share=share * part * c.days.cast(pl.Int32))
        .join(lookup, on="place", how="left", maintain_order="left")
        .with_columns(charge=pence.cast(pl.Int32))
        .with_columns(bill=(c.charge - c.reduction - c.discretionary).clip(0))
        .select(c.charge, c.bill, to_pay=(c.bill - c.credit).clip(0))
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
    connection.execute("CREATE TABLE dwellings AS SELECT * FROM given_columns")
    connection.execute("CREATE TABLE amounts AS SELECT * FROM given_amounts")
    connection.unregister("given_columns")
    ladder = "CASE " + " ".join(f"WHEN years_empty >= {edge} THEN {value}" for edge, value in reversed(constants.steps)) + " END"
    query = SQL.read_text(encoding="utf-8").format(
        no_adult=constants.no_adult, one_adult=constants.one_adult, furnished=constants.furnished, attached=constants.attached,
        ladder=ladder, half=constants.whole // 2, whole=constants.whole,
    )  # fmt: skip
    return connection, query
