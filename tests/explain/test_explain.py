"""Accounts explained: six read word by word, and what the explanation holds for a program to read."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import rbcalc
from rbcalc.errors import DataError, UsageError
from rbcalc.explaining.explain import Section, explain_account, explain_example
from rbcalc.explaining.words import decimal, rounded
from rbcalc.rulebook.cases import CaseReader, Example
from rbcalc.rulebook.rules import Rules, load
from rbcalc_cli.explaining import as_json, as_text, as_tree
from rbcalc_kernels.program.graph import Mode, Rounding

HERE = Path(__file__).parent
NAMES = ["plain", "single adult", "mid-year move", "exempt then charged", "premium", "disabled band A"]


@pytest.fixture(scope="module")
def examples(rules: Rules) -> dict[str, Example]:
    return {example.name: example for example in CaseReader(rules).read(HERE / "cases.yaml")}


@pytest.mark.parametrize("name", NAMES)
def test_an_account_reads_as_on_paper(name: str, examples: dict[str, Example], capsys: pytest.CaptureFixture[str]) -> None:
    """The texts were read and approved; UPDATE_GOLDEN=1 writes them anew, to be read again."""
    reads_as(name, examples[name], capsys)


def test_a_bill_of_business_rates_reads_as_on_paper(capsys: pytest.CaptureFixture[str]) -> None:
    """A divisor as a decimal, what a limit is compared with worked out, and no rounding that changes nothing to be seen."""
    (example,) = CaseReader(load(subject="business_rates")).read(HERE / "bills.cases.yaml")
    reads_as("small shop", example, capsys)


def reads_as(name: str, example: Example, capsys: pytest.CaptureFixture[str]) -> None:
    as_text(explain_example(example))
    told = capsys.readouterr().out
    golden = HERE / "golden" / f"{name.replace(' ', '_')}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")


def words(section: Section, title: str) -> list[str]:
    return [line.words for line in section.lines if line.title == title]


def test_totals_and_periods_are_there(examples: dict[str, Example]) -> None:
    told = explain_example(examples["mid-year move"])
    assert [member.days for member in told.account.members] == [
        "16 October 2025 to 31 December 2025, 77 days",
        "1 January 2026 to 31 March 2026, 90 days",
    ]
    assert words(told.account, "To pay for the year") == ["£741.57"]
    assert [words(member, "Charge for the period") for member in told.account.members] == [["£289.85"], ["£451.72"]]


def test_a_figure_that_was_rounded_says_what_it_was(examples: dict[str, Example]) -> None:
    told = explain_example(examples["single adult"])
    line = next(line for line in told.account.members[0].lines if line.title == "Charge for the period")
    assert (line.words, line.exact, line.rounding) == ("£1,221.32", "£1,221.315", "rounded to the penny, half up")
    assert line.working == "£1,221.315 a year ÷ 365 days × 365 days"  # noqa: RUF001 - as it is printed


def test_an_amount_is_divided_into_its_parts(examples: dict[str, Example]) -> None:
    told = explain_example(examples["plain"])
    line = next(line for line in told.account.members[0].lines if line.parts)
    assert line.parts == (("Billing authority", "£1,460.10 a year"), ("Police", "£281.32 a year"), ("Fire", "£90.55 a year"))


def test_every_value_of_every_row_is_in_the_json(examples: dict[str, Example], capsys: pytest.CaptureFixture[str]) -> None:
    told = explain_example(examples["disabled band A"])
    as_json(told, None)
    found = json.loads(capsys.readouterr().out)
    period = next(row for row in found["rows"] if row["entity"] == "period")
    rules = {rule.name for rule in told.program.rules if rule.entity == "period" and not rule.hidden}
    assert set(period["values"]) == rules
    assert period["values"]["annual_amount"]["value"] == "183197/180"
    assert period["values"]["annual_amount"]["decimal"] == "1017.761111111111"
    assert period["values"]["charge"]["value"] == "25444/25"
    assert period["values"]["charged_band"] | {"line": 1} == period["values"]["charged_band"]
    assert period["facts"]["first_day"]["value"] == "2025-04-01"


def test_one_value_is_a_tree(examples: dict[str, Example], capsys: pytest.CaptureFixture[str]) -> None:
    told = explain_example(examples["single adult"])
    as_tree(told, "bill")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("bill = £1,221.32")
    assert any(line.strip().startswith("band = C") for line in lines)
    assert not any("__" in line for line in lines)
    as_json(told, "bill")
    assert list(json.loads(capsys.readouterr().out)["rows"][0]["values"]) == ["bill"]
    with pytest.raises(UsageError, match="no rule is called bil"):
        told.working("bil")


def test_lines_that_came_near_are_set_aside(rules: Rules) -> None:
    examples = CaseReader(rules).read(rules.library.root / "england" / "council_tax" / "discounts.cases.yaml")
    example = next(example for example in examples if example.name == "100 % for a month, then 50 % up to six months")
    periods = explain_example(example).account.members
    aside = [reason for line in periods[1].lines for reason in line.set_aside]
    assert len(aside) == 1
    assert aside[0].startswith("The first discount runs for 1 months")
    assert not [reason for line in periods[0].lines for reason in line.set_aside]


def test_every_shipped_case_can_be_explained(rules: Rules) -> None:
    """A case of every eighth file, so that no rule's words trip the teller."""
    reader = CaseReader(rules)
    told = 0
    for path in sorted((rules.library.root / "england").rglob("*.cases.yaml"))[::8]:
        for example in reader.read(path)[::9]:
            if not any(str(name) == "refused" for name in example.expect):
                found = explain_example(example)
                assert found.account.lines or found.account.members
                assert "{" not in "".join(line.because for member in found.account.members for line in member.lines)
                told += 1
    assert told > 5


