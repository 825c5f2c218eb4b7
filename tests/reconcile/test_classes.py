"""Every account is in one class, sums add up, the record belongs to what it was made with, and bad files are refused in words."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rbcalc
from rbcalc.errors import DataError, UsageError
from rbcalc.reconciling.reconcile import pounds, reconcile, share, shown_rate
from rbcalc.reconciling.record import read_record
from reconcile.conftest import Figures, Small, without_machine_code
from reconcile.small import YEAR

CHANGES = st.dictionaries(st.integers(0, 79), st.sampled_from(["penny", "more", "gone", "blank award"]), max_size=30)


@given(CHANGES, st.integers(0, 3))
@settings(max_examples=10)
def test_every_account_is_in_one_class_and_sums_add_up(small: Small, changes: dict[int, str], strangers: int) -> None:
    live: Figures = {key: list(row) for key, row in small.figures.items()}
    for place, change in changes.items():
        key = list(small.figures)[place]
        if change == "gone":
            del live[key]
        elif change == "blank award":
            live[key][1] = None
        else:
            live[key][0] = live[key][0] + (Decimal("0.01") if change == "penny" else Decimal(100))  # type: ignore[operator]
    live |= {("north", f"x{n}"): [Decimal(7), None] for n in range(strangers)}
    found = small.reconciled(live, tolerance=Fraction(1, 100), causes=False)
    kinds = list(changes.values())
    paid = sum(small.figures[key][1] != 0 for key in [list(small.figures)[n] for n, kind in changes.items() if kind == "blank award"])
    assert found.counts == {
        "matches to the penny": 80 - len(kinds) + kinds.count("blank award") - paid,
        "differs within the tolerance": kinds.count("penny"),
        "differs": kinds.count("more") + paid,
        "only in the live system": strangers,
        "only in the caseload": kinds.count("gone"),
        "rejected": 0,
    }
    accounts = found.accounts
    assert accounts.num_rows == 80 + strangers == sum(found.counts.values())
    assert len(set(zip(accounts["council"].to_pylist(), accounts["account"].to_pylist(), strict=True))) == accounts.num_rows
    for name, place in (("charge", 0), ("award", 1)):
        both = [key for key in live if key in small.figures]
        difference = sum((live[key][place] or 0) - (small.figures[key][place] or 0) for key in both)
        assert pc.sum(found.classes[f"{name}_difference"]).as_py() == difference
        assert (pc.sum(accounts[f"{name}_difference"]).as_py() or 0) == difference
        assert pc.sum(found.classes[f"{name}_live"]).as_py() == sum(row[place] or 0 for row in live.values())
        assert pc.sum(found.classes[name]).as_py() == sum(row[place] for row in small.figures.values())
    assert found.match_rate == Fraction(80 - kinds.count("gone") - kinds.count("more") - paid, 80 + strangers)


def test_differences_of_causes_are_those_of_classes(small: Small, figures: Figures) -> None:
    for n, key in enumerate(list(figures)[:12]):
        figures[key][0] += Decimal(n % 4) * Decimal("3.33")  # type: ignore[operator]
    found = small.reconciled(figures)
    assert pc.sum(found.causes["accounts"]).as_py() == found.differences.num_rows == 9
    assert pc.sum(found.causes["charge_difference"]).as_py() == pc.sum(found.classes["charge_difference"]).as_py()
    assert repr(found) == "Reconciliation(2026-27: north, south; 80 accounts, 88.75 % match, not trusted)"


def test_accounts_that_the_import_or_the_rules_refuse_are_rejected(small: Small, figures: Figures) -> None:
    places = small.tables["places"].to_pylist()
    places[0]["size"] = "enormous"
    places[1]["to"] = "2026-05-31"
    tables = {**small.tables, "places": pa.Table.from_pylist(places, schema=small.tables["places"].schema)}
    with without_machine_code():
        found = reconcile(small.councils, YEAR, tables, small.billed(figures), threads=1)
    rejected = [row for row in found.differences.to_pylist() if row["outcome"] == "rejected"]
    assert [row["account"] for row in rejected] == ["n001", "n000"]
    assert rejected[0]["reason"].startswith("a day on which no record is in force: places, 2026-06-01")
    assert rejected[1]["reason"] == "accounts: cannot be used because a row that belongs with it was rejected"
    assert found.match_rate == Fraction(78, 80)


def test_the_threshold_and_the_tolerance(small: Small, figures: Figures) -> None:
    figures["north", "n000"][0] += Decimal("0.04")  # type: ignore[operator]
    found = small.reconciled(figures, tolerance="£0.03", threshold="98.75%", causes=False)
    assert found.trusted()
    assert not found.agrees
    assert not found.trusted(Fraction(1))
    assert found.headline == "Baseline reconciled: 79 of 80 accounts match (98.75 %; 98.75 % wanted), 2026-27"
    assert small.reconciled(figures, tolerance="£0.04", causes=False).agrees
    assert small.reconciled(figures, causes=False).headline.startswith("BASELINE NOT RECONCILED: 79 of 80")


def test_a_share_is_never_shown_as_whole_unless_it_is() -> None:
    assert shown_rate(Fraction(999_999, 1_000_000)) == "99.99 %"
    assert shown_rate(Fraction(1)) == "100.00 %"


@pytest.mark.parametrize("text", ["5p", "-£1", "£1.234", ""])
def test_a_tolerance_is_an_amount(text: str) -> None:
    with pytest.raises(UsageError, match="write the tolerance as £0"):
        pounds(text)


@pytest.mark.parametrize("text", ["99", "101%", "most"])
def test_a_threshold_is_a_share(text: str) -> None:
    with pytest.raises(UsageError, match="write the threshold in per cent"):
        share(text)


# ------------------------------------------------------------------------------------------------------------ the record
def test_the_record_belongs_to_its_caseload_and_its_rules(small: Small, figures: Figures, tmp_path: Path) -> None:
    figures["north", "n000"][0] += Decimal(5)  # type: ignore[operator]
    found = small.reconciled(figures)
    record = read_record(found.write(tmp_path / "out", command="rbcalc reconcile"))
    assert record.match_rate == Fraction(79, 80)
    assert not record.trusted()
    rules = {council.name: council.program(YEAR).digest for council in small.councils}
    record.check(found.caseload, rules)
    with pytest.raises(UsageError, match="another caseload"):
        record.check("0" * 64, rules)
    with pytest.raises(UsageError, match="other rules of south"):
        record.check(found.caseload, {**rules, "south": "0" * 64})
    with pytest.raises(UsageError, match="other rules of south"):
        record.check(found.caseload, {"north": rules["north"]})
    assert rbcalc.verify(tmp_path / "out") == []
    assert "n000" not in found.to_json()
    assert json.loads(found.to_json())["classes"]["differs"] == 1
    assert (tmp_path / "out" / "differences.parquet").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "[]", '{"kind": "other"}', '{"kind": "reconciliation", "schema_version": 1, "accounts": "x"}'])
def test_another_file_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="no record of a reconciliation"):
        read_record(tmp_path / "r.json")
    with pytest.raises(UsageError, match="no such file"):
        read_record(tmp_path / "none.json")


# --------------------------------------------------------------------------------------------------------- what is read
def text_of(figures: Figures, header: str = "council,account,charge,award") -> str:
    return "\n".join([header, *(f"{c},{a},{row[0]},{row[1]}" for (c, a), row in figures.items())]) + "\n"


def read(small: Small, folder: Path, text: str, **options: Any) -> Any:
    path = folder / "live.csv"
    path.write_text(text, encoding="utf-8")
    with without_machine_code():
        return reconcile(small.councils, YEAR, small.tables, path, causes=False, threads=1, **options)


def test_a_file_is_read_as_people_write_it(small: Small, figures: Figures, tmp_path: Path) -> None:
    text = text_of(figures).replace("north,n000,", "north, n000 ,")
    key = "north", "n002"
    text = text.replace(f"north,n002,{figures[key][0]}", f'north,n002,"£{figures[key][0]:,.2f}"')
    assert read(small, tmp_path, text).agrees


def test_another_systems_headers_and_codes(small: Small, figures: Figures, tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(
        "kind: column map\nregisters:\n  billed:\n    columns: {council: AUTH, account: ACC REF, charge: TOTAL DUE, award: CTS}\n"
        "    codes: {council: {NTH: north, STH: south}}\n",
        encoding="utf-8",
    )
    text = text_of(figures, "AUTH,ACC REF,TOTAL DUE,CTS").replace("north,", "NTH,").replace("south,", "STH,")
    assert read(small, tmp_path, text, billed_map=tmp_path / "map.yaml").agrees


def test_what_is_assumed_is_counted(small: Small, figures: Figures, tmp_path: Path) -> None:
    blank = [key for key, row in figures.items() if not row[1]]
    lines = [f"{c},{a},{row[0]},{row[1] or ''}" for (c, a), row in figures.items()]
    found = read(small, tmp_path, "\n".join(["council,account,charge,award", *lines]) + "\n")
    assert found.assumptions == (f"billed.award is blank for {len(blank)} accounts: taken as £0.00",)
    (tmp_path / "map.yaml").write_text('kind: column map\nregisters: {billed: {assume: {award: "0.00"}}}\n', encoding="utf-8")
    lines = [f"{c},{a},{row[0]}" for (c, a), row in figures.items()]
    found = read(small, tmp_path, "\n".join(["council,account,charge", *lines]) + "\n", billed_map=tmp_path / "map.yaml")
    assert found.assumptions == ("billed.award is assumed to be '0.00' for 80 rows",)
    assert found.counts["differs"] == 80 - len(blank)


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (lambda text: text.replace("charge,", "total,", 1), "RC003", "lack the column 'charge'"),
        (lambda text: text.replace("council,account", "council,acount", 1), "RC003", "lack the column 'account' (did you mean 'acount'?)"),
        (lambda text: text.replace("council,", "authority,", 1), "RC003", "lack the column 'council'"),
        (lambda text: text.replace("north,n003", "west,n003"), "RC054", "1 row with a council that is not one of this run: row 5"),
        (lambda text: text.replace("north,n004", "north,n003"), "RC054", "2 rows with an account that stands in several rows: row 5, 6"),
        (lambda text: text.replace("north,n003", "north,"), "RC054", "of the account (is blank and must be given): row 5"),
        (lambda text: text + "north,Total,5.00,5.00\n", "RC054", "of the account (looks like a row of totals): row 82"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(small: Small, figures: Figures, tmp_path: Path, change: Any, code: str, told: str) -> None:
    with pytest.raises(DataError) as raised:
        read(small, tmp_path, change(text_of(figures)))
    assert raised.value.code == code
    assert told in str(raised.value)
    assert raised.value.hint
    assert "n003" not in str(raised.value)


def test_money_is_never_a_float(small: Small, figures: Figures) -> None:
    table = small.billed(figures)
    table = table.set_column(2, "charge", table["charge"].cast(pa.float64()))
    with pytest.raises(DataError, match="'charge' holds DOUBLE and cannot be an amount of money") as raised:
        reconcile(small.councils, YEAR, small.tables, table)
    assert raised.value.code == "RC006"


def test_a_figure_that_cannot_be_read_rejects_its_account_alone(small: Small, figures: Figures, tmp_path: Path) -> None:
    text = text_of(figures).replace(f"north,n000,{figures['north', 'n000'][0]}", "north,n000,12O.50")
    text = text.replace(f"north,n001,{figures['north', 'n001'][0]}", "north,n001,")
    found = read(small, tmp_path, text)
    rejected = {row["account"]: row["reason"] for row in found.differences.to_pylist()}
    assert rejected == {
        "n000": "billed.charge is not an amount: text of 6 characters",
        "n001": "billed.charge is blank",
    }
    assert found.counts["rejected"] == 2
    assert found.counts["matches to the penny"] == 78


def test_rows_of_another_council_are_counted_and_left_out(small: Small, figures: Figures) -> None:
    with without_machine_code():
        found = reconcile(small.councils[:1], YEAR, small.tables, small.billed(figures), causes=False, threads=1)
    assert found.counts["matches to the penny"] == 40 == sum(found.counts.values())
    assert "billed: 40 rows of other councils were left out" in found.notes


def test_no_file_and_no_declaration(small: Small, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        reconcile(small.councils, YEAR, small.tables, tmp_path / "none.csv")
