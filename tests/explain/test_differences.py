"""Why a bill differs from that of another year: parts that add up exactly, in the order that the rules declare."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.explaining.change import Change
from rbcalc.explaining.difference import Given, explain_difference
from rbcalc.explaining.years import CasesOfYear
from rbcalc.rulebook.rules import Rules, load
from rbcalc_cli.main import outcome
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.program.graph import Ref

CASES = Path(__file__).parent / "rates.cases.yaml"


@pytest.fixture(scope="module")
def rates() -> Rules:
    return load(subject="business_rates")


def given(rates: Rules, name: str, year: str, which: str = "") -> Given:
    found = next(each for each in CasesOfYear(rates, FinancialYear.of(year), name).read(CASES) if each.name == name)
    return Given(found.program, found.records, which)


def change(rates: Rules, name: str, before: str = "2025-26", after: str = "2026-27", which: str = "A") -> Change:
    found = explain_difference(given(rates, name, before, which), given(rates, name, after, which))
    assert sum((part for _, part, _ in found.parts), Fraction(0)) == found.difference
    return found


def parts(found: Change) -> dict[str, Fraction]:
    return {title: part for title, part, _ in found.parts}


def bill(rates: Rules, name: str, year: str, which: str = "A") -> Fraction:
    asked = given(rates, name, year)
    top = build(asked.program, asked.records)
    Evaluator(asked.program, [Ref("account", "bill")]).run(top)
    row = next(row for row in top.children["account"] if row.key == which)
    value = row.values["bill"]
    assert isinstance(value, Fraction)
    return value


def test_a_revaluation_is_told_apart_from_what_meets_it(rates: Rules) -> None:
    found = change(rates, "revalued shop")
    assert (found.before, found.after) == (("2025-26", "£5,988.00"), ("2026-27", "£11,477.00"))
    assert parts(found) == {
        "The rateable value": Fraction(5988),  # 40 % off 40,000 at 49.9p, less the same off 20,000
        "The multiplier": Fraction(-2808),  # 40 % off 40,000 at 38.2p
        "Transition": Fraction("-2281.80"),  # 40 % off the limit, 11,477
        "Relief for retail, hospitality and leisure": Fraction("4590.80"),  # the relief ended
    }
    assert found.order[0] == "The days of the account, and of the year"
    assert found.order[-1] == "The rest"


def test_days_are_a_part_of_their_own(rates: Rules) -> None:
    found = parts(change(rates, "left in August"))
    assert found["The days of the account, and of the year"] == Fraction(round(5988 * Fraction(153, 365), 2)) - 5988
    # The account began in June 2024: a quarter of 15,000 at 49.9p, put up by 5 % and 10 %, for 304 days of 365.
    begun = change(rates, "revalued shop", "2024-25")
    assert begun.before[1] == "£1,800.09"
    assert parts(begun)["The days of the account, and of the year"] == Fraction("599.40")
    # The year 2023-24 has 29 February.
    leap = change(rates, "chain under a cap", "2023-24", "2024-25", "B")
    assert "The days of the account, and of the year" not in parts(leap)


def test_the_sides_are_the_bills_of_the_two_years(rates: Rules) -> None:
    for name in ("revalued shop", "charity from August", "left in August", "chain under a cap"):
        for before in ("2024-25", "2025-26"):
            found = change(rates, name, before)
            assert found.difference == bill(rates, name, "2026-27") - bill(rates, name, before)


def test_a_change_within_the_year_cuts_the_other_year_too(rates: Rules) -> None:
    found = parts(change(rates, "charity from August"))
    assert set(found) >= {"The rateable value", "The multiplier", "Transition", "Mandatory relief"}
    assert found["Mandatory relief"] < 0
    assert not any("divided to be put beside" in title for title in found)


def test_an_account_that_one_year_does_not_have(rates: Rules) -> None:
    found = change(rates, "begun in the later year")
    assert [title for title, _, _ in found.parts] == ["There was none before"]
    found = explain_difference(given(rates, "revalued shop", "2026-27", "A"), given(rates, "revalued shop", "2025-26", "B"))
    assert [title for title, _, _ in found.parts] == ["It has ended"]


def test_a_cap_over_several_accounts_is_part_of_its_relief(rates: Rules) -> None:
    # The other shop uses the cap up, so there was no relief to lose.
    found = change(rates, "chain under a cap")
    assert bill(rates, "chain under a cap", "2025-26") == Fraction(9980)
    assert "Relief for retail, hospitality and leisure" not in parts(found)
    assert parts(change(rates, "chain under a cap", which="B"))["Relief for retail, hospitality and leisure"] == 110_000


def test_rules_that_declare_nothing_are_refused() -> None:
    program = load().council("hartlepool").program("2025-26")
    with pytest.raises(UsageError, match="no figure whose difference"):
        explain_difference(Given(program, {}), Given(program, {}))


def test_the_command_tells_it_as_text_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["explain", "--subject", "business_rates", "--case", str(CASES), "--name", "revalued shop", "--against", "2025-26"]
    assert outcome(asked) == 0
    text = capsys.readouterr().out
    assert "  The rateable value                                                                      +£5,988.00" in text
    assert "  Together                                                                                +£5,489.00" in text
    assert outcome([*asked, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["difference"] == "5489.00"
    assert [part["amount"] for part in told["parts"]] == ["5988.00", "-2808.00", "-2281.80", "4590.80"]


def test_each_year_may_have_a_caseload_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for year, first, value in (("25", "2025-04-01", 20000), ("26", "2026-04-01", 30000)):
        (tmp_path / year).mkdir()
        tables = {
            "rates_accounts": f"rates_account,ratepayer,hereditament,from,to\n00{year},X,HX,{first},\n007,R,H,{first},\n",
            "hereditaments": f"hereditament,from,to,rateable_value,rating_use\nH,{first},,{value},other\nHX,{first},,100,other\n",
            "occupations": f"rates_account,from,to,occupation_state\n007,{first},,occupied\n00{year},{first},,occupied\n",
        }
        for name, text in tables.items():
            (tmp_path / year / f"{name}.csv").write_text(text, encoding="utf-8")
    asked = ["explain", "007", "--caseload", str(tmp_path / "26"), "--council", "hartlepool", "--year", "2026-27"]
    more = ["--subject", "business_rates", "--against", "2025-26", "--against-caseload", str(tmp_path / "25"), "--format", "json"]
    assert outcome([*asked, *more]) == 0
    told = json.loads(capsys.readouterr().out)
    # 20,000 and 30,000 at 49.9p; 30,000 at 43.2p; and the supplement of 1p.
    assert [(part["cause"], part["amount"]) for part in told["parts"]] == [
        ("The rateable value", "4990.00"),
        ("The multiplier", "-2010.00"),
        ("Transition", "300.00"),
    ]
