"""Importing: what belongs together, whose it is, what is rejected with what, and that no row is lost."""

from __future__ import annotations

import datetime as dt
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseload.programs import program
from caseload.support import ACCOUNTS, DWELLINGS, PEOPLE, arrow, conserved, folder, load, said
from rbcalc.caseload.column_map import ColumnMap
from rbcalc.caseload.importing import Stream, import_caseload, stream
from rbcalc.caseload.model import Caseload
from rbcalc.caseload.values import dtype_of
from rbcalc.errors import DataError, UsageError
from rbcalc_kernels.compiled.registers import blank
from rbcalc_kernels.compiled.spells import cut

FOLLOWS = "cannot be used because a row that belongs with it was rejected"


def test_rows_are_encoded_and_stand_with_their_owner(tmp_path: Path) -> None:
    dwellings = "dwelling,from,to,band,area\nD2,2026-07-01,,E,west\nD1,2000-01-01,,A,east\nD2,2000-01-01,2026-06-30,D,west\n"
    made = load(folder(tmp_path / "c", dwellings=dwellings), council="north")
    found = made.registers["dwellings"]
    assert found.owner is not None and found.owner.tolist() == [0, 1, 1]
    assert found.columns["band"].tolist() == [0, 3, 4]
    assert found.columns["area"].tolist() == [0, 1, 1]
    assert found.columns["disabled?"].tolist() == [0, 0, 0]
    assert found.rows.tolist() == [3, 4, 2]
    assert made.registers["accounts"].columns["capital"].tolist() == [1250, 0]
    ends = made.registers["accounts"].ends
    assert ends is not None and ends.tolist() == [2**31 - 1, 20726]
    assert made.complete and made.councils == ("north",)


def test_columns_are_as_narrow_as_the_kernels_make_them() -> None:
    for described in program().inputs.values():
        assert dtype_of(described) == blank(described)[1]


def test_accounts_of_one_dwelling_share_its_rows(tmp_path: Path) -> None:
    accounts = "account,dwelling,from,to,capital\n1,D1,2026-04-01,2026-06-30,1\n2,D1,2026-07-01,,1\n3,D2,2026-04-01,,x\n"
    made = load(folder(tmp_path / "c", accounts), council="north")
    assert made.registers["accounts"].same["dwelling"].tolist() == [0, 0]
    owner = made.registers["people"].owner
    assert owner is not None and owner.tolist() == [0]
    assert said(made, "people") == [(3, "", FOLLOWS)]


def test_what_has_no_owner_is_rejected(tmp_path: Path) -> None:
    path = folder(tmp_path / "c", dwellings=DWELLINGS + "D9,2000-01-01,,A,east\n", people=PEOPLE + "D8,2000-01-01,,1970-05-01,no\n")
    made = load(path, council="north")
    reason = "is a reference that no row of accounts carries"
    assert said(made, "dwellings") == [(4, "dwelling", reason)]
    assert said(made, "people") == [(4, "dwelling", reason)]
    assert made.registers["accounts"].count == 2


