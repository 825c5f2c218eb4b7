"""What a rebill shows beside its totals: the tax base, statements, and how facts were rolled forward."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from rbcalc_cli.options import Format, say
from rbcalc_cli.output import put, table

if TYPE_CHECKING:
    from rbcalc.running.roll_forward import Uprating
    from rbcalc.running.statements import Stated
    from rbcalc.running.tax_base import TaxBase


def print_base(base: TaxBase, form: Format) -> None:
    """The base by band, and by part of the area where there are several."""
    from rbcalc.running.tax_base import PLACES, rounded

    whole = base.whole()
    rows = [
        [group.replace("_", " "), *(rounded(value, 2) for value in [*line.shown().values()][:-1]), str(line.ratio),
         rounded(line.relevant_amount, PLACES)]
        for group, line in whole.items()
    ]  # fmt: skip
    *names, last = next(iter(whole.values())).shown() if whole else [""]
    heads = [name.replace("_", " ") for name in (base.names[-1], *names, "ratio", last)]
    table(f"{base.council}: Council Tax base for {base.year}", heads, rows, form)
    put(
        f"relevant amounts {rounded(base.relevant_amounts, PLACES)} x collection rate {rounded(base.collection_rate * 100, 2)} % "
        f"= tax base {rounded(base.base, PLACES)}"
    )
    areas = base.by_area()
    if len(areas) > 1:
        table(
            "", ["part of the area", "tax base"], [[name.replace("_", " "), rounded(value, PLACES)] for name, value in areas.items()], form
        )
    say(
        f"{base.council}: the tax base is that of the dwellings in the caseload, rounded only here, to one decimal; dwellings to come, and "
        "what the Secretary of State for Defence pays for class O (SI 2012/2914 regs. 3(4) and 4(8)), are the officer's to add. It is "
        "calculated between 1 December and 31 January before the year (reg. 8)."
    )


def base_rows(base: TaxBase) -> list[list[str]]:
    """The same as rows for a program, exact."""
    from rbcalc._show import plain

    rows = [
        [base.council, "tax_base", " / ".join(line.keys), name, plain(value)] for line in base.lines for name, value in line.shown().items()
    ]
    rows.append([base.council, "tax_base", "", "collection_rate", plain(base.collection_rate)])
    rows.append([base.council, "tax_base", "", "tax_base", plain(base.base)])
    return rows


def print_rolled(uprating: Uprating, form: Format) -> None:
    """How many rows of each kind were raised, left as they are, or could not be known."""
    if form is not Format.TABLE:
        return
    rows = [[kind.replace("_", " "), *(f"{count:,}" if count else "-" for count in counts)] for kind, counts in uprating.shown()]
    put()
    table(f"Incomes rolled forward to {uprating.year}", ["kind", *uprating.OUTCOMES], rows, form)


def print_statements(statements: Sequence[Stated], form: Format) -> None:
    """What a council makes of its totals: the sums that it rests on, then each line with the reason."""
    from rbcalc._show import total

    for each in statements:
        put()
        rows = [[line.title, total(line.value, line.type), ""] for line in each.facts if line.value]
        rows += [[line.title, total(line.value, line.type), line.because] for line in each.lines]
        table(f"{each.council}: {each.title}", ["", "", "because"], rows, form)


def statement_rows(statements: Sequence[Stated]) -> list[list[str]]:
    """The same as rows for a program, exact."""
    from rbcalc._show import amount, plain

    return [
        [each.name, "", line.name, plain(line.value) if isinstance(line.value, Fraction) else amount(line.value, line.type)]
        for each in statements
        for line in (*each.facts, *each.lines)
    ]
