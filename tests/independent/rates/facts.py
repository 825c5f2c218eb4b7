"""The facts of a ratepayer: accounts, and dated records whose fields are called as the inputs of the rows are.

A record holds from `first` to `last`, both included.  A value that is not given is None, no, or the first member of its list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Protocol, TypeVar

RETAIL_USES = frozenset({"retail", "hospitality", "leisure", "public_house", "live_music_venue"})
SHOPS_AND_FOOD = frozenset({"retail", "public_house"})  # shops, restaurants, cafes, drinking establishments; hospitality is hotels
CHARITABLE = frozenset({"charity", "amateur_sports_club"})


class MissingFactError(ValueError):
    """The calculation needs a fact that is not recorded."""


@dataclass(frozen=True)
class Hereditament:
    """An entry in the rating list."""

    first: date
    rateable_value: int
    rating_use: str = "other"
    last: date | None = None
    in_greater_london: bool = False
    industrial: bool = False
    improvement_value: int | None = None
    rural_kind: str = "not_rural"
    new_fibre_value: int | None = None


@dataclass(frozen=True)
class ListValues:
    """Values at a change of list, one record for the life of a list."""

    first: date
    last: date | None = None
    value_before: int | None = None
    value_at_start: int | None = None
    new_in_list: bool = False
    altered_hereditament: bool = False
    recorded_limit: Fraction | None = None  # of a hereditament that was split or merged, for a year, without U


@dataclass(frozen=True)
class Occupation:
    """Occupation, who the ratepayer is, and what was awarded."""

    first: date
    occupation_state: str = "occupied"
    last: date | None = None
    empty_since: date | None = None
    empty_before_since: date | None = None
    short_occupation_from: date | None = None
    short_occupation_to: date | None = None
    empty_exemption: str = "not_exempt"
    ratepayer_kind: str = "ordinary"
    occupied_value: int | None = None
    occupied_improvement_value: int = 0
    part_empty_since: date | None = None
    small_business_claimed: bool = False
    others_occupied: int = 0
    others_greatest_value: int = 0
    others_total_value: int = 0
    others_greatest_before: int | None = None
    additional_since: date | None = None
    additional_value: int = 0
    supported_by: str = "not_supported"
    supported_base: Fraction | None = None
    supported_limit: Fraction | None = None
    retail_relief_refused: bool = False
    closed_by_law: bool = False
    reoccupied_since: date | None = None
    top_up_share: Fraction = Fraction(0)
    discretionary_share: Fraction = Fraction(0)


@dataclass(frozen=True)
class Account:
    """One ratepayer at one hereditament, liable from `first` to `last`."""

    reference: str
    first: date
    hereditaments: tuple[Hereditament, ...]
    occupations: tuple[Occupation, ...]
    list_values: tuple[ListValues, ...] = ()
    last: date | None = None
    notice_date: date | None = None
    twelve_instalments: bool = False
    hardship_remission: Fraction = Fraction(0)
    additional_relief_award: Fraction = Fraction(0)
    fallen_due: Fraction | None = None
    instalments_left: int | None = None


@dataclass(frozen=True)
class Ratepayer:
    """A ratepayer with the accounts in their order; what is left of the cash cap and of the room for subsidy, where known."""

    accounts: tuple[Account, ...]
    cash_cap_left: Fraction | None = None
    subsidy_room: Fraction | None = None


class Dated(Protocol):
    """A record that holds from one day to another."""

    @property
    def first(self) -> date: ...
    @property
    def last(self) -> date | None: ...


Record = TypeVar("Record", bound=Dated)


def record_on(records: Sequence[Record], day: date) -> Record | None:
    """The record that holds on the day; two at once are a fault of the data."""
    found = [record for record in records if record.first <= day and (record.last is None or day <= record.last)]
    if len(found) > 1:
        raise MissingFactError(f"two records on {day}")
    return found[0] if found else None


@dataclass(frozen=True)
class Day:
    """All facts of one day: its financial year, the entry on the day and at the beginning of the year, and the rest."""

    day: date
    year: int
    entry: Hereditament
    entry_at_start_of_year: Hereditament
    occupation: Occupation
    values: ListValues | None
    at_start_of_year: Day | None = None  # none where the account had not begun

    @property
    def occupied(self) -> bool:
        return self.occupation.occupation_state == "occupied"

    @property
    def charitable(self) -> bool:
        """A charity or registered club; a private school is no longer relieved from 1 April 2025 (2025 c. 12 s. 5)."""
        school = self.year >= 2025 and self.entry.rating_use == "private_school"
        return self.occupation.ratepayer_kind in CHARITABLE and not school

    @property
    def excepted(self) -> bool:
        """LGFA 1988 s. 47(8), (9): no discretionary relief where a precepting authority is the occupier."""
        return self.occupation.ratepayer_kind == "precepting_authority"
