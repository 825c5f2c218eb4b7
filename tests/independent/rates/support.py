"""Supporting small business relief: the guidance of 2017 (with its extension to 2022-23), 2023 and 2026."""

from __future__ import annotations

from fractions import Fraction

from independent.rates.days import days_in_year
from independent.rates.facts import Day, MissingFactError
from independent.rates.transition import SCHEMES, X_2026, appropriate_fraction, size_of

YEARS = {
    "scheme_2017": range(2017, 2023),
    "scheme_2023": range(2023, 2026),
    "extension_of_2023": range(2026, 2027),
    "scheme_2026": range(2026, 2027),
}


EXTENDED_UP_TO = 100_000  # guidance of 20 December 2021, para. 5


def _value_at_start(facts: Day) -> int:
    at_start = facts.values.value_at_start if facts.values is not None else None
    return facts.entry.rateable_value if at_start is None else at_start


def most(facts: Day) -> Fraction | None:
    """The most that is charged for the year, or None where the relief is not due on the day."""
    state, year = facts.occupation, facts.year
    if state.supported_by == "not_supported" or year not in YEARS[state.supported_by]:
        return None
    if state.supported_by == "scheme_2017" and year == 2022 and _value_at_start(facts) > EXTENDED_UP_TO:
        return None
    if not facts.occupied or state.ratepayer_kind in {"charity", "amateur_sports_club"} or facts.excepted:
        return None
    if state.supported_limit is not None:
        return Fraction(state.supported_limit)
    if state.supported_base is None:
        raise MissingFactError(f"not recorded from what charge the support counts, on {facts.day}")
    base = Fraction(state.supported_base)
    if state.supported_by == "scheme_2023":  # 600 pounds a year more, year by year
        return base + 600 * (year - 2022)
    if state.supported_by == "scheme_2017":  # 600 pounds or the limit for small values, whichever is more
        for running in range(2017, year + 1):
            base = max(base + 600, base * appropriate_fraction(SCHEMES[1], running, "small", "up"))
        return base
    size = size_of(2026, _value_at_start(facts), facts.entry.in_greater_london)
    return max(base + 800, base * X_2026[size] / 100)


def supported_relief(facts: Day, charge: Fraction) -> Fraction:
    yearly = most(facts)
    return Fraction(0) if yearly is None else max(charge - yearly / days_in_year(facts.year), Fraction(0))
