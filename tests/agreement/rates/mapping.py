"""Plausible ratepayers in the words of the independent calculation.  Only the shape is changed here."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from agreement.accounts import EPOCH, Record, Records
from independent.rates.facts import Account, Hereditament, ListValues, Occupation, Ratepayer

CLOCKS = {"empty_since", "empty_before_since", "short_occupation_from", "short_occupation_to", "part_empty_since", "additional_since"}
DATES = {*CLOCKS, "reoccupied_since", "notice_date"}
AWARDS = {"hardship_remission", "additional_relief_award", "fallen_due"}
EXACT = {*AWARDS, "recorded_limit", "supported_base", "supported_limit", "top_up_share", "discretionary_share"}
KEYS = {"rates_account", "ratepayer", "hereditament", "from", "to", "cash_cap_left", "subsidy_room"}


def on(day: Any) -> date:
    """A day since 1970 as a date."""
    return date.fromordinal(EPOCH + int(day))


def facts_of(record: Record) -> dict[str, Any]:
    """What a record says, without what is not given: the independent calculation has its own words for that."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if name in KEYS or value is None:
            continue
        if name in DATES:
            found[name] = on(value)
        elif isinstance(value, Fraction) and name not in EXACT:
            assert value.denominator == 1, name
            found[name] = int(value)
        else:
            found[name] = value
    return found


def span(record: Record) -> dict[str, Any]:
    """From when to when it holds."""
    return {"first": on(record["from"]), "last": None if record["to"] is None else on(record["to"])}


def belonging(records: Records, register: str, by: str, key: object) -> list[Record]:
    """The records of a register that carry a reference."""
    return [record for record in records[register] if record[by] == key]


def account_of(records: Records, record: Record) -> Account:
    """One account with what belongs to it."""
    name, hereditament = record["rates_account"], record["hereditament"]
    entries = belonging(records, "hereditaments", "hereditament", hereditament)
    values = belonging(records, "list_values", "hereditament", hereditament)
    states = belonging(records, "occupations", "rates_account", name)
    return Account(
        str(name),
        hereditaments=tuple(Hereditament(**span(each), **facts_of(each)) for each in entries),
        occupations=tuple(Occupation(**span(each), **facts_of(each)) for each in states),
        list_values=tuple(ListValues(**span(each), **facts_of(each)) for each in values),
        **span(record),
        **facts_of(record),
    )


def ratepayer_of(records: Records) -> Ratepayer:
    """The ratepayer; the accounts stand in the order in which they began, and the least that is recorded of a cap counts."""
    accounts = sorted(records["rates_accounts"], key=lambda record: int(record["from"] or 0))

    def least(name: str) -> Fraction | None:
        return min((Fraction(record[name]) for record in accounts if record.get(name) is not None), default=None)  # type: ignore[arg-type]

    return Ratepayer(tuple(account_of(records, record) for record in accounts), least("cash_cap_left"), least("subsidy_room"))
