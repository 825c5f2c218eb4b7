"""What becomes of a change of cost: what is collected of it, what is spent again, and the rise of a charge that would bring in as much.

Rates and amounts are an officer's declarations.  Where one is missing, what rests on it is not worked out.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from rbcalc.papers.file import Declared
from rbcalc.papers.tables import Cell, Column, Figures, Sheet, without
from rbcalc.papers.words import Wording, joined, pence

_DECLARED = {
    "collection_rate": "the collection rate of what is charged instead",
    "hardship_fund": "the hardship fund",
    "administration": "the cost of administration",
}


def yields(figures: Figures, declared: Declared, wording: Wording) -> Sheet:
    """The yield of each option net of what is not collected, a hardship fund and administration."""
    rows: list[tuple[Cell, ...]] = []
    for council in figures.councils:
        for option in figures.options:
            cost = figures.find("costs", council=council, option=option)
            if cost is None or not isinstance(cost["change"], Decimal):
                continue
            rate, fund, work = (declared.figure(name, council, option) for name in _DECLARED)
            more = -cost["change"]
            collected = None if rate is None else pence(Fraction(more) * rate)
            left = None if collected is None or fund is None or work is None else pence(Fraction(collected) - fund - work)
            own = None if collected is None else own_share(figures, wording, council, option, collected)
            shown = None if rate is None else Decimal(rate.numerator * 100) / Decimal(rate.denominator)
            spent = (_less(fund), _less(work))
            rows.append((figures.council(council), figures.titles[option], more, shown, collected, *spent, left, own))
    columns = (
        Column("Council"),
        Column("Option"),
        Column("More charged", "change"),
        Column("Collection rate", "percent"),
        Column("Collected", "change"),
        Column("Hardship fund", "change"),
        Column("Admin\u00adistration", "change"),
        Column("What is left", "change"),
        Column("Council's own share of what is collected", "change"),
    )
    note = "A dash stands where a figure or one that it rests on was not declared, or only the charge of all authorities together is known."
    sheet = Sheet(
        "yield", "What an option brings in, after what is not collected and what is spent again", columns, tuple(rows), 2, note=note
    )
    return sheet if len(figures.councils) > 1 else without(sheet, 0)


def _less(amount: Fraction | None) -> Decimal | None:
    return None if amount is None else pence(-amount)


def own_share(figures: Figures, wording: Wording, council: str, option: str, amount: Decimal) -> Decimal | None:
    """The council's own share of an amount, as it shares the change of cost with the others that bear it; None where that is not known."""
    found = list(figures.all("bodies", council=council, option=option))
    if not all(isinstance(row["change"], Decimal) for row in found):
        return None
    whole = sum((row["change"] for row in found), Decimal(0))
    own_rows = [row["change"] for row in found if row["body"] in set(map(str, wording.doc.own_bodies))]
    if not whole or not own_rows:
        return None
    own = sum(own_rows, Decimal(0))
    return pence(Fraction(amount) * Fraction(own) / Fraction(whole))


def undeclared(figures: Figures, declared: Declared) -> list[str]:
    """Which figures are missing, in a sentence for each council and option."""
    said = []
    for council in figures.councils:
        for option in figures.options:
            missing = [words for name, words in _DECLARED.items() if declared.figure(name, council, option) is None]
            if missing:
                said.append(f"{figures.council(council)}, {figures.titles[option]}: {joined(missing)} {_were(missing)} not declared.")
    return said


def _were(items: list[str]) -> str:
    return "was" if len(items) == 1 else "were"


def sources(declared: Declared) -> list[str]:
    """Where the declared figures come from, each once."""
    return list(dict.fromkeys(money.source for money in declared.money if money.source))


def equivalents(figures: Figures, wording: Wording) -> Sheet | None:
    """The rise of the charge, under no change, that would bring in as much as each option does, from the tax bases."""
    rows: list[tuple[Cell, ...]] = []
    for council in figures.councils:
        base = figures.find("tax_base", council=council, option=figures.baseline)
        if base is None or not isinstance(base["base"], Decimal) or not base["base"]:
            continue
        charge = own_charge(figures, wording, council)
        for option in figures.options:
            row = figures.find("tax_base", council=council, option=option)
            if row is None or not isinstance(row["change"], Decimal):
                continue
            rise = Fraction(row["change"]) / Fraction(base["base"])
            share = Decimal(rise.numerator * 100) / Decimal(rise.denominator)
            rows.append(
                (figures.council(council), figures.titles[option], row["change"], share, None if charge is None else pence(charge * rise))
            )
    if not rows:
        return None
    title = str(wording.doc.charge.title) if wording.doc.charge is not None else "the charge"
    columns = (
        Column("Council"),
        Column("Option"),
        Column("Change of the tax base", "base"),
        Column("The same as a rise of", "shift2"),
        Column(f"On {title}, a year", "change"),
    )
    note = f"A dash stands where {title} is not known, or not the same in the whole area." if any(row[-1] is None for row in rows) else ""
    sheet = Sheet("equivalent", "The rise that would bring in as much, if nothing else changed", columns, tuple(rows), 2, note=note)
    return sheet if len(figures.councils) > 1 else without(sheet, 0)


def own_charge(figures: Figures, wording: Wording, council: str) -> Fraction | None:
    """The charge that the wording names, where it is the same for all other keys of its table."""
    named = wording.doc.charge
    outcome = figures.study.outcomes[figures.baseline].get(council)
    table = outcome.program.tables.get(str(named.table)) if named is not None and outcome is not None else None
    if named is None or table is None or table.bands is not None:
        return None
    wanted = [named.keys.get(axis.name) for axis in table.axes]
    found = {
        values[0]
        for keys, (_, values) in table.by_period[-1].rows.items()
        if all(want is None or str(want) == key for want, key in zip(wanted, keys, strict=True))
    }
    return Fraction(found.pop()) if len(found) == 1 else None
