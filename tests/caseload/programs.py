"""A small made-up program for tests of the caseload: accounts of dwellings, with people and claims."""

from __future__ import annotations

from fractions import Fraction

from rbcalc_kernels.language.types import DATE, YES_NO, Choice, Number, Type
from rbcalc_kernels.program.graph import Entity, Input, Program, Ref, Register

BAND = Choice("band", ("A", "B", "C", "D", "E", "F", "G", "H"))
KIND = Choice("kind", ("none", "carer", "student", "severe"))
LONG_AGO, FAR_AHEAD = Fraction(-29220), Fraction(47482)  # 1890-01-01 to 2100-01-01


def fact(
    entity: str,
    name: str,
    kind: Type,
    table: str,
    low: int | Fraction = 0,
    high: int | Fraction = 0,
    step: Fraction = Fraction(1),
    optional: bool = False,
) -> Input:
    """A fact of the made-up program."""
    return Input(name, entity, kind, Fraction(low), Fraction(high), step, optional, table=table)


def program(name: str = "north", areas: tuple[str, ...] = ("east", "west"), claims: bool = False) -> Program:
    """The rules of a made-up council; `areas` are its own list."""
    area = Choice("area", areas)
    pence, tenth_percent = Fraction(1, 100), Fraction(1, 1000)
    facts = [
        fact("account", "capital", Number("£"), "accounts", -5000, 100000, pence),
        fact("account", "share", Number("rate"), "accounts", 0, 1, tenth_percent, optional=True),
        fact("period", "band", BAND, "dwellings"),
        fact("period", "area", area, "dwellings"),
        fact("period", "disabled", YES_NO, "dwellings", optional=True),
        fact("period", "empty_since", DATE, "dwellings", LONG_AGO, FAR_AHEAD, optional=True),
        fact("resident", "birth_date", DATE, "people", LONG_AGO, FAR_AHEAD),
        fact("resident", "student", YES_NO, "people"),
        fact("resident", "kind", KIND, "people", optional=True),
    ]
    entities = {
        "account": Entity("account", None),
        "period": Entity("period", "account", spell=True, ordered=True),
        "resident": Entity("resident", "period", members="residents"),
    }
    registers = {
        "accounts": Register("accounts", "account", key="account", references=("dwelling",), dated=True),
        "dwellings": Register("dwellings", "period", by="dwelling", dated=True),
        "people": Register("people", "resident", by="dwelling", dated=True, optional=True),
    }
    if claims:
        entities["claim"] = Entity("claim", "account", members="claims")
        entities["income"] = Entity("income", "claim", ordered=True, members="incomes")
        registers["claims"] = Register("claims", "claim", by="account", key="claim", optional=True)
        registers["incomes"] = Register("incomes", "income", by="claim", order_by="number", optional=True)
        facts.append(fact("claim", "weeks", Number("count"), "claims", 0, 53))
        facts.append(fact("income", "amount", Number("£/week"), "incomes", 0, 1000, pence))
    return Program(
        name=name,
        first_day=20544,
        last_day=20908,
        entities=entities,
        inputs={Ref(item.entity, item.name): item for item in facts},
        rules=(),
        parameters={},
        tables={},
        periods=(),
        cuts=(),
        lists={"band": BAND, "kind": KIND, "area": area},
        registers=registers,
        provisional=(),
        sources={},
    )
