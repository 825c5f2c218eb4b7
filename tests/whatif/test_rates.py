"""What-if for business rates: accounts that are gathered, an amount that is owed, and the two example scenarios."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rbcalc
from rbcalc import Council, UsageError
from rbcalc._years import FinancialYear
from rbcalc.comparing.study import Option, Study
from rbcalc.rulebook.dials import dial_of
from rbcalc.supposing.scenarios import opened, option_of
from rbcalc.supposing.sweep import Bench, Limit
from rbcalc.supposing.whatif import Answer, Question, answered, sought_of, study_of

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
YEAR = "2026-27"
RETAIL = {
    "title": "A higher multiplier",
    "from": "2026-04-01",
    "source": {"document": "made up"},
    "set": {"small_retail_multiplier": {"value": "40%"}, "small_multiplier": {"value": "40%"}},
}


@pytest.fixture(scope="module")
def council() -> Council:
    return rbcalc.load(subject="business_rates").council("hartlepool")


@pytest.fixture(scope="module")
def caseload(council: Council, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rates") / "caseload"
    rbcalc.sample(council.rules, council="hartlepool", year=YEAR, out=folder, hereditaments=120)
    return folder


def asked(council: Council, caseload: Any, year: str = YEAR, **more: Any) -> Question:
    return Question([council], FinancialYear.of(year), caseload, threads=1, **more)


def uses(caseload: Path) -> dict[str, set[str]]:
    """What each account's hereditament was used for at any time."""
    found: dict[str, set[str]] = {}
    for row in pq.read_table(caseload / "hereditaments.parquet").to_pylist():
        found.setdefault(row["hereditament"], set()).add(row["rating_use"])
    accounts = pq.read_table(caseload / "rates_accounts.parquet").to_pylist()
    return {row["rates_account"]: found[row["hereditament"]] for row in accounts}


def told(answer: Answer, table: str) -> list[dict[str, Any]]:
    assert answer.comparison.holds
    found = answer.comparison.tables[table].to_pylist()
    return [row for row in found if row["council"]]


def test_a_higher_bill_is_a_loss(council: Council, caseload: Path) -> None:
    answer = answered(asked(council, caseload, scenarios=[[RETAIL]], singly=False))
    rows = {row["outcome"]: row for row in told(answer, "outcomes")}
    assert set(rows) >= {"gaining", "losing", "newly_charged", "no_longer_charged"}
    cases = answer.comparison.cases.to_pylist()
    for case in cases:
        change = case["amount"] - case["baseline"]
        expected = "unchanged" if not change else "losing" if change > 0 else "gaining"
        assert case["outcome"] == expected or case["baseline"] == 0 or case["amount"] == 0
    up, down = rows["losing"], rows["gaining"]
    assert up["accounts"] > 0 and up["change"] > 0  # small shops pay more
    assert down["accounts"] > 0 and down["change"] < 0  # the others of small value pay less
    largest = answer.comparison.largest(answer.study.options[1].name, 3).to_pylist()
    assert largest[0]["change"] > 0
    assert [row["week"] for row in largest] == sorted((row["week"] for row in largest), reverse=True)
    assert any("nobody is counted who might" in note for note in answer.comparison.notes)
    assert not any("claim" in note for note in answer.comparison.notes)


def test_the_first_comparison_is_meant_where_none_is_named(council: Council, caseload: Path) -> None:
    assert study_of(asked(council, caseload))[0].impact.name == "bill"
    assert study_of(asked(council, caseload, impact="reliefs"))[0].impact.name == "reliefs"
    with pytest.raises(UsageError, match="no such comparison: reliefes"):
        study_of(asked(council, caseload, impact="reliefes"))


def test_a_relief_scheme_is_costed_and_borne_by_shares(council: Council, caseload: Path) -> None:
    scheme = EXAMPLES / "rates_relief_for_town_centres.yaml"
    answer = answered(asked(council, caseload, scenarios=[[scheme]], impact="discretionary_relief", singly=False))
    base, option = told(answer, "costs")
    assert option["change"] == option["amount"] - base["amount"] > 0
    rows = {row["outcome"]: row for row in told(answer, "outcomes")}
    assert rows["newly_entitled"]["accounts"] > 0
    assert rows["losing"]["accounts"] == rows["no_longer_entitled"]["accounts"] == 0
    shares = {row["body"]: row["change"] for row in told(answer, "bodies") if row["option"] == option["option"]}
    assert sum(shares.values()) == option["change"]
    assert abs(shares["billing_authority"] - option["change"] * Decimal("0.49")) <= Decimal("0.03")
    by_use = {row["member"]: row["change"] for row in told(answer, "groups") if row["group"] == "rating_use"}
    assert by_use["retail"] > 0
    helped = [case for case in answer.comparison.cases.to_pylist() if case["amount"] > case["baseline"]]
    # Nobody has more of it than the limit for the year, and nobody who was of another use all year has any.
    assert helped and all(case["amount"] - case["baseline"] <= 2500 for case in helped)
    used = uses(caseload)
    assert all(used[case["account"]] & {"retail", "hospitality", "leisure", "public_house", "live_music_venue"} for case in helped)
    assert any(used[case["account"]] == {"other"} for case in answer.comparison.cases.to_pylist())