def test_an_account_without_its_dwelling_is_rejected(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", ACCOUNTS + "003,D3,2026-04-01,,1\n"), council="north")
    assert said(made) == [(4, "dwelling", "is a reference that no row of dwellings carries")]


def test_a_rejected_fact_takes_its_account_with_it(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", people=PEOPLE.replace("1980-05-01", "soon")), council="north")
    assert said(made, "people") == [(3, "birth_date", "is not a date (YYYY-MM-DD): text of 4 characters")]
    assert said(made) == [(3, "", FOLLOWS)]
    assert said(made, "dwellings") == [(3, "", FOLLOWS)]
    assert made.references.to_pylist() == ["001"]


def test_duplicate_keys_are_rejected(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", ACCOUNTS + "001,D2,2026-04-01,,1\n"), council="north")
    assert [(row, column) for row, column, _ in said(made)] == [(2, "account"), (4, "account")]


def test_nested_registers_find_their_owners(tmp_path: Path) -> None:
    claims = "claim,account,weeks\nC2,002,52\nC1,001,10\nC3,404,1\n"
    incomes = "claim,number,amount\nC1,2,10.00\nC1,1,5.00\nC2,7,1\nC2,8,1.5\n"
    made = load(folder(tmp_path / "c", claims=claims, incomes=incomes), council="north", claims=True)
    assert made.registers["claims"].columns["weeks"].tolist() == [10, 52]
    assert made.registers["incomes"].columns["amount"].tolist() == [500, 1000, 100, 150]
    assert said(made, "claims") == [(4, "account", "is a reference that no row of accounts carries")]


def test_equal_places_in_an_order_are_rejected(tmp_path: Path) -> None:
    claims, incomes = "claim,account,weeks\nC1,001,10\n", "claim,number,amount\nC1,1,10.00\nC1,1,5.00\n"
    made = load(folder(tmp_path / "c", claims=claims, incomes=incomes), council="north", claims=True)
    assert [(row, column) for row, column, _ in said(made, "incomes")] == [(2, "number"), (3, "number")]
    assert made.references.to_pylist() == ["002"]


TWO = {"north": program("north", ("east", "west")), "south": program("south", ("west", "moor"))}
TWO_ACCOUNTS = "council,account,dwelling,from,to,capital\nsouth,S1,D1,2026-04-01,,5\nnorth,N1,D1,2026-04-01,,6\nsouth,S2,D2,2026-04-01,,7\n"
TWO_DWELLINGS = (
    "council,dwelling,from,to,band,area\nnorth,D1,2000-01-01,,A,east\nsouth,D1,2000-01-01,,B,west\nsouth,D2,2000-01-01,,C,moor\n"
)
TWO_PEOPLE = "council,dwelling,from,to,birth_date,student\nsouth,D2,2000-01-01,,1970-05-01,no\nnorth,D1,2000-01-01,,1980-05-01,yes\n"


def test_councils_keep_their_rows_and_their_lists(tmp_path: Path) -> None:
    path = folder(tmp_path / "c", TWO_ACCOUNTS, TWO_DWELLINGS, TWO_PEOPLE)
    both = load(path, programs=TWO)
    assert both.references.to_pylist() == ["N1", "S1", "S2"]
    assert both.council.tolist() == [0, 1, 1]
    assert both.registers["dwellings"].columns["area"].tolist() == [0, 0, 1]
    for name, program_ in TWO.items():
        part, alone = both.of(name), load(path, programs={name: program_}, council=name)
        conserved(part)
        assert part.digest == alone.digest
        assert part.references.equals(alone.references)
        assert part.counts["accounts"].used == alone.counts["accounts"].used
        for register, found in part.registers.items():
            assert found.rows.tolist() == alone.registers[register].rows.tolist()
            assert {name: column.tolist() for name, column in found.columns.items()} == {
                name: column.tolist() for name, column in alone.registers[register].columns.items()
            }
    assert load(path, programs=TWO, council="south").counts["accounts"].elsewhere == 1


def test_a_member_of_another_councils_list_is_rejected(tmp_path: Path) -> None:
    path = folder(tmp_path / "c", TWO_ACCOUNTS, TWO_DWELLINGS.replace("A,east", "A,moor"), TWO_PEOPLE)
    made = load(path, programs=TWO)
    assert said(made, "dwellings") == [(2, "area", "is not in the list of its council")]
    assert made.references.to_pylist() == ["S1", "S2"]


def test_a_reference_of_several_councils_needs_the_council(tmp_path: Path) -> None:
    dwellings = "dwelling,from,to,band,area\nD1,2000-01-01,,A,west\nD2,2000-01-01,,C,moor\n"
    made = load(folder(tmp_path / "c", TWO_ACCOUNTS, dwellings, None), programs=TWO)
    assert said(made, "dwellings") == [(2, "dwelling", "is a reference that rows of several councils in accounts carry")]
    assert made.references.to_pylist() == ["S2"]


def test_a_council_that_is_not_known_is_rejected(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", TWO_ACCOUNTS.replace("north", "nroth"), TWO_DWELLINGS, TWO_PEOPLE), programs=TWO)
    assert said(made) == [(3, "council", "is not a council of this run")]
    with pytest.raises(UsageError, match=r"RC012.*did you mean 'north'"):
        made.of("nroth")


def test_an_account_is_in_one_council_only(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", TWO_ACCOUNTS.replace("N1", "S1"), TWO_DWELLINGS, TWO_PEOPLE), programs=TWO)
    assert [(row, column) for row, column, _ in said(made)] == [(2, "account"), (3, "account")]


def test_any_holder_of_tables_will_do() -> None:
    tables = {"accounts": arrow(ACCOUNTS), "dwellings": arrow(DWELLINGS), "people": arrow(PEOPLE)}
    expected = load(tables, council="north")
    with duckdb.connect() as connection:
        connection.register("held", tables["people"])
        mixed: dict[str, Any] = {
            "accounts": pl.DataFrame(tables["accounts"]),
            "dwellings": tables["dwellings"].to_reader(),
            "people": connection.sql("SELECT * FROM held"),
        }
        assert load(mixed, council="north").digest == expected.digest
    with pytest.raises(DataError, match=r"RC001.*given as int"):
        load({**tables, "people": 7}, council="north")
    with pytest.raises(DataError, match=r"RC002.*no table 'peopel'.*did you mean 'people'"):
        load({"peopel": tables["people"]}, council="north")


def typed(capital: pa.Array) -> dict[str, pa.Table]:
    day = pa.array([dt.date(2000, 1, 1)] * 2)
    return {
        "accounts": pa.table({"account": pa.array([1, 2]), "dwelling": ["D1", "D2"], "from": day, "capital": capital}),
        "dwellings": pa.table({
            "dwelling": pa.array(["D1", "D2"]), "from": day, "band": pa.array(["A", "D"]).dictionary_encode(),
            "area": ["east", "west"], "disabled": [True, None],
        }),
    }  # fmt: skip


@pytest.mark.parametrize(
    "capital",
    [
        pa.array([Decimal("12.50"), Decimal("0.00")], pa.decimal128(12, 2)),
        pa.array([Decimal("12.500"), Decimal(0)], pa.decimal128(38, 12)),
        pa.array(["12.5", "0"]),
    ],
)
def test_typed_columns_are_read(capital: pa.Array, tmp_path: Path) -> None:
    tables = typed(capital)
    for name, table in tables.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    for source in (tables, tmp_path):
        made = load(source, council="north")
        assert made.registers["accounts"].columns["capital"].tolist() == [1250, 0]
        assert made.registers["dwellings"].columns["disabled?"].tolist() == [1, 0]
        assert made.references.to_pylist() == ["1", "2"]


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_money_as_floating_point_is_refused(kind: pa.DataType, tmp_path: Path) -> None:
    for name, table in typed(pa.array([12.5, 0.0], kind)).items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    with pytest.raises(DataError, match=r"RC006.*cannot be an amount of money") as caught:
        load(tmp_path, council="north")
    assert "as decimal, as text, or as a whole number" in caught.value.hint


def test_a_decimal_with_half_a_penny_is_rejected() -> None:
    made = load(typed(pa.array([Decimal("12.505"), Decimal(0)], pa.decimal128(12, 3))), council="north")
    assert said(made)[0] == (1, "capital", "is not a multiple of £0.01")


def test_missing_tables_and_columns_are_named(tmp_path: Path) -> None:
    path = folder(tmp_path / "c", ACCOUNTS.replace("capital", "captial"))
    with pytest.raises(DataError, match=r"RC003.* the table 'accounts' lacks the column 'capital' \(did you mean 'captial'\?\)"):
        load(path, council="north")
    (path / "dwellings.csv").unlink()
    with pytest.raises(DataError, match=r"RC002.*no table 'dwellings'"):
        load(path, council="north")
    with pytest.raises(DataError, match=r"RC001.*no such folder"):
        load(tmp_path / "nowhere", council="north")


def test_a_column_that_may_be_misnamed_is_told(tmp_path: Path) -> None:
    """An optional column that is not there beside one like it that nobody reads; without such a one nothing is said."""
    misnamed = ACCOUNTS.replace("capital", "capital,Sahre", 1)
    lines = [line + ",5%" if place else line for place, line in enumerate(misnamed.splitlines()) if line]
    made = load(folder(tmp_path / "c", "\n".join(lines) + "\n"), council="north")
    assert any(note.endswith("there is a column 'Sahre', which no rule reads; was 'share' meant?") for note in made.notes), made.notes
    assert not any("meant" in note for note in load(folder(tmp_path / "d"), council="north").notes)


def test_a_table_that_may_be_missing_has_no_rows(tmp_path: Path) -> None:
    assert load(folder(tmp_path / "c", people=None), council="north").registers["people"].count == 0


MAP = """kind: column map
dates: DD/MM/YYYY
registers:
  accounts:
    file: "ACC_*.csv"
    columns: {account: ACC REF, dwelling: PROP, from: START}
    constants: {council: north}
    assume: {capital: "0"}
  dwellings:
    columns: {band: BAND CODE}
    codes: {band: {"1": A, "4": D}}
    dates: YYYY-MM-DD
  people: {dates: YYYY-MM-DD}
"""


def test_a_column_map_adapts_another_systems_extract(tmp_path: Path) -> None:
    path = folder(tmp_path / "c", dwellings=DWELLINGS.replace("band", "Band Code").replace(",A,", ",1,").replace(",D,", ",4,"))
    (path / "accounts.csv").unlink()
    (path / "ACC_1.csv").write_text("Acc Ref,Prop,Start\n001,D1,01/04/2026\n")
    (path / "ACC_2.csv").write_text("Acc Ref,Prop,Start\n002,D2,1/4/2026\n")
    made = load(path, programs=TWO, column_map=ColumnMap.parse(MAP))
    assert made.references.to_pylist() == ["001", "002"]
    assert made.registers["dwellings"].columns["band"].tolist() == [0, 3]
    assert [str(item) for item in made.assumptions] == ["accounts.capital is assumed to be '0' for 2 rows"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("registers: {}", "the file must say `kind: column map`"),
        ("kind: column map\nregsters: {}", "m.yaml:2:1: error[RC010] the key 'regsters' is not known here (did you mean 'registers'?)"),
        ("kind: column map\ndates: MM/DD/YYYY", "m.yaml:2:8: error[RC010] 'MM/DD/YYYY' cannot stand here"),
        ("kind: column map\nencoding: klingon", "wanted is the name of an encoding"),
        ("kind: column map\ndelimiter: x", "wanted is one of , ; | and tab"),
        ("kind: column map\nregisters: {accounts: [x]}", "m.yaml:2:23: error[RC010] a mapping is wanted here"),
        ("kind: column map\nregisters: {accounts: {columns: {account: [x]}}}", "a single value is wanted here"),
        ("kind: column map\nregisters: {accounts: {private: NAME}}", "a list of headers is wanted"),
        ("kind: column map\nkind: again", "RB006"),
    ],
)
def test_mistakes_in_a_column_map_have_a_place(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        ColumnMap.parse(text, "m.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{account: {}}", "2:13: error[RC011] the rules have no table 'account' (did you mean 'accounts'?)"),
        ("{accounts: {columns: {dweling: X}}}", "the table 'accounts' has no column 'dweling' (did you mean 'dwelling'?)"),
        ("{dwellings: {codes: {band: {'1': Z}}}}", "'Z' is not a value of 'band'"),
        ("{accounts: {columns: {capital: X}, assume: {capital: '0'}}}", "'capital' is read from the extract and set under 'assume' too"),
    ],
)
def test_a_column_map_must_fit_the_rules(text: str, message: str, tmp_path: Path) -> None:
    told = ColumnMap.parse(f"kind: column map\nregisters: {text}", "m.yaml")
    with pytest.raises(UsageError) as caught:
        load(folder(tmp_path / "c"), council="north", column_map=told)
    assert message in str(caught.value)


def test_a_header_of_the_map_must_be_there(tmp_path: Path) -> None:
    told = ColumnMap.parse("kind: column map\nregisters: {accounts: {columns: {capital: SAVNGS}}}")
    with pytest.raises(DataError, match=r"no column 'SAVNGS'.*did you mean 'SAVINGS'"):
        load(folder(tmp_path / "c", ACCOUNTS.replace("capital", "SAVINGS")), council="north", column_map=told)


def test_the_digest_does_not_depend_on_order_and_shows_every_change(tmp_path: Path) -> None:
    first = load(folder(tmp_path / "a"), council="north").digest
    head, *lines = PEOPLE.splitlines()
    turned = load(folder(tmp_path / "b", people="\n".join([head, *lines[::-1]]) + "\n"), council="north").digest
    changed = load(folder(tmp_path / "c", people=PEOPLE.replace("yes", "no")), council="north").digest
    moved = load(folder(tmp_path / "d", people=PEOPLE.replace("D2", "D1")), council="north").digest
    assert first == turned
    assert len({first, changed, moved}) == 3


CELLS = ["", "D1", "D2", "D3", "x", "1", "2026-04-01", "2026-03-01", "yes", "A", "east", "£1.00", "1.005", "Total", "1.2E+11"]
CELL = st.sampled_from(CELLS)


def dirty(head: str, good: st.SearchStrategy[list[str]]) -> st.SearchStrategy[str]:
    """CSV text of rows that are mostly good; some have a cell changed, added or taken away."""

    def spoil(row: list[str], place: int, cell: str, kind: int) -> str:
        if kind == 0:
            row = [*row[: place % len(row)], cell, *row[place % len(row) + 1 :]]
        elif kind == 1:
            row = [*row, cell]
        return ",".join(row)

    lines = st.lists(st.builds(spoil, good, st.integers(0, 9), CELL, st.integers(0, 7)), max_size=12)
    return lines.map(lambda rows: "\n".join([head, *rows]) + "\n")


KEY = st.integers(0, 6).map(lambda number: f"D{number}")
ACCOUNT = st.integers(0, 20).map(str)
CLAIM = st.integers(0, 9).map(lambda number: f"C{number}")
DIRTY = st.tuples(
    dirty("account,dwelling,from,to,capital", st.tuples(ACCOUNT, KEY).map(lambda at: [*at, "2026-04-01", "", "1"])),
    dirty("dwelling,from,to,band,area", KEY.map(lambda key: [key, "2000-01-01", "", "B", "east"])),
    dirty("dwelling,from,to,birth_date,student", KEY.map(lambda key: [key, "2000-01-01", "", "1970-01-01", "no"])),
    dirty("claim,account,weeks", st.tuples(CLAIM, ACCOUNT).map(lambda at: [*at, "5"])),
    dirty("claim,number,amount", st.tuples(CLAIM, st.integers(0, 9).map(str)).map(lambda at: [*at, "5"])),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(DIRTY)
def test_no_row_is_lost_whatever_the_files_hold(texts: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = folder(Path(name) / "c", texts[0], texts[1], texts[2], claims=texts[3], incomes=texts[4])
        whole = load(path, council="north", claims=True)
        for register, count in whole.counts.items():
            text = texts[["accounts", "dwellings", "people", "claims", "incomes"].index(register)]
            assert count.rows == len([line for line in text.splitlines()[1:] if line])
        with stream(path, program(claims=True), council="north", shard_roots=3, hashed=True) as shards:
            for shard in shards:
                conserved(shard, shard=True)
            for register, count in shards.counts.items():
                assert count.rows == whole.counts[register].rows == count.used + count.rejected + count.elsewhere
            if not shards.copied:
                same(shards, whole)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(DIRTY)
def test_shards_say_the_same_as_the_whole(texts: tuple[str, ...]) -> None:
    """Without registers whose rows belong to accounts of several shards: content, counts and rejects, to the row."""
    with tempfile.TemporaryDirectory() as name:
        path = folder(Path(name) / "c", texts[0], texts[1], texts[2])
        whole = load(path, council="north")
        with stream(path, program(), council="north", shard_roots=3, hashed=True) as shards:
            for shard in shards:
                conserved(shard, shard=True)
            assert not shards.copied
            same(shards, whole)


def same(shards: Stream, whole: Caseload) -> None:
    """The shards together are the whole."""
    assert shards.content.digest == whole.digest
    assert dict(shards.counts.items()) == whole.counts
    keys = ["table", "row", "column", "reason", "remedy", "council"]
    assert sorted(map(str, shards.rejects.select(keys).to_pylist())) == sorted(map(str, whole.rejects.select(keys).to_pylist()))


def test_the_kernels_take_what_was_imported(tmp_path: Path) -> None:
    head = "account,dwelling,from,to,capital\n"
    accounts = head + "1,D1,2026-04-01,2026-06-30,1\n2,D1,2026-07-01,,1\n3,D2,2026-04-01,,1\n4,D3,2026-04-01,,1\n"
    dwellings = DWELLINGS + "D3,2027-01-01,,A,east\n"
    made = load(folder(tmp_path / "c", accounts, dwellings), council="north")
    batch, rejected = cut(program(), made.columns())
    assert batch.kept.tolist() == [0, 1, 2]
    assert rejected.root.tolist() == [3]
    assert batch.entities["period"].columns["band"].tolist() == [0, 0, 3]
    assert batch.entities["resident"].columns["student"].tolist() == [0, 0, 1]


def test_working_files_are_gone_after_a_stream_and_after_an_error(tmp_path: Path) -> None:
    work = tmp_path / "work"
    path = folder(tmp_path / "c")
    with stream(path, program(), council="north", work_folder=work) as shards:
        made = next(iter(shards))
        assert [item.stat().st_mode & 0o777 for item in work.iterdir()] == [0o700]
        assert made.references.to_pylist() == ["001", "002"]
    with pytest.raises(DataError):
        import_caseload(folder(tmp_path / "d", "account\n"), program(), council="north", work_folder=work)
    assert list(work.iterdir()) == []
