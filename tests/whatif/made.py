"""Small studies made up for tests: outcomes and groups as arrays, and a report that divides the cost, without any rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from rbcalc._years import FinancialYear
from rbcalc.comparing.study import Group, Option, Outcome
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Impact, Ref, Report

AMOUNT, DAYS = Ref("account", "reduction"), Ref("account", "claim_days")
GROUPS = {
    "family": ("single_person", "couple", "lone_parent"),
    "tenure": ("owner", "tenant"),
    "disabled": ("no", "yes"),
}
SPLIT = Report("by_body", "Cost by body", "account", (Ref("account", "area"),), (AMOUNT,), split="shares")
IMPACT = Impact("reduction", "Reduction", "account", AMOUNT, DAYS, tuple(Ref("account", name) for name in GROUPS), SPLIT.name)
YEAR = FinancialYear(2026)


@dataclass
class Rules:
    """As much of a program as a comparison reads."""

    reports: tuple[Report, ...] = (SPLIT,)
    types: dict[str, Choice] = field(default_factory=dict)


@dataclass
class Made:
    """A study as a comparison reads it."""

    councils: tuple[str, ...]
    accounts: dict[str, Any]
    groups: dict[str, dict[str, Group]]
    options: list[Option]
    outcomes: dict[str, dict[str, Outcome]]
    year: FinancialYear = YEAR
    impact: Impact = IMPACT
    warnings: dict[str, tuple[str, ...]] = field(default_factory=dict)


def split(pence: int) -> dict[tuple[str, ...], list[Fraction]]:
    """A cost borne by three bodies in whole pence, the last taking what is left."""
    first, second = pence * 7 // 10, pence * 2 // 10
    parts = {"county": first, "district": second, "police": pence - first - second}
    return {("whole", body): [Fraction(part, 100), Fraction(1)] for body, part in parts.items()}


def outcome(option: str, council: str, amount: Any, days: Any, rejected: Any = None) -> Outcome:
    """One option's outcome, with the report that divides its cost."""
    amounts, runs = np.asarray(amount, np.int64), np.asarray(days, np.int64)
    without = np.zeros(len(amounts), bool) if rejected is None else np.asarray(rejected, bool)
    amounts, runs = np.where(without, 0, amounts), np.where(without, 0, runs)
    program: Any = Rules()
    made = Option(option, option.replace("_", " "), hypothetical=option != "baseline")
    return Outcome(made, council, program, amounts, runs, without, {SPLIT.name: split(int(amounts.sum()))})


def study(councils: dict[str, dict[str, Any]], codes: dict[str, dict[str, Any]]) -> Made:
    """A study of outcomes by council and option, and the codes of the groups by council and name."""
    outcomes: dict[str, dict[str, Outcome]] = {}
    for council, by_option in councils.items():
        for name, given in by_option.items():
            outcomes.setdefault(name, {})[council] = given
    first = next(iter(outcomes))
    return Made(
        tuple(councils),
        {name: pa.array([f"{name}{n}" for n in range(len(by_option[first].amount))]) for name, by_option in councils.items()},
        {
            council: {
                name: Group(Ref("account", name), name.title(), GROUPS[name], np.asarray(given, np.int16))
                for name, given in by_name.items()
            }
            for council, by_name in codes.items()
        },
        [next(iter(by_council.values())).option for by_council in outcomes.values()],
        outcomes,
    )


def random_study(seed: int, sizes: dict[str, int], options: int, *, rejects: bool = False, calm: float = 0.3) -> Made:
    """A study drawn at random: amounts in pence, part years, accounts without a claim, and facts that are not recorded.

    `calm` is the share of accounts that an option leaves as they are.
    """
    draw = np.random.default_rng(seed)
    councils: dict[str, dict[str, Any]] = {}
    codes: dict[str, dict[str, Any]] = {}
    for council, size in sizes.items():
        days = np.where(draw.random(size) < 0.7, 365, draw.integers(0, 366, size))
        base = np.where((days > 0) & (draw.random(size) < 0.8), draw.integers(0, 200_000, size), 0)
        councils[council] = {"baseline": outcome("baseline", council, base, days, draw.random(size) < 0.05 if rejects else None)}
        for number in range(options):
            name = f"option_{number}"
            moves = draw.choice([-1, 1, 0, -600, 530, -2600, 30_000], size) * draw.integers(0, 100, size)
            ends, stays = draw.random(size) < 0.05, draw.random(size) < calm
            after = np.where(stays, base, np.where(ends, 0, np.maximum(base + moves, 0)))
            runs = days if number % 2 == 0 else np.where((days > 0) & (draw.random(size) < 0.1), np.maximum(days - 7, 0), days)
            councils[council][name] = outcome(
                name, council, np.where(runs > 0, after, 0), runs, draw.random(size) < 0.05 if rejects else None
            )
        codes[council] = {
            name: np.where(draw.random(size) < 0.05, -1, draw.integers(0, len(members), size)) for name, members in GROUPS.items()
        }
    return study(councils, codes)


def studies(*, rejects: bool = False, most: int = 60) -> st.SearchStrategy[Made]:
    """Random studies of one to three councils and up to three options."""
    return st.builds(
        random_study,
        st.integers(0, 2**32 - 1),
        st.lists(st.integers(0, most), min_size=1, max_size=3).map(lambda sizes: dict(zip("abc", sizes, strict=False))),
        st.integers(0, 3),
        rejects=st.just(rejects),
        calm=st.sampled_from([0.1, 0.5, 0.95]),
    )
