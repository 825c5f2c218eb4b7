"""Council tax cases worked by hand: amounts per band, days and the disabled reduction.  Sources and notation: `independent.examples`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from independent.council_tax import (
    BANDS,
    Council,
    Part,
    bill,
    daily_charges,
)
from independent.examples import (
    ALONE,
    COUPLE,
    HARTLEPOOL,
    Y13,
    Y23,
    Y24,
    Y25,
    account,
    charges,
    published,
)
from independent.exemptions import (
    Dated,
    Resident,
)

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
