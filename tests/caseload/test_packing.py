"""References as numbers, and caseloads in shards whose references have numbers, or have none."""

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
from rbcalc.caseload.importing import stream
from rbcalc.caseload.joining import Index, order_of
from rbcalc.caseload.packing import pack, unpack
from rbcalc_kernels.compiled import spells_machine

SHORT = st.text("0123456789ABCXYZ-", min_size=1, max_size=12)
LONG = st.text("0123456789", min_size=1, max_size=18)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(SHORT, LONG), unique=True, min_size=1))
def test_every_text_has_its_own_number_and_comes_back(texts: list[str]) -> None:
    codes = pack(pa.array(texts))
    assert codes is not None
    assert len(set(codes.tolist())) == len(texts)
    assert 0 not in codes
    assert unpack(codes).to_pylist() == texts


@pytest.mark.parametrize("compiled", [False, True])
def test_the_edges_of_what_has_a_number(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiled:
        monkeypatch.setattr(spells_machine, "SMALL", 0)
    texts = ["0", "00", "-", "------------", "ZZZZZZZZZZZZ", "0" * 12, "0" * 13, "9" * 13, "0" * 14, "0" * 18, "9" * 18]
    codes = pack(pa.array(texts))
    assert codes is not None
    assert len(set(codes.tolist())) == len(texts)
    assert unpack(codes).to_pylist() == texts
    spaced = pack(pa.array(["x", " 12 ", None, "  ", ""]).slice(1))
    assert spaced is not None
    assert spaced[1:].tolist() == [0, 0, 0]
    assert unpack(spaced[:1]).to_pylist() == ["12"]
    for text in ("a", "A B", "A" * 13, "0" * 19, "1.5E+05", "é"):
        assert pack(pa.array(["1", text])) is None


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=40), st.lists(st.integers(0, 12), max_size=40))
def test_an_index_finds_what_a_dictionary_finds(upper: list[tuple[int, int]], lower: list[int]) -> None:
    codes = np.array([code for code, _ in upper], np.int64)
    councils = np.array([council for _, council in upper], np.int16)
    numbers = np.arange(codes.size, 0, -1, dtype=np.int32)
    index = Index.of(codes, councils, numbers)
    last = {pair: place for place, pair in enumerate(upper) if pair[0]}
    expected = [last.get(pair, place) for place, pair in enumerate(upper)]
    assert (list(range(codes.size)) if index.first is None else index.first.tolist()) == expected
    assert index.mixed == (len({pair[0] for pair in last}) < len(last))
    if not index.mixed:
        first = {code: place for (code, _), place in last.items()}
        assert index.find(np.array(lower, np.int64)).tolist() == [first.get(code, -1) for code in lower]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 2)), max_size=200))
def test_rows_stand_by_owner_then_rank_then_row(pairs: list[tuple[int, int]]) -> None:
    owner = np.array([owner for owner, _ in pairs], np.int32)
    rank = np.array([rank for _, rank in pairs], np.int32)
    row = np.arange(owner.size, 0, -1, dtype=np.int32)
    assert order_of(owner, rank, row).tolist() == np.lexsort((row, rank, owner)).tolist()


@pytest.mark.parametrize("odd", ["D00001", " D00001 ", "Dwelling one"])
def test_shards_say_what_the_whole_says_whatever_the_references(tmp_path: Path, odd: str) -> None:
    size = 400
    keys: list[str | None] = [odd if place == 1 else f"D{place:05}" for place in range(size)]
    day = ["2026-04-01"] * size
    tables: dict[str, dict[str, Sequence[str | None]]] = {
        "accounts": {"account": [f"{place:013}" for place in range(size)], "dwelling": keys, "from": day, "to": [None] * size},
        "dwellings": {"dwelling": keys[::-1], "from": ["2000-01-01"] * size, "band": ["B"] * size, "area": ["east"] * size},
        "people": {
            "dwelling": [*keys[3:], "D99999", None, "D00007"],
            "from": ["2000-01-01"] * size,
            "birth_date": ["1970-01-01" if place % 40 == 0 else None for place in range(size)],
            "student": ["no"] * size,
        },
    }
    tables["accounts"]["capital"] = ["1" if place % 50 == 0 else None for place in range(size)]
    for name, columns in tables.items():
        pq.write_table(pa.table({label: pa.array(values, pa.string()) for label, values in columns.items()}), tmp_path / f"{name}.parquet")
    whole = load(tmp_path, council="north")
    with stream(tmp_path, program(), council="north", shard_roots=30, hashed=True) as shards:
        references: list[str] = []
        for shard in shards:
            conserved(shard)
            references += shard.references.to_pylist()
        assert shards.content.digest == whole.digest
        assert dict(shards.counts) == whole.counts
        assert sorted(map(str, shards.rejects.to_pylist())) == sorted(map(str, whole.rejects.to_pylist()))
    assert sorted(references) == sorted(whole.references.to_pylist())
    with stream(tmp_path, program(), council="north", shard_roots=30) as shards:
        assert [part.references.to_pylist() for part in shards] and sum(count.rows for count in shards.counts.values()) == 3 * size
