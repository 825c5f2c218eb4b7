"""Council tax cases worked by hand: empty dwellings, second homes and annexes.  Sources and notation: `independent.examples`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from independent.council_tax import (
    PremiumException,
    Step,
    Works,
    bill,
    day_charge,
)
from independent.examples import (
    ALONE,
    BORN,
    COUPLE,
    FIFTY,
    HARTLEPOOL,
    HUNDRED,
    Y13,
    Y23,
    Y24,
    Y25,
    account,
    charges,
    empty,
    other,
    published,
)
from independent.exemptions import (
    Dated,
    Exemption,
    Resident,
    add_months,
    add_years,
    empty_since,
)

# ---------------------------------------------------------------- empty dwellings (LGFA ss.11A and 11B, SI 2003/3011)


def test_hartlepool_premium_starts_on_the_anniversary_and_displaces_the_discount() -> None:
    # Empty since 1 September 2024: 153 days at 1,663.75 (697.41), 212 at 3,327.50 (1,932.68).  Trap 8: no 50 % beside it.
    result = bill(HARTLEPOOL, empty(date(2024, 9, 1)))
    assert charges(result) == [(153, 697_41), (212, 1932_68)]
    assert result.stretches[1].first == date(2025, 9, 1)


@pytest.mark.parametrize(
    ("since", "pence"),
    [
        pytest.param(date(2024, 4, 1), 3327_50, id="1 year on 1 April 2025: 100 %"),
        pytest.param(date(2020, 4, 1), 4991_25, id="5 years: 200 %"),
        pytest.param(date(2015, 4, 1), 6655_00, id="10 years: 300 %"),
        pytest.param(date(2000, 1, 1), 6655_00, id="25 years: still 300 %"),
    ],
)
def test_liverpool_and_swindon_pages_premium_tiers(since: date, pence: int) -> None:
    assert bill(HARTLEPOOL, empty(since)).net_pence == pence


def test_tier_changes_inside_the_year() -> None:
    house = empty(date(2020, 10, 1))
    assert day_charge(HARTLEPOOL, house, date(2025, 9, 30)).kind == "empty premium 100 %"
    assert day_charge(HARTLEPOOL, house, date(2025, 10, 1)).kind == "empty premium 200 %"


def test_liverpool_page_trap_10_the_clock_runs_with_the_property() -> None:
    buyer = replace(empty(date(2020, 1, 1)), first_day=date(2025, 6, 1))
    assert day_charge(HARTLEPOOL, buyer, date(2025, 6, 1)).kind == "empty premium 200 %"


@pytest.mark.parametrize(
    ("stays", "one_only", "start"),
    [
        pytest.param([(date(2024, 3, 1), date(2024, 4, 11))], False, date(2023, 1, 1), id="s.11B(9): exactly 42 days"),
        pytest.param([(date(2024, 3, 1), date(2024, 4, 12))], False, date(2024, 4, 13), id="s.11B(9): 43 days"),
        pytest.param(
            [(date(2024, 3, 1), date(2024, 3, 9)), (date(2024, 6, 1), date(2024, 6, 9))],
            False,
            date(2023, 1, 1),
            id="s.11B(9): any number of short stays",
        ),
        pytest.param(
            [(date(2024, 3, 1), date(2024, 3, 9)), (date(2024, 6, 1), date(2024, 6, 9))],
            True,
            date(2024, 6, 10),
            id="SI 1992/558 art 2(3): one only",
        ),
    ],
)
def test_trap_11_short_stays(stays: list[tuple[date, date]], one_only: bool, start: date) -> None:
    assert empty_since(date(2023, 1, 1), stays, one_only) == start


def test_days_of_an_ignored_stay_are_charged_as_occupied() -> None:
    stay = (Resident(BORN, date(2025, 5, 1), date(2025, 6, 11)),)
    house = empty(date(2020, 1, 1), residents=stay)
    kinds = [stretch.kinds for stretch in bill(HARTLEPOOL, house).stretches]
    assert kinds == [("empty premium 200 %",), ("one counted resident 25 %",), ("empty premium 200 %",)]


def test_trap_12_one_year_rule_begins_in_april_2024() -> None:
    since = date(2022, 10, 1)  # eighteen months empty on 1 April 2024; notional amounts
    ladder = ((2, HUNDRED),)
    old = replace(published(Y23, A=1000_00), empty_ladder=ladder, empty_steps=())
    new = replace(published(Y24, A=1000_00), empty_ladder=((1, HUNDRED),), empty_steps=())
    assert bill(old, replace(empty(since), first_day=Y23)).net_pence == 1000_00
    assert bill(new, replace(empty(since), first_day=Y24)).net_pence == 2000_00


def test_poole_and_darlington_2013_two_years_50_per_cent() -> None:
    council = replace(published(Y13, A=1000_00), empty_ladder=((2, FIFTY),), empty_steps=())  # notional amount
    assert bill(council, replace(empty(date(2011, 4, 1)), first_day=Y13)).net_pence == 1500_00


@pytest.mark.parametrize(
    ("year", "years", "percent"),
    [
        pytest.param(Y13, 2, 51, id="2013-14: 50 %"),
        pytest.param(Y23, 1, 100, id="2023-24: two years"),
        pytest.param(date(2018, 4, 1), 2, 100, id="2018-19: still 50 %"),
        pytest.param(date(2019, 4, 1), 5, 200, id="2019-20: 100 % whatever the time"),
        pytest.param(date(2020, 4, 1), 10, 300, id="2020-21: 200 %"),
        pytest.param(Y24, 1, 200, id="2024-25: 100 % in the first step"),
    ],
)
def test_trap_12_more_than_the_act_allows_is_refused(year: date, years: int, percent: int) -> None:
    with pytest.raises(ValueError, match=r"s\.11B"):
        replace(published(year, A=1), empty_ladder=((years, Fraction(percent)),))


def test_hartlepool_one_month_of_class_c() -> None:
    # Empty since 20 May 2025: nothing to 19 June (31 days), then the full amount, 285 days of 1,663.75: 1,299.09.
    house = replace(empty(date(2025, 5, 20)), first_day=date(2025, 5, 20))
    assert charges(bill(HARTLEPOOL, house)) == [(31, 0), (285, 1299_09)]


def test_north_herts_2013_28_days_of_class_c() -> None:
    council = replace(published(Y13, A=1000_00), empty_steps=(Step(HUNDRED, days=28),))
    house = replace(empty(date(2013, 6, 1)), first_day=date(2013, 6, 1))
    assert [stretch.days for stretch in bill(council, house).stretches] == [28, 276]


def test_a_month_from_the_31st_ends_with_the_short_month() -> None:
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert add_years(date(2024, 2, 29), 1) == date(2025, 2, 28)


def test_lgfa_s11_2_a_no_determination_leaves_50_per_cent() -> None:
    council = replace(HARTLEPOOL, empty_steps=None, empty_ladder=(), major_repair_discount=None)
    assert bill(council, empty(date(2024, 9, 1))).net_pence == 831_88  # 831.875


def test_hartlepool_class_d_and_class_m_replace_the_premium_for_twelve_months() -> None:
    # Long empty; works since 1 June 2025: class M keeps the premium away (SI 2024/1007 reg 17), class D gives 50 %.
    house = empty(date(2020, 1, 1), works=(Works(date(2025, 6, 1)),))
    assert day_charge(HARTLEPOOL, house, date(2025, 5, 31)).kind == "empty premium 200 %"
    assert day_charge(HARTLEPOOL, house, date(2025, 6, 1)).kind == "class D discount 50 % (premium exception M)"
    later = replace(HARTLEPOOL, year_start=date(2026, 4, 1))
    assert day_charge(later, house, date(2026, 5, 31)).kind == "class D discount 50 % (premium exception M)"
    assert day_charge(later, house, date(2026, 6, 1)).kind == "empty premium 200 %"


def test_lgfa_s11b_4_before_april_2025_the_premium_displaces_class_d() -> None:
    council = replace(HARTLEPOOL, year_start=Y24, second_home_premium=None)
    house = empty(date(2020, 1, 1), works=(Works(date(2024, 6, 1)),))
    assert day_charge(council, house, date(2024, 7, 1)).kind == "empty premium 100 %"


def test_darlington_2013_three_months_of_class_d() -> None:
    council = replace(
        published(Y13, A=1000_00), major_repair_discount=HUNDRED, major_repair_months=3, empty_steps=()
    )  # the source gives the length only; 100 % is notional
    house = replace(empty(Y13, works=(Works(Y13),)), first_day=Y13)
    assert [stretch.days for stretch in bill(council, house).stretches] == [91, 274]


def test_si_2012_2964_class_e_armed_forces_excepted_since_2013() -> None:
    council = replace(published(Y23, A=1000_00), empty_ladder=((2, HUNDRED),), empty_steps=())
    house = empty(date(2015, 1, 1), premium_exceptions=(PremiumException("E", Y13),))
    assert bill(council, replace(house, first_day=Y23)).net_pence == 1000_00


def test_empty_clock_runs_on_through_an_exemption_test_valley_page() -> None:
    house = empty(date(2018, 1, 1), exemptions=(Exemption("G", date(2018, 1, 1), date(2025, 6, 30)),))
    assert day_charge(HARTLEPOOL, house, date(2025, 7, 1)).kind == "empty premium 200 %"


# ---------------------------------------------------------------- second homes (LGFA ss.11A and 11C)

KINGSTON = replace(published(Y25, D=2488_35), second_home_discount=Fraction(0), second_home_premium=HUNDRED)
DORSET = replace(published(Y25, D=2500_58), second_home_discount=Fraction(0), second_home_premium=HUNDRED)


def test_kingston_2025_exception_clock_began_before_april() -> None:
    # On the market since 1 December 2024: excepted to 30 November 2025 (244 days, 1,663.44); then 121 days at twice
    # 2,488.35: 1,649.81 (gov.uk guidance; amounts of the statutory notice).  Trap 9: not twelve months from 1 April 2025.
    marketed = PremiumException("G", date(2024, 12, 1), since=date(2024, 12, 1))
    result = bill(KINGSTON, account(premium_exceptions=(marketed,)))
    assert charges(result) == [(244, 1663_44), (121, 1649_81)]
    assert result.stretches[0].last == date(2025, 11, 30)


def test_parliamentary_answer_15448_exceptions_may_follow_each_other() -> None:
    sale = PremiumException("G", date(2024, 12, 1), date(2025, 11, 30), since=date(2024, 12, 1))
    let = PremiumException("H", date(2025, 12, 1), since=date(2025, 12, 1))
    assert bill(KINGSTON, account(premium_exceptions=(sale, let))).net_pence == 2488_35


def test_dorset_2025_premium_from_the_first_day() -> None:
    assert bill(DORSET, account()).net_pence == 5001_16


def test_hartlepool_2025_premium_only_after_a_year() -> None:
    # Second home since 1 October 2024: 183 days at 2,495.63 (1,251.23), 182 at 4,991.26 (2,488.79).
    since = date(2024, 10, 1)
    assert charges(bill(HARTLEPOOL, account(second_home_since=(Dated(since, since),)))) == [
        (183, 1251_23),
        (182, 2488_79),
    ]


@pytest.mark.parametrize("cls", ["J", "K"])
def test_si_2003_3011_reg_6_job_related_and_caravans_keep_50_per_cent(cls: str) -> None:
    house = account(premium_exceptions=(PremiumException(cls, Y24),))
    assert bill(DORSET, house).net_pence == 1250_29
    earlier = replace(published(Y24, D=2400_00), second_home_discount=Fraction(0))  # notional; regulation 6 as it stood
    assert bill(earlier, replace(house, first_day=Y24)).net_pence == 1200_00


def test_si_2024_1007_class_l_seasonal_home_has_no_premium_but_no_discount_either() -> None:
    assert bill(DORSET, account(premium_exceptions=(PremiumException("L", Y25),))).net_pence == 2500_58


def test_north_herts_2023_ten_per_cent_for_second_homes() -> None:
    council = replace(published(Y23, D=2000_00), second_home_discount=Fraction(10))  # notional amount
    assert bill(council, account(first=Y23)).net_pence == 1800_00


def test_lgfa_s11c_no_premium_before_2025() -> None:
    with pytest.raises(ValueError, match=r"s\.11C"):
        replace(published(Y24, D=1), second_home_premium=HUNDRED)


def test_class_m_is_no_exception_for_second_homes() -> None:
    house = account(premium_exceptions=(PremiumException("M", Y25, since=Y25),))
    assert bill(DORSET, house).net_pence == 5001_16


# ---------------------------------------------------------------- annexes (SI 2013/2977)


def test_babergh_annexe_25_then_50_per_cent_is_37_5() -> None:
    # 1,663.75 x 0.75 x 0.5 = 623.90625.  Trap 7: not 25 + 50 = 75 % off, which leaves 415.94.
    assert bill(HARTLEPOOL, account("A", annexe=(Dated("relative", Y25),), residents=ALONE)).net_pence == 623_91


def test_annexe_used_with_the_main_home_has_half_and_no_premium() -> None:
    # Class F of SI 2003/3011 excepts it; 1,663.75 / 2 = 831.875.
    assert bill(HARTLEPOOL, account("A", annexe=(Dated("main", Y25),))).net_pence == 831_88


def test_annexe_of_a_relative_who_is_disregarded_is_a_quarter() -> None:
    # 50 % of 50 %: 415.9375.
    relative = (other("student_nurse"),)
    assert bill(HARTLEPOOL, account("A", annexe=(Dated("relative", Y25),), residents=relative)).net_pence == 415_94


def test_annexe_reduction_begins_in_april_2014() -> None:
    before = account("A", Y13, annexe=(Dated("relative", Y13),), residents=COUPLE)
    assert bill(published(Y13, A=1000_00), before).net_pence == 1000_00
    after = replace(before, first_day=date(2014, 4, 1))
    assert bill(published(date(2014, 4, 1), A=1000_00), after).net_pence == 500_00
