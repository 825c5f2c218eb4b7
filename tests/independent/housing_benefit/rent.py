"""Weekly eligible rent (HBR regs 12B to 13D and 80, SPC regs 12B to 13D and 61, and Sch 1 of both).

Reg 80(8) lets any amount be rounded to the penny, half up, where that is appropriate.  That is done to the rent of a week, to a
charge of a week, to amounts that are raised for weeks without rent, and to the claimant's part of the rent; not in between.

The text of regs 12BA, A13 and B13 is that of SI 2012/3040 with SI 2013/665, SI 2013/2828 and SI 2017/213; that of regs 12B to
12D and 13 to 13D is that of SI 2007/2868 with the same instruments; without the 15 pounds of reg 13D(6), which ended in 2011.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction

from independent.council_tax_reduction.facts import MissingFactError, total
from independent.exemptions import add_months, age_on
from independent.housing_benefit.amounts import (
    CATEGORIES,
    FOSTER_CARER_NOT_YOUNG,
    FUEL,
    LHA_2024,
    MEALS,
    MORE_SPARE,
    ONE_SPARE,
    TENANT_SINCE_1996_ENDS,
    YOUNG,
    pence,
)
from independent.housing_benefit.bedrooms import additional, bedrooms
from independent.housing_benefit.facts import Charge, Household, Tenancy
from independent.housing_benefit.means import has_severe_disability_premium, reached

ZERO = Fraction(0)
A_WEEK = {
    "daily": Fraction(7),  # reg 80(2)(c)
    "weekly": Fraction(1),  # (a)
    "fortnightly": Fraction(1, 2),
    "four_weekly": Fraction(1, 4),
    "monthly": Fraction(12, 52),  # (b)
    "quarterly": Fraction(12, 3 * 52),
    "yearly": Fraction(12, 12 * 52),
}
BOARD = ("full_board", "half_board", "breakfast")
FUELS = ("heating", "hot_water", "lighting", "cooking")
INELIGIBLE = ("ineligible_service", "water", "fuel_stated", "support", "garage_not_required", "furniture_to_keep")
"""Sch 1 para 1 and reg 12B(2)(a); council tax for which the landlord is liable is a part of the rent like any other."""


def for_a_week(tenancy: Tenancy, amount: Fraction) -> Fraction:
    """Reg 80(2): an amount for the time of the rent, by the week."""
    return pence(amount * A_WEEK[tenancy.frequency])


def raised(tenancy: Tenancy, amount: Fraction, year: int) -> Fraction:
    """Reg 81(3), Sch 1 para 7(2): a weekly amount in a year of which some weeks are without rent."""
    free = tenancy.rent_free_weeks
    if not free:
        return amount
    if tenancy.by_the_week:
        whole_year, due = tenancy.weeks_in_year, tenancy.weeks_in_year - free
    else:
        whole_year = 366 if calendar.isleap(year + 1) else 365
        due = whole_year - 7 * free
    return pence(amount * Fraction(whole_year, due))


# ---------------------------------------------------------------- charges


def meals(charge: Charge, year: int) -> Fraction:
    """Sch 1 para 2."""
    rates = MEALS[year]
    if charge.kind == "breakfast":
        return rates.breakfast * (charge.people + charge.children)
    full = charge.kind == "full_board"
    return charge.people * (rates.full if full else rates.half) + charge.children * (rates.full_child if full else rates.half_child)


def standard_fuel(tenancy: Tenancy, year: int) -> Fraction:
    """Sch 1 para 6(2) and (3): so much a week where no amount is known."""
    flat = [charge for charge in tenancy.charges if charge.kind in FUELS and charge.amount is None]
    if flat and tenancy.tenure.startswith("council_"):
        raise MissingFactError("the amount of a charge for fuel in a rent rebate")
    kinds, rates = {charge.kind for charge in flat}, FUEL[year]
    if "heating" in kinds and any(charge.one_room for charge in flat):  # (3), and cooking at its own rate
        half = (rates.heating + rates.hot_water + rates.lighting) / 2
        return half + (rates.cooking if "cooking" in kinds else 0)
    return total(getattr(rates, charge.kind) for charge in flat)


def ineligible(tenancy: Tenancy, year: int) -> Fraction:
    """Reg 12B(2)(a) and (b): what the weekly rent holds that is not met."""
    found, standard = ZERO, standard_fuel(tenancy, year)
    for charge in tenancy.charges:
        if charge.kind in BOARD:
            standard += meals(charge, year)
        elif charge.kind in INELIGIBLE or (charge.kind in FUELS and charge.amount is not None):
            if charge.amount is None:
                raise MissingFactError(f"the amount of the charge, {charge.kind}")
            found += for_a_week(tenancy, charge.amount)
    return found + raised(tenancy, standard, year)


# ---------------------------------------------------------------- without a maximum


def whole(tenancy: Tenancy, year: int) -> Fraction:
    """Reg 12B(2) and (3), for the whole dwelling: of the payments the part for living there, less what is not met."""
    return max(for_a_week(tenancy, tenancy.rent) * tenancy.residential - ineligible(tenancy, year), ZERO)


def unlimited(tenancy: Tenancy, year: int) -> Fraction:
    """Reg 12B(2) to (4)."""
    return pence(whole(tenancy, year) * tenancy.part)


def reasonable(tenancy: Tenancy, amount: Fraction) -> Fraction:
    """Regs 12B(6) and B13(4)."""
    return amount if tenancy.reasonable is None else min(amount, tenancy.reasonable)


# ---------------------------------------------------------------- a social landlord's


def size_matters(tenancy: Tenancy, household: Household, day: date, seen: date, *, pension_age: bool) -> bool:
    """Reg A13."""
    if pension_age or any(reached(person, seen) for person in household.adults):  # (2)(d)
        return False
    if tenancy.temporary is not None:  # (2)(e)
        return False
    if tenancy.size_exemption == "tenant_since_1996":
        return day >= TENANT_SINCE_1996_ENDS
    return tenancy.size_exemption is None


def social(tenancy: Tenancy, household: Household, year: int, day: date, seen: date, *, pension_age: bool) -> Fraction:
    """Regs 12B, 12BA and B13."""
    full = reasonable(tenancy, unlimited(tenancy, year))
    if not size_matters(tenancy, household, day, seen, pension_age=pension_age):
        return full
    if tenancy.bedrooms is None:
        raise MissingFactError("the bedrooms of the home")
    jointly = tenancy.joint_tenants - 1 if tenancy.joint_rooms is None else tenancy.joint_rooms
    spare = tenancy.bedrooms - bedrooms(household, seen) - additional(tenancy, day) - jointly
    share = ONE_SPARE if spare == 1 else MORE_SPARE if spare > 1 else ZERO
    limited = reasonable(tenancy, pence(whole(tenancy, year) * (1 - share) * tenancy.part))
    return max(limited, protection(tenancy, full, full, day))


def protection(tenancy: Tenancy, after_death: Fraction, thirteen_weeks: Fraction, day: date) -> Fraction:
    """Regs 12BA(3) to (8) and 12D(3) to (8): twelve months after a death, and the first thirteen weeks; nothing else is kept."""
    if within_a_year(tenancy, day):  # it ends the thirteen weeks: regs 12BA(8)(b), 12D(7)(b)(iii)
        return after_death if tenancy.protected is None else tenancy.protected
    return thirteen_weeks if within_thirteen_weeks(tenancy, day) else ZERO


def within_a_year(tenancy: Tenancy, day: date) -> bool:
    """Twelve months from the date of a death."""
    return tenancy.died_on is not None and tenancy.died_on <= day < add_months(tenancy.died_on, 12)


def within_thirteen_weeks(tenancy: Tenancy, day: date) -> bool:
    """The first thirteen weeks of the award, where the home could be afforded."""
    begins = tenancy.thirteen_weeks_from
    return begins is not None and begins <= day < begins + timedelta(weeks=13)


# ---------------------------------------------------------------- local housing allowance


def young_individual(tenancy: Tenancy, household: Household, day: date, seen: date) -> bool:
    """Reg 2(1): single, under 35, and not one of those whom the definition leaves out."""
    if household.partners or household.children or age_on(household.applicant.born, seen) >= YOUNG:
        return False
    if tenancy.shared_exception is not None or tenancy.carer_rooms:
        return False
    return not (tenancy.foster_rooms and day >= FOSTER_CARER_NOT_YOUNG)  # paragraph (i), SI 2013/2828 reg 2(2)(b)


def category(tenancy: Tenancy, household: Household, day: date, seen: date, *, pension_age: bool) -> str:
    """Reg 13D(2) and (3)."""
    severe = has_severe_disability_premium(household, seen)
    if not pension_age and young_individual(tenancy, household, day, seen) and not household.residing and not severe:
        return "shared"  # HBR (2)(a)(i)
    count = bedrooms(household, seen, cannot_share=False) + additional(tenancy, day)
    apart = bedrooms(household, seen) - bedrooms(household, seen, cannot_share=False)
    if apart:  # (3), last words: only where there is a bedroom more
        if tenancy.bedrooms is None:
            raise MissingFactError("the bedrooms of the home")
        count += max(min(apart, tenancy.bedrooms - count), 0)
    if count <= 1 and tenancy.shares_home and not severe and tenancy.shared_exception != "care_leaver":
        return "shared"  # (2)(a)(ii)
    return CATEGORIES[min(max(count, 1), 4)]


def allowance(tenancy: Tenancy, household: Household, year: int, day: date, seen: date, *, pension_age: bool) -> Fraction:
    """Regs 12D and 13D: the rent itself (the cap rent), and no more than the allowance for the category."""
    own = reasonable(tenancy, pence(for_a_week(tenancy, tenancy.rent) * tenancy.residential * tenancy.part))
    if tenancy.area is None:
        raise MissingFactError("the broad rental market area")
    if year < 2024:
        raise MissingFactError("the allowances of 2013 were not found in print")
    rate = LHA_2024[tenancy.area][CATEGORIES.index(category(tenancy, household, day, seen, pension_age=pension_age))]
    thirteen = reasonable(tenancy, unlimited(tenancy, year))  # reg 12D(5)(a)
    return max(min(own, rate), protection(tenancy, thirteen, thirteen, day))


# ---------------------------------------------------------------- the rent officer's figures


def referred(tenancy: Tenancy, household: Household, year: int, day: date, seen: date, *, pension_age: bool) -> Fraction:
    """Regs 12C, 13, 13ZA and 13ZB."""
    if tenancy.claim_related is None:
        raise MissingFactError("the claim-related rent")
    own, part = unlimited(tenancy, year), tenancy.part
    off = ZERO
    if tenancy.meals_in_determination:  # (7)
        off = total(meals(charge, year) for charge in tenancy.charges if charge.kind in BOARD)
    highest = max((tenancy.claim_related if tenancy.local_reference is None else tenancy.local_reference) - off, ZERO)
    found = pence(highest * tenancy.residential * part)
    severe = has_severe_disability_premium(household, seen)
    young = not pension_age and young_individual(tenancy, household, day, seen) and not household.residing and not severe
    if young and tenancy.single_room is not None:  # (5), and reg 12C(3): not shared out
        found = min(pence(highest * tenancy.residential), pence(tenancy.single_room * tenancy.residential))
    if within_a_year(tenancy, day):  # 13ZA(1)
        found = own if tenancy.protected is None else tenancy.protected
    elif within_thirteen_weeks(tenancy, day):  # (3): no maximum
        found = own
    return reasonable(tenancy, min(found, own))  # 12C(2), 13ZB


def exempt(tenancy: Tenancy, year: int, day: date) -> Fraction:
    """SI 2006/217 Sch 3 para 5, regs 12 and 13: no deduction for what is unreasonable in the time of protection."""
    own = unlimited(tenancy, year)
    if within_a_year(tenancy, day) or within_thirteen_weeks(tenancy, day):  # reg 13(5) and (7)
        return own
    return reasonable(tenancy, own)


def eligible_rent(tenancy: Tenancy, household: Household, year: int, day: date, seen: date, *, pension_age: bool) -> Fraction:
    """The weekly eligible rent for a day; `year` is that of the figures, `seen` the day of the ages."""
    let_socially = tenancy.tenure != "private_landlord"
    if tenancy.rules == "social_sector" or (tenancy.rules == "before_1989" and let_socially):  # reg A13(2)(a)
        return social(tenancy, household, year, day, seen, pension_age=pension_age)
    if tenancy.rules == "local_housing_allowance":
        return allowance(tenancy, household, year, day, seen, pension_age=pension_age)
    if tenancy.rules == "rent_officer":
        return referred(tenancy, household, year, day, seen, pension_age=pension_age)
    if tenancy.rules == "exempt_accommodation":
        return exempt(tenancy, year, day)
    return reasonable(tenancy, unlimited(tenancy, year))  # a private landlord's tenancies from before 1989
