"""Reliefs under s. 47 that the government pays for, in their order, and what retail relief would be without its cash cap.

Sources, each the guidance to authorities of its year as shown by gov.uk or a council: retail relief 2014-16 and reoccupation
relief (bradford.gov.uk, broxbourne.gov.uk), public houses 2017-19 (tamworth.gov.uk) and 2020-21 (bassetlaw.gov.uk), local
newspapers (gravesham.gov.uk), retail discount 2019-20 (charitytaxgroup.org.uk), expanded retail and nursery discounts 2020-22
(gov.uk, salford.gov.uk), retail, hospitality and leisure relief (thurrock.gov.uk 2022-23, welhat.gov.uk 2023-24, sandwell.gov.uk
2024-25, guildford.gov.uk 2025-26), heat networks (gov.uk 2023-24), film studios (rushmoor.gov.uk), rural (dartford.gov.uk), public
houses and live music venues 2026-27 (gov.uk).  Relief for electric vehicle charging from 2026-27 is an announcement only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from independent.rates.days import days_in_year, within_months
from independent.rates.facts import RETAIL_USES, SHOPS_AND_FOOD, Day

FULL_PRICE_ENDS = date(2021, 7, 1)  # 100 % until 30 June 2021
RETAIL_SHARES = {2022: Fraction(1, 2), 2023: Fraction(3, 4), 2024: Fraction(3, 4), 2025: Fraction(2, 5)}
RETAIL_SUMS = {2014: 1_000, 2015: 1_500}
CASH_CAP, OPEN_CAP_2021, ALL_CAP_2021 = 110_000, 105_000, 2_000_000


@dataclass(frozen=True)
class Uncapped:
    """A share or sum before the cash cap, and the pot from which it is met; no pot means no cap."""

    name: str
    amount: Fraction
    pot: str | None = None


def before_retail(
    facts: Day, charge: Fraction, gross: Fraction, transitional_relief: Fraction, extension: Fraction, *, rural: bool
) -> Iterator[tuple[str, Fraction]]:
    """Each relief given before retail relief, of what those before it leave."""
    if facts.excepted:
        return
    left = charge
    for name, amount in _offers(facts, gross, transitional_relief, extension, rural=rural):
        given = left if amount is None else min(amount, left)
        if given > 0:
            yield name, given
            left -= given


def discretion_first(facts: Day) -> bool:
    """Retail relief of 2014-16 and reoccupation relief came after every other relief, the authority's own included."""
    return not facts.excepted and 2014 <= facts.year <= 2017


def _offers(
    facts: Day, gross: Fraction, transitional_relief: Fraction, extension: Fraction, *, rural: bool
) -> Iterator[tuple[str, Fraction | None]]:
    """What each scheme offers for the day; None is all that is left."""
    yield "transitional_extension", extension
    year, use, days = facts.year, facts.entry.rating_use, days_in_year(facts.year)
    if use == "film_studio" and 2024 <= year <= 2033:  # 40 % of gross, transitional relief within it, occupied or not
        yield "film_studio", max(gross * Fraction(2, 5) - transitional_relief, Fraction(0))
    if not facts.occupied:
        return
    if rural and 2017 <= year <= 2023:  # the other half of the mandatory relief
        yield "rural", None
    if use == "heat_network" and year in {2022, 2023}:
        yield "heat_network", None
    if use == "electric_vehicle_charging" and 2026 <= year <= 2035:
        yield "electric_vehicle_charging", None
    if use == "local_newspaper" and 2017 <= year <= 2024:
        yield "local_newspaper", Fraction(1_500, days)
    if use == "public_house" and year in {2017, 2018} and facts.entry.rateable_value < 100_000:
        yield "public_house", Fraction(1_000, days)


def reoccupied(facts: Day) -> bool:
    since = facts.occupation.reoccupied_since
    return not facts.excepted and facts.occupied and since is not None and since <= facts.day and within_months(since, 18, facts.day)


def retail(facts: Day, left: Fraction) -> Uncapped | None:
    """Retail relief, retail discount, expanded retail discount, and retail, hospitality and leisure relief; the nursery discount."""
    if facts.excepted or not facts.occupied:
        return None
    year, use, value = facts.year, facts.entry.rating_use, facts.entry.rateable_value
    if facts.occupation.retail_relief_refused:  # the nursery discount could be refused as well
        return None
    if use == "nursery" and year in {2020, 2021}:
        if facts.day < FULL_PRICE_ENDS:
            return Uncapped("nursery", left)
        return Uncapped("nursery", left * Fraction(66, 100), "nursery")
    if year in RETAIL_SUMS and use in SHOPS_AND_FOOD and value <= 50_000:
        return Uncapped("retail", min(Fraction(RETAIL_SUMS[year], days_in_year(year)), left))
    if year == 2019 and use in SHOPS_AND_FOOD and value < 51_000:
        return Uncapped("retail", left / 3)
    if use not in RETAIL_USES:
        return None
    if year in {2020, 2021} and facts.day < FULL_PRICE_ENDS:
        return Uncapped("retail", left)
    if year == 2021:
        return Uncapped("retail", left * Fraction(66, 100), "closed" if facts.occupation.closed_by_law else "open")
    if year in RETAIL_SHARES:
        return Uncapped("retail", left * RETAIL_SHARES[year], "retail")
    return None


def after_retail(facts: Day, left: Fraction) -> Fraction:
    """Public houses after retail relief: 5,000 pounds in 2020-21; 15 % in 2026-27, with live music venues."""
    if facts.excepted or not facts.occupied:
        return Fraction(0)
    use = facts.entry.rating_use
    if facts.year == 2020 and use == "public_house" and facts.entry.rateable_value < 100_000:
        return min(Fraction(5_000, days_in_year(2020)), left)
    if facts.year == 2026 and use in {"public_house", "live_music_venue"}:
        return left * Fraction(15, 100)
    return Fraction(0)
