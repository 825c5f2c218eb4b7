"""Registers without the dividing reference follow the rows above them into their shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseload.programs import program
from caseload.support import conserved, load
from rbcalc.caseload import importing
from rbcalc.caseload.importing import stream
from rbcalc.caseload.routes import Routes
from rbcalc_kernels.compiled import spells_machine

ROWS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 255)), max_size=60)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("few", [False, True])
@settings(deadline=None, max_examples=40)
@given(rows=ROWS, below=st.lists(st.integers(0, 15), max_size=40))
def test_routes_find_what_a_dictionary_finds(compiled: bool, few: bool, rows: list[tuple[int, int]], below: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if compiled:
            patch.setattr(spells_machine, "SMALL", 0)
        wanted = np.array(below, np.int64)
        routes = Routes(len(rows), [wanted, wanted[:3]] if few else None)
        for some in (rows[:20], rows[20:]):
            routes.enter(np.array([code for code, _ in some], np.int64), np.array([shard for _, shard in some], np.uint8))
        routes.close()
        shard, more, shards = routes.find(wanted)
    expected: dict[int, set[int]] = {}
    for code, own in rows:
        if code:
            expected.setdefault(code, set()).add(own)
    assert shard.tolist() == [min(expected.get(code, {0})) for code in below]
    assert list(zip(more.tolist(), shards.tolist(), strict=True)) == [
        (place, own) for place, code in enumerate(below) for own in sorted(expected.get(code, {0}))[1:]
    ]


@pytest.mark.parametrize("claims", [40, 390])
def test_claims_and_their_incomes_stand_with_their_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, claims: int) -> None:
    monkeypatch.setattr(importing, "shard_query", None)  # no join of text
    size = 400
    keys = [f"D{place:05}" for place in range(size)]
    accounts: list[str | None] = [f"{place:013}" for place in range(size)]
    whose = [accounts[place * 7 % size] for place in range(claims)]
    tables: dict[str, dict[str, Sequence[str | None]]] = {
        "accounts": {"account": accounts, "dwelling": keys, "from": ["2026-04-01"] * size, "capital": ["1"] * size},
        "dwellings": {"dwelling": keys, "from": ["2000-01-01"] * size, "band": ["B"] * size, "area": ["east"] * size},
        "claims": {
            "claim": [f"C{place}" for place in range(claims)],
            "account": [*whose[:-3], "999", None, whose[-1]],
            "weeks": ["5" if place % 50 else "x" for place in range(claims)],
        },
        "incomes": {
            "claim": [f"C{place // 2 if place < 2 * claims - 1 else 99_999}" for place in range(2 * claims)],
            "number": [str(place % 2) for place in range(2 * claims)],
            "amount": ["5" if place % 60 else "-1" for place in range(2 * claims)],
        },
    }
    for name, columns in tables.items():
        pq.write_table(pa.table({label: pa.array(values, pa.string()) for label, values in columns.items()}), tmp_path / f"{name}.parquet")
    whole = load(tmp_path, council="north", claims=True)
    with stream(tmp_path, program(claims=True), council="north", shard_roots=30, hashed=True) as shards:
        references: list[str] = []
        for shard in shards:
            conserved(shard)
            references += shard.references.to_pylist()
        assert not shards.copied
        assert shards.content.digest == whole.digest
        assert dict(shards.counts) == whole.counts
        assert sorted(map(str, shards.rejects.to_pylist())) == sorted(map(str, whole.rejects.to_pylist()))
    assert sorted(references) == sorted(whole.references.to_pylist())


def test_a_claim_of_accounts_in_two_shards_is_held_by_both_and_counted_once(tmp_path: Path) -> None:
    size = 60
    accounts = [f"{place // 2}" for place in range(size)]  # each number stands twice, at two dwellings
    dwellings = [f"D{place}" for place in range(size)]
    tables: dict[str, dict[str, Sequence[str | None]]] = {
        "accounts": {"account": accounts, "dwelling": dwellings, "from": ["2026-04-01"] * size, "capital": ["1"] * size},
        "dwellings": {
            "dwelling": dwellings, "from": ["2000-01-01"] * size, "band": ["B"] * size, "area": ["east"] * size,
        },
        "claims": {"claim": [f"C{n}" for n in range(30)], "account": accounts[::2], "weeks": ["5"] * 30},
    }  # fmt: skip
    for name, columns in tables.items():
        pq.write_table(pa.table({label: pa.array(values, pa.string()) for label, values in columns.items()}), tmp_path / f"{name}.parquet")
    with stream(tmp_path, program(claims=True), council="north", shard_roots=10) as shards:
        held = 0
        for shard in shards:
            conserved(shard, shard=True)
            held += shard.counts["claims"].rows
        assert shards.copied
        assert held == shards.counts["claims"].rows == 30
        assert shards.counts["accounts"].rejected == size
