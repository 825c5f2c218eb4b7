"""Each cause put into a live system's figures is found, and nothing that the figures do not prove is told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa
import pytest

from rbcalc.reconciling.reconcile import reconcile
from reconcile.conftest import Figures, Small, without_machine_code, worked
from reconcile.small import YEAR

PENNY = Decimal("0.01")
AMOUNTS = {"small": Decimal(1100), "middle": Decimal("1321.17"), "large": Decimal(1650)}


def told(found: Any) -> list[tuple[str, str, str, int]]:
    return [(row["council"], row["cause"], row["what"], row["accounts"]) for row in found.causes.to_pylist()]


def rounded(value: Decimal) -> Decimal:
    return value.quantize(PENNY, ROUND_HALF_UP)


def rows(small: Small, council: str = "north") -> dict[str, dict[str, Any]]:
    """The facts of each account of a council."""
    places = {row["place"]: row for row in small.tables["places"].to_pylist()}
    people: dict[str, int] = {}
    for row in small.tables["people"].to_pylist():
        people[row["place"]] = people.get(row["place"], 0) + 1
    accounts = small.tables["accounts"].to_pylist()
    return {a["account"]: {**places[a["account"]], **a, "people": people[a["account"]]} for a in accounts if a["council"] == council}


def share(facts: dict[str, Any]) -> Decimal:
    return Decimal("1.5") if facts["use"] == "shop" else Decimal("0.75") if facts["people"] == 1 else Decimal(1)


def days(facts: dict[str, Any]) -> int:
    return 365 if facts["from"] < "2026" else 265


def test_nothing_differs_and_nothing_is_told(small: Small, figures: Figures) -> None:
    found = small.reconciled(figures)
    assert found.match_rate == 1
    assert found.agrees
    assert told(found) == []
    assert found.differences.num_rows == 0


def test_a_figure_of_the_year_before(small: Small, figures: Figures) -> None:
    before = 0
    for name, facts in rows(small).items():
        if facts["people"] == 1 and facts["use"] != "shop" and facts["from"] < "2026":
            figures["north", name][0] = rounded(figures["north", name][0] / Decimal("0.75") * Decimal("0.80"))
            before += 1
    part = [name for name, facts in rows(small).items() if facts["people"] == 1 and facts["use"] != "shop" and facts["from"] > "2026"]
    for name in part:
        figures["north", name][0] = rounded(AMOUNTS[rows(small)[name]["size"]] * Decimal("0.8") * 265 / 365)
    assert told(small.reconciled(figures)) == [("north", "parameter", "Taken off for one person as in 2025-26", before + len(part))]


def test_a_row_of_a_table_that_others_are_worked_out_from(small: Small, figures: Figures) -> None:
    other = {**AMOUNTS, "middle": Decimal(1310)}
    count = 0
    for name, facts in rows(small).items():
        size = facts["size"]
        assert figures["north", name][0] == rounded(AMOUNTS[size] * share(facts) * days(facts) / 365)
        figures["north", name][0] = rounded(other[size] * share(facts) * days(facts) / 365)
        count += size == "middle"
    assert told(small.reconciled(figures)) == [("north", "parameter", "Published amount, other, as in 2025-26", count)]


def test_the_row_of_a_neighbour(small: Small, figures: Figures) -> None:
    def larger(tables: dict[str, list[dict[str, Any]]]) -> None:
        for row in tables["places"]:
            if row["place"].startswith("s") and row["size"] == "middle":
                row["size"] = "large"

    live = small.supposed(larger)
    count = sum(live[key][0] != figures[key][0] for key in live)
    assert count > 5
    assert told(small.reconciled(live)) == [("south", "parameter", "Amount: middle has the row of large", count)]


def test_a_rule_for_a_group(small: Small, figures: Figures) -> None:
    shops = [name for name, facts in rows(small).items() if facts["use"] == "shop"]
    for name in shops:
        figures["north", name][0] = rounded(figures["north", name][0] * Decimal("0.83"))
    assert told(small.reconciled(figures)) == [("north", "rule", "Use: shop (Charge: live is 83 % of ours)", len(shops))]


def test_a_few_pence_and_a_rounding(small: Small, figures: Figures) -> None:
    count = 0
    for name, facts in rows(small).items():
        new = rounded(AMOUNTS[facts["size"]] * share(facts) / 365) * days(facts)
        count += new != figures["north", name][0]
        figures["north", name][0] = new
    figures["south", "s004"][0] += 2 * PENNY
    assert told(small.reconciled(figures)) == [
        ("north", "rounding", "Charge for a day rounded to the penny, half up", count),
        ("south", "rounding", "a difference of 2p that no other rounding tried gives", 1),
    ]


def test_a_year_of_another_length(small: Small, figures: Figures) -> None:
    for name, facts in rows(small).items():
        figures["north", name][0] = rounded(AMOUNTS[facts["size"]] * share(facts) * days(facts) / 366)
    assert told(small.reconciled(figures)) == [("north", "rounding", "the year taken as 366 days", 40)]


def other_size(tables: dict[str, list[dict[str, Any]]]) -> None:
    tables["places"][1]["size"] = "large"


def one_person_more(tables: dict[str, list[dict[str, Any]]]) -> None:
    tables["people"].append({"place": "n000", "from": "2010-01-01", "away": None})


def one_person_fewer(tables: dict[str, list[dict[str, Any]]]) -> None:
    tables["people"].remove({"place": "n001", "from": "2010-01-01", "away": None})


def another_day(tables: dict[str, list[dict[str, Any]]]) -> None:
    tables["accounts"][3]["from"] = "2026-07-24"


def whole_year(tables: dict[str, list[dict[str, Any]]]) -> None:
    tables["accounts"][3]["from"] = "2020-04-01"


@pytest.mark.parametrize(
    ("change", "what", "detail"),
    [
        (other_size, "Size", "Size: large instead of middle"),
        (one_person_more, "People: one record more", "People: one more"),
        (one_person_fewer, "People: one record fewer", "People: one fewer"),
        (another_day, "Accounts: begins on another day", "Accounts: begins on 24 July 2026"),
        (whole_year, "Accounts: begins on another day", "Accounts: begins on 1 April 2026"),
    ],
)
def test_a_fact_recorded_otherwise(small: Small, change: Callable[..., None], what: str, detail: str) -> None:
    found = small.reconciled(small.supposed(change))
    assert told(found) == [("north", "data", what, 1)]
    row = found.differences.to_pylist()[0]
    assert row["detail"] == detail
    assert row["ways"] >= 1


def test_a_change_within_the_year_on_another_day(small: Small) -> None:
    def divided(day: str, before: str) -> dict[str, Any]:
        held = small.tables["places"].to_pylist()
        held[0]["to"] = before
        held.insert(1, {**held[0], "from": day, "to": None, "size": "large"})
        return {**small.tables, "places": pa.Table.from_pylist(held, schema=small.tables["places"].schema)}

    ours, live = divided("2026-09-01", "2026-08-31"), worked(small.councils, divided("2026-10-05", "2026-10-04"))
    with without_machine_code():
        found = reconcile(small.councils, YEAR, ours, small.billed(live), threads=1)
    assert told(found) == [("north", "data", "Places: a change on another day", 1)]
    live["north", "n000"] = list(small.figures["north", "n000"])
    with without_machine_code():
        found = reconcile(small.councils, YEAR, ours, small.billed(live), threads=1)
    assert told(found) == [("north", "data", "Places: the whole year instead of part", 1)]


def test_what_nothing_proves_is_not_explained(small: Small, figures: Figures) -> None:
    figures["north", "n000"][0] += Decimal("12345.67")
    figures["south", "s002"][1] += Decimal("1.01")
    found = small.reconciled(figures)
    assert told(found) == [("north", "not explained", "", 1), ("south", "not explained", "", 1)]
    assert [row["what"] for row in found.differences.to_pylist()] == ["", ""]


def test_a_figure_is_not_told_for_one_account(small: Small, figures: Figures) -> None:
    """What one account shows is told of its facts at most, however well a figure of the rules would fit."""
    figures["north", "n000"][0] = rounded(figures["north", "n000"][0] / Decimal("0.75") * Decimal("0.80"))
    assert [(cause, count) for _, cause, _, count in told(small.reconciled(figures))] in ([("data", 1)], [("not explained", 1)])


def test_causes_stand_side_by_side(small: Small, figures: Figures) -> None:
    shops = [name for name, facts in rows(small).items() if facts["use"] == "shop"]
    for name in shops:
        figures["north", name][0] = rounded(figures["north", name][0] * Decimal("0.5"))
    figures["north", "n001"] = small.supposed(other_size)["north", "n001"]
    figures["north", "n010"][0] += PENNY
    figures["north", "n012"][0] += Decimal("12345.67")
    found = {(cause, count) for _, cause, _, count in told(small.reconciled(figures))}
    assert found == {("rule", len(shops)), ("data", 1), ("rounding", 1), ("not explained", 1)}
