"""Small caseloads for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from caseload.programs import program
from rbcalc.caseload.importing import import_caseload
from rbcalc.caseload.model import Caseload

ACCOUNTS = "account,dwelling,from,to,capital\n001,D1,2026-04-01,,12.50\n002,D2,2026-04-01,2026-09-30,0\n"
DWELLINGS = "dwelling,from,to,band,area\nD1,2000-01-01,,A,east\nD2,2000-01-01,,D,west\n"
PEOPLE = "dwelling,from,to,birth_date,student\nD1,2000-01-01,,1970-05-01,no\nD2,2000-01-01,,1980-05-01,yes\n"


def folder(
    path: Path,
    accounts: str | bytes = ACCOUNTS,
    dwellings: str | bytes = DWELLINGS,
    people: str | bytes | None = PEOPLE,
    **others: str,
) -> Path:
    """A folder of CSV files."""
    path.mkdir(exist_ok=True)
    files = {"accounts": accounts, "dwellings": dwellings, "people": people, **others}
    for name, text in files.items():
        if text is not None:
            (path / f"{name}.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def load(source: Path | Mapping[str, Any], **options: Any) -> Caseload:
    """The caseload of the made-up council."""
    programs = options.pop("programs", None) or program(claims=options.pop("claims", False))
    made = import_caseload(source, programs, **options)
    conserved(made)
    return made


def conserved(caseload: Caseload, *, shard: bool = False) -> None:
    """Rows in are rows used and rejected, and each rejected row has a reason.

    A row that belongs to accounts of several shards is held by each of them and counted in one.
    """
    for name, count in caseload.counts.items():
        assert count.rows == count.used + count.rejected + count.elsewhere
        held = caseload.registers[name].count
        assert count.used <= held if shard else count.used == held
        told = {reject["row"] for reject in caseload.rejects.to_pylist() if reject["table"] == name}
        assert len(told) == count.rejected


def said(caseload: Caseload, table: str = "accounts") -> list[tuple[int, str, str]]:
    """Row, column and reason of a table's rejects."""
    rows = [reject for reject in caseload.rejects.to_pylist() if reject["table"] == table]
    return [(reject["row"], reject["column"], reject["reason"]) for reject in rows]


def arrow(text: str) -> pa.Table:
    """An Arrow table of text from CSV text without quotation marks."""
    head, *lines = [line.split(",") for line in text.splitlines()]
    columns = [[line[place] or None for line in lines] for place in range(len(head))]
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(head, columns, strict=True)})
