"""Made tables of business rates for the work `rates`: what the rules of 2025-26 ask most about, drawn from a fixed seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SEED = 2025
BEGAN, FIRST_DAY = 19_448, 20_179
"""1 April 2023, when the list began, and 1 April 2025, when the year did."""


def tables(accounts: int, council: str, freed: Mapping[str, Any]) -> dict[str, pa.Table]:
    """The four tables; `freed` says why an empty one may be free, and where that stands.

    One account in eight belongs to a ratepayer with several, and one in ten changes within the year.
    """
    random = np.random.default_rng([SEED, accounts])

    def some(share: float, size: int = accounts) -> npt.NDArray[np.bool_]:
        return random.random(size) < share

    def given(values: npt.NDArray[Any], where: npt.NDArray[np.bool_], kind: Any = None) -> pa.Array:
        return pa.array(values, kind, mask=~where)

    def text(letter: str, numbers: npt.NDArray[Any]) -> pa.Array:
        return pa.array([f"{letter}{number}" for number in numbers.tolist()])

    own = np.arange(accounts)
    # The accounts of one ratepayer stand apart: one account in eight belongs to somebody who has more.
    whose = np.where(some(0.125), random.integers(0, max(1, accounts // 30), accounts), own)
    size = random.choice(4, accounts, p=[0.55, 0.27, 0.13, 0.05])
    value = np.exp(random.uniform(np.log([800, 12_000, 20_000, 100_000])[size], np.log([12_000, 20_000, 100_000, 3_000_000])[size])).astype(
        np.int64
    )
    before = np.maximum(1, (value * random.lognormal(-0.05, 0.35, accounts)).astype(np.int64))
    listed = some(0.9)
    altered = some(0.05)
    start = np.where(altered, np.maximum(1, (value * random.uniform(0.7, 1.3, accounts)).astype(np.int64)), value)
    uses = np.array(
        ["other", "retail", "hospitality", "leisure", "public_house", "nursery", "public_lavatory", "heat_network", "film_studio"]
    )
    use = random.choice(9, accounts, p=[0.548, 0.27, 0.05, 0.04, 0.04, 0.03, 0.01, 0.01, 0.002])
    rural = np.array(["shop_or_post_office", "food_shop", "public_house", "petrol_station", "not_rural"])
    numbers = text("H", own)
    improved = some(0.005)
    hereditaments = {
        "hereditament": numbers, "from": _days(np.full(accounts, BEGAN)), "to": _days(np.zeros(accounts), np.zeros(accounts, np.bool_)),
        "rateable_value": value, "rating_use": pa.array(uses[use]), "in_greater_london": given(some(0.5), some(0.2)),
        "improvement_value": given((value * random.uniform(0.02, 0.2, accounts)).astype(np.int64), improved),
        "industrial": given(some(0.5), (use == 0) & some(0.5)), "rural_kind": given(rural[random.integers(0, 5, accounts)], some(0.02)),
    }  # fmt: skip
    values = {
        "hereditament": numbers, "from": _days(np.full(accounts, BEGAN)), "to": _days(np.zeros(accounts), np.zeros(accounts, np.bool_)),
        "value_before": before, "value_at_start": start,
    }  # fmt: skip
    # One account in ten changes hands between occupied and unoccupied within the year.
    changes = some(0.1)
    day = FIRST_DAY + random.integers(20, 340, accounts)
    empty = some(0.1)
    now = np.repeat(own, 1 + changes)
    later = np.concatenate(([False], now[1:] == now[:-1]))
    unoccupied = np.where(later, ~empty[now], empty[now])
    rows = now.size
    occupied = ~unoccupied
    begins = np.where(later, day[now], np.where(altered, BEGAN, BEGAN + 100)[now])
    kinds = np.array(["ordinary", "charity", "amateur_sports_club", "precepting_authority"])
    kind = random.choice(4, accounts, p=[0.9, 0.07, 0.02, 0.01])[now]
    reasons = np.array(freed["drawn"])
    part = occupied & some(0.01, rows)
    small = occupied & (kind == 0) & (value[now] <= 17_000) & some(0.85, rows)
    several = small & some(0.15, rows)
    greatest = random.integers(500, 4_000, rows)
    lately = several & some(0.2, rows)
    taken = np.minimum(greatest, random.integers(0, 4_000, rows))
    before_that = unoccupied & some(0.05, rows)
    empty_since = np.where(later, begins, begins - random.integers(0, 900, rows))
    short = empty_since - random.integers(20, 120, rows)
    relieved = occupied & np.isin(kind, (1, 2)) & some(0.3, rows)
    supported = occupied & (kind != 3) & ~altered[now] & (value[now] < 40_000) & some(0.03, rows)
    occupations = {
        "rates_account": text("R", now), "from": _days(begins), "to": _days(day[now] - 1, changes[now] & ~later),
        "occupation_state": pa.array(np.array(["occupied", "unoccupied"])[unoccupied.astype(int)]),
        "empty_since": _days(empty_since, unoccupied),
        "empty_before_since": _days(short - random.integers(10, 300, rows), before_that),
        "short_occupation_from": _days(short, before_that), "short_occupation_to": _days(empty_since - 1, before_that),
        freed["column"]: given(reasons[random.integers(0, 4, rows)], unoccupied & some(0.2, rows)),
        "ratepayer_kind": given(kinds[kind], (kind > 0) | some(0.3, rows)),
        "occupied_value": given((value[now] * random.uniform(0.2, 0.9, rows)).astype(np.int64), part),
        "part_empty_since": _days(FIRST_DAY + random.integers(-200, 10, rows), part), "small_business_claimed": given(small, small),
        "others_occupied": given(1 + some(0.3, rows).astype(int), several), "others_greatest_value": given(greatest, several),
        "others_total_value": given(greatest + random.integers(0, 6_000, rows), several),
        "occupied_improvement_value": given(random.integers(0, 300, rows), part & improved[now]),
        "additional_since": _days(FIRST_DAY + random.integers(-700, 300, rows), lately), "additional_value": given(taken, lately),
        "others_greatest_before": given(random.integers(500, 4_000, rows), lately),
        "top_up_share": given(random.choice(["20%", "50%", "100%"], rows), relieved),
        "discretionary_share": given(random.choice(["25%", "50%", "100%"], rows), occupied & (kind != 3) & some(0.005, rows)),
        "supported_by": given(np.full(rows, "scheme_2023"), supported),
        "supported_base": given(random.integers(0, 6_000, rows), supported),
        "supported_limit": given(random.integers(0, 9_000, rows), supported & some(0.1, rows)),
        "retail_relief_refused": given(np.ones(rows, np.bool_), some(0.01, rows)),
    }  # fmt: skip
    rates_accounts = {
        "rates_account": text("R", own), "ratepayer": text("P", whose), "hereditament": numbers, "council": pa.array([council] * accounts),
        "from": _days(np.full(accounts, BEGAN)), "to": _days(np.zeros(accounts), np.zeros(accounts, np.bool_)),
        "cash_cap_left": given(random.integers(0, 110_000, accounts), some(0.005)),
        "subsidy_room": given(random.integers(0, 200_000, accounts), some(0.002)),
        "hardship_remission": given(random.integers(50, 5_000, accounts), some(0.002)),
    }  # fmt: skip
    return {
        "rates_accounts": pa.table(rates_accounts),
        "hereditaments": pa.table(hereditaments),
        "list_values": pa.table(values).filter(pa.array(listed)),
        "occupations": pa.table(occupations),
    }


def _days(days: npt.NDArray[Any], where: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(days.astype(np.int32), pa.int32(), mask=None if where is None else ~where).cast(pa.date32())
