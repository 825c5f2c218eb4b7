"""The same seed makes the same rows: anywhere, alone or in company, in one file or in many."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from rbcalc.rulebook.rules import Rules
from rbcalc.sampling import rows as _sample_rows
from rbcalc.sampling import sample as _sample
from rbcalc.sampling.sample import Summary, sample
from rbcalc.sampling.values import Stream, deal, largest_remainder, months_after
from sample.tables import everything, read, sorted_rows


def test_the_random_words_are_the_same_on_every_machine() -> None:
    assert Stream("1/here/0/two_adults").words(4).tolist() == [432543239, 1486301626, 1074386345, 1008826357]
    assert Stream("order").order(8).tolist() == [2, 4, 0, 6, 3, 1, 7, 5]


def test_twice_the_same_bytes(rules: Rules, small: Summary, tmp_path: Path) -> None:
    sample(rules, council="redcar_and_cleveland", year="2025-26", dwellings=5000, out=tmp_path)
    assert everything(tmp_path) == everything(small.folder)


def test_another_seed_makes_other_rows_of_the_same_sizes(rules: Rules, small: Summary, tmp_path: Path) -> None:
    other = sample(rules, council="redcar_and_cleveland", year="2025-26", dwellings=5000, seed=2, out=tmp_path)
    assert other.members == small.members
    assert {name: table.digest for name, table in other.tables.items()}.items().isdisjoint(
        {name: table.digest for name, table in small.tables.items()}.items()
    )


@pytest.mark.parametrize("council", ["west_dorset", "weymouth_and_portland"])
def test_a_council_is_the_same_alone_and_in_a_partnership(rules: Rules, westwey: Summary, council: str, tmp_path: Path) -> None:
    alone = sample(rules, council=council, year="2014-15", out=tmp_path)
    accounts = read(westwey, "accounts")
    mine = accounts.filter(pc.equal(accounts["council"], council))
    assert mine.equals(read(alone, "accounts"))
    belong = [("dwellings", "dwelling", mine), ("people", "dwelling", mine), ("claims", "account", mine)]
    for name, column, above in belong:
        together = read(westwey, name)
        assert together.filter(pc.is_in(together[column], pc.unique(above[column]))).equals(read(alone, name))
        if name == "claims":
            belong += [("household", "claim", read(alone, name)), ("non_dependants", "claim", read(alone, name))]
        if name == "household":
            belong += [("incomes", "person", read(alone, name))]
    assert westwey.situations[council] == alone.situations[council]


def test_many_files_hold_the_same_rows_as_one(rules: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sample_rows, "CHUNK", 700)
    one = sample(rules, partnership="westwey", dwellings=6000, out=tmp_path / "one")
    monkeypatch.setattr(_sample, "LARGE", 1000)
    many = sample(rules, partnership="westwey", dwellings=6000, out=tmp_path / "many")
    for name in many.of("council_tax").tables:
        table = many.tables[name]
        assert len(table.files) == 10
        assert table.digest == one.tables[name].digest
        assert sorted_rows(read(one, name)) == sorted_rows(read(many, name))
    assert sum(one.dwellings.values()) == 6000


def test_no_two_large_tables_stand_in_one_order(rules: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sample_rows, "CHUNK", 700)
    monkeypatch.setattr(_sample, "LARGE", 1000)
    made = sample(rules, partnership="westwey", dwellings=6000, out=tmp_path)
    firsts = {name: set(read(made, name)["dwelling"].to_pylist()[:300]) for name in ("accounts", "dwellings", "people")}
    assert not set.intersection(*firsts.values())


def test_the_manifest_says_what_was_made(small: Summary) -> None:
    manifest = json.loads((small.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 1 and manifest["year"] == "2025-26"
    assert list(manifest["subjects"]) == ["council_tax", "business_rates"]
    assert manifest["subjects"]["council_tax"]["rules"].keys() == {"redcar_and_cleveland"}
    for name, told in manifest["tables"].items():
        assert told["rows"] == read(small, name).num_rows
    told = manifest["subjects"]["council_tax"]["councils"]["redcar_and_cleveland"]
    assert told["dwellings"] == 5000
    assert sum(found["dwellings"] for found in told["situations"].values()) == 5000


def test_shares_are_dealt_exactly() -> None:
    from fractions import Fraction

    shares = (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6))
    assert np.bincount(deal(Stream("x"), shares, 12)).tolist() == [6, 4, 2]
    many = np.bincount(deal(Stream("x"), shares, 600_000))
    assert abs(many - np.array([300_000, 200_000, 100_000])).max() < 2000
    groups = [np.bincount(deal(Stream(f"x/{place}"), shares, count), minlength=3) for place in range(600) for count in (1, 2, 3)]
    assert all(abs(found - size * np.array([3, 2, 1]) / 6).max() < 1 for found, size in zip(groups, [1, 2, 3] * 600, strict=True))
    assert abs(np.sum(groups, axis=0) - np.array([1800, 1200, 600])).max() < 60, "small groups come out right together"
    assert largest_remainder((1, 1, 1), 10) == [4, 3, 3]
    assert largest_remainder((0, 0), 10) == [0, 0]


def test_months_end_on_the_last_day_of_a_shorter_month() -> None:
    days = np.array(["2024-01-31", "2023-01-31", "2024-02-29", "1969-12-31"], "datetime64[D]").astype(np.int64)
    one = months_after(days, 1)
    assert np.asarray(one).astype("datetime64[D]").astype(str).tolist() == ["2024-02-29", "2023-02-28", "2024-03-29", "1970-01-31"]
    assert months_after(int(days[2]), -12) == int(np.datetime64("2023-02-28").astype(np.int64))


def test_references_are_text_with_their_leading_noughts(small: Summary) -> None:
    for name, column in (
        ("accounts", "dwelling"),
        ("people", "dwelling"),
        ("claims", "account"),
        ("household", "claim"),
        ("incomes", "person"),
    ):
        assert read(small, name).schema.field(column).type == pa.string()
    accounts = read(small, "accounts")
    assert pc.all(pc.match_substring_regex(accounts["dwelling"], "^0[0-9]{11}$")).as_py()
    assert len(pc.unique(accounts["account"])) == accounts.num_rows
    assert len(pc.unique(read(small, "dwellings")["dwelling"])) == 5000
