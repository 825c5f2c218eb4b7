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
import pyarrow as pa

from rbcalc.caseload.files import quote
from rbcalc.caseload.scan import Plan
from rbcalc_kernels.exact.layout import Layout


def sharding(layout: Layout, plans: Mapping[str, Plan]) -> str:
    """The root's reference to divide by: the one by which most rows are found."""
    weights: dict[str, int] = {}
    for name, anchor in layout.anchors.items():
        if name in plans and anchor.name == layout.root_register.name:
            by = plans[name].register.by
            weights[by] = weights.get(by, 0) + plans[name].opened.rows
    return max(weights, key=lambda by: weights[by]) if weights else layout.root_register.key


def divided_by(layout: Layout, plans: Mapping[str, Plan], key: str) -> bool:
    """Whether the rows of every register carry the dividing reference."""
    root = layout.root_register.name
    anchors = {name: layout.anchors.get(name) for name in plans}
    return all(above is None or (above.name == root and plans[name].register.by == key) for name, above in anchors.items())


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


def write_shards(batches: Iterable[Any], folder: Path, name: str, count: int) -> None:
    """Write a register's rows into one Arrow stream for each shard, each batch while the next is being read."""
    with ExitStack() as stack:
        writers: list[Any] = []
        pool = stack.enter_context(ThreadPoolExecutor(1))
        writing: Future[None] | None = None
        for batch in batches:
            if not writers:
                schema = batch.drop_columns(["shard"]).schema
                paths = [folder / f"{name}-{number}.arrow" for number in range(count)]
                writers = [stack.enter_context(_writer(stack, path, schema)) for path in paths]
            if writing is not None:
                writing.result()
            writing = pool.submit(_divide, batch, writers)
        if writing is not None:
            writing.result()


def _divide(batch: Any, writers: Sequence[Any]) -> None:
    """Append the rows of a batch to the streams of their shards."""
    shard = batch.column("shard").to_numpy()
    rows = batch.drop_columns(["shard"])
    if len(writers) == 1:
        writers[0].write_batch(rows)
        return
    # A stable sort of bytes is a radix sort.
    order = np.argsort(shard, kind="stable")
    edges = np.searchsorted(shard[order], np.arange(len(writers) + 1))
    rows = rows.take(pa.array(order))
    for number, writer in enumerate(writers):
        size = int(edges[number + 1] - edges[number])
        if size:
            writer.write_batch(rows.slice(int(edges[number]), size))


def _writer(stack: ExitStack, path: Path, schema: Any) -> Any:
    path.touch(mode=0o600)
    return pa.ipc.new_stream(stack.enter_context(pa.OSFile(str(path), "wb")), schema)