def test_the_share_that_a_budget_allows_is_found(council: Council, caseload: Path) -> None:
    scheme = EXAMPLES / "rates_relief_for_town_centres.yaml"
    vary = ["town_centre_share=0%:60%:20%"]
    question = asked(council, caseload, scenarios=[[scheme]], impact="discretionary_relief", vary=vary)
    study, (option,) = study_of(question)
    costs = [int(found[council.name].amount.sum()) for found in (study.add(_with(option, share)) for share in ("20%", "40%", "60%"))]
    assert costs == sorted(set(costs))
    question.target = f"cost <= £{(costs[1] + costs[2]) / 200:.2f}"
    found = sought_of(question, study, option)
    assert found.best is not None
    assert found.best.settings == {dial_of("town_centre_share"): Fraction(40, 100)}
    assert found.best.cost == costs[1]


def _with(option: Option, share: str) -> Option:
    changed = {
        "kind": "scenario",
        "title": f"A share of {share}",
        "from": "2026-04-01",
        "source": {"document": "made up"},
        "set": {"town_centre_share": {"value": share}},
    }
    rules = rbcalc.load(subject="business_rates")
    return Option(share, share, (*option.scenarios, opened(rules, changed)), hypothetical=True)


def test_figures_swept_are_those_of_a_run_of_their_own(council: Council, caseload: Path) -> None:
    study = Study([council], YEAR, caseload, threads=1)
    dial = dial_of("small_retail_multiplier")
    values = [Fraction(382, 1000), Fraction(400, 1000)]
    bench = Bench(study, study.baseline, [dial], [Limit(0), Limit(500)], {dial: values})
    same, higher = bench.through([{dial: value} for value in values])
    assert (same.change, same.gaining, same.losing, same.beyond) == (0, 0, 0, (0, 0))
    laid = {**RETAIL, "set": {"small_retail_multiplier": {"value": "40%"}}}
    other = study.add(option_of(study.baseline, [opened(council.rules, laid)]))[council.name]
    base = study.outcomes["baseline"][council.name]
    assert higher.cost == int(other.amount.sum())
    assert higher.losing == int(np.count_nonzero(other.amount > base.amount)) > 0
    assert higher.gaining == 0
    assert higher.largest_loss == max(
        Fraction(int(a - b) * 7, int(d)) for a, b, d in zip(other.amount, base.amount, base.days, strict=True) if d
    )
    assert higher.beyond[0] == higher.losing > higher.beyond[1]


def test_multipliers_of_a_year_that_nobody_has_published(council: Council, caseload: Path) -> None:
    option = EXAMPLES / "rates_multipliers_2027-28.yaml"
    answer = answered(asked(council, caseload, "2027-28", scenarios=[[option]], singly=False))
    base, raised = told(answer, "costs")
    assert base["amount"] < raised["amount"] < base["amount"] * Decimal("1.03")
    program = answer.study.outcomes[answer.study.options[1].name][council.name].program
    assert program.parameters["supplement_rate_2026"].by_period == (0,)
    assert "cap_of_2026" in dict(program.supposed)
    assert len(answer.study.options[1].changes) == 5


REVALUED = {
    "rates_accounts": {
        "rates_account": ["A", "B"],
        "ratepayer": ["R", "R"],
        "hereditament": ["H", "I"],
        "from": ["2020-04-01", "2020-04-01"],
    },
    "hereditaments": {
        "hereditament": ["H", "H", "I", "I"],
        "from": ["2023-04-01", "2026-04-01"] * 2,
        "to": ["2026-03-31", None] * 2,
        "rateable_value": [20000, 40000, 60000, 30000],
        "rating_use": ["other"] * 4,
    },
    "list_values": {
        "hereditament": ["H", "H", "I", "I"],
        "from": ["2023-04-01", "2026-04-01"] * 2,
        "to": ["2026-03-31", None] * 2,
        "value_before": [20000, 20000, 60000, 60000],
        "value_at_start": [20000, 40000, 60000, 30000],
    },
    "occupations": {"rates_account": ["A", "B"], "from": ["2020-04-01"] * 2, "occupation_state": ["occupied"] * 2},
}


def test_a_revaluation_is_told_against_the_year_before(council: Council) -> None:
    tables = {name: pa.table(columns) for name, columns in REVALUED.items()}
    answer = answered(asked(council, tables, baseline_year=FinancialYear.of("2025-26"), singly=False))
    cases = {case["account"]: case for case in answer.comparison.cases.to_pylist()}
    # £20,000 at 49.9p, then 115 % of it for a medium hereditament; £60,000 at 55.5p, then £30,000 at 43.2p with the supplement of 1p.
    assert (cases["A"]["baseline"], cases["A"]["amount"], cases["A"]["outcome"]) == (Decimal(9980), Decimal(11477), "losing")
    assert (cases["B"]["baseline"], cases["B"]["amount"], cases["B"]["outcome"]) == (Decimal(33300), Decimal(13260), "gaining")
