"""Awards explained: what is left out and what is not, why nothing is due, and why an award changed."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from rbcalc._show import amount
from rbcalc._years import EPOCH, FinancialYear
from rbcalc.errors import UsageError
from rbcalc.explaining.change import CAUSES, explain_change
from rbcalc.explaining.explain import Explanation, explain_example
from rbcalc.explaining.years import CasesOfYear
from rbcalc.rulebook.cases import CaseReader, Example
from rbcalc.rulebook.rules import Rules
from rbcalc_cli.explaining import as_json, as_text
from rbcalc_kernels.language.types import RATE

HERE = Path(__file__).parent


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH


@pytest.fixture(scope="module")
def examples(rules: Rules) -> dict[str, Example]:
    return {example.name: example for example in CaseReader(rules).read(HERE / "letters.cases.yaml")}


@pytest.fixture(scope="module")
def told(examples: dict[str, Example]) -> dict[str, Explanation]:
    return {name: explain_example(example) for name, example in examples.items()}


def test_what_comes_to_nought_is_left_out(examples: dict[str, Example], capsys: pytest.CaptureFixture[str]) -> None:
    as_text(explain_example(examples["pensioner"]))
    brief = capsys.readouterr().out
    as_text(explain_example(examples["pensioner"], everything=True))
    whole = capsys.readouterr().out
    assert len(brief) < len(whole)
    assert "There is no second adult" in whole and "There is no second adult" not in brief
    assert "Taken off for childcare" in whole and "childcare" not in brief
    assert "2 6/7 %" in brief and "2.857" not in whole


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Fraction(1, 35), "2 6/7 %"),
        (Fraction(5, 9), "55 5/9 %"),
        (Fraction(1, 300), "1/3 %"),
        (Fraction(-1, 35), "-2 6/7 %"),
        (Fraction(1, 8), "12.5 %"),
    ],
)
def test_rates_that_do_not_end_are_mixed_numbers(rate: Fraction, words: str) -> None:
    assert amount(rate, RATE) == words


def test_what_decided_stands_first(told: dict[str, Explanation]) -> None:
    first, second = told["change"].outcomes
    assert (first.days, second.days) == ("1 April 2026 to 14 June 2026", "15 June 2026 to 31 March 2027")
    excess = [line for line in second.deciding if line.working]
    assert any(line.working == "£296.00 a week − £256.00 a week" for line in excess)  # noqa: RUF001 - as it is printed
    assert not first.refused and second.amount < first.amount


def test_why_nothing_is_due_is_told_in_one_line(told: dict[str, Explanation], rules: Rules) -> None:
    assert told["nil"].outcomes[0].refused == "Savings and other capital of £16,001.00 are above the limit of £16,000.00."
    assert "£1.00 too much" in told["nil"].outcomes[0].needed
    grid = CaseReader(rules).read(rules.root / "councils" / "hartlepool" / "reduction" / "2026-27.cases.yaml")
    edge = next(example for example in grid if example.name == "One person with £296.33 a week")
    needed = explain_example(edge).outcomes[0].needed
    assert needed.endswith("would have to be at most £296.32 a week. It is £296.33 a week, £0.01 a week too much.")


def test_rows_that_read_the_same_are_put_together(examples: dict[str, Example]) -> None:
    example = examples["pensioner"]
    parts = [{**record, "to": day("2026-09-30")} for record in example.records["incomes"]]
    parts += [{**record, "from": day("2026-10-01")} for record in example.records["incomes"]]
    split = Example(example.name, example.doc, example.program, {**example.records, "incomes": parts}, {})
    together = explain_example(split)
    assert [outcome.days for outcome in together.outcomes] == ["1 April 2026 to 31 March 2027"]
    assert [member.entity for member in together.account.members].count("assessment") == 1
    whole = explain_example(example)
    totals = [{line.title: line.value for line in found.outcomes[0].figures} for found in (together, whole)]
    assert totals[0] == totals[1]
    assert len(explain_example(split, everything=True).outcomes) == 2


def test_every_value_of_an_award_is_in_the_json(told: dict[str, Explanation], capsys: pytest.CaptureFixture[str]) -> None:
    as_json(told["change"], None)
    awards = [row for row in json.loads(capsys.readouterr().out)["rows"] if row["entity"] == "award"]
    rules = {rule.name for rule in told["change"].program.rules if rule.entity == "award" and not rule.hidden}
    assert len(awards) == 2
    assert rules - set(awards[1]["values"]) == set()


@pytest.mark.parametrize(("name", "cause"), [("change", "Income and capital")])
def test_a_change_within_a_year_has_its_cause(name: str, cause: str, examples: dict[str, Example]) -> None:
    example = examples[name]
    states = [(example.program, example.records, day(text)) for text in ("2026-04-01", "2026-07-01")]
    change = explain_change(states[0], states[1])
    assert [told for told, _, _ in change.parts] == [cause]
    assert sum(part for _, part, _ in change.parts) == change.difference
    assert explain_change(states[0], states[0]).parts == ()


def test_a_person_more_is_a_cause(examples: dict[str, Example]) -> None:
    example = examples["pensioner"]
    joined = [{**record, "from": day("2026-06-10")} for record in example.records["non_dependants"]]
    records = {**example.records, "non_dependants": joined}
    change = explain_change((example.program, records, day("2026-04-01")), (example.program, records, day("2026-07-01")))
    assert [told for told, _, _ in change.parts] == ["The household and other facts"]


@pytest.mark.parametrize("name", ["pensioner", "second adult", "nil"])
def test_a_change_between_years_adds_up(name: str, rules: Rules, examples: dict[str, Example]) -> None:
    older = {found.name: found for found in CasesOfYear(rules, FinancialYear(2025)).read(HERE / "letters.cases.yaml")}[name]
    example = examples[name]
    change = explain_change((older.program, older.records, day("2026-03-31")), (example.program, example.records, day("2026-04-01")))
    assert sum((part for _, part, _ in change.parts), Fraction(0)) == change.difference
    assert {told for told, _, _ in change.parts} <= set(CAUSES)
    assert bool(change.parts) == (name != "nil")


def test_other_rules_are_a_cause(rules: Rules, examples: dict[str, Example], tmp_path: Path) -> None:
    scenario = tmp_path / "flat.yaml"
    scenario.write_text(
        "kind: scenario\ntitle: A flat award\nextends: [england.council_tax_reduction.award]\nfrom: 2026-04-01\n"
        "source: {note: made up}\nreplace:\n"
        "  daily_reduction: {title: Reduction for a day, of: award, unit: £/day, is: £1/day, reason: made up}\n",
        encoding="utf-8",
    )
    example = examples["pensioner"]
    other = rules.council("stevenage").program("2026-27", scenarios=[scenario])
    change = explain_change((example.program, example.records, day("2026-04-01")), (other, example.records, day("2026-04-01")))
    assert [told for told, _, _ in change.parts] == ["The rules"]
    assert change.after[1] == "£7.00 a week"


def test_a_claim_that_begins_is_said_to(examples: dict[str, Example]) -> None:
    example = examples["pensioner"]
    records = {**example.records, "claims": [{**record, "from": day("2026-06-08")} for record in example.records["claims"]]}
    change = explain_change((example.program, records, day("2026-04-01")), (example.program, records, day("2026-07-01")))
    assert [told for told, _, _ in change.parts] == ["There was none before"]


def test_a_day_outside_the_year_is_refused(examples: dict[str, Example]) -> None:
    example = examples["pensioner"]
    with pytest.raises(UsageError, match="outside the year"):
        explain_change((example.program, example.records, day("2025-04-01")), (example.program, example.records, day("2026-07-01")))
