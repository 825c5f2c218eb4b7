"""Options beside the baseline: every figure recounted account by account, and all that must add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from rbcalc.comparing.comparison import Single, compare, comparison
from rbcalc.comparing.figures import placed, ranges, rounded, weekly
from rbcalc.errors import UsageError
from whatif.made import GROUPS, IMPACT, YEAR, Made, outcome, random_study, studies, study

ALL = ""


def rows(table: Any, **where: str) -> list[dict[str, Any]]:
    """The rows of a table with these values."""
    return [row for row in table.to_pylist() if all(row[name] == value for name, value in where.items())]


def one(table: Any, **where: str) -> dict[str, Any]:
    (row,) = rows(table, **where)
    return row


def pounds(pence: int) -> Decimal:
    return Decimal(pence) / 100


def recounted(made: Made, option: str, councils: tuple[str, ...]) -> Iterator[tuple[str, int, int, int, Fraction, str, str]]:
    """Each account that is compared: council, place, before, after, a week's change, outcome, range of the week's change."""
    for council in councils:
        before, after = made.outcomes["baseline"][council], made.outcomes[option][council]
        for place in range(len(before.amount)):
            old, new = int(before.amount[place]), int(after.amount[place])
            days = max(int(before.days[place]), int(after.days[place]))
            if before.rejected[place] or after.rejected[place] or not (days or old or new):
                continue
            week = Fraction((new - old) * 7, (days or 365) * 100)
            result = "unchanged"
            if new != old:
                result = ("no_longer_entitled" if not new else "losing") if new < old else ("gaining" if old else "newly_entitled")
            size = abs(week)
            step = "over_10" if size > 10 else "5_to_10" if size > 5 else "1_to_5" if size > 1 else "up_to_1"
            yield council, place, old, new, week, result, "same" if not week else f"{'lose' if week < 0 else 'gain'}_{step}"


def check_recount(made: Made) -> None:
    """Every figure of the tables of counts and changes, by adding up in plain Python."""
    found = comparison(made)
    assert found.holds
    for option in made.options[1:]:
        for council in (*made.councils, ALL):
            councils = (council,) if council else made.councils
            there = list(recounted(made, option.name, councils))
            self_named = {"option": option.name, "council": council}
            for table, column, place in ((found.outcomes, "outcome", 5), (found.distribution, "range", 6)):
                counts = Counter(each[place] for each in there)
                for row in rows(table, **self_named):
                    if row[column] == "no_result":
                        continue
                    mine = [each for each in there if each[place] == row[column]]
                    assert row["accounts"] == counts.pop(row[column], 0)
                    assert row["change"] == pounds(sum(new - old for _, _, old, new, *_ in mine))
                assert not counts
            check_groups(made, found.groups, self_named, there)


def check_groups(made: Made, table: Any, named: dict[str, str], there: list[Any]) -> None:
    for group, members in GROUPS.items():
        for code, member in enumerate((*members, ""), 0):
            at = code if member else -1
            mine = [each for each in there if made.groups[each[0]][group].codes[each[1]] == at]
            found = rows(table, **named, group=group, member=member)
            assert len(found) == bool(mine)
            for row in found:
                old, new = sum(each[2] for each in mine), sum(each[3] for each in mine)
                assert (row["accounts"], row["baseline"], row["amount"]) == (len(mine), pounds(old), pounds(new))
                assert row["change"] == pounds(new - old)
                weeks = [each[4] for each in mine]
                assert row["losing"] == sum(week < 0 for week in weeks)
                assert row["gaining"] == sum(week > 0 for week in weeks)
                assert row["unchanged"] == weeks.count(Fraction(0))
                worst = pounds(rounded(-min(weeks) * 100)) if min(weeks) < 0 else None
                assert row["largest_loss_week"] == worst


@settings(max_examples=40, deadline=None)
@given(made=studies())
def test_every_figure_is_what_a_recount_gives(made: Made) -> None:
    check_recount(made)


@settings(max_examples=15, deadline=None)
@given(made=studies(rejects=True))
def test_accounts_without_a_result_are_told_apart(made: Made) -> None:
    check_recount(made)


@settings(max_examples=25, deadline=None)
@given(made=studies(rejects=True))
def test_what_is_gained_and_lost_is_the_change_of_cost_and_bodies_bear_it_all(made: Made) -> None:
    found = comparison(made)
    for option in made.options:
        for council in (*made.councils, ALL):
            cost = one(found.costs, option=option.name, council=council)
            councils = (council,) if council else made.councils
            outcomes = [made.outcomes[option.name][name] for name in councils]
            assert cost["amount"] == pounds(sum(int(each.amount.sum()) for each in outcomes))
            assert cost["accounts"] == sum(int((each.amount > 0).sum()) for each in outcomes)
            assert cost["known"] == sum(int((each.days > 0).sum()) for each in outcomes)
            borne = rows(found.bodies, option=option.name, council=council)
            assert sum(row["amount"] for row in borne) == cost["amount"]
            assert sum(row["change"] for row in borne) == cost["change"]
            if option is not made.options[0]:
                for table in (found.outcomes, found.distribution):
                    assert sum(row["change"] for row in rows(table, option=option.name, council=council)) == cost["change"]


def test_the_edges_are_more_than_a_pound_five_and_ten_a_week() -> None:
    names = list(ranges())
    assert names == [
        "lose_over_10",
        "lose_5_to_10",
        "lose_1_to_5",
        "lose_up_to_1",
        "same",
        "gain_up_to_1",
        "gain_1_to_5",
        "gain_5_to_10",
        "gain_over_10",
    ]
    # For 364 days a week's change is the year's over 52: the edges are met exactly, and passed by a penny a year.
    changes = np.array([sign * (edge * 52 + extra) for edge in (100, 500, 1000) for extra in (0, 1) for sign in (-1, 1)])
    places = placed(changes, np.full(len(changes), 364))
    assert [names[place] for place in places] == [
        f"{side}_{step}" for step in ("up_to_1", "1_to_5", "1_to_5", "5_to_10", "5_to_10", "over_10") for side in ("lose", "gain")
    ]


def test_other_edges_can_be_asked_for() -> None:
    assert list(ranges((50, 250)))[:3] == ["lose_over_2_50", "lose_0_50_to_2_50", "lose_up_to_0_50"]
    assert ranges((50, 250))["gain_0_50_to_2_50"] == "gains more than £0.50 and up to £2.50 a week"


@pytest.mark.parametrize(("change", "days", "week"), [(26, 364, 1), (25, 364, 0), (-26, 364, -1), (-25, 364, 0), (365, 365, 7), (0, 1, 0)])
def test_a_week_is_rounded_half_up(change: int, days: int, week: int) -> None:
    assert weekly(np.array([change]), np.array([days])).tolist() == [week]
    assert rounded(Fraction(change * 7, days)) == week


def small() -> Made:
    """Five accounts of one council: one gains, one loses, one comes in, one goes out, one is not known."""
    days = [364, 364, 364, 182, 0]
    base = outcome("baseline", "a", [10_000, 20_000, 0, 5_000, 0], days)
    other = outcome("grid", "a", [15_200, 14_800, 3_640, 0, 0], days)
    return study({"a": {"baseline": base, "grid": other}}, {"a": {"family": [0, 1, 2, 0, -1]}})


def test_by_hand() -> None:
    found = comparison(small())
    shown = {row["outcome"]: (row["accounts"], row["change"], row["average_week"]) for row in rows(found.outcomes, council="a")}
    assert shown == {
        "gaining": (1, Decimal("52.00"), Decimal("1.00")),
        "losing": (1, Decimal("-52.00"), Decimal("-1.00")),
        "unchanged": (0, Decimal("0.00"), None),
        "newly_entitled": (1, Decimal("36.40"), Decimal("0.70")),
        "no_longer_entitled": (1, Decimal("-50.00"), Decimal("-1.92")),  # £50 over 26 weeks
    }
    cost = one(found.costs, option="grid", council="a")
    assert (cost["accounts"], cost["known"], cost["amount"]) == (3, 4, Decimal("336.40"))
    assert (cost["change"], cost["change_percent"]) == (Decimal("-13.60"), Decimal("-3.89"))
    single = one(found.groups, council="a", group="family", member="single_person")
    assert (single["gaining"], single["losing"], single["largest_loss_week"]) == (1, 1, Decimal("1.92"))
    # £2 over two accounts, 364 + 182 days.
    assert single["average_week"] == Decimal("0.03")


def test_cases_and_the_largest_losers() -> None:
    found = comparison(small())
    assert found.cases["account"].to_pylist() == ["a0", "a1", "a2", "a3"]
    assert found.cases["family"].to_pylist() == ["single_person", "couple", "lone_parent", "single_person"]
    losers = found.largest("grid", 5)
    assert losers["account"].to_pylist() == ["a3", "a1"]
    assert losers["week"].to_pylist() == [Decimal("-1.92"), Decimal("-1.00")]
    assert found.largest("grid", 1).num_rows == 1
    assert found.cases_of("grid").equals(found.cases)
    with pytest.raises(UsageError, match="no such option: gird"):
        found.largest("gird")


@settings(max_examples=20, deadline=None)
@given(made=studies())
def test_every_total_opens_to_its_cases(made: Made) -> None:
    found = comparison(made)
    if len(made.options) == 1:
        assert found.cases.num_rows == 0
        return
    cases = found.cases.to_pylist()
    for row in found.outcomes.to_pylist():
        mine = [case for case in cases if case["option"] == row["option"] and row["council"] in ("", case["council"])]
        there = [case for case in mine if case["outcome"] == row["outcome"]]
        assert (len(there), sum(case["change"] for case in there)) == (row["accounts"], row["change"])
    for option in made.options[1:]:
        losses = sorted(case["week"] for case in cases if case["option"] == option.name and case["change"] < 0)
        assert found.largest(option.name, 7)["week"].to_pylist() == losses[:7]


def test_newly_entitled_says_whom_it_covers() -> None:
    found = comparison(small())
    for table in (found.costs, found.outcomes, found.groups):
        assert "covers only people whom the council knows" in table.schema.metadata[b"note"].decode()
    assert any("covers only people whom the council knows" in note for note in found.publishable().notes)


def test_single_changes_stand_beside_the_whole() -> None:
    made = random_study(5, {"a": 80, "b": 50}, 3)
    first, second = made.outcomes["option_1"], made.outcomes["option_2"]
    singles = [Single("option_0", "first", first, second), Single("option_0", "second", second, first)]
    found = comparison(made, alone=singles)
    for council in ("a", "b", ALL):
        of_first, of_second = (one(found.costs, option=f"option_{n}", council=council)["change"] for n in (1, 2))
        shown = rows(found.changes, option="option_0", council=council)
        assert [(row["change"], row["order"], row["alone"], row["together_without"]) for row in shown] == [
            ("first", 1, of_first, of_second),
            ("second", 2, of_second, of_first),
        ]


def test_the_tax_base_is_rounded_once_and_adds_up_before(monkeypatch: pytest.MonkeyPatch) -> None:
    made = random_study(5, {"a": 5, "b": 5}, 1)
    bases = {("baseline", "a"): "100.04", ("baseline", "b"): "50.04", ("option_0", "a"): "99.95", ("option_0", "b"): "50.04"}

    class Base:
        def __init__(self, base: str) -> None:
            self.base = Fraction(base)

    names = {id(each.totals): (name, council) for name, by_council in made.outcomes.items() for council, each in by_council.items()}
    for by_council in made.outcomes.values():
        for each in by_council.values():
            each.totals["tax_base_facts"] = {}
    monkeypatch.setattr("rbcalc.comparing.tables.tax_base", lambda *given: Base(bases[names[id(given[3])]]))
    found = comparison(made, collection_rates={"a": Fraction(98, 100), "b": Fraction(99, 100)})
    shown = {(row["option"], row["council"]): (str(row["base"]), str(row["change"])) for row in found.tax_base.to_pylist()}
    assert shown == {
        ("baseline", "a"): ("100.0", "0.0"),
        ("baseline", "b"): ("50.0", "0.0"),
        ("baseline", ""): ("150.1", "0.0"),
        ("option_0", "a"): ("100.0", "-0.1"),
        ("option_0", "b"): ("50.0", "0.0"),
        ("option_0", ""): ("150.0", "-0.1"),
    }
    # A rate is never assumed: without one, neither that council's base nor the sum is given.
    assert {row["council"] for row in comparison(made, collection_rates={"a": Fraction(98, 100)}).tax_base.to_pylist()} == {"a"}


def test_accounts_without_a_result_are_counted_in_the_notes_but_not_in_publications() -> None:
    days = [365] * 8
    base = outcome("baseline", "a", [10_000] * 8, days)
    other = outcome("grid", "a", [9_000] * 8, days, [False] * 6 + [True] * 2)
    found = comparison(study({"a": {"baseline": base, "grid": other}}, {"a": {}}))
    assert found.holds
    assert one(found.outcomes, council="a", outcome="no_result")["change"] == Decimal("-200.00")
    assert any(note.startswith("2 accounts have no result") for note in found.notes)
    assert any(note.startswith("Some accounts have no result") for note in found.publishable().notes)


def test_outcomes_can_be_compared_without_a_study() -> None:
    made = random_study(3, {"a": 40, "b": 30}, 2)
    found = compare(*made.outcomes.values(), year=YEAR, impact=IMPACT, accounts=made.accounts, groups=made.groups)
    whole = comparison(made)
    assert all(found.tables[name].equals(whole.tables[name]) for name in whole.tables)
    base, other = made.outcomes["baseline"], made.outcomes["option_0"]
    with pytest.raises(UsageError, match="two options are called baseline"):
        compare(base, base, year=YEAR, impact=IMPACT, accounts=made.accounts)
    with pytest.raises(UsageError, match="option_0 is not of the same councils and accounts"):
        compare(base, {"a": other["a"]}, year=YEAR, impact=IMPACT, accounts=made.accounts)


def test_money_is_decimal_and_names_are_escaped() -> None:
    base = outcome("baseline", "a", [10_000], [365])
    hostile = outcome("<script>alert(1)</script>", "a", [9_000], [365])
    found = comparison(study({"a": {"baseline": base, hostile.option.name: hostile}}, {"a": {}}))
    assert found.costs.schema.field("amount").type == pa.decimal128(18, 2)
    shown = found._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert repr(found).startswith("Comparison(Reduction 2026-27: a: baseline £100.00, ")


def test_an_unknown_table_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no table or attribute 'casess'"):
        comparison(small()).casess  # noqa: B018
