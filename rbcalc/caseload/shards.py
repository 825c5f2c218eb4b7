"""Dividing encoded rows into shards: what belongs to one root row goes into one file."""

# Every name and text in the queries goes through `quote` or `literal`; they are built from rules and headers.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rbcalc.caseload.files import quote
from rbcalc.caseload.scan import Plan
from rbcalc_kernels.exact.layout import Layout

RARE = 16
"""A fact is rare when not more than one row in so many has it."""

APART = pa.schema([("place", pa.int32()), ("field", pa.uint8()), ("value", pa.int64())])


def sharding(layout: Layout, plans: Mapping[str, Plan]) -> str:
    """The root's reference to divide by: that by which its rows are gathered, or the one by which most rows are found."""
    if layout.program.gathered_by:
        return layout.program.gathered_by
    weights: dict[str, int] = {}
    for name, anchor in layout.anchors.items():
        if name in plans and anchor.name == layout.root_register.name:
            by = plans[name].register.by
            weights[by] = weights.get(by, 0) + plans[name].opened.rows
    return max(weights, key=lambda by: weights[by]) if weights else layout.root_register.key


def shard_query(
    layout: Layout,
    plans: Mapping[str, Plan],
    connection: duckdb.DuckDBPyConnection,
    name: str,
    key: str,
    count: int,
) -> tuple[str, str]:
    """How the shard of a register's rows is found: further columns of the query, or a table of shards by reference.

    Rows that carry the dividing reference are divided by it.  Others go where the rows above them went, and into several
    shards when those did; only the first of such copies counts.
    """
    register = layout.program.registers[name]
    anchor = layout.anchors.get(name)
    if count == 1:
        return ", 0::UTINYINT AS shard", ""
    if anchor is None or (anchor.name == layout.root_register.name and register.by == key):
        return f", {_shard(key, count)} AS shard", ""
    table = quote(f"shards of {name}")
    mine = quote(f"key {register.by}")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS WITH d AS MATERIALIZED ("
        f"SELECT DISTINCT k, shard FROM ({_placed(layout, plans, anchor.name, register.by, key, count)}) "
        f"WHERE k IN (SELECT {mine} FROM ({plans[name].select()}))) "
        "SELECT k, shard, shard <> min(shard) OVER (PARTITION BY k) AS copy FROM d"
    )
    return "", table


def _placed(layout: Layout, plans: Mapping[str, Plan], name: str, column: str, key: str, count: int) -> str:
    """A query of a register's reference `column` and the shard of each row."""
    register = layout.program.registers[name]
    anchor = layout.anchors.get(name)
    wanted = quote(f"key {column}")
    rows = plans[name].select()
    if anchor is None or (anchor.name == layout.root_register.name and register.by == key):
        return f"SELECT {wanted} AS k, {_shard(key, count)} AS shard FROM ({rows})"
    above = _placed(layout, plans, anchor.name, register.by, key, count)
    return f"SELECT r.{wanted} AS k, a.shard FROM ({rows}) r JOIN ({above}) a ON r.{quote(f'key {register.by}')} = a.k"


def _shard(key: str, count: int) -> str:
    return f"coalesce(hash({quote(f'key {key}')}) % {count}, 0)::UTINYINT"


