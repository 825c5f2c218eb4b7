"""The bedrooms to which a claimant is entitled (HBR regs B13(5) to (9) and 13D(3) to (3B), SPC reg 13D)."""

from __future__ import annotations

from datetime import date
from functools import cache

from independent.council_tax_reduction.facts import MissingFactError
from independent.exemptions import age_on
from independent.housing_benefit.facts import Household, Occupant, Tenancy

Child = tuple[int, str | None]


def pair(one: Child, other: Child) -> bool:
    """Whether two children share: of the same sex (c), or both under 10 (d)."""
    if one[0] < 10 and other[0] < 10:
        return True
    if one[1] is None or other[1] is None:
        raise MissingFactError("the sex of a child")
    return one[1] == other[1]


@cache
def fewest(children: tuple[Child, ...]) -> int:
    """The fewest rooms for some children, each room for one or for two who share."""
    if not children:
        return 0
    first, others = children[0], children[1:]
    found = 1 + fewest(others)
    for place, other in enumerate(others):
        if pair(first, other):
            found = min(found, 1 + fewest(others[:place] + others[place + 1 :]))
    return found


def bedrooms(household: Household, seen: date, *, cannot_share: bool = True) -> int:
    """One for each class of occupier; each person in the first class that fits.  Without rooms for those of reg B13(6)."""
    people = [person for person in household.people if isinstance(person, Occupant)]
    assert len(people) == len(household.people)
    couple = [person for person in people if person.role in ("applicant", "partner")]
    apart = cannot_share and len(couple) == 2 and any(person.cannot_share for person in couple)
    count = 2 if apart else 1  # (za), (zb), before April 2017 by [2019] UKSC 52; (a), or (b) for one alone
    count += sum(person.role == "further_spouse" for person in people)
    count += len(household.residing)  # each a couple or a person who is not a child
    children: list[Child] = []
    for person in household.children:
        age = age_on(person.born, seen)
        assert isinstance(person, Occupant)
        # (b), and (ba) of SI 2013/2828, before 4 December 2013 by [2012] EWCA Civ 629
        if age >= 16 or (cannot_share and person.cannot_share):
            count += 1
        else:
            children.append((age, person.sex))
    return count + fewest(tuple(sorted(children, key=repr)))


def additional(tenancy: Tenancy, day: date) -> int:
    """Those who are neither of the family nor non-dependants, the forces away, overnight carers, and children placed there."""
    return tenancy.other_rooms + tenancy.forces_rooms + tenancy.carer_rooms + tenancy.foster_rooms
