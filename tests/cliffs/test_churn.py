"""Churn: changes acted on, bills and letters of a year of months that were worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rbcalc
from rbcalc._years import FinancialYear
from rbcalc.errors import DataError, UsageError
from rbcalc.incomes.churn import Churn, churn
from rbcalc.incomes.churn_incomes import ABSENT, Incomes, Option, Replay, invented, read

COUNCIL, YEAR = "hartlepool", "2026-27"
REPLAY = Replay("person", "incomes", {"amount": "amount"}, {"income_kind": "employed_earnings"}, {"frequency": "monthly"})
WEEKS = Fraction(52, 12)
CASELOAD = {
    "accounts": ["account,dwelling,from,to", "a0,d0,2020-04-01,", "a1,d1,2020-04-01,", "a2,d2,2020-04-01,"],
    "dwellings": ["dwelling,band,area,recorded_adults,from,to", *(f"d{n},D,whole,2,2000-01-01," for n in range(3))],
    "claims": ["claim,account,capital,from,to", *(f"c{n},a{n},100,2020-04-01," for n in range(3))],
    "household": ["claim,person,role,born,from,to", *(f"c{n},p{n},applicant,1985-01-01,2020-04-01," for n in range(3))],
    "incomes": [
        "person,income_kind,frequency,amount,from,to",
        "p0,employed_earnings,weekly,138.00,2020-04-01,",
        "p0,child_benefit,weekly,27.00,2020-04-01,",
        "p1,employed_earnings,monthly,600.00,2020-04-01,",
        "p2,jsa_contribution_based,weekly,100.00,2020-04-01,",
    ],
}
# £600 a month is £138.46 a week, in the first band of the grid after £25; £640 is £147.69 and £1040 is £240.00, in the two above it.
MONTHS = {"p0": [600, 600, 640, 640, 600, 650, 1040, 1040, 1040, 1040, 640, 640], "p1": [600] * 12, "zz": [1] * 12}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("churn")
    for name, lines in CASELOAD.items():
        (made / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    months = [f"{2026 + (m + 3) // 12}-{(m + 3) % 12 + 1:02d}" for m in range(12)]
    rows = [f"{key},{month},{amount}" for key, amounts in MONTHS.items() for month, amount in zip(months, amounts, strict=True)]
    (made / "months.csv").write_text("\n".join(["person,month,amount", *rows]) + "\n", encoding="utf-8")
    return made


@pytest.fixture(scope="module", autouse=True)
def _plain_engine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RBCALC_ENGINE", "python")
        yield


@pytest.fixture(scope="module")
def made(folder: Path) -> Churn:
    council = rbcalc.load().council(COUNCIL)
    return churn(council, YEAR, folder, incomes=folder / "months.csv", tolerances=["£20"], fixed_periods=[6, 12])


def told(made: Churn, *names: str) -> dict[str, tuple[Any, ...]]:
    return {row["option"]: tuple(row[name] for name in names) for row in made.options.to_pylist()}


def test_changes_bills_and_letters_are_those_worked_out_by_hand(made: Churn) -> None:
    assert made.households == 2
    # p0 changes in June, August, September, October and February; September's £650 is in the band of June's £640.
    assert told(made, "reassessments", "bills", "letters", "most_bills") == {
        "every change": (5, 5, 5, 5),
        # £600 to £640 is £9.23 a week; £600 to £1040 and £1040 to £640 are beyond £20.
        "changes of more than £20.00 a week": (2, 2, 2, 2),
        "fixed for 6 months": (1, 1, 1, 1),
        "fixed for 12 months": (0, 0, 0, 0),
    }
    assert "1 keys of the incomes are not in the caseload" in made.notes[0]
    assert not made.invented
    assert "2 households" in repr(made)


def test_what_is_to_pay_follows_the_months_in_use(made: Churn) -> None:
    """Band D with two adults: £2,560.20, of which 10 %, 30 % and 60 % are paid in the three bands."""
    shares = {600: Fraction(1, 10), 640: Fraction(3, 10), 650: Fraction(3, 10), 1040: Fraction(6, 10)}
    charge = Fraction("2560.20")
    days = [date(2026, 4, 1) + timedelta(number) for number in range(365)]

    def in_use(months: list[int], day: date) -> int:
        """The amount that counts on a day: that of a month counts from the Monday after its first day."""
        month = (day.year - 2026) * 12 + day.month - 4
        first = day.replace(day=1)
        monday = first + timedelta(7 - first.weekday())
        return months[max(month - (day < monday), 0)]

    def paid(months: list[int]) -> Fraction:
        return sum((charge / 365 * shares[in_use(months, day)] for day in days), Fraction(0))

    used = {
        "every change": MONTHS["p0"],
        "changes of more than £20.00 a week": [600] * 6 + [1040] * 4 + [640] * 2,
        "fixed for 6 months": [600] * 6 + [1040] * 6,
        "fixed for 12 months": [600] * 12,
    }
    for option, (due,) in told(made, "to_pay").items():
        # Each stretch of days is rounded to the penny by itself.
        assert abs(Fraction(due) - paid(used[option]) - charge / 10) <= Fraction(4, 100)
    (first,), (last,) = told(made, "to_pay")["every change"], told(made, "difference")["fixed for 12 months"]
    assert last == told(made, "to_pay")["fixed for 12 months"][0] - first < Decimal(0)


def test_the_distribution_holds_every_household(made: Churn) -> None:
    for option in made.options["option"].to_pylist():
        rows = [row for row in made.distribution.to_pylist() if row["option"] == option]
        assert sum(row["households"] for row in rows) == made.households
        assert sum(row["bills"] * row["households"] for row in rows) == told(made, "bills")[option][0]


def test_made_up_months_are_the_same_again_and_said_to_be_made_up(folder: Path) -> None:
    council = rbcalc.load().council(COUNCIL)
    first = churn(council, YEAR, folder, seed=3)
    assert first.invented and "invented" in repr(first)
    assert any("made up" in note and "seed 3" in note for note in first.notes)
    assert first.households == 2
    again = [invented(["p0"], [59_800], REPLAY, Fraction(6, 10), Fraction(1, 5), 3).amounts["amount"].tolist() for _ in range(2)]
    assert again[0] == again[1]


@given(st.integers(0, 2**32), st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
def test_made_up_months_stay_within_their_share(seed: int, amounts: list[int]) -> None:
    keys = [f"k{n}" for n in range(len(amounts))]
    held = invented(keys, amounts, REPLAY, Fraction(6, 10), Fraction(1, 5), seed).amounts["amount"]
    base = np.array(amounts)[:, None]
    assert (np.abs(held - base) <= base // 5 + 1).all()


def used(option: Option, *amounts: int) -> list[int]:
    held = np.array([[*amounts, *[ABSENT] * (12 - len(amounts))]], np.int64)
    return list(map(int, option.used(Incomes(REPLAY, ("k",), {"amount": held}), WEEKS)["amount"][0][: len(amounts)]))


def test_a_tolerance_is_held_against_what_is_in_use_and_not_against_the_month_before() -> None:
    ten = Option(tolerance=Fraction(10))  # £10 a week is £43.33 a month
    assert used(ten, 10_000, 14_000, 18_000, 22_000) == [10_000, 10_000, 18_000, 18_000]
    assert used(ten, 10_000, 14_333, 14_334) == [10_000, 10_000, 14_334]
    assert used(Option(), 10_000, ABSENT, 12_000) == [10_000, 10_000, 12_000]
    assert used(Option(months=3), ABSENT, 5, 6, 7, 8) == [ABSENT, 5, 5, 7, 7]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["person,amount", "p0,1"], "whose the amounts are"),
        (["person,month,wages", "p0,2026-04,1"], "there is no column wages"),
        (["person,month,amount", "p0,2026-13,1"], "row 2: no month"),
        (["person,month,amount", "p0,2026-04,=1+1"], "row 2: amount is no amount"),
        (["person,month,amount", "p0,2026-04,1.005"], "row 2: amount is no amount"),
        (["person,month,amount", "p0,2026-04,1", "p0,2026-04,2"], "row 3: a second amount"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_row(tmp_path: Path, lines: list[str], said: str) -> None:
    file = tmp_path / "months.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read(file, [REPLAY], FinancialYear(2026))


def test_months_of_other_years_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "months.csv"
    file.write_text("person,month,amount\np0,2026-03,5\np0,2027-03,£6.50\np0,2027-04,7\n", encoding="utf-8")
    assert read(file, [REPLAY], FinancialYear(2026)).amounts["amount"].tolist() == [[ABSENT] * 11 + [650]]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"tolerances": ["a"]}, "no amount"), ({"tolerances": ["-5"]}, "no tolerance"), ({"fixed_periods": [13]}, "no fixed period")],
)
def test_what_cannot_be_replayed_is_said(folder: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        churn(rbcalc.load().council(COUNCIL), YEAR, folder, **options)


def test_two_records_for_one_amount_and_nobody_at_all_are_refused(folder: Path, tmp_path: Path) -> None:
    council = rbcalc.load().council(COUNCIL)
    twice = [*CASELOAD["incomes"], "p0,employed_earnings,weekly,10.00,2026-09-01,"]
    (tmp_path / "incomes.csv").write_text("\n".join(twice) + "\n", encoding="utf-8")
    tables = {**{name: [folder / f"{name}.csv"] for name in CASELOAD}, "incomes": [tmp_path / "incomes.csv"]}
    with pytest.raises(DataError, match="two records of incomes"):
        churn(council, YEAR, tables, incomes=folder / "months.csv")
    (tmp_path / "nobody.csv").write_text("person,month,amount\nzz,2026-04,5\n", encoding="utf-8")
    with pytest.raises(DataError, match="none of the incomes"):
        churn(council, YEAR, folder, incomes=tmp_path / "nobody.csv")


def test_tables_of_arrow_are_taken_as_files_are(folder: Path, made: Churn) -> None:
    from pyarrow import csv

    def table(name: str) -> Any:
        text = csv.ConvertOptions(column_types=dict.fromkeys(CASELOAD[name][0].split(","), pa.string()))
        return csv.read_csv(folder / f"{name}.csv", convert_options=text)

    again = churn(rbcalc.load().council(COUNCIL), YEAR, {name: table(name) for name in CASELOAD}, incomes=folder / "months.csv")
    assert again.options.to_pylist()[0] == made.options.to_pylist()[0]
