"""The bedrooms for children who can share are the fewest that there can be: held against every way of pairing them, in both evaluators."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest

import rbcalc
from rbcalc.rulebook.cases import CaseReader, run

HEAD = """
kind: cases
title: Pairs of children
subject: housing_benefit
extends: [england.housing_benefit]
year: 2024-25
given:
  tenancies: {account: X, from: 2010-04-01}
  rents:
    account: X
    from: 2010-04-01
    tenure: registered_provider
    rent_rules: social_sector
    rent: £100
    rent_frequency: weekly
    bedrooms: 9
  claims: {claim: C, account: X, from: 2010-04-01, capital: £0}
cases:
"""
CASE = """
  - name: {name}
    source: {{note: every pairing tried}}
    given: {{household: [{people}]}}
    expect: {{assessments: [{{sharing_children_bedrooms: {bedrooms}}}]}}
"""
PERSON = "{{claim: C, person: {person}, from: 2010-04-01, role: {role}, born: {born}-06-01, sex: {sex}{more}}}"
YOUNG, OLD = 2017, 2011  # six, and twelve, at the start of the year

Child = tuple[str, int]
EVERY_FAMILY = [
    tuple([("female", YOUNG)] * young_girls + [("female", OLD)] * old_girls + [("male", YOUNG)] * young_boys + [("male", OLD)] * old_boys)
    for young_girls, old_girls, young_boys, old_boys in product(range(4), repeat=4)
    if young_girls + old_girls + young_boys + old_boys <= 7
]


@cache
def fewest(children: tuple[Child, ...]) -> int:
    """Of all ways of giving each child a room alone or with one other, the fewest rooms."""
    if not children:
        return 0
    (sex, born), *others = children
    rooms = [1 + fewest(tuple(others))]
    for place, (other_sex, other_born) in enumerate(others):
        if sex == other_sex or born == other_born == YOUNG:
            rooms.append(1 + fewest(tuple(others[:place] + others[place + 1 :])))
    return min(rooms)


def people(children: tuple[Child, ...]) -> Iterator[str]:
    """The records of a lone parent and the children."""
    yield PERSON.format(person="P", role="applicant", born=1980, sex="female", more=", passport: income_support")
    for number, (sex, born) in enumerate(children):
        yield PERSON.format(person=f"Q{number}", role="child", born=born, sex=sex, more="")


def test_every_family_of_up_to_seven_children_has_the_fewest_rooms(tmp_path: Path) -> None:
    """No way of pairing them needs fewer, and one needs as many."""
    cases = "".join(
        CASE.format(name=f"family {number}", people=", ".join(people(family)), bedrooms=fewest(family))
        for number, family in enumerate(EVERY_FAMILY)
    )
    file = tmp_path / "bedrooms.cases.yaml"
    file.write_text(HEAD + cases, encoding="utf-8")
    found = run(CaseReader(rbcalc.load()).read(file))
    assert len(found) == len(EVERY_FAMILY) > 150
    assert {outcome.example.name: outcome.problems for outcome in found if outcome.problems} == {}


@pytest.mark.parametrize(
    ("family", "rooms"),
    [
        ((), 0),
        ((("female", OLD), ("male", YOUNG)), 2),
        ((("female", OLD), ("female", YOUNG), ("male", YOUNG), ("male", OLD)), 2),
        ((("female", YOUNG), ("male", YOUNG), ("male", YOUNG)), 2),
    ],
)
def test_the_search_itself(family: tuple[Child, ...], rooms: int) -> None:
    """Families whose answer is plain."""
    assert fewest(family) == rooms
