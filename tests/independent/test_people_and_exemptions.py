"""Council tax cases worked by hand: who counts, and exempt dwellings.  Sources and notation: `independent.examples`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from independent.council_tax import (
    PremiumException,
    bill,
    day_charge,
)
from independent.examples import (
    ALONE,
    BORN,
    COUPLE,
    HARTLEPOOL,
    Y13,
    Y25,
    account,
    charges,
    empty,
    other,
    published,
)
from independent.exemptions import (
    Exemption,
    Resident,
    age_on,
)

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
