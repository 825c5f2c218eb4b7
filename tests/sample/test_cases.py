"""Every awkward case occurs, every row is valid, and what is wrong on purpose is what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from rbcalc.caseload.importing import import_caseload
from rbcalc.caseload.pseudonyms import Pseudonyms
from rbcalc.rulebook.rules import Rules
from rbcalc.running.rebill import rebill
from rbcalc.sampling.sample import Summary, sample
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.program.graph import Program
from sample.tables import read

YEAR_START, YEAR_END = date(2025, 4, 1), date(2026, 3, 31)


@pytest.fixture(scope="session")
def program(rules: Rules) -> Program:
    return rules.council("redcar_and_cleveland").program("2025-26")


def rows_of(made: Summary) -> dict[str, int]:
    """How many rows of Council Tax there are by table."""
    return {name: made.tables[name].rows for name in made.of("council_tax").tables}


def counted(made: Summary, table: str, column: str) -> Counter[Any]:
    return Counter(read(made, table)[column].to_pylist())


@pytest.mark.parametrize(
    ("table", "column"), [("dwellings", "exemption"), ("people", "disregard"), ("dwellings", "prescribed_class"), ("dwellings", "annexe")]
)
def test_every_member_of_a_list_occurs_a_few_times(small: Summary, program: Program, table: str, column: str) -> None:
    found = counted(small, table, column)
    members = next(i for i in program.inputs.values() if column in (i.column, i.name)).type.members  # type: ignore[union-attr]
    assert {member: found[member] for member in members if found[member] < 2 and member != "not_exempt"} == {}


def test_every_fact_is_given_somewhere(small: Summary) -> None:
    made = small.of("council_tax")
    assert {"tenancies", "rents", "charges", "payments"} <= set(made.beside)
    tables = {name: read(small, name) for name in (*made.tables, *made.beside)}
    blank = [
        f"{name}.{column}" for name, table in tables.items() for column in table.column_names if table[column].null_count == table.num_rows
    ]
    assert blank == []


@pytest.mark.parametrize("years", [1, 2, 5, 10])
@pytest.mark.parametrize("side", [-1, 0, 1])
def test_vacancies_end_on_and_beside_every_edge(small: Summary, years: int, side: int) -> None:
    since = counted(small, "dwellings", "empty_since")
    assert since[date(2025 - years, 4, 1) + timedelta(days=side)] >= 1


def test_households_change_within_the_year(small: Summary) -> None:
    people, dwellings, accounts = (read(small, name).to_pylist() for name in ("people", "dwellings", "accounts"))

    def inside(day: date | None) -> bool:
        return day is not None and YEAR_START < day < YEAR_END

    assert sum(inside(row["to"]) for row in people) > 100
    assert sum(inside(row["from"]) for row in dwellings) > 50
    assert max(Counter(row["dwelling"] for row in accounts).values()) == 3
    birthdays = [row["birth_date"] for row in people if row["birth_date"] is not None]
    assert sum(YEAR_START < day.replace(year=day.year + 18) <= YEAR_END for day in birthdays if (day.month, day.day) != (2, 29)) > 20
    assert {row["band"] for row in dwellings if row["disabled_reduction"]} >= {"A", "B", "C"}


def test_figures_stand_on_and_beside_their_limits(small: Summary) -> None:
    from decimal import Decimal

    pay = counted(small, "people", "weekly_pay")
    assert all(pay[Decimal(figure)] for figure in ("195.00", "195.01", "44.00", "44.01"))
    hours = counted(small, "people", "weekly_hours")
    assert all(hours[figure] for figure in (23, 24, 34, 35))


@pytest.mark.parametrize("name", ["accounts", "dwellings", "people", "claims", "household", "incomes", "non_dependants"])
def test_rows_begin_before_they_end_and_stay_in_range(small: Summary, program: Program, name: str) -> None:
    table = read(small, name)
    ended = table.filter(pc.is_valid(table["to"]))
    assert pc.all(pc.less_equal(ended["from"], ended["to"])).as_py()
    assert table["from"].null_count == 0
    for described in program.inputs.values():
        if described.table == name and described.low != described.high:
            column = table[described.column or described.name]
            least, most = (held.as_py() for held in pc.min_max(column).values())
            least, most = ((day - date(1970, 1, 1)).days if isinstance(day, date) else Fraction(day) for day in (least, most))
            assert described.low <= least <= most <= described.high


def test_the_reader_takes_every_row(small: Summary, program: Program) -> None:
    found = import_caseload(small.folder, program, council="redcar_and_cleveland")
    assert found.complete and found.rejects.num_rows == 0
    assert {name: count.used for name, count in found.counts.items()} == rows_of(small)
    assert found.notes == ()


def test_csv_and_parquet_say_the_same(rules: Rules, small: Summary, program: Program, tmp_path: Path) -> None:
    sample(rules, council="redcar_and_cleveland", year="2025-26", dwellings=5000, format="csv", out=tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["manifest.json", *(f"{name}.csv" for name in small.tables)])
    written, other = (import_caseload(folder, program, council="redcar_and_cleveland") for folder in (tmp_path, small.folder))
    assert written.complete
    assert written.digest == other.digest
    assert {name: register.count for name, register in written.registers.items()} == rows_of(small)


def test_whole_partnerships_are_taken(rules: Rules, westwey: Summary) -> None:
    found = import_caseload(westwey.folder, {name: rules.council(name).program("2014-15") for name in westwey.dwellings})
    assert found.complete


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the evaluator takes it."""
    return {
        name: (value - date(1970, 1, 1)).days if isinstance(value, date) else value if isinstance(value, str | bool) else Fraction(value)
        for name, value in row.items()
        if value is not None
    }


