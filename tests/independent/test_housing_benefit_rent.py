"""Housing Benefit: eligible rent, charges, bedrooms and the local housing allowance, worked by hand and from published pages."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from independent.council_tax_reduction.facts import MissingFactError
from independent.housing_benefit.bedrooms import bedrooms
from independent.housing_benefit.examples import OLD, charge, child, household, lodger, person, pounds, private, social
from independent.housing_benefit.facts import Household, Tenancy
from independent.housing_benefit.rent import category, eligible_rent, for_a_week

DAY = date(2025, 6, 2)
ONE = household(person())


def rent(tenancy: Tenancy, living: Household = ONE, day: date = DAY, *, pension_age: bool = False) -> Fraction:
    return eligible_rent(tenancy, living, day.year, day, day, pension_age=pension_age)


def size(tenancy: Tenancy, living: Household, day: date = DAY, *, pension_age: bool = False) -> str:
    return category(tenancy, living, day, day, pension_age=pension_age)


# ---------------------------------------------------------------- the rent of a week (reg 80(2))


@pytest.mark.parametrize(
    ("amount", "frequency", "weekly"),
    [
        ("100.00", "weekly", "100.00"),
        ("201.01", "fortnightly", "100.51"),  # 100.505, half a penny up
        ("400.00", "four_weekly", "100.00"),  # not 13/12 of a month
        ("695.00", "monthly", "160.38"),  # Bournemouth: above the allowance of 159.95 for the same 695.00 a month
        ("20.00", "daily", "140.00"),
        ("1300.00", "quarterly", "100.00"),
        ("5200.00", "yearly", "100.00"),
    ],
)
def test_the_rent_of_a_week(amount: str, frequency: str, weekly: str) -> None:
    tenancy = social(amount, frequency=frequency)
    assert for_a_week(tenancy, tenancy.rent) == pounds(weekly)


# ---------------------------------------------------------------- charges (Sch 1)


def test_services_that_are_not_met() -> None:
    # Southampton City Council, "Example of Housing Benefit calculation": 75.00 with services of 15.00 leaves 60.00
    assert rent(social("75.00", charges=(charge("ineligible_service", "15.00"),))) == 60
    kept = (charge("eligible_service", "10.00"), charge("council_tax", "9.00"))
    assert rent(social("75.00", charges=kept)) == 75
    assert rent(social("300.00", frequency="monthly", charges=(charge("water", "13.00"),))) == pounds("66.23")  # 69.23 less 3.00
    assert rent(social("10.00", charges=(charge("support", "15.00"),))) == 0


def test_meals() -> None:
    # 2025-26: 35.95 for each of 16 or over, 18.25 for a child; 24.00 and 12.00; breakfast 4.35 for each (SI 2025/295 art 23(4))
    assert rent(social("200.00", charges=(charge("full_board", people=2, children=1),))) == 200 - pounds("90.15")
    assert rent(social("200.00", charges=(charge("half_board", people=1, children=2),))) == 152
    assert rent(social("200.00", charges=(charge("breakfast", people=1, children=2),))) == 200 - pounds("13.05")


def test_fuel() -> None:
    # all four without an amount: 35.25 + 4.10 + 2.85 + 4.10 = 46.30
    every = tuple(charge(kind) for kind in ("heating", "hot_water", "lighting", "cooking"))
    assert rent(social("100.00", charges=every)) == pounds("53.70")
    # one room: half of 35.25 + 4.10 + 2.85 is 21.10 (para 6(3)), whether one or three of them; cooking by itself is 4.10
    one_room = tuple(charge(kind, one_room=True) for kind in ("heating", "hot_water"))
    assert rent(social("100.00", charges=one_room)) == pounds("78.90")
    assert rent(social("100.00", charges=(*one_room, charge("cooking", one_room=True)))) == pounds("74.80")
    assert rent(social("100.00", charges=(charge("hot_water", one_room=True),))) == pounds("95.90")
    # with evidence the estimate, and in a rent rebate the charge itself
    assert rent(social("100.00", charges=(charge("heating", "20.00"),))) == 80
    rebate = Tenancy("council_within_rent_account", "social_sector", Fraction(100), bedrooms=1, charges=(charge("heating"),))
    with pytest.raises(MissingFactError):
        rent(rebate)


def test_amounts_of_a_year_with_weeks_without_rent() -> None:
    # Sch 1 para 7(2): 24.00 x 52 / 48 = 26.00
    tenancy = social("100.00", rent_free_weeks=4, charges=(charge("half_board", people=1),))
    assert rent(tenancy) == 74


# ---------------------------------------------------------------- a social landlord


def test_spare_bedrooms() -> None:
    # North West Leicestershire, "Examples": a rent of 100.00, one room too many, 86.00; a pensioner keeps 95.00
    assert rent(social("100.00", bedrooms=2)) == 86
    assert rent(social("95.00", bedrooms=2), household(person(born=OLD)), pension_age=True) == 95
    assert rent(social("100.00", bedrooms=3)) == rent(social("100.00", bedrooms=5)) == 75


def test_the_cut_comes_before_the_shares() -> None:
    # reg B13(2): 120.00 less services of 20.00 is 100.00, less 14 per cent 86.00, for one of two 43.00
    shared = social("120.00", bedrooms=3, joint_tenants=2, charges=(charge("ineligible_service", "20.00"),))
    assert rent(shared) == 43
    assert rent(social("120.00", bedrooms=3, joint_tenants=2, share=Fraction(1, 4))) == pounds("25.80")  # 120.00 less 14 per cent


@pytest.mark.parametrize(
    ("more", "eligible"),
    [
        ({"size_exemption": "shared_ownership"}, "100"),
        ({"temporary": "board_and_lodging"}, "100"),
        ({"rules": "exempt_accommodation"}, "100"),
        ({"died_on": date(2024, 6, 3)}, "100"),  # the last day of the twelve months is 2 June 2025
        ({"died_on": date(2024, 6, 2)}, "86"),
        ({"died_on": date(2024, 7, 1), "protected": Fraction(90)}, "90"),
        ({"died_on": date(2024, 7, 1), "protected": Fraction(80)}, "86"),
        ({"thirteen_weeks_from": date(2025, 3, 10)}, "100"),  # to 8 June
        ({"thirteen_weeks_from": date(2025, 3, 3)}, "86"),  # to 1 June
        ({"reasonable": Fraction(80)}, "80"),
        ({"carer_rooms": 1}, "100"),
        ({"foster_rooms": 1}, "100"),
        ({"residential": Fraction(3, 4)}, "64.50"),
    ],
)
def test_what_else_there_is_to_the_cut(more: dict[str, Any], eligible: str) -> None:
    facts: dict[str, Any] = {"rules": "social_sector", "bedrooms": 2, **more}
    assert rent(Tenancy("registered_provider", rent=Fraction(100), **facts)) == pounds(eligible)


def test_a_partner_of_pension_age_spares_the_cut() -> None:
    both = household(person(passport="income_support"), person("partner", OLD))
    assert rent(social("100.00", bedrooms=4), both) == 100  # reg A13(2)(d)


def test_a_tenant_since_1996_until_2_march_2014() -> None:
    tenancy = social("100.00", bedrooms=2, size_exemption="tenant_since_1996")
    found = [eligible_rent(tenancy, ONE, 2013, day, day, pension_age=False) for day in (date(2014, 3, 2), date(2014, 3, 3))]
    assert found == [100, 86]


def test_a_regulated_tenancy_of_a_housing_association_is_not_spared() -> None:
    of_association = Tenancy("registered_provider", "before_1989", Fraction(100), bedrooms=2)
    of_landlord = Tenancy("private_landlord", "before_1989", Fraction(100), bedrooms=2)
    assert rent(of_association) == 86  # reg A13(2)(a)
    assert rent(of_landlord) == 100


# ---------------------------------------------------------------- bedrooms


def born(age: int) -> date:
    return date(2025 - age, 1, 1)


def rooms(*children: tuple[int, str], lodged: int = 0, day: date = DAY) -> int:
    people = [child(born(age), sex, key=f"c{place}") for place, (age, sex) in enumerate(children)]
    living = household(person(), person("partner"), *people, lodged=tuple(lodger() for _ in range(lodged)))
    return bedrooms(living, day)


@pytest.mark.parametrize(
    ("children", "count"),
    [
        ((), 1),
        (((9, "male"), (9, "female")), 2),  # two under ten share
        (((10, "male"), (9, "female")), 3),
        (((15, "male"), (3, "male")), 2),
        (((16, "male"), (3, "male")), 3),
        # a girl of 12, girl of 8, boy of 8, boy of 12: by sex two rooms, while the two of 8 together would need three
        (((12, "female"), (8, "female"), (8, "male"), (12, "male")), 3),
        (((8, "female"), (8, "male"), (12, "male")), 3),
    ],
)
def test_the_fewest_rooms(children: tuple[tuple[int, str], ...], count: int) -> None:
    assert rooms(*children) == count


def test_who_else_has_a_room() -> None:
    assert rooms(lodged=2) == 3
    away = household(person(), lodged=(lodger(exempt="lives_elsewhere"), lodger(exempt="forces_on_operations")))
    assert bedrooms(away, DAY) == 1
    apart = household(person(cannot_share=True), person("partner"))
    assert bedrooms(apart, date(2013, 4, 1)) == bedrooms(apart, DAY) == 2  # before April 2017 by [2019] UKSC 52
    twins = household(person(), child(date(2008, 1, 1), key="a"), child(date(2008, 1, 1), key="b", cannot_share=True))
    assert bedrooms(twins, date(2013, 4, 1)) == bedrooms(twins, date(2013, 12, 4)) == 3  # before that day by [2012] EWCA Civ 629


# ---------------------------------------------------------------- local housing allowance


def test_the_lower_of_rent_and_allowance() -> None:
    # Valuation Office Agency: Stevenage and North Herts one bedroom 178.36, shared 100.38
    assert rent(private("200.00")) == pounds("178.36")
    assert rent(private("150.00", charges=(charge("water", "9.00"), charge("heating")))) == 150  # nothing is left out
    assert rent(private("400.00", joint_tenants=2)) == pounds("178.36")
    assert rent(private("300.00", joint_tenants=2)) == 150
    # the only pair that is the wrong way round: Durham shared 90.50, one bedroom 80.55
    assert rent(private("100.00", area="durham")) == pounds("80.55")
    assert rent(private("100.00", area="durham", shares_home=True)) == pounds("90.50")


def test_the_shared_rate() -> None:
    young = household(person(born=date(1990, 6, 3)))  # 35 on 3 June 2025
    assert (size(private("1"), young), size(private("1"), young, date(2025, 6, 3))) == ("shared", "one_bedroom")
    assert size(private("1"), household(person(born=date(1995, 1, 1)), child(born(3)))) == "two_bedrooms"
    assert size(private("1"), household(person(born=date(1995, 1, 1)), lodged=(lodger(),))) == "two_bedrooms"
    assert size(private("1", shared_exception="care_leaver"), young) == "one_bedroom"
    assert size(private("1", carer_rooms=1), young) == "two_bedrooms"
    severe = household(person(born=date(1995, 1, 1), care="pip_daily_living_standard"))
    assert size(private("1"), severe) == "one_bedroom"
    # who really shares, of any age, but for the severe disability premium and care leavers (reg 13D(2)(a)(ii))
    older = household(person(born=OLD))
    assert size(private("1", shares_home=True), older, pension_age=True) == "shared"
    assert size(private("1", shares_home=True), severe) == "one_bedroom"
    assert size(private("1", shares_home=True), household(person(), child(born(3)))) == "two_bedrooms"


def test_no_more_than_four_bedrooms_and_a_room_that_is_there() -> None:
    many = household(person(), *(child(born(12 + place), ("male", "female")[place % 2], key=f"c{place}") for place in range(4)))
    assert size(private("1", other_rooms=4), many) == "four_bedrooms"
    twins = household(person(), child(born(8), key="a"), child(born(8), key="b", cannot_share=True))
    assert size(private("1", bedrooms=3), twins) == "three_bedrooms"
    assert size(private("1", bedrooms=2), twins) == "two_bedrooms"  # reg 13D(3), last words


def test_the_allowance_and_protection() -> None:
    assert rent(private("200.00", died_on=date(2025, 1, 1), protected=Fraction(190))) == 190
    held = private("200.00", thirteen_weeks_from=date(2025, 5, 5), charges=(charge("ineligible_service", "8.00"),))
    assert rent(held) == 192  # reg 12D(5)(a): by reg 12B(2), so services are left out


# ---------------------------------------------------------------- the rent officer, and supported housing


def test_the_rent_officers_figures() -> None:
    def referred(**more: Any) -> Fraction:
        facts: dict[str, Any] = {"claim_related": Fraction(120), **more}
        return rent(Tenancy("private_landlord", "rent_officer", Fraction(150), **facts), household(person(born=date(1995, 1, 1))))

    assert referred() == 120
    assert referred(local_reference=Fraction(110)) == 110
    assert referred(claim_related=Fraction(160)) == 150  # reg 13ZB: no more than the rent
    assert referred(single_room=Fraction(70)) == 70
    assert referred(single_room=Fraction(70), joint_tenants=2) == 70  # reg 12C(3): not shared out
    assert referred(joint_tenants=2) == 60
    assert referred(meals_in_determination=True, charges=(charge("breakfast", people=1),)) == pounds("115.65")
    assert referred(thirteen_weeks_from=date(2025, 5, 5)) == 150  # reg 13ZA(3)


def test_exempt_accommodation() -> None:
    def supported(**more: Any) -> Fraction:
        return rent(Tenancy("registered_provider", "exempt_accommodation", Fraction(250), **more))

    assert supported() == 250
    assert supported(charges=(charge("support", "60.00"),)) == 190
    assert supported(reasonable=Fraction(200)) == 200
    assert supported(reasonable=Fraction(200), died_on=date(2025, 1, 1)) == 250  # SI 2006/217 Sch 3 para 5, reg 13(5)
    assert supported(reasonable=Fraction(200), thirteen_weeks_from=date(2025, 5, 5)) == 250
