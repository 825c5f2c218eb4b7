"""Housing Benefit explained to an officer: what is left out because it never applied, and what is told all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rbcalc.explaining.explain import Explanation, explain_example
from rbcalc.explaining.model import Outcome
from rbcalc.explaining.words import nothing
from rbcalc.rulebook.cases import CaseReader, Example
from rbcalc.rulebook.rules import Rules
from rbcalc_cli.explaining import as_json, as_text

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def examples(rules: Rules) -> dict[str, Example]:
    return {example.name: example for example in CaseReader(rules).read(HERE / "housing_benefit.cases.yaml")}


@pytest.fixture(scope="module")
def told(examples: dict[str, Example]) -> dict[str, Explanation]:
    return {name: explain_example(example) for name, example in examples.items()}


def figures(outcome: Outcome) -> set[str]:
    return {line.name for line in outcome.figures}


def deciding(outcome: Outcome) -> set[str]:
    return {line.name for line in outcome.deciding}


def test_figures_that_never_applied_are_left_out(told: dict[str, Explanation], examples: dict[str, Example]) -> None:
    (outcome,) = told["pensioner"].outcomes
    assert [line.name for line in outcome.figures if nothing(line.value)] == []
    never = {"cap_reduction", "lha_rate", "size_reduction_share", "service_charges_left_out", "above_limit", "local_scheme_cost"}
    assert not figures(outcome) & never
    whole = {name for found in explain_example(examples["pensioner"], everything=True).outcomes for name in figures(found)}
    assert never <= whole


def test_json_keeps_every_figure(told: dict[str, Explanation], capsys: pytest.CaptureFixture[str]) -> None:
    as_json(told["pensioner"], None)
    award = next(row for row in json.loads(capsys.readouterr().out)["rows"] if row["entity"] == "award")
    assert {"cap_reduction", "lha_rate", "above_limit"} <= set(award["values"])


def test_a_figure_that_is_paid_is_told_though_it_is_nil(told: dict[str, Explanation]) -> None:
    (outcome,) = told["nil"].outcomes
    assert "weekly_award" in figures(outcome) and "awarded" not in figures(outcome)
    assert outcome.refused == "Savings and other capital of £16,001.00 are above the limit."


def test_what_applied_is_told_with_its_reason(told: dict[str, Explanation]) -> None:
    (cap,) = told["benefit cap"].outcomes
    assert "cap_reduction" in figures(cap) and {"cap_for_household", "capped_benefits"} <= deciding(cap)
    (pensioner,) = told["pensioner"].outcomes
    assert not deciding(pensioner) & {"cap_position", "no_free_weeks", "rent_due_days"}


def test_the_amounts_behind_an_applicable_amount_are_told(told: dict[str, Explanation]) -> None:
    reasons = [line.because for line in told["income too high"].outcomes[-1].deciding if line.name == "amount_of_working_age"]
    assert len(reasons) == 1 and "Personal allowance £92.05 a week" in reasons[0]


def test_days_before_the_year_are_those_of_last_years_account(told: dict[str, Explanation], examples: dict[str, Example]) -> None:
    assert [outcome.days for outcome in told["new amounts"].outcomes] == [
        "1 April 2025 to 6 April 2025",
        "7 April 2025 to 21 September 2025",
        "22 September 2025 to 31 March 2026",
    ]
    assert explain_example(examples["new amounts"], everything=True).outcomes[0].days == "31 March 2025 to 31 March 2025"


def test_what_was_paid_is_told_beside_the_award(told: dict[str, Explanation]) -> None:
    paid = [outcome for outcome in told["overpayment"].outcomes if "award_for_the_week" in figures(outcome)]
    assert [outcome.days for outcome in paid][:3] == [
        "1 April 2025 to 6 April 2025",
        "7 April 2025 to 15 June 2025",
        "16 June 2025 to 7 September 2025",
    ]
    assert ["overpayment" in figures(outcome) for outcome in paid] == [True, True, True, False]
    assert "most_recovered" in figures(paid[-1])


def test_a_mistake_of_the_council_over_the_new_amounts_is_told_week_by_week(
    told: dict[str, Explanation], capsys: pytest.CaptureFixture[str]
) -> None:
    as_text(told["council's mistake"])
    text = capsys.readouterr().out
    before, after = text.split("What was paid against what is due, 1 April 2025 to 6 April 2025")[1].split(
        "What was paid against what is due, 7 April 2025 to 15 June 2025"
    )
    for part, figures_told in ((before, ("£100.63", "£87.63", "£13.00", "£11.14")), (after, ("£106.61", "£93.61", "£13.00", "£130.00"))):
        words = [line.split() for line in part.split("What decided it")[0].splitlines() if "£" in line]
        assert [next(word for word in line if word.startswith("£")) for line in words] == list(figures_told)
        assert "stands in the statement of subsidy" in " ".join(part.split()) and "may not be recovered" in part


def test_a_day_that_stands_for_none_is_not_told(examples: dict[str, Example], capsys: pytest.CaptureFixture[str]) -> None:
    as_text(explain_example(examples["pensioner"]))
    assert "fourth change of the rent" not in capsys.readouterr().out
    as_text(explain_example(examples["pensioner"], everything=True))
    assert "fourth change of the rent" in capsys.readouterr().out
