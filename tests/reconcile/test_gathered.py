"""Reconciliation where accounts are gathered: those of one ratepayer are worked out together, whichever of them is looked at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import rbcalc
from rbcalc import Council
from rbcalc.reconciling import causes as _reconcile_causes
from rbcalc.reconciling.reconcile import reconcile
from reconcile.conftest import without_machine_code

YEAR = "2025-26"
VALUES = {"A": 600_000, "B": 200_000, "C": 80_000, "D": 90_000, "E": 100_000}
"""The first two are shops of one ratepayer, whose relief comes to more than the cash cap."""


def tables() -> dict[str, Any]:
    accounts = list(VALUES)
    return {
        "rates_accounts": pa.table(
            {
                "rates_account": accounts,
                "ratepayer": ["R", "R", "S", "T", "U"],
                "hereditament": [f"H{each}" for each in accounts],
                "from": ["2020-04-01"] * 5,
            }
        ),
        "hereditaments": pa.table(
            {
                "hereditament": [f"H{each}" for each in accounts],
                "from": ["2023-04-01"] * 5,
                "rateable_value": list(VALUES.values()),
                "rating_use": ["retail", "retail", "other", "other", "other"],
            }
        ),
        "occupations": pa.table({"rates_account": accounts, "from": ["2020-04-01"] * 5, "occupation_state": ["occupied"] * 5}),
    }


def of_the_second(name: str, value: Any, *, of: str = "B") -> dict[str, Any]:
    """The tables with a fact of one account's occupation."""
    found = tables()
    values = pa.array([value if each == of else None for each in VALUES])
    return {**found, "occupations": found["occupations"].append_column(name, values)}


@pytest.fixture(scope="module")
def council() -> Council:
    return rbcalc.load(subject="business_rates").council("hartlepool")


def billed(council: Council, caseload: dict[str, Any], **changed: int) -> tuple[Any, dict[str, Decimal]]:
    with without_machine_code():
        bills = council.calculate(caseload, YEAR, threads=1).bills
    found = dict(zip(bills["rates_account"].to_pylist(), bills["bill"].to_pylist(), strict=True))
    live = [amount + changed.get(name, 0) for name, amount in found.items()]
    made = {"council": ["hartlepool"] * len(live), "rates_account": list(found), "bill": pa.array(live, pa.decimal128(18, 2))}
    return pa.table(made), found


def test_the_cap_runs_over_the_accounts_that_are_compared(council: Council) -> None:
    live, bills = billed(council, tables())
    assert bills["A"] == Decimal(333_000 - 110_000)
    assert bills["B"] == Decimal(111_000)
    with without_machine_code():
        found = reconcile([council], YEAR, tables(), live, threads=1)
    assert found.agrees
    assert found.counts["matches to the penny"] == 5


def test_a_figure_is_proved_with_all_that_is_gathered(council: Council) -> None:
    last_year = council.with_scenario(
        {
            "title": "The multiplier of the year before",
            "from": "2025-04-01",
            "source": {"document": "made up"},
            "set": {"standard_multiplier": {"value": "54.6%"}},
        }
    )
    live, _ = billed(last_year, tables())
    with without_machine_code():
        found = reconcile([council], YEAR, tables(), live, threads=1)
    (cause,) = [row for row in found.causes.to_pylist() if row["accounts"]]
    assert (cause["cause"], cause["accounts"]) == ("parameter", 5)
    assert "Standard multiplier" in cause["what"]


def test_a_fact_is_found_for_an_account_that_is_gathered_with_others(council: Council) -> None:
    live, _ = billed(council, of_the_second("ratepayer_kind", "charity"))
    with without_machine_code():
        found = reconcile([council], YEAR, tables(), live, threads=1)
    (cause,) = [row for row in found.causes.to_pylist() if row["accounts"]]
    assert (cause["cause"], cause["accounts"]) == ("data", 1)
    assert "Who the ratepayer is" in cause["what"]


def test_a_fact_that_spoils_another_account_is_no_cause(council: Council) -> None:
    # The relief that the first account refuses is left to the second, whose bill was right as it was.
    refused = of_the_second("retail_relief_refused", True, of="A")
    live, bills = billed(council, refused)
    assert (bills["A"], bills["B"]) == (Decimal(333_000), Decimal(111_000 - 44_400))
    live, _ = billed(council, tables(), A=110_000)
    with without_machine_code():
        found = reconcile([council], YEAR, tables(), live, threads=1)
    (cause,) = [row for row in found.causes.to_pylist() if row["accounts"]]
    assert cause["cause"] == "not explained"


def test_of_accounts_that_are_gathered_with_many_no_facts_are_tried(council: Council, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reconcile_causes, "MOST_TOGETHER", 1)
    live, _ = billed(council, tables(), B=5_000)
    with without_machine_code():
        found = reconcile([council], YEAR, tables(), live, threads=1)
    assert any("1 accounts that are gathered with" in note for note in found.notes)
    (cause,) = [row for row in found.causes.to_pylist() if row["accounts"]]
    assert cause["cause"] == "not explained"


def test_a_fact_is_found_for_an_account_that_stands_alone(council: Council) -> None:
    charity = tables()
    occupations = charity["occupations"].append_column("ratepayer_kind", pa.array([None, None, None, "charity", None]))
    live, bills = billed(council, {**charity, "occupations": occupations})
    assert bills["D"] == Decimal("9990.00")
    with without_machine_code():
        found = reconcile([council], YEAR, tables(), live, threads=1)
    (cause,) = [row for row in found.causes.to_pylist() if row["accounts"]]
    assert (cause["cause"], cause["accounts"]) == ("data", 1)
    assert "Who the ratepayer is" in cause["what"]
