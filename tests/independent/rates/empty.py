"""Unoccupied and partly occupied hereditaments (SI 2008/386 as amended by SI 2017/102 and 2024/323; LGFA 1988 ss. 44A, 45A)."""

from __future__ import annotations

from datetime import date

from independent.rates.days import within_months
from independent.rates.facts import Day, MissingFactError

THIRTEEN_WEEKS_FROM = date(2024, 4, 1)


def threshold(year: int) -> int:
    """SI 2008/386 reg. 4(g): less than this is not charged."""
    if year >= 2017:
        return 2_900
    return 2_600 if year >= 2011 else 18_000


def unoccupied_since(facts: Day) -> date:
    """Reg. 5: a short occupation between two spells is passed over.

    SI 2024/323 reg. 3 keeps six weeks for an occupation that began before 1 April 2024; one that ended by then was under the
    old law in any case.
    """
    state = facts.occupation
    began, ended, before = state.short_occupation_from, state.short_occupation_to, state.empty_before_since
    if began is not None and ended is not None and before is not None:
        weeks = 6 if began < THIRTEEN_WEEKS_FROM else 13
        if (ended - began).days + 1 < 7 * weeks:
            return before
    if state.empty_since is None:
        raise MissingFactError(f"not recorded since when it is unoccupied, on {facts.day}")
    return state.empty_since


def _in_prescribed_class(facts: Day, since: date) -> bool:
    """Regs 3 and 4: whether a hereditament without occupation since that day is in the class that is charged."""
    if facts.occupation.empty_exemption != "not_exempt" or facts.entry.rateable_value < threshold(facts.year):
        return False
    return not within_months(since, 6 if facts.entry.industrial else 3, facts.day)


def charged_while_empty(facts: Day) -> bool:
    if facts.occupation.empty_exemption != "not_exempt" or facts.entry.rateable_value < threshold(facts.year):
        return False
    return _in_prescribed_class(facts, unoccupied_since(facts))


def part_apportioned(facts: Day) -> bool:
    """s. 44A(6) to (9A): an apportionment counts only while the hereditament would not be charged if it were unoccupied.

    No order under s. 45(4A) has been made since 2008, so that from the end of the three or six months it has no effect.
    """
    if not facts.occupied or facts.occupation.occupied_value is None:
        return False
    return not _in_prescribed_class(facts, facts.occupation.part_empty_since or facts.occupation.first)
