"""Runs of like days give what every day alone gives, on random ratepayers of all years; and a bill is quick."""

from __future__ import annotations

import itertools
import random
import time
from datetime import date, timedelta
from fractions import Fraction

import pytest

from independent.rates.bill import bill
from independent.rates.days import FIRST_YEAR, LAST_YEAR, year_start
from independent.rates.facts import Account, Hereditament, ListValues, Occupation, Ratepayer

USES = [
    "other",
    "retail",
    "hospitality",
    "leisure",
    "public_house",
    "live_music_venue",
    "nursery",
    "local_newspaper",
    "film_studio",
    "heat_network",
    "public_lavatory",
    "fibre",
    "electric_vehicle_charging",
    "bank_or_office_with_visitors",
    "private_school",
]
EXEMPTIONS = ("not_exempt", "not_exempt", "not_exempt", "listed_building", "next_use_charitable")
KINDS = ("ordinary", "ordinary", "ordinary", "ordinary", "charity", "amateur_sports_club", "precepting_authority")
SUPPORT = ("not_supported", "not_supported", "scheme_2017", "scheme_2023", "extension_of_2023", "scheme_2026")
RURAL = ("not_rural", "not_rural", "shop_or_post_office", "food_shop", "public_house", "petrol_station", "other_of_benefit")
VALUES = (0, 1, 2_599, 2_600, 2_900, 5_999, 6_001, 8_500, 12_000, 12_001, 14_250, 15_000, 17_999, 18_000, 20_001, 25_499, 50_999, 51_000)


def some_value(draw: random.Random) -> int:
    return draw.choice(VALUES) if draw.random() < 0.6 else draw.randint(1, 900_000)


def some_day(draw: random.Random, year: int, before: int = 500, after: int = 364) -> date:
    return year_start(year) + timedelta(days=draw.randint(-before, after))


def pieces(draw: random.Random, year: int) -> list[tuple[date, date | None]]:
    """One to four records without gaps, from before the year to ever after."""
    cuts = sorted({some_day(draw, year, before=30) for _ in range(draw.randint(0, 3))})
    firsts = [date(2000, 4, 1), *cuts]
    return [(first, until - timedelta(days=1)) for first, until in itertools.pairwise(firsts)] + [(firsts[-1], None)]


def some_occupation(draw: random.Random, year: int, first: date, last: date | None) -> Occupation:
    value = some_value(draw)
    began = some_day(draw, year)
    total = some_value(draw)
    return Occupation(
        first,
        draw.choice(("occupied", "occupied", "unoccupied")),
        last,
        empty_since=some_day(draw, year),
        empty_before_since=some_day(draw, year) if draw.random() < 0.3 else None,
        short_occupation_from=began,
        short_occupation_to=began + timedelta(days=draw.randint(0, 120)),
        empty_exemption=draw.choice(EXEMPTIONS),
        ratepayer_kind=draw.choice(KINDS),
        occupied_value=value if draw.random() < 0.3 else None,
        occupied_improvement_value=draw.randint(0, 2_000),
        part_empty_since=some_day(draw, year) if draw.random() < 0.5 else None,
        small_business_claimed=draw.random() < 0.6,
        others_occupied=draw.randint(0, 3),
        others_greatest_value=total // draw.randint(1, 4),
        others_total_value=total,
        additional_since=some_day(draw, year, before=1_200) if draw.random() < 0.6 else None,
        additional_value=total // draw.randint(1, 4),
        supported_by=draw.choice(SUPPORT),
        others_greatest_before=total // 5 if draw.random() < 0.3 else None,
        supported_limit=Fraction(draw.randint(0, 9_000)) if draw.random() < 0.2 else None,
        top_up_share=Fraction(draw.choice((0, 0, 0, 20, 100)), 100),
        supported_base=Fraction(draw.randint(0, 2_000_000), 100),
        retail_relief_refused=draw.random() < 0.1,
        closed_by_law=draw.random() < 0.5,
        reoccupied_since=some_day(draw, year) if draw.random() < 0.3 else None,
        discretionary_share=Fraction(draw.choice((0, 0, 20, 33, 100)), 100),
    )


def some_account(draw: random.Random, year: int, reference: str) -> Account:
    london = draw.random() < 0.3
    use = draw.choice(USES)
    entries = tuple(
        Hereditament(
            first,
            some_value(draw),
            use if draw.random() < 0.7 else draw.choice(USES),
            last,
            in_greater_london=london,
            industrial=draw.random() < 0.3,
            improvement_value=draw.randint(0, 5_000) if draw.random() < 0.2 else None,
            rural_kind=draw.choice(RURAL),
            new_fibre_value=some_value(draw) if draw.random() < 0.5 else None,
        )
        for first, last in pieces(draw, year)
    )
    values = ListValues(
        date(2000, 4, 1),
        None,
        max(some_value(draw), 1),
        max(some_value(draw), 1) if draw.random() < 0.3 else max(entries[0].rateable_value, 1),
        new_in_list=draw.random() < 0.1,
    )
    return Account(
        reference,
        some_day(draw, year, before=400, after=200),
        entries,
        tuple(some_occupation(draw, year, first, last) for first, last in pieces(draw, year)),
        (values,) if draw.random() < 0.8 else (),
        last=some_day(draw, year, before=-200) if draw.random() < 0.3 else None,
        notice_date=some_day(draw, year) if draw.random() < 0.5 else None,
        twelve_instalments=draw.random() < 0.3,
        additional_relief_award=Fraction(draw.choice((0, 0, 700))),
        hardship_remission=Fraction(draw.choice((0, 0, 0, 5_000))),
    )


def some_ratepayer(draw: random.Random, year: int) -> Ratepayer:
    accounts = tuple(some_account(draw, year, str(place)) for place in range(draw.randint(1, 3)))
    caps = [Fraction(draw.randint(0, 120_000)) if draw.random() < 0.3 else None for _ in range(2)]
    return Ratepayer(accounts, *caps)


@pytest.mark.parametrize("year", range(FIRST_YEAR, LAST_YEAR + 1))
def test_runs_give_what_every_day_alone_gives(year: int) -> None:
    draw = random.Random(f"rates {year}")
    for _ in range(4):
        ratepayer = some_ratepayer(draw, year)
        assert bill(ratepayer, year) == bill(ratepayer, year, day_by_day=True)


def test_a_bill_never_goes_below_nothing_and_instalments_add_up() -> None:
    draw = random.Random("rates")
    for _ in range(300):
        year = draw.randint(FIRST_YEAR, LAST_YEAR)
        for found in bill(some_ratepayer(draw, year), year).values():
            assert found.bill >= 0
            assert sum(found.instalments) == found.bill
            assert all(amount > 0 for amount in found.reliefs.values())


def test_a_bill_is_quick() -> None:
    draw = random.Random("speed")
    ratepayers = [(some_ratepayer(draw, year), year) for year in range(FIRST_YEAR, LAST_YEAR + 1)]
    accounts = sum(len(ratepayer.accounts) for ratepayer, _ in ratepayers)
    started = time.process_time()
    for ratepayer, year in ratepayers:
        bill(ratepayer, year)
    assert (time.process_time() - started) / accounts < 0.05  # about 0.002 when written; a factor for busy machines
