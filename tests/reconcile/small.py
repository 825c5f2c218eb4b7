"""A small set of rules of two made-up councils and a caseload for it, so that causes are looked for without machine code."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

STATUTE = """kind: statute
title: A made-up charge
from: 2020-04-01
source: {law: made up}
lists:
  size: {title: Size, members: [small, middle, large]}
  use: {title: Use, members: [home, shop, store]}
  payee: {title: Payee, members: [one, other]}
entities:
  account: {title: Account}
  period: {title: Period, parent: account, spell: yes, members: periods}
  person: {title: Person, parent: period, members: persons}
registers:
  accounts: {title: Accounts, of: account, key: account, references: [place], dated: yes}
  places: {title: Places, of: period, by: place, dated: yes}
  people: {title: People, of: person, by: place, dated: yes, optional: yes}
inputs:
  size: {title: Size, of: period, unit: size, register: places}
  use: {title: Use, of: period, unit: use, register: places}
  away: {title: Away, of: person, unit: yes/no, optional: yes, register: people}
  weekly: {title: Weekly award, of: account, unit: £/week, range: £0/week to £50/week, optional: yes, register: accounts}
parameters:
  one_person:
    title: Taken off for one person
    unit: rate
    step: 1%
    values: [{from: 2020-04-01, value: 20%}, {from: 2026-04-01, value: 25%}]
  shop_share: {title: Share of a shop, unit: rate, step: 1%, value: 150%}
tables:
  published:
    title: Published amount
    unit: £/year
    local: yes
    over: {payee: payee, size: size}
    rows: {}
    sparse: yes
  amount:
    title: Amount
    unit: £/year
    over: {size: size}
    is: "sum(payee: published[payee, size])"
rules:
  there: {title: People who count, of: period, unit: count, is: "count(persons where not (known(away) and away))"}
  share:
    title: Share that is charged
    of: period
    unit: rate
    first:
      - {when: use = shop, give: shop_share, because: A shop.}
      - {when: there = 0, give: 60%, because: Nobody who counts.}
      - {when: there = 1, give: 1 - one_person, because: One person.}
      - {otherwise: 100%, because: The whole.}
  daily: {title: Charge for a day, of: period, unit: £/day, is: "per_day(amount[size] * share)"}
  part: {title: Charge of the period, of: period, unit: £, round: "penny, half up", is: daily * days}
  charge: {title: Charge, of: account, unit: £, output: yes, is: sum(periods.part)}
  awarded:
    title: Award of the period
    of: period
    unit: £
    round: "penny, half up"
    is: "min(part, per_day(first_known(weekly, £0/week)) * days)"
  award: {title: Award, of: account, unit: £, output: yes, is: sum(periods.awarded)}
reports:
  by_use: {title: By use, of: period, by: [use], sum: [part]}
reconciliation:
  charge:
    title: Charge
    of: account
    is: charge
    roundings: [period.daily, period.part]
    facts: [places.size, people.away]
    records: [accounts, places, people]
  award: {title: Award, of: account, is: award, blank: £0}
"""
COUNCIL = """kind: council
title: {name}, {year}
extends: [england.charge]
from: {begins}-04-01
to: {ends}-03-31
adopted: transcribed, not adopted
source: {{document: made up}}
set:
  published:
    rows:
      one: {{small: £{one}, middle: £1200.00, large: £1500.00}}
      other: {{small: £100.00, middle: £{other}, large: £150.00}}
lists: {{area: {{members: [whole]}}}}
"""
AREA = "  area: {title: Area, local: yes}\n"
YEAR = "2026-27"


def rules_folder(folder: Path) -> Path:
    """The rules of the councils north and south for two years."""
    for name in ("england", "councils", "partnerships", "preceptors"):
        (folder / name).mkdir(parents=True)
    (folder / "england" / "charge.yaml").write_text(STATUTE.replace("lists:\n", "lists:\n" + AREA, 1).replace(
        "  away:", "  area: {title: Area, of: period, unit: area, register: places}\n  away:"
    ).replace("by: [use]", "by: [use, area]"), encoding="utf-8")  # fmt: skip
    for name in ("north", "south"):
        own = folder / "councils" / name
        own.mkdir()
        (own / "council.yaml").write_text(f"kind: authority\nname: {name}\ntitle: {name.title()} Council\n", encoding="utf-8")
        for begins, one, other in ((2025, "900.00", "110.00"), (2026, "1000.00", "121.17")):
            text = COUNCIL.format(name=name, year=f"{begins}-{begins - 1999}", begins=begins, ends=begins + 1, one=one, other=other)
            (own / f"{begins}.yaml").write_text(text, encoding="utf-8")
    (folder / "partnerships" / "both.yaml").write_text(
        f'kind: partnership\nname: both\ntitle: Both\nstanding: live\ndefault_year: "{YEAR}"\n'
        "members: [{council: north}, {council: south}]\n",
        encoding="utf-8",
    )
    return folder


SIZES = ("small", "middle", "large")


def caseload(each: int = 40) -> dict[str, Any]:
    """Accounts of both councils: sizes and uses in turn, one or two people, some that begin within the year."""
    accounts: list[dict[str, Any]] = []
    places: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    for council in ("north", "south"):
        for n in range(each):
            name = f"{council[0]}{n:03}"
            begins = "2026-07-10" if n % 7 == 3 else "2020-04-01"
            accounts.append(
                {"council": council, "account": name, "place": name, "from": begins, "weekly": Decimal("5.00") if n % 5 == 2 else None}
            )
            use = ("home", "home", "home", "shop", "store")[n % 5] if n % 2 else "home"
            places.append({"place": name, "from": "2010-01-01", "to": None, "size": SIZES[n % 3], "use": use, "area": "whole"})
            people += [{"place": name, "from": "2010-01-01", "away": None}] * (1 + n % 2)
    named = {"accounts": accounts, "places": places, "people": people}
    text = pa.string()
    kinds = {"weekly": pa.decimal128(9, 2)}
    return {
        name: pa.table({key: pa.array([row[key] for row in rows], kinds.get(key, text)) for key in rows[0]}) for name, rows in named.items()
    }
