"""Tables that two subjects share: what belongs to an account of the other subject alone is neither used nor rejected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from caseload.programs import program
from caseload.support import DWELLINGS, PEOPLE, folder, said
from rbcalc.caseload.importing import import_caseload, stream
from rbcalc_kernels.program.graph import Program

ACCOUNTS = "account,dwelling,from,to,capital\n001,D1,2026-04-01,,12.50\n002,D2,2026-04-01,,0\n"
CLAIMS = "claim,account,weeks\nC1,001,1\nC2,T7,2\nC3,002,3\nC4,nobody,4\nC5,T8,none\n"
INCOMES = "claim,number,amount\nC1,1,10\nC2,1,20\nC2,2,21\nC4,1,40\n"
TENANCIES = "account,from\nT7,2026-04-01\n001,2026-04-01\nT8,2026-04-01\n"


def shared() -> Program:
    made = program(claims=True)
    made.registers["claims"] = replace(made.registers["claims"], instead=("tenancies",))
    return made


def tables(path: Path, *, tenancies: str = TENANCIES) -> Path:
    made = folder(path, ACCOUNTS, DWELLINGS, PEOPLE)
    for name, text in {"claims": CLAIMS, "incomes": INCOMES, "tenancies": tenancies}.items():
        if text:
            (made / f"{name}.csv").write_text(text, encoding="utf-8")
    return made


def test_rows_of_another_subjects_accounts_are_left_to_it(tmp_path: Path) -> None:
    made = import_caseload(tables(tmp_path / "c"), shared(), council="north")
    assert made.registers["claims"].columns["weeks"].tolist() == [1, 3]
    assert made.registers["incomes"].columns["amount"].tolist() == [1000]
    counts = made.counts["claims"]
    assert (counts.rows, counts.used, counts.rejected, counts.elsewhere) == (5, 2, 1, 2)
    assert made.counts["incomes"].elsewhere == 2


def test_what_belongs_to_nobody_is_still_rejected(tmp_path: Path) -> None:
    made = import_caseload(tables(tmp_path / "c"), shared(), council="north")
    assert said(made, "claims") == [(5, "account", "is a reference that no row of accounts carries")]
    # What is wrong with the other subject's own rows is for the other subject to say.
    assert len(said(made, "incomes")) == 1


def test_without_the_other_subjects_table_all_rows_must_belong_here(tmp_path: Path) -> None:
    made = import_caseload(tables(tmp_path / "c", tenancies=""), shared(), council="north")
    assert sorted(row for row, *_ in said(made, "claims")) == [3, 5, 6]


@pytest.mark.parametrize("roots", [1, 1000])
def test_shards_and_tables_in_memory_say_the_same(tmp_path: Path, roots: int) -> None:
    parquet = tmp_path / "p"
    parquet.mkdir()
    held: dict[str, Any] = {}
    for path in sorted(tables(tmp_path / "c").glob("*.csv")):
        lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
        columns = list(zip(*(line + [""] * (len(lines[0]) - len(line)) for line in lines), strict=True))
        held[path.stem] = pa.table({column[0]: pa.array([cell or None for cell in column[1:]], pa.string()) for column in columns})
        pq.write_table(held[path.stem], parquet / f"{path.stem}.parquet")
    for source in (parquet, held):
        with stream(source, shared(), council="north", shard_roots=roots) as shards:
            weeks = sorted(week for part in shards for week in part.registers["claims"].columns["weeks"].tolist())
            assert weeks == [1, 3]
            assert shards.counts["claims"].elsewhere == 2
            assert shards.counts["claims"].rejected == 1