@pytest.fixture
def caseload(tmp_path: Path) -> Path:
    folder = tmp_path / "load"
    folder.mkdir()
    tables = {
        "accounts": "account,dwelling,from,to\n007,Y1,2025-04-01,\nA2,Y2,2024-01-01,2025-10-31\nA3,Y2,2025-11-01,\n",
        "dwellings": "dwelling,from,to,band,area\nY1,2000-01-01,,C,whole\nY2,2000-01-01,,D,whole\n",
        "people": "dwelling,from,to,birth_date\nY1,2000-01-01,,1970-05-05\nY2,2000-01-01,,1980-05-05\n"
        "Y2,2000-01-01,2025-12-31,1985-05-05\n",
    }
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def explained(caseload: Path, account: str) -> Any:
    council = load().council("hartlepool")
    return explain_account(caseload, {council.name: council.program("2025-26")}, account, titles={council.name: council.title})


def test_an_account_of_a_caseload_is_explained(caseload: Path) -> None:
    told = explained(caseload, "007")
    assert (told.reference, told.council, told.year) == ("007", "Hartlepool Borough Council", "2025-26")
    assert told.adopted == ("transcribed, not adopted",)
    assert words(told.account, "To pay for the year") == ["£1,663.76"]


def test_accounts_that_share_a_dwelling_keep_their_own_days(caseload: Path) -> None:
    first, second = explained(caseload, "A2"), explained(caseload, "A3")
    assert [member.days for member in first.account.members] == ["1 April 2025 to 31 October 2025, 214 days"]
    assert len(second.account.members) == 2
    assert len([member for member in second.account.members[0].members if member.entity == "resident"]) == 2


def test_an_account_of_a_run_is_explained(caseload: Path) -> None:
    council = load().council("hartlepool")
    run = SimpleNamespace(summary=SimpleNamespace(programs={council.name: council.program("2025-26")}))
    assert words(rbcalc.explain(run, account="007", caseload=caseload).account, "To pay for the year") == ["£1,663.76"]
    with pytest.raises(UsageError, match="did not keep its caseload"):
        rbcalc.explain(run, account="007")


def test_an_account_of_a_partnership_has_its_own_councils_charges(caseload: Path) -> None:
    text = (caseload / "accounts.csv").read_text(encoding="utf-8").splitlines()
    councils = ["council", "stevenage", "hartlepool", "hartlepool"]
    rows = [f"{line},{council}" for line, council in zip(text, councils, strict=True)]
    (caseload / "accounts.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    rules = load()
    programs = {name: rules.council(name).program("2025-26") for name in ("hartlepool", "stevenage")}
    alone = rules.council("stevenage").program("2025-26")
    area = alone.lists["area"].members[0]
    dwellings = (caseload / "dwellings.csv").read_text(encoding="utf-8").replace("C,whole", f"C,{area}")
    (caseload / "dwellings.csv").write_text(dwellings, encoding="utf-8")
    told = explain_account(caseload, programs, "007")
    assert told.council == "stevenage"
    assert words(told.account.members[0], "Amount for the whole year") != ["£2,218.34 a year"]
    assert explain_account(caseload, programs, "A2").council == "hartlepool"


def test_an_account_that_is_not_there_is_said_so(caseload: Path) -> None:
    with pytest.raises(UsageError, match="no account 07 in the caseload"):
        explained(caseload, "07")


def test_an_account_that_cannot_be_worked_out_says_why(examples: dict[str, Example]) -> None:
    example = examples["plain"]
    records = {**example.records, "dwellings": []}
    with pytest.raises(DataError, match="cannot be worked out"):
        explain_example(Example(example.name, example.doc, example.program, records, {}))


@pytest.mark.parametrize(
    ("number", "text"),
    [(Fraction(1, 3), "0.333333333333"), (Fraction(-5, 2), "-2.5"), (Fraction(7), "7"), (Fraction(-1, 3), "-0.333333333333")],
)
def test_decimals_are_cut_not_rounded(number: Fraction, text: str) -> None:
    assert decimal(number) == text


@pytest.mark.parametrize(
    ("mode", "step", "text"),
    [
        (Mode.HALF_UP, Fraction(1, 100), "rounded to the penny, half up"),
        (Mode.DOWN, Fraction(1), "rounded down to the pound"),
        (Mode.UP, Fraction(1, 2), "rounded up to 50p"),
        (Mode.HALF_DOWN, Fraction(1, 1000), "rounded to three decimals, half down"),
        (Mode.UP, Fraction(5), "rounded up to the multiple of 5"),
        (Mode.HALF_UP, Fraction(1, 100_000), "rounded to 5 decimals, half up"),
    ],
)
def test_a_rounding_is_told_in_words(mode: Mode, step: Fraction, text: str) -> None:
    assert rounded(Rounding(mode, step)) == text