def test_accounts_can_be_worked_out(rules: Rules, tmp_path: Path) -> None:
    council = rules.council("stevenage")
    made = sample(rules, council="stevenage", year="2026-27", dwellings=150, out=tmp_path)
    program = council.program("2026-27")
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {"dwellings": {}, "people": {}}
    for name, held in rows.items():
        for row in read(made, name).to_pylist():
            held.setdefault(row["dwelling"], []).append(plain(row))
    for account in read(made, "accounts").to_pylist():
        records = {"accounts": [plain(account)], **{name: held.get(account["dwelling"], []) for name, held in rows.items()}}
        root = build(program, records)
        Evaluator(program, None).run(root, None)
        assert root.values["bill"] is not None


def test_no_account_lacks_a_fact_that_the_law_needs(rules: Rules, tmp_path: Path) -> None:
    """Where premiums and discounts depend on dates, and a second home's premium comes after a year."""
    made = sample(rules, council="hartlepool", year="2025-26", dwellings=5000, out=tmp_path / "caseload")
    assert rebill([rules.council("hartlepool")], "2025-26", made.folder, tmp_path / "bills", subjects=["council_tax"]).rejects == 0


def test_rows_are_wrong_on_purpose_only_where_it_was_said(rules: Rules, small: Summary, program: Program, tmp_path: Path) -> None:
    made = sample(rules, council="redcar_and_cleveland", year="2025-26", dwellings=5000, with_errors=True, out=tmp_path)
    assert len(made.wrong) == 10
    assert made.manifest["wrong_on_purpose"] == list(made.wrong)
    found = import_caseload(made.folder, program, council="redcar_and_cleveland")
    own = Counter((row["table"], row["column"]) for row in found.rejects.to_pylist() if "belongs with it" not in row["reason"])
    assert own == {
        ("dwellings", "band"): 2,
        ("dwellings", "area"): 1,
        ("dwellings", "dwelling"): 1,
        ("people", "birth_date"): 2,
        ("people", "disregard"): 1,
        ("people", "dwelling"): own["people", "dwelling"],
        ("people", "to"): 1,
        ("accounts", "dwelling"): 1,
        ("accounts", "discretionary_reduction"): 1,
        ("accounts", "account"): 2,
    }
    assert 2 <= own["people", "dwelling"] <= 7
    assert made.tables["accounts"].rows == small.tables["accounts"].rows + 1
    assert made.tables["people"].rows == small.tables["people"].rows


def test_private_columns_are_plainly_invented_and_become_pseudonyms(rules: Rules, small: Summary, program: Program, tmp_path: Path) -> None:
    made = sample(rules, council="redcar_and_cleveland", year="2025-26", dwellings=5000, with_names=True, out=tmp_path)
    people = read(made, "people")
    assert pc.all(pc.match_substring_regex(people["national_insurance_number"], "^QQ[0-9]{6}[A-D]$")).as_py()
    assert people.drop_columns(["name", "national_insurance_number"]).equals(read(small, "people"))
    found = import_caseload(made.folder, program, council="redcar_and_cleveland", pseudonyms=Pseudonyms(b"k" * 32))
    carried = found.registers["people"].carried
    assert set(carried) == {"name", "national_insurance_number"}
    assert not set(carried["name"].to_pylist()) & set(people["name"].to_pylist())