class Divided:
    """The files of one register's shards.

    Facts that few rows have, going by the first batch, stand apart from the others, by place: most facts are of this
    kind, and a column of nothing costs as much as any other.  `rare` are their names.
    """

    def __init__(self, folder: Path, name: str, count: int, optional: Sequence[str]) -> None:
        self.folder, self.name, self.count = folder, name, count
        self.optional = tuple(optional)[:255]
        self.rare: tuple[str, ...] = ()
        self._filled: npt.NDArray[np.int64] = np.zeros(count, np.int64)
        self._rows: list[Any] = []
        self._apart: list[Any] = []

    def write(self, batches: Iterable[Any]) -> None:
        """Write all rows, each batch while the next is being read."""
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(1))
            writing: Future[None] | None = None
            for batch in batches:
                if not self._rows:
                    self._begin(stack, batch)
                if writing is not None:
                    writing.result()
                writing = pool.submit(self._divide, batch)
            if writing is not None:
                writing.result()
        self._rows.clear()
        self._apart.clear()

    def lacking(self) -> bool:
        """Whether a shard has no rows."""
        return not all(path.exists() for number in range(self.count) for path in self._paths(number))

    def read(self, number: int) -> tuple[Any, Any] | None:
        """The rows of a shard and, by place, field and value, the facts that stand apart; their files are removed."""
        found = []
        for path in self._paths(number):
            if not path.exists():
                return None
            with pa.memory_map(str(path)) as file:
                found.append(pa.ipc.open_stream(file).read_all())
            path.unlink()
        return found[0], found[1]

    def _paths(self, number: int) -> tuple[Path, Path]:
        return self.folder / f"{self.name}-{number}.arrow", self.folder / f"{self.name}-{number}-apart.arrow"

    def _begin(self, stack: ExitStack, batch: Any) -> None:
        given = {name: batch.column(_flag(name)).to_numpy() for name in self.optional}
        self.rare = tuple(name for name, flags in given.items() if np.count_nonzero(flags) * RARE <= flags.size)
        schema = self._main(batch).schema
        for number in range(self.count):
            for path, columns, writers in zip(self._paths(number), (schema, APART), (self._rows, self._apart), strict=True):
                writers.append(stack.enter_context(_writer(stack, path, columns)))

    def _main(self, batch: Any) -> Any:
        return batch.drop_columns(["shard", *(label for name in self.rare for label in (_value(name), _flag(name)))])

    def _divide(self, batch: Any) -> None:
        """Append the rows of a batch to the streams of their shards."""
        shard = batch.column("shard").to_numpy()
        rows = self._main(batch)
        # A stable sort of bytes is a radix sort.
        order = np.argsort(shard, kind="stable") if self.count > 1 else np.arange(shard.size)
        edges = np.searchsorted(shard[order], np.arange(self.count + 1))
        if self.rare:
            self._divide_rare(batch, shard, order, self._filled - edges[:-1])
        if self.count > 1:
            rows = rows.take(pa.array(order))
        for number, writer in enumerate(self._rows):
            size = int(edges[number + 1] - edges[number])
            if size:
                writer.write_batch(rows.slice(int(edges[number]), size))
        self._filled += np.diff(edges)

    def _divide_rare(self, batch: Any, shard: npt.NDArray[np.uint8], order: npt.NDArray[np.int64], base: npt.NDArray[np.int64]) -> None:
        at = [np.flatnonzero(batch.column(_flag(name)).to_numpy()) for name in self.rare]
        rows = np.concatenate(at)
        if not rows.size:
            return
        values = [batch.column(_value(name)).to_numpy()[where] for name, where in zip(self.rare, at, strict=True)]
        fields = np.repeat(np.arange(len(at), dtype=np.uint8), [where.size for where in at])
        place = np.empty(order.size, np.int32)
        place[order] = np.arange(order.size, dtype=np.int32)
        whose = shard[rows]
        places = (place[rows] + base[whose]).astype(np.int32)
        sorted_ = np.argsort(whose, kind="stable")
        edges = np.searchsorted(whose[sorted_], np.arange(self.count + 1))
        columns = [places[sorted_], fields[sorted_], np.concatenate(values).astype(np.int64)[sorted_]]
        table = pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=APART)
        for number, writer in enumerate(self._apart):
            size = int(edges[number + 1] - edges[number])
            if size:
                writer.write_batch(table.slice(int(edges[number]), size))


def _value(name: str) -> str:
    return f"= {name}"


def _flag(name: str) -> str:
    return f"= {name}?"


def _writer(stack: ExitStack, path: Path, schema: Any) -> Any:
    path.touch(mode=0o600)
    return pa.ipc.new_stream(stack.enter_context(pa.OSFile(str(path), "wb")), schema)
