"""Council tax cases worked by hand: reductions under section 13A(1)(c) and instalments.  Sources and notation: `independent.examples`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from independent.council_tax import (
    Award,
    bill,
    change_percentages,
)
from independent.examples import (
    ALONE,
    BORN,
    COUPLE,
    FIFTY,
    HARTLEPOOL,
    HUNDRED,
    Y25,
    account,
)
from independent.exemptions import (
    Resident,
)
from independent.instalments import (
    Instalment,
    adjust,
    instalment_count,
    liability_ends,
    schedule,
    split,
)

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
