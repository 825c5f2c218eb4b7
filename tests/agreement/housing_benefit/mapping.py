"""Records of claims for Housing Benefit in the words of the independent calculation; only the shape is changed here."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import fields
from datetime import timedelta
from fractions import Fraction
from typing import Any

from agreement.accounts import Record, Records
from agreement.claim_mapping import circumstances, first_of, in_force, last_of, money, non_dependant, optional, text
from agreement.mapping import on, until
from independent.housing_benefit.award import HousingClaim, Stay
from independent.housing_benefit.facts import Charge, Household, Let, Lodged, Occupant, Tenancy

ONE_DAY = timedelta(days=1)
CLAIM = ("claims", "household", "incomes", "non_dependants")
HOME = ("tenancies", "rents", "charges")


def days_of(records: Records, registers: Iterable[str], first: int, last: int) -> list[int]:
    """The days between two at which a record begins or has ended, both ends among them."""
    edges = {first, last + 1}
    for name in registers:
        for record in records.get(name, ()):
            edges |= {first_of(record), last_of(record) + 1}
    return sorted(day for day in edges if first <= day <= last + 1)


def claims_of(records: Records, first: int, last: int) -> list[HousingClaim]:
    """The claims between two days: a run of days with a claim is one, and after a gap there is another."""
    runs: list[list[Stay]] = []
    heads: list[Record] = []
    for begins, ends in itertools.pairwise(days_of(records, CLAIM, first, last)):
        held = in_force(records.get("claims", ()), begins)
        if not held:
            continue
        stay = Stay(on(begins), on(ends - 1), household(records, held[0], begins))
        if runs and runs[-1][-1].last + ONE_DAY == stay.first:
            if runs[-1][-1].facts == stay.facts:
                stay = Stay(runs[-1].pop().first, stay.last, stay.facts)
            runs[-1].append(stay)
        else:
            runs.append([stay])
            heads.append(held[0])
    return [
        HousingClaim(tuple(run), until(head.get("claimed_on")), until(head.get("liable_since")))
        for run, head in zip(runs, heads, strict=True)
    ]


def household(records: Records, claim: Record, day: int) -> Household:
    found = circumstances(records, claim, day)
    given = {str(record["person"]): record for record in in_force(records.get("household", ()), day)}
    shown: dict[str, Any] = {field.name: getattr(found, field.name) for field in fields(found)}
    shown["people"] = tuple(
        Occupant(
            **{field.name: getattr(person, field.name) for field in fields(person)},
            sex=text(given[person.key], "sex"),
            cannot_share=bool(given[person.key].get("cannot_share_bedroom")),
        )
        for person in found.people
    )
    shown["non_dependants"] = tuple(lodged(record) for record in in_force(records.get("non_dependants", ()), day))
    return Household(
        **shown,
        mixed_age_saved=bool(claim.get("mixed_age_couple_saved")),
        care_home=bool(claim.get("care_home")),
        transitional_addition=money(claim, "transitional_addition"),
        benefits_for_cap=optional(claim, "benefits_for_cap"),
        cap_grace=bool(claim.get("cap_grace_period")),
        cap_exempt=bool(claim.get("cap_exempt")),
        extended=optional(claim, "extended_payment"),
        run_on=bool(claim.get("universal_credit_run_on")),
    )


def lodged(record: Record) -> Lodged:
    found = non_dependant(record)
    return Lodged(
        **{field.name: getattr(found, field.name) for field in fields(found)},
        born=until(record.get("born")),
        other_born=until(record.get("other_born")),
        component=bool(record.get("component_in_allowance")),
        other_component=bool(record.get("other_component_in_allowance")),
        joint_occupiers=int(money(record, "joint_occupiers")) or 1,
        share=optional(record, "deduction_share"),
    )


def lets_of(records: Records, first: int, last: int) -> list[Let]:
    """The home in time, equal neighbours joined."""
    found: list[Let] = []
    for begins, ends in itertools.pairwise(days_of(records, HOME, first, last)):
        if not in_force(records["tenancies"], begins):
            continue
        (rent,) = in_force(records["rents"], begins)
        let = Let(on(begins), on(ends - 1), tenancy(rent, in_force(records.get("charges", ()), begins)))
        if found and found[-1].facts == let.facts and found[-1].last + ONE_DAY == let.first:
            let = Let(found.pop().first, let.last, let.facts)
        found.append(let)
    return found


def count(record: Record, name: str) -> int:
    return int(money(record, name))


def tenancy(record: Record, charges: list[Record]) -> Tenancy:
    beds, jointly = optional(record, "bedrooms"), optional(record, "joint_tenant_bedrooms")
    return Tenancy(
        tenure=str(record["tenure"]),
        rules=str(record["rent_rules"]),
        rent=Fraction(record["rent"] or 0),
        frequency=str(record["rent_frequency"]),
        charges=tuple(sorted((charge(each) for each in charges), key=repr)),
        rent_free_weeks=count(record, "rent_free_weeks"),
        weeks_in_year=count(record, "rent_weeks_in_year") or 52,
        rent_free=bool(record.get("rent_free")),
        share=optional(record, "rent_share"),
        joint_tenants=count(record, "joint_tenants") or 1,
        residential=Fraction(1) if record.get("residential_share") is None else Fraction(record["residential_share"] or 0),
        bedrooms=None if beds is None else int(beds),
        area=text(record, "broad_rental_market_area"),
        shares_home=bool(record.get("shared_accommodation")),
        shared_exception=text(record, "shared_rate_exception"),
        carer_rooms=count(record, "carer_bedrooms"),
        foster_rooms=count(record, "foster_bedrooms"),
        forces_rooms=count(record, "forces_bedrooms"),
        other_rooms=count(record, "other_occupiers"),
        joint_rooms=None if jointly is None else int(jointly),
        size_exemption=text(record, "size_criteria_exemption"),
        died_on=until(record.get("linked_person_died_on")),
        protected=optional(record, "protected_rent"),
        thirteen_weeks_from=until(record.get("thirteen_weeks_from")),
        claim_related=optional(record, "claim_related_rent"),
        local_reference=optional(record, "local_reference_rent"),
        single_room=optional(record, "single_room_rent"),
        meals_in_determination=bool(record.get("determination_includes_meals")),
        reasonable=optional(record, "reasonable_rent"),
        specified=bool(record.get("specified_accommodation")),
        temporary=text(record, "temporary_accommodation"),
        moved_in=until(record.get("moved_in_on")),
    )


def charge(record: Record) -> Charge:
    return Charge(
        kind=str(record["charge_kind"]),
        amount=optional(record, "amount"),
        people=count(record, "people"),
        children=count(record, "children"),
        one_room=bool(record.get("one_room")),
    )
