"""Business rates cases worked by hand from the statute.  "Trap n" numbers the mistakes that a naive calculation makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from independent.rates.bill import Bill, bill
from independent.rates.days import to_penny
from independent.rates.facts import Account, Hereditament, ListValues, MissingFactError, Occupation, Ratepayer

BEFORE = date(2000, 4, 1)
ENTRY = ("new_fibre_value", "rating_use", "in_greater_london", "industrial", "improvement_value", "rural_kind")
VALUES = ("value_before", "value_at_start", "new_in_list", "recorded_limit")
LIABLE = ("additional_relief_award", "fallen_due", "instalments_left", "notice_date", "twelve_instalments", "hardship_remission")


def account(value: int, **facts: Any) -> Account:
    def part(names: tuple[str, ...]) -> dict[str, Any]:
        return {name: facts.pop(name) for name in names if name in facts}

    entry, values, liable = part(ENTRY), part(VALUES), part(LIABLE)
    lists = (ListValues(BEFORE, **values),) if values else ()
    return Account("A", BEFORE, (Hereditament(BEFORE, value, **entry),), (Occupation(BEFORE, **facts),), lists, **liable)


def year_of(year: int, found: Account) -> Bill:
    return bill(Ratepayer((found,)), year)["A"]


def exact(year: int, value: int, **facts: Any) -> Fraction:
    return year_of(year, account(value, **facts)).exact


# ---------------------------------------------------------------- splits and mergers (SI 2022/1403 Schedule, SI 2016/1265 Schedule 2)


@pytest.mark.parametrize("year", [2018, 2023, 2024])
@pytest.mark.parametrize("shown", [40_000, 30_000, 45_000, 90_000, 120_000, 20_000])
@pytest.mark.parametrize("created", [40_000, 100_000])
def test_the_recorded_limit_gives_what_the_schedule_says(year: int, shown: int, created: int) -> None:
    """Paragraphs 4 to 6: R x J / S, with a rise at B and a fall in proportion; less U where the small multiplier applies."""
    above, small = {2018: ("0.493", "0.48"), 2023: ("0.512", "0.499"), 2024: ("0.546", "0.499")}[year]
    b, d = Fraction(above), Fraction(small)
    old, old_value = Fraction(63_890), 200_000  # R x C and S
    share = old * created / old_value
    charged = share + (shown - created) * b if shown > created else share * shown / created
    if shown < 51_000:
        charged -= (b - d) * shown
    recorded = share - (b - d) * created
    assert exact(year, shown, value_at_start=created, recorded_limit=recorded) == charged


# ---------------------------------------------------------------- multipliers


@pytest.mark.parametrize(
    ("year", "value", "facts", "rate"),
    [
        (2011, 17_999, {}, "0.433"),  # not claimed
        (2011, 17_999, {"small_business_claimed": True}, "0.426"),
        (2011, 25_499, {"small_business_claimed": True, "in_greater_london": True}, "0.426"),
        (
            2011,
            17_999,
            {"small_business_claimed": True, "others_occupied": 1, "others_greatest_value": 9_000, "others_total_value": 9_000},
            "0.433",
        ),
        (2013, 17_999, {"others_occupied": 10, "others_greatest_value": 90_000, "others_total_value": 90_000}, "0.462"),  # trap 9
        (2013, 18_000, {}, "0.471"),
        (2013, 25_499, {"in_greater_london": True}, "0.462"),
        (2020, 50_999, {}, "0.499"),
        (2020, 51_000, {}, "0.512"),
        (2020, 9_000, {"occupation_state": "unoccupied", "empty_since": BEFORE}, "0.512"),  # trap 6
        (2024, 9_000, {"occupation_state": "unoccupied", "empty_since": BEFORE}, "0.499"),
        (2024, 51_000, {}, "0.546"),  # trap 28
        (2026, 50_999, {"rating_use": "retail"}, "0.382"),
        (2026, 51_000, {"rating_use": "leisure"}, "0.430"),
        (2026, 499_999, {"rating_use": "bank_or_office_with_visitors"}, "0.480"),
        (2026, 500_000, {"rating_use": "retail"}, "0.508"),  # trap 14
        (2026, 50_999, {"rating_use": "retail", "occupation_state": "unoccupied", "empty_since": BEFORE}, "0.432"),
        (2026, 500_000, {"occupation_state": "unoccupied", "empty_since": BEFORE}, "0.508"),
    ],
)
def test_multiplier(year: int, value: int, facts: dict[str, Any], rate: str) -> None:
    assert year_of(year, account(value, **facts)).gross == value * Fraction(rate)


@pytest.mark.parametrize(("year", "paid"), [(2020, "0.1024"), (2023, "0.1024"), (2024, "0.0998")])
def test_charity_paid_a_fifth_at_the_standard_multiplier_until_2024(year: int, paid: str) -> None:
    assert exact(year, 20_000, ratepayer_kind="charity") == 20_000 * Fraction(paid)
    assert exact(year, 10_000, ratepayer_kind="charity", small_business_claimed=True) == 10_000 * Fraction(paid)  # trap 24


def test_private_schools_lost_the_relief_in_2025() -> None:
    found = [exact(year, 20_000, ratepayer_kind="charity", rating_use="private_school") for year in (2024, 2025)]
    assert found == [20_000 * Fraction("0.0998"), 20_000 * Fraction("0.499")]


@pytest.mark.parametrize(("year", "kind"), [(2019, "charity"), (2023, "charity"), (2024, "rural")])
def test_charity_or_rural(year: int, kind: str) -> None:
    # s. 43(8B) until 2023-24; Sch 4ZA para. 9
    found = year_of(year, account(8_000, ratepayer_kind="charity", rural_kind="food_shop"))
    assert set(found.reliefs) == {f"mandatory_{kind}"}


@pytest.mark.parametrize(("year", "nothing"), [(2019, False), (2020, True), (2026, True)])
def test_public_lavatories(year: int, nothing: bool) -> None:
    assert (exact(year, 3_000, rating_use="public_lavatory") == 0) is nothing


def test_precepting_authority_has_no_relief_under_section_47() -> None:
    found = year_of(2020, account(30_000, rating_use="leisure", ratepayer_kind="precepting_authority", discretionary_share=Fraction(1)))
    assert found.reliefs == {}


# ---------------------------------------------------------------- small business


@pytest.mark.parametrize(
    ("year", "each", "total", "london", "relieved"),
    [
        (2013, 2_599, 8_999, False, True),
        (2013, 2_600, 8_999, False, False),
        (2013, 2_599, 9_000, False, False),
        (2013, 2_599, 16_499, True, True),
        (2018, 2_899, 10_999, False, True),
        (2018, 2_900, 10_999, False, False),
        (2018, 2_899, 11_000, False, False),
        (2018, 2_899, 18_999, True, True),
    ],
)
def test_other_small_hereditaments(year: int, each: int, total: int, london: bool, relieved: bool) -> None:
    # Trap 11: the total takes the main one in (9,000 here): 17,999 or 25,499, from 2017 19,999 or 27,999
    others = {"others_occupied": 9, "others_greatest_value": each, "others_total_value": total}
    result = year_of(year, account(9_000, in_greater_london=london, small_business_claimed=True, **others))
    assert ("mandatory_small_business" in result.reliefs) is relieved


@pytest.mark.parametrize(
    ("year", "since", "days"),
    [
        (2013, date(2013, 10, 1), 229),  # the relief stops, and comes again from 14 February 2014 (SI 2014/43 art. 1)
        (2014, date(2013, 10, 1), 183),  # twelve months from 1 October 2013, counted on days from 1 April 2014
        (2018, date(2017, 10, 1), 183),
        (2025, date(2025, 11, 27), 365),
        (2026, date(2025, 11, 26), 239),
        (2026, date(2025, 11, 27), 365),
    ],
)
def test_period_of_grace(year: int, since: date, days: int) -> None:
    # Trap 8.  Until the second one is taken the ratepayer has one hereditament.
    alone = Occupation(BEFORE, last=date.fromordinal(since.toordinal() - 1), small_business_claimed=True)
    both = Occupation(
        since,
        small_business_claimed=True,
        others_occupied=1,
        others_greatest_value=30_000,
        others_total_value=30_000,
        additional_since=since,
        additional_value=30_000,
    )
    found = year_of(year, replace(account(5_000), occupations=(alone, both)))
    rate = {2013: "0.462", 2014: "0.471", 2018: "0.480", 2025: "0.499", 2026: "0.442"}[year]
    assert found.reliefs["mandatory_small_business"] == 5_000 * Fraction(rate) * days / 365 * Fraction(4_999_999, 5_000_000)


def test_improvement_relief_decides_small_business_relief_from_2024() -> None:
    # Trap 25
    found = [year_of(year, account(14_000, improvement_value=2_000, small_business_claimed=True)) for year in (2023, 2024)]
    assert [item.gross for item in found] == [14_000 * Fraction("0.499"), 12_000 * Fraction("0.499")]
    assert [to_penny(item.exact) for item in found] == [Fraction("4657.33"), 0]


# ---------------------------------------------------------------- transition


def test_2010_large_increase_over_two_years() -> None:
    # BL 10,000 x 0.481; AF 1.125 x 0.986, then 1.175 x 1.047; U is 0.7p of 20,000
    limited = 4_810 * Fraction("1.125") * Fraction("0.986")
    facts = {"value_before": 10_000, "value_at_start": 20_000}
    assert exact(2010, 20_000, **facts) == limited + 140
    assert exact(2011, 20_000, **facts) == limited * Fraction("1.175") * Fraction("1.047") + 140


def test_2013_takes_q_of_1_027() -> None:
    limited = 481 * Fraction("1.05") * Fraction("0.986") * Fraction("1.075") * Fraction("1.047") * Fraction("1.1") * Fraction("1.056")
    facts = {"value_before": 1_000, "value_at_start": 17_000}
    assert exact(2013, 17_000, **facts) == limited * Fraction("1.15") * Fraction("1.027")


def test_2010_change_of_side_ends_the_scheme() -> None:
    # Trap 23: a reduction until 2011-12; the base goes below the notional charge in 2013-14, which is an increase by then
    facts = {"value_before": 20_000, "value_at_start": 9_000}
    base = 9_620 * Fraction("0.8") * Fraction("0.986")
    assert exact(2010, 9_000, **facts) == base + 9_000 * Fraction("0.007")
    assert exact(2011, 9_000, **facts) == base * Fraction("0.7") * Fraction("1.047") + 9_000 * Fraction("0.007")
    assert [exact(year, 9_000, **facts) for year in (2012, 2013, 2014)] == [9_000 * Fraction(rate) for rate in ("0.450", "0.462", "0.471")]


def test_rise_and_fall_after_the_first_day_of_the_list() -> None:
    # Traps 4 and 22: a rise in full at the small multiplier, a fall in proportion, U on the value of the day
    limited = 20_000 * Fraction("0.499") * Fraction("1.15")
    facts = {"value_before": 20_000, "value_at_start": 60_000}
    assert exact(2023, 60_000, **facts) == limited + 60_000 * Fraction("0.013")
    assert exact(2023, 70_000, **facts) == limited + 10_000 * Fraction("0.499") + 70_000 * Fraction("0.013")
    assert exact(2023, 30_000, **facts) == limited / 2
    assert exact(2024, 60_000, **facts) == limited * Fraction("1.25") + 60_000 * Fraction("0.047")


def test_transition_before_the_reliefs() -> None:
    limited = 6_000 * Fraction("0.499") * Fraction("1.05")
    facts = {"value_before": 6_000, "value_at_start": 14_000}
    assert exact(2023, 14_000, small_business_claimed=True, **facts) == limited / Fraction("1.5")
    charity = (limited + 14_000 * Fraction("0.013")) / 5
    assert exact(2023, 14_000, ratepayer_kind="charity", **facts) == charity
    assert exact(2024, 14_000, ratepayer_kind="charity", **facts) == limited * Fraction("1.1") / 5


def test_transition_counts_for_unoccupied_property_too() -> None:
    facts = {"value_before": 6_000, "value_at_start": 14_000, "occupation_state": "unoccupied", "empty_since": BEFORE}
    assert exact(2023, 14_000, **facts) == 6_000 * Fraction("0.499") * Fraction("1.05") + 14_000 * Fraction("0.013")


def test_extension_of_2022_keeps_the_limit_for_medium_values() -> None:
    facts = {"value_before": 7_500, "value_at_start": 44_700}
    up = ("1.1475", "1.21025", "1.2276", "1.27", "1.25")
    limited = 7_500 * Fraction("0.484")
    for fraction in up:
        limited *= Fraction(fraction)
    result = year_of(2022, account(44_700, **facts))
    assert result.transition == 0
    assert result.exact == limited * Fraction("1.25")
    large = year_of(2022, account(150_000, value_before=20_000, value_at_start=150_000))
    assert large.exact == large.gross


def test_supplement_of_2026_is_inside_the_divisors() -> None:
    assert exact(2026, 20_000, ratepayer_kind="charity") == 20_000 * Fraction("0.442") / 5
    assert exact(2026, 14_000, small_business_claimed=True) == 14_000 * Fraction("0.442") / Fraction("1.5")


def test_base_of_2026_takes_the_multiplier_of_2025() -> None:
    # Trap 16: 0.555 from 51,000 on
    found = [exact(2026, 200_000, value_before=before, value_at_start=200_000) for before in (50_999, 51_000)]
    assert found == [50_999 * Fraction("0.499") * Fraction("1.3"), 51_000 * Fraction("0.555") * Fraction("1.3")]


# ---------------------------------------------------------------- days, parts, local relief


def test_part_of_a_leap_year() -> None:
    # Trap 10: 366 days in 2023-24
    found = year_of(2023, replace(account(20_000), first=date(2024, 2, 29), last=date(2024, 3, 9)))
    assert (found.days, found.exact) == (10, 20_000 * Fraction("0.499") * 10 / 366)


def test_change_of_value_in_the_year() -> None:
    entries = (Hereditament(BEFORE, 50_000, last=date(2022, 9, 30)), Hereditament(date(2022, 10, 1), 60_000))
    found = year_of(2022, replace(account(1), hereditaments=entries))
    assert found.exact == 50_000 * Fraction("0.499") * 183 / 365 + 60_000 * Fraction("0.512") * 182 / 365


def test_apportioned_part_decides_multiplier_and_small_business_relief_from_2024() -> None:
    # s. 44A(7) substitutes item A, on which SI 2024/111 and SI 2023/1250 test; before 2024 the tests are on the value in the list
    facts = {"occupied_value": 12_000, "part_empty_since": date(2026, 4, 1), "small_business_claimed": True}
    assert exact(2025, 60_000, **facts) == 12_000 * Fraction("0.499") / 5_000_000
    assert exact(2023, 60_000, **facts) == 12_000 * Fraction("0.512")


def test_apportionment_scales_the_limited_charge() -> None:
    # SI 2022/1403 reg. 17
    facts = {"value_before": 20_000, "value_at_start": 40_000, "occupied_value": 10_000, "part_empty_since": date(2025, 4, 1)}
    assert exact(2023, 40_000, **facts) == 20_000 * Fraction("0.499") * Fraction("1.15") / 4


@pytest.mark.parametrize(
    ("kind", "value", "lasts"), [("listed_building", 40_000, True), ("not_exempt", 2_800, True), ("not_exempt", 40_000, False)]
)
def test_apportionment_lasts_while_the_whole_would_not_be_charged_if_empty(kind: str, value: int, lasts: bool) -> None:
    found = year_of(2019, account(value, empty_exemption=kind, occupied_value=value // 4, part_empty_since=BEFORE))
    assert (found.apportionment > 0) is lasts


def test_empty_exemptions_and_the_owner_before() -> None:
    empty = {"occupation_state": "unoccupied", "empty_since": date(2019, 2, 1)}
    assert exact(2019, 30_000, **empty) == 30_000 * Fraction("0.504") * Fraction(336, 366)  # to 30 April, whoever the owner is
    assert exact(2019, 30_000, empty_exemption="administration", **empty) == 0
    with pytest.raises(MissingFactError, match="since when"):
        exact(2019, 30_000, occupation_state="unoccupied")


def test_discretionary_relief_and_hardship_come_last() -> None:
    facts = {"rating_use": "retail", "discretionary_share": Fraction(1, 2), "hardship_remission": Fraction(100)}
    found = year_of(2025, account(20_000, **facts))
    assert found.exact == 20_000 * Fraction("0.499") * Fraction(60, 100) / 2 - 100
    assert exact(2025, 20_000, hardship_remission=Fraction(50_000)) == 0


def test_cap_leaves_more_for_discretionary_relief() -> None:
    shop = account(400_000, rating_use="retail", discretionary_share=Fraction(1, 4))
    found = year_of(2024, shop)
    assert found.reliefs["discretionary"] == (400_000 * Fraction("0.546") - 110_000) / 4


@pytest.mark.parametrize(
    ("year", "value", "facts", "charged"),
    [
        (2016, 60_000, {}, "1"),
        (2017, 60_000, {}, "0.75"),
        (2021, 60_000, {"occupation_state": "unoccupied", "empty_since": BEFORE}, "0.75"),
        (2021, 60_000, {"ratepayer_kind": "charity"}, "0.2"),
        (2021, 40_000, {}, "1"),  # s. 43(8C): the small multiplier's formula goes before the one for new fibre
        (2022, 60_000, {}, "1"),
    ],
)
def test_new_fibre(year: int, value: int, facts: dict[str, Any], charged: str) -> None:
    found = year_of(year, account(value, rating_use="fibre", new_fibre_value=15_000, **facts))
    assert found.exact == found.gross * Fraction(charged)


def test_top_up_comes_before_retail_relief() -> None:
    facts = {"rating_use": "retail", "ratepayer_kind": "charity", "top_up_share": Fraction(1, 2)}
    found = year_of(2019, account(40_000, **facts))
    assert (found.reliefs["top_up"], found.reliefs["retail"]) == (Fraction(2_016), Fraction(672))


def test_additional_relief_of_2021_only() -> None:
    facts = {"additional_relief_award": Fraction(1_000)}
    assert [exact(year, 20_000, **facts) for year in (2020, 2021)] == [Fraction(9_980), Fraction(8_980)]


def test_recorded_limit_of_support() -> None:
    facts = {"supported_by": "scheme_2023", "supported_base": Fraction(0), "supported_limit": Fraction(1_500)}
    assert exact(2024, 20_000, **facts) == 1_500


def test_adjusted_instalments() -> None:
    # Sch 1 para. 7(4): 9,980 less 4,991 over four
    found = year_of(2020, account(20_000, fallen_due=Fraction(4_991), instalments_left=4))
    assert found.instalments == (Fraction(1_248), *(Fraction(1_247),) * 3)


def test_improvement_relief_and_apportionment_meet() -> None:
    facts = {
        "improvement_value": 10_000,
        "occupied_value": 20_000,
        "occupied_improvement_value": 4_000,
        "part_empty_since": date(2025, 4, 1),
    }
    assert exact(2024, 60_000, **facts) == 16_000 * Fraction("0.499")


def test_greatest_of_the_others_without_the_last_that_was_taken() -> None:
    facts = {
        "small_business_claimed": True,
        "others_occupied": 2,
        "others_greatest_value": 30_000,
        "others_total_value": 33_000,
        "additional_since": date(2018, 4, 1),
        "additional_value": 30_000,
    }
    found = [bool(year_of(2018, account(5_000, others_greatest_before=before, **facts)).reliefs) for before in (2_899, 2_900)]
    assert found == [True, False]
