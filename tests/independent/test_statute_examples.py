"""Council tax cases worked by hand from the statute and from councils' published pages.

Each case names its source.  "Trap n" is the number in the project's list of mistakes that a naive calculation makes.
The amounts of Hartlepool 2025-26 are the published ones; a figure marked "notional" is made up.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from independent.council_tax import (
    BANDS,
    Account,
    Award,
    Bill,
    Council,
    Part,
    PremiumException,
    Step,
    Works,
    bill,
    change_percentages,
    daily_charges,
    day_charge,
)
from independent.exemptions import (
    Dated,
    Exemption,
    Resident,
    add_months,
    add_years,
    age_on,
    empty_since,
)
from independent.instalments import (
    Instalment,
    adjust,
    instalment_count,
    liability_ends,
    schedule,
    split,
)

Y13, Y23, Y24, Y25 = date(2013, 4, 1), date(2023, 4, 1), date(2024, 4, 1), date(2025, 4, 1)
HUNDRED, FIFTY = Fraction(100), Fraction(50)
HARTLEPOOL_PARTS = (
    Part("Hartlepool", 2083_44),
    Part("Cleveland police and crime commissioner", 317_73),
    Part("Cleveland fire", 94_46),
)
HARTLEPOOL = Council(
    Y25,
    {"town": HARTLEPOOL_PARTS},
    second_home_discount=Fraction(0),
    second_home_premium=HUNDRED,
    second_home_premium_after_years=1,
    empty_steps=(Step(HUNDRED, months=1),),
    major_repair_discount=FIFTY,
    empty_ladder=((1, HUNDRED), (5, 2 * HUNDRED), (10, 3 * HUNDRED)),
)
BORN = date(1980, 6, 15)
ALONE = (Resident(BORN, date(2000, 1, 1)),)
COUPLE = (*ALONE, Resident(date(1981, 7, 16), date(2000, 1, 1)))


def other(category: str | None, born: date = BORN, **facts: Any) -> Resident:
    return Resident(born, date(2000, 1, 1), category=category, **facts)


def account(band: str = "D", first: date = Y25, **facts: Any) -> Account:
    start = date(1993, 4, 1)
    return Account(first, (Dated("town", start),), (Dated(band, start),), **facts)


def empty(since: date, band: str = "A", **facts: Any) -> Account:
    return account(band, furnished=(Dated(False, since),), empty_since=(Dated(since, since),), **facts)


def charges(result: Bill) -> list[tuple[int, int]]:
    return [(stretch.days, stretch.charge_pence) for stretch in result.stretches]


def published(year: date, **bands: int) -> Council:
    amounts = tuple(bands.get(band, 0) for band in BANDS)
    return Council(year, {"town": (Part("all authorities", published_pence=amounts),)})


# ---------------------------------------------------------------- amounts per band


@pytest.mark.parametrize(
    ("band", "pence"),
    list(zip(BANDS, (166375, 194104, 221834, 249563, 305022, 360479, 415938, 499126), strict=True)),
)
def test_hartlepool_2025_published_table_is_the_sum_of_rounded_parts(band: str, pence: int) -> None:
    # hartlepool.gov.uk 2025-26.  Trap 16: band F is 3,604.79, though 2,495.63 x 13/9 = 3,604.80.
    assert HARTLEPOOL.band_amount("town", band) == pence


@pytest.mark.parametrize(
    ("band", "pence"),
    list(zip(BANDS, (158508, 184925, 211343, 237761, 290597, 343432, 396269, 475522), strict=True)),
)
def test_hartlepool_2024_published_table_with_adult_social_care_apart(band: str, pence: int) -> None:
    parts = tuple(Part(str(d), d) for d in (1703_17, 281_25, 303_73, 89_46))
    assert Council(Y24, {"town": parts}).band_amount("town", band) == pence


def test_piercebridge_2024_published_amount_wins_over_the_ratio() -> None:
    # Darlington's 2024-25 table: band C 2,025.50, while 2,278.68 x 8/9 = 2,025.49.  Trap 36.
    assert published(Y24, C=2025_50, D=2278_68).band_amount("town", "C") == 2025_50
    assert Part("derived", 2278_68).amount("C") == 2025_49


@pytest.mark.parametrize("numerator", [5, 6, 7, 8, 9, 11, 13, 15, 18])
def test_lgfa_s5_ninths_of_whole_pence_never_give_half_a_penny(numerator: int) -> None:
    assert all((pence * numerator * 2) % 9 or (pence * numerator) % 9 == 0 for pence in range(9))


# ---------------------------------------------------------------- days


def test_manchester_2013_move_45_and_320_days() -> None:
    # manchester.gov.uk: 884.66 x 45/365 = 109.07; 1,032.11 x 320/365 = 904.86; together 1,013.93.
    council = published(Y13, A=884_66, B=1032_11)
    moved = date(2013, 5, 16)
    old = bill(council, account("A", Y13, leaving_day=moved, residents=COUPLE))
    new = bill(council, account("B", moved, residents=COUPLE))
    assert charges(old) == [(45, 109_07)]
    assert charges(new) == [(320, 904_86)]
    assert old.net_pence + new.net_pence == 1013_93


def test_manchester_2013_leaving_page_has_a_slip() -> None:
    # The sister page prints 127.23 for 1,032.11 x 45/365, which is 127.2465.  Trap 36.
    leaver = account("B", Y13, leaving_day=date(2013, 5, 16), residents=COUPLE)
    assert bill(published(Y13, B=1032_11), leaver).net_pence == 127_25


def test_lgfa_s2_leaving_day_is_not_charged_and_moving_in_day_is() -> None:
    one_day = account(first=date(2025, 5, 1), leaving_day=date(2025, 5, 2), residents=COUPLE)
    assert [day.day for day in daily_charges(HARTLEPOOL, one_day)] == [date(2025, 5, 1)]
    assert bill(HARTLEPOOL, replace(one_day, leaving_day=date(2025, 5, 1))).net_pence == 0


def test_lgfa_s2_two_owners_share_the_year_without_a_gap_or_a_double_day() -> None:
    sold = date(2025, 9, 12)
    seller = account(leaving_day=sold, residents=COUPLE)
    buyer = account(first=sold, residents=COUPLE)
    assert len(daily_charges(HARTLEPOOL, seller)) + len(daily_charges(HARTLEPOOL, buyer)) == 365


def test_ealing_2023_leap_year_has_366_days() -> None:
    # Stevenage 2023-24, band D 2,075.94: 60 days from 1 February 2024 are 340.32; over 365 they would be 341.25.  Trap 5.
    late = account(first=date(2024, 2, 1), residents=COUPLE)
    assert charges(bill(published(Y23, D=2075_94), late)) == [(60, 340_32)]


def test_trap_3_the_daily_rate_is_not_rounded() -> None:
    # 2,495.63 / 365 = 6.8373; 365 days of 6.84 would be 2,496.60.
    assert bill(HARTLEPOOL, account(residents=COUPLE)).net_pence == 2495_63


def test_trap_4_a_year_is_not_52_weeks() -> None:
    # 364 days: 2,495.63 x 364/365 = 2,488.79, not the whole amount.
    assert bill(HARTLEPOOL, account(first=date(2025, 4, 2), residents=COUPLE)).net_pence == 2488_79


def test_lgfa_s10_band_change_inside_the_year_makes_two_stretches() -> None:
    # 183 days of band D to 30 September, 1,251.23; 182 days of band C, 2,218.34 x 182/365 = 1,106.13.
    change = date(2025, 10, 1)
    bands = (Dated("D", Y25, date(2025, 9, 30)), Dated("C", change))
    assert charges(bill(HARTLEPOOL, replace(account(residents=COUPLE), band=bands))) == [(183, 1251_23), (182, 1106_13)]


def test_equal_neighbouring_days_are_one_stretch_whatever_the_reason() -> None:
    # 25 % first for a lone adult, then for an adult with a student: one amount, rounded once.
    guest = Resident(date(2004, 1, 1), date(2025, 9, 1), category="student")
    result = bill(HARTLEPOOL, account("A", residents=(*ALONE, guest)))
    assert charges(result) == [(365, 1247_81)]


def test_overlapping_facts_are_refused() -> None:
    with pytest.raises(ValueError, match="two different facts"):
        bill(HARTLEPOOL, replace(account(), band=(Dated("A", Y25), Dated("B", Y25))))


# ---------------------------------------------------------------- disabled reduction (SI 1992/554, SI 1999/1004)


@pytest.mark.parametrize(
    ("band", "charged", "pence"),
    [
        ("A", "A-", 1386_46),  # 5/9 of 2,495.63 = 1,386.4611
        ("B", "A", 1663_75),
        ("C", "B", 1941_04),
        ("D", "C", 2218_34),
        ("E", "D", 2495_63),
        ("F", "E", 3050_22),
        ("G", "F", 3604_79),
        ("H", "G", 4159_38),
    ],
)
def test_si_1992_554_reg_4_alternative_band(band: str, charged: str, pence: int) -> None:
    result = bill(HARTLEPOOL, account(band, disabled=(Dated(True, Y25),), residents=COUPLE))  # trap 15
    assert (result.stretches[0].bands, result.net_pence) == ((charged,), pence)


def test_si_1992_554_reg_4_5_discount_is_taken_on_the_reduced_amount() -> None:
    # 2,218.34 x 0.75 = 1,663.755, half a penny up.
    assert bill(HARTLEPOOL, account(disabled=(Dated(True, Y25),), residents=ALONE)).net_pence == 1663_76


def test_si_1992_554_reduction_from_the_day_the_condition_is_met() -> None:
    # 100 days at 2,495.63: 683.73; 265 days at 2,218.34: 1,610.58.
    adapted = account(disabled=(Dated(True, date(2025, 7, 10)),), residents=COUPLE)
    assert charges(bill(HARTLEPOOL, adapted)) == [(100, 683_73), (265, 1610_58)]


# ---------------------------------------------------------------- discounts (LGFA s.11 and Sch 1)


@pytest.mark.parametrize(
    ("people", "pence"),
    [
        pytest.param(COUPLE, 2495_63, id="two counted: full"),
        pytest.param(ALONE, 1871_72, id="one resident: 25 %, 1,871.7225"),
        pytest.param((*ALONE, other("student_nurse")), 1871_72, id="one counted, one disregarded: 25 %"),
        pytest.param((*ALONE, other(None, date(2010, 5, 5))), 1871_72, id="trap 14: a child is no resident"),
        pytest.param((other("diplomat"),), 1247_82, id="all disregarded: 50 %, 1,247.815"),
        pytest.param((other("student_nurse"), other("religious_community")), 1247_82, id="two disregarded: 50 %"),
        pytest.param((*COUPLE, other("student")), 2495_63, id="trap 13: a student beside two counted: full"),
        pytest.param((*ALONE, other("student")), 1871_72, id="trap 13: a student beside one counted: 25 %"),
    ],
)
def test_lgfa_s11_counting(people: tuple[Resident, ...], pence: int) -> None:
    assert bill(HARTLEPOOL, account(residents=people)).net_pence == pence


LATE_BABY = date(2010, 8, 1)


@pytest.mark.parametrize(
    ("person", "disregarded"),
    [
        pytest.param(other("apprentice", weekly_pay_pence=195_00), True, id="SI 2006/3396: no more than 195.00"),
        pytest.param(other("apprentice", weekly_pay_pence=195_01), False, id="SI 2006/3396: 195.01"),
        pytest.param(other("care_worker", weekly_hours=24, weekly_pay_pence=44_00), True, id="SI 1992/552 Sch 1: 24 h, 44"),
        pytest.param(other("care_worker", weekly_hours=23, weekly_pay_pence=44_00), False, id="SI 1992/552 Sch 1: 23 h"),
        pytest.param(other("care_worker", weekly_hours=24, weekly_pay_pence=44_01), False, id="SI 1992/552 Sch 1: 44.01"),
        pytest.param(other("carer", weekly_hours=35), True, id="SI 1992/552 Sch 3: 35 h"),
        pytest.param(other("carer", weekly_hours=34), False, id="SI 1992/552 Sch 3: 34 h"),
        pytest.param(other("carer", weekly_hours=50, cares_for_partner=True), False, id="SI 1992/552 Sch 4: partner"),
        pytest.param(
            other("carer", weekly_hours=50, cares_for_own_child_born=LATE_BABY),
            False,
            id="SI 1992/552 Sch 4: own minor child",
        ),
        pytest.param(
            other("carer", weekly_hours=50, cares_for_own_child_born=date(2007, 4, 1)),
            True,
            id="Sch 4: own child of 18",
        ),
        pytest.param(other("youth_trainee", date(2000, 4, 3)), True, id="SI 2006/3396: under 25"),
        pytest.param(other("youth_trainee", date(2000, 4, 2)), False, id="SI 2006/3396: 25 on the day"),
        pytest.param(other("child_benefit_18_plus", date(2006, 4, 2)), True, id="LGFA Sch 1 para 3: 19"),
        pytest.param(other("child_benefit_18_plus", date(2005, 4, 2)), False, id="LGFA Sch 1 para 3: 20"),
        pytest.param(other("smi"), True, id="LGFA Sch 1 para 2"),
        pytest.param(other("detained"), True, id="LGFA Sch 1 para 1"),
        pytest.param(other(None), False, id="a pensioner or a poor person counts"),
    ],
)
def test_lgfa_sch_1_disregard_on_2_april_2025(person: Resident, disregarded: bool) -> None:
    kind = day_charge(HARTLEPOOL, account(residents=(*ALONE, person)), date(2025, 4, 2)).kind
    assert kind == ("one counted resident 25 %" if disregarded else "full")


@pytest.mark.parametrize(
    ("left", "born", "day", "disregarded"),
    [
        pytest.param(date(2025, 5, 30), date(2007, 2, 1), date(2025, 5, 30), True, id="the day of leaving"),
        pytest.param(date(2025, 5, 30), date(2007, 2, 1), date(2025, 10, 31), True, id="31 October"),
        pytest.param(date(2025, 5, 30), date(2007, 2, 1), date(2025, 11, 1), False, id="1 November"),
        pytest.param(date(2025, 4, 30), date(2007, 2, 1), date(2025, 6, 1), False, id="left on 30 April: outside"),
        pytest.param(date(2025, 5, 1), date(2007, 2, 1), date(2025, 6, 1), True, id="left on 1 May"),
        pytest.param(date(2024, 6, 1), date(2007, 2, 1), date(2025, 6, 1), False, id="left the year before"),
        pytest.param(date(2025, 5, 30), date(2005, 8, 10), date(2025, 8, 9), True, id="still 19"),
        pytest.param(date(2025, 5, 30), date(2005, 8, 10), date(2025, 8, 10), False, id="20 on the day"),
    ],
)
def test_si_1992_552_reg_3_class_c_school_leaver(left: date, born: date, day: date, disregarded: bool) -> None:
    leaver = other("school_leaver", born, course_left=left)
    kind = day_charge(HARTLEPOOL, account(residents=(*ALONE, leaver)), day).kind
    assert kind == ("one counted resident 25 %" if disregarded else "full")


def test_lgfa_s6_5_child_becomes_a_resident_on_the_18th_birthday() -> None:
    # 70 days at 75 %, 1,871.7225 x 70/365 = 358.96; 295 full days, 2,495.63 x 295/365 = 2,017.02.  Trap 14.
    family = (*ALONE, other(None, date(2007, 6, 10)))
    assert charges(bill(HARTLEPOOL, account(residents=family))) == [(70, 358_96), (295, 2017_02)]


def test_born_on_29_february_is_18_on_1_march() -> None:
    assert (age_on(date(2008, 2, 29), date(2026, 2, 28)), age_on(date(2008, 2, 29), date(2026, 3, 1))) == (17, 18)


# ---------------------------------------------------------------- exempt dwellings (SI 1992/558)


@pytest.mark.parametrize(
    ("people", "landlord", "kind"),
    [
        pytest.param((other("student"),), False, "exempt N", id="N: only students"),
        pytest.param((other("student"), other("student_spouse_non_british")), False, "exempt N", id="N: foreign spouse"),
        pytest.param((other("student"), other(None, date(2015, 1, 1))), False, "exempt N", id="N: a child is no resident"),
        pytest.param((other("foreign_language_assistant"),), False, "exempt N", id="N: language assistant is a student"),
        pytest.param((other("student_nurse"),), False, "all residents disregarded 50 %", id="not N: student nurse"),
        pytest.param((other("smi"),), False, "exempt U", id="U: only severely mentally impaired"),
        pytest.param((other("smi"),), True, "all residents disregarded 50 %", id="not U: a landlord is liable"),
        pytest.param((other("smi"), other("student")), True, "exempt U", id="U(1)(b): with a student, SI 1999/536"),
        pytest.param((other("smi"), other(None)), False, "one counted resident 25 %", id="not U: another adult"),
        pytest.param((other("smi"), other(None, date(2015, 1, 1))), False, "all residents disregarded 50 %", id="not U: child"),
        pytest.param((other("smi"), other("carer", weekly_hours=40)), False, "all residents disregarded 50 %", id="not U: carer"),
        pytest.param((other(None, date(2008, 1, 1)),), False, "exempt S", id="S: only under 18"),
    ],
)
def test_si_1992_558_classes_decided_by_the_occupants(people: tuple[Resident, ...], landlord: bool, kind: str) -> None:
    charge = day_charge(HARTLEPOOL, account(residents=people, landlord_liable=landlord), date(2025, 5, 5))
    assert charge.kind == kind


def test_si_1992_558_class_n_school_leaver_counts_as_a_student_only_in_the_window() -> None:
    leaver = other("school_leaver", date(2007, 2, 1), course_left=date(2025, 6, 1))
    house = account(residents=(other("student"), leaver))
    assert day_charge(HARTLEPOOL, house, date(2025, 10, 31)).kind == "exempt N"
    assert day_charge(HARTLEPOOL, house, date(2025, 11, 1)).kind == "one counted resident 25 %"


def test_si_1992_558_class_n_vacation_is_a_recorded_claim() -> None:
    empty_in_summer = account(exemptions=(Exemption("N", date(2025, 7, 1), date(2025, 9, 20)),), second_home_since=())
    assert day_charge(HARTLEPOOL, empty_in_summer, date(2025, 8, 1)).kind == "exempt N"


def test_si_1992_558_class_s_ends_on_the_18th_birthday() -> None:
    # 70 exempt days, then 295 days at 75 %: 1,871.7225 x 295/365 = 1,512.76.
    tenant = (other(None, date(2007, 6, 10)),)
    assert charges(bill(HARTLEPOOL, account(residents=tenant))) == [(70, 0), (295, 1512_76)]


@pytest.mark.parametrize("cls", list("DEGHIJKLQT"))
def test_si_1992_558_unoccupied_classes_stop_when_somebody_lives_there(cls: str) -> None:
    claim = (Exemption(cls, date(2024, 1, 1)),)
    stay = (Resident(BORN, date(2025, 8, 1)),)
    house = account(exemptions=claim, residents=stay)
    assert day_charge(HARTLEPOOL, house, date(2025, 7, 31)).kind == f"exempt {cls}"
    assert day_charge(HARTLEPOOL, house, date(2025, 8, 1)).kind == "one counted resident 25 %"


def test_si_1992_558_class_d_2_a_detained_occupant_leaves_it_unoccupied() -> None:
    house = account(exemptions=(Exemption("D", Y25),), residents=(other("detained"),))
    assert day_charge(HARTLEPOOL, house, date(2025, 5, 1)).kind == "exempt D"


@pytest.mark.parametrize("cls", list("MOPVW"))
def test_si_1992_558_occupied_classes_are_recorded(cls: str) -> None:
    assert day_charge(HARTLEPOOL, account(exemptions=(Exemption(cls, Y25),), residents=COUPLE), Y25).kind == f"exempt {cls}"


def test_si_1992_558_class_b_six_months_from_the_end_of_the_charitys_use() -> None:
    # From 10 January to 9 July 2025; 100 exempt days in the year, then 265 at the empty rate (class C month long over).
    since = date(2025, 1, 10)
    claim = (Exemption("B", since, charity_empty_since=since),)
    assert charges(bill(HARTLEPOOL, empty(since, exemptions=claim)))[:1] == [(100, 0)]
    assert day_charge(HARTLEPOOL, empty(since, exemptions=claim), date(2025, 7, 9)).kind == "exempt B"
    assert day_charge(HARTLEPOOL, empty(since, exemptions=claim), date(2025, 7, 10)).kind == "class C discount 0 %"


def test_si_1992_558_class_f_first_stage_has_no_end_without_a_grant() -> None:
    died = date(2021, 3, 3)
    assert bill(HARTLEPOOL, empty(died, exemptions=(Exemption("F", died, died=died),))).net_pence == 0


def test_si_1992_558_class_f_two_stages_then_class_i_then_the_premium() -> None:
    # Died 1 March 2023, grant 15 January 2025: exempt to 14 July (105 days); class I keeps the premium away for a year
    # from the grant, 184 days at 1,663.75: 838.71; then 76 days at 3,327.50: 692.85 (SI 2024/1007 reg 13).
    died, grant = date(2023, 3, 1), date(2025, 1, 15)
    house = empty(
        died,
        exemptions=(Exemption("F", died, died=died, granted=grant),),
        premium_exceptions=(PremiumException("I", grant, since=grant),),
    )
    assert charges(bill(HARTLEPOOL, house)) == [(105, 0), (184, 838_71), (76, 692_85)]


@pytest.mark.parametrize(
    ("stays", "exempt_after"),
    [
        pytest.param([(date(2025, 5, 1), date(2025, 6, 11))], True, id="exactly six weeks is ignored"),
        pytest.param([(date(2025, 5, 1), date(2025, 6, 12))], False, id="43 days are not"),
        pytest.param(
            [(date(2025, 5, 1), date(2025, 5, 7)), (date(2025, 6, 1), date(2025, 6, 2))],
            False,
            id="a second stay is not",
        ),
    ],
)
def test_si_1992_558_art_2_3_one_stay_of_up_to_six_weeks(stays: list[tuple[date, date]], exempt_after: bool) -> None:
    died = date(2025, 1, 1)
    house = empty(died, exemptions=(Exemption("F", died, died=died, occupations=tuple(stays)),))
    assert day_charge(HARTLEPOOL, house, date(2025, 4, 30)).kind == "exempt F"
    assert day_charge(HARTLEPOOL, house, date(2025, 5, 5)).kind != "exempt F"  # the days of the stay itself are charged
    assert (day_charge(HARTLEPOOL, house, date(2025, 6, 20)).kind == "exempt F") is exempt_after


@pytest.mark.parametrize("cls", ["A", "C"])
def test_si_2012_2965_classes_a_and_c_ended_on_31_march_2013(cls: str) -> None:
    house = empty(Y13, exemptions=(Exemption(cls, Y13),))
    assert day_charge(published(Y13, A=1000_00), replace(house, first_day=Y13), Y13).kind == "no resident 50 %"


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


# ---------------------------------------------------------------- s.13A(1)(c)

LEAVERS_25 = replace(HARTLEPOOL, care_leavers=((25, HUNDRED),))


def test_dorset_and_darlington_care_leaver_pays_nothing_before_25() -> None:
    result = bill(LEAVERS_25, account(residents=ALONE, care_leaver_born=date(2003, 1, 1)))
    assert (result.total_pence, result.reduction_pence, result.net_pence) == (1871_72, 1871_72, 0)


def test_care_leaver_pays_from_the_25th_birthday() -> None:
    # Born 10 July 2000: 100 days free; 1,871.7225 x 100/365 = 512.80 off 1,871.72.
    result = bill(LEAVERS_25, account(residents=ALONE, care_leaver_born=date(2000, 7, 10)))
    assert (result.reduction_pence, result.net_pence) == (512_80, 1358_92)


def test_eastleigh_taper_100_then_50_per_cent_at_21() -> None:
    # 21 on 10 July 2025: 100 days in full, 683.73; half of 265 days, 905.95; 2,495.63 - 1,589.68 = 905.95.
    council = replace(HARTLEPOOL, care_leavers=((21, HUNDRED), (25, FIFTY)))
    result = bill(council, account(residents=COUPLE, care_leaver_born=date(2004, 7, 10)))
    assert (result.reduction_pence, result.net_pence) == (1589_68, 905_95)


def test_awards_by_the_day_and_for_the_year_never_go_below_nothing() -> None:
    by_day = Award(date(2025, 4, 1), date(2025, 4, 10), pence_per_day=Fraction(100))
    result = bill(HARTLEPOOL, account("A", residents=COUPLE, awards=(by_day, Award(pence_for_year=50_00))))
    assert (result.reduction_pence, result.net_pence) == (60_00, 1603_75)
    assert bill(HARTLEPOOL, account("A", residents=COUPLE, awards=(Award(pence_for_year=9999_00),))).net_pence == 0


def test_an_award_by_the_day_takes_no_more_than_the_day_s_charge() -> None:
    # 20.00 a day for ten days of 4.5582: the reduction is 45.58, the other days stay as they are.
    generous = Award(date(2025, 4, 1), date(2025, 4, 10), pence_per_day=Fraction(2000))
    result = bill(HARTLEPOOL, account("A", residents=COUPLE, awards=(generous,)))
    assert (result.reduction_pence, result.net_pence) == (45_58, 1618_17)


def test_band_d_equivalents_of_a_whole_year() -> None:
    # Band F with 25 % off: 13/9 x 3/4 of every day.
    assert bill(HARTLEPOOL, account("F", residents=ALONE)).band_d_equivalent_days == Fraction(13, 9) * Fraction(3, 4) * 365


def test_dorset_2024_percentages_share_one_denominator() -> None:
    # 57.15 and 38.07 over 1,905.93: 3.0 and 2.0 per cent.  Trap 30: not 38.07/239.67 = 15.9.
    assert change_percentages((1666_26, 1723_41), (239_67, 277_74)) == (Fraction(3), Fraction(2))


# ---------------------------------------------------------------- instalments (SI 1992/613 Sch 1)


@pytest.mark.parametrize(
    ("total", "count", "amounts"),
    [
        pytest.param(1663_75, 10, [169_75] + [166_00] * 9, id="para 2(6): the first is higher"),
        pytest.param(1667_05, 10, [164_05] + [167_00] * 9, id="trap 31: the first is lower"),
        pytest.param(1660_00, 10, [166_00] * 10, id="para 2(5): whole pounds"),
        pytest.param(1665_00, 10, [162_00] + [167_00] * 9, id="exactly 50p goes up"),
        pytest.param(1247_81, 12, [103_81] + [104_00] * 11, id="twelve"),
        pytest.param(9_99, 10, [9_99], id="para 3(1)(a): under 10 pounds"),
        pytest.param(10_00, 10, [5_00] * 2, id="para 3(1)(b): 10 pounds are two"),
        pytest.param(30_00, 10, [5_00] * 6, id="para 3(1)(b): six"),
        pytest.param(37_50, 10, [7_50] + [5_00] * 6, id="para 3(1)(b): seven"),
        pytest.param(45_20, 10, [5_20] + [5_00] * 8, id="para 2(7): first under 5 pounds is joined to the second"),
        pytest.param(55_00, 10, [7_00] + [6_00] * 8, id="para 2(7): 55 pounds by ten"),
        pytest.param(3_00, 1, [3_00], id="one instalment"),
        pytest.param(0, 10, [], id="nothing due"),
    ],
)
def test_si_1992_613_amounts(total: int, count: int, amounts: list[int]) -> None:
    assert split(total, count) == amounts
    assert sum(amounts) == total


@pytest.mark.parametrize(
    ("issued", "ten", "twelve"),
    [
        (date(2025, 3, 10), 10, 12),
        (date(2025, 4, 15), 10, 12),
        (date(2025, 4, 16), 10, 11),
        (date(2025, 4, 30), 10, 11),
        (date(2025, 5, 1), 9, 10),
        (date(2025, 6, 30), 8, 9),
        (date(2025, 7, 1), 7, 8),
        (date(2025, 8, 1), 6, 7),
        (date(2025, 9, 1), 5, 6),
        (date(2025, 10, 1), 4, 5),
        (date(2025, 11, 1), 3, 4),
        (date(2025, 12, 31), 2, 3),
        (date(2026, 1, 1), 1, 1),
        (date(2026, 3, 31), 1, 1),
    ],
)
def test_si_1992_613_paras_2_to_4_number_by_day_of_issue(issued: date, ten: int, twelve: int) -> None:
    assert (instalment_count(issued, Y25), instalment_count(issued, Y25, twelve=True)) == (ten, twelve)


def test_si_2012_3086_twelve_instalments_begin_in_2013() -> None:
    with pytest.raises(ValueError, match="2013-14"):
        instalment_count(date(2012, 4, 1), date(2012, 4, 1), twelve=True)


@pytest.mark.parametrize(
    ("issued", "twelve", "first", "last"),
    [
        (date(2025, 3, 10), False, date(2025, 4, 1), date(2026, 1, 1)),
        (date(2025, 4, 20), False, date(2025, 5, 1), date(2026, 2, 1)),
        (date(2025, 3, 10), True, date(2025, 4, 1), date(2026, 3, 1)),
        (date(2025, 5, 12), False, date(2025, 6, 1), date(2026, 2, 1)),
        (date(2025, 12, 3), False, date(2026, 1, 1), date(2026, 2, 1)),
        (date(2026, 2, 20), False, date(2026, 3, 6), date(2026, 3, 6)),
    ],
)
def test_si_1992_613_para_2_4_months_without_a_break(issued: date, twelve: bool, first: date, last: date) -> None:
    plan = schedule(1663_75, issued, Y25, twelve=twelve)
    months = [12 * item.due.year + item.due.month for item in plan]
    assert (plan[0].due, plan[-1].due) == (first, last)
    assert months == list(range(months[0], months[0] + len(plan)))
    assert sum(item.pence for item in plan) == 1663_75


PLAN = schedule(1663_75, date(2025, 3, 10), Y25)  # April 169.75, then nine of 166 to January


def test_part_iii_para_10_discount_found_in_august() -> None:
    # The other adult left on 10 August: 131 days of 1,663.75 are 597.13, 234 days of 1,247.8125 are 799.97: 1,397.10.
    # Notice of 18 August, adjustment day 1 September: five instalments before it make 833.75.  563.35 over five:
    # 112.67 to the pound is 113, and the first is 563.35 - 4 x 113 = 111.35.
    people = (*ALONE, Resident(BORN, date(2000, 1, 1), date(2025, 8, 9)))
    revised = bill(HARTLEPOOL, account("A", residents=people)).net_pence
    assert revised == 1397_10
    result = adjust(PLAN, revised, date(2025, 8, 18))
    assert [item.pence for item in result.instalments] == [111_35] + [113_00] * 4
    assert result.instalments[0].due == date(2025, 9, 1)


def test_part_iii_para_10_a_day_later_the_september_instalment_stands() -> None:
    # Before 2 September 999.75 falls due; 397.35 over four: 99, the first 100.35.
    result = adjust(PLAN, 1397_10, date(2025, 8, 19))
    assert [item.pence for item in result.instalments] == [100_35] + [99_00] * 3


def test_part_iii_para_10_larger_charge_is_spread_too() -> None:
    # 1,963.75 - 833.75 = 1,130.00 over five: 226 each.
    assert [item.pence for item in adjust(PLAN, 1963_75, date(2025, 8, 18)).instalments] == [226_00] * 5


def test_part_iii_para_10_5_none_left_is_one_payment() -> None:
    result = adjust(PLAN, 1700_00, date(2026, 1, 25))
    assert result.instalments == (Instalment(date(2026, 2, 8), 36_25),)


def test_part_iii_para_10_5_overpayment_is_repaid_or_credited() -> None:
    result = adjust(PLAN, 800_00, date(2025, 8, 18))
    assert (result.instalments, result.overpaid) == ((), 33_75)


def test_part_iii_para_10_6_money_paid_ahead_counts() -> None:
    # 563.35 less 100 paid ahead and 60 in between: 403.35 over five: 81, the first 79.35.
    result = adjust(PLAN, 1397_10, date(2025, 8, 18), paid_ahead=100_00, paid_between=60_00)
    assert [item.pence for item in result.instalments] == [79_35] + [81_00] * 4


def test_part_iii_para_11_a_second_adjustment_starts_from_the_first() -> None:
    # Second notice 18 October, adjustment day 1 November; before it 833.75 + 111.35 + 113.00 = 1,058.10 has fallen due.
    # 1,500.00 - 1,058.10 = 441.90 over three: 147, the first 147.90.
    first = adjust(PLAN, 1397_10, date(2025, 8, 18))
    second = adjust((*PLAN[:5], *first.instalments), 1500_00, date(2025, 10, 18))
    assert [item.pence for item in second.instalments] == [147_90, 147_00, 147_00]


def test_part_iii_para_9_liability_ends_with_too_much_due() -> None:
    # Left on 16 October: 198 days are 902.53; seven instalments, 1,165.75, were due.
    left = date(2025, 10, 16)
    charge = bill(HARTLEPOOL, account("A", leaving_day=left, residents=COUPLE)).net_pence
    assert charge == 902_53
    assert liability_ends(PLAN, charge, left, left).overpaid == 263_22


def test_part_iii_para_9_5_liability_ends_with_a_shortfall() -> None:
    # Bill of May with instalments from June; left on 20 May: 49 days are 223.35, nothing had fallen due.
    left = date(2025, 5, 20)
    plan = schedule(1663_75, date(2025, 5, 2), Y25)
    charge = bill(HARTLEPOOL, account("A", leaving_day=left, residents=COUPLE)).net_pence
    assert charge == 223_35
    assert liability_ends(plan, charge, left, left).instalments == (Instalment(date(2025, 6, 3), 223_35),)


def test_part_iii_para_9_2_an_instalment_due_on_the_last_day_is_due() -> None:
    # Left on 1 October: 183 days are 834.15; the October instalment counts, 1,165.75 in all.
    left = date(2025, 10, 1)
    charge = bill(HARTLEPOOL, account("A", leaving_day=left, residents=COUPLE)).net_pence
    assert charge == 834_15
    assert liability_ends(PLAN, charge, left, left).overpaid == 331_60
