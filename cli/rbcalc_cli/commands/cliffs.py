"""rbcalc cliffs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rbcalc_cli.options import (
    CaseloadOption,
    ChargesOption,
    CouncilOption,
    Format,
    FormatOption,
    MapOption,
    RulesOption,
    ScenarioOption,
    YearOption,
    council_of,
    existing,
    rules_of,
    say,
    within,
    year_of,
)
from rbcalc_cli.output import document, put, table

if TYPE_CHECKING:
    from rbcalc.incomes.cliffs import Cliffs


class Show(StrEnum):
    """Which table is printed."""

    EDGES = "edges"
    STRETCHES = "stretches"
    CURVE = "curve"


HEADINGS = {
    "needed_to_be_back": "needed to be back",
    "lost_a_week": "lost a week",
    "lost_a_year": "lost a year",
    "costs_more": "more than a pound",
    "close_below": "close below",
    "deduction_rate": "taken of a pound more",
}


HouseholdOption = Annotated[
    Path | None,
    typer.Option("--household", metavar="FILE", help="A file of cases with households.  [default: the typical ones]", show_default=False),
]
NameOption = Annotated[
    list[str] | None, typer.Option("--name", metavar="HOUSEHOLD", help="One household of them; may be repeated.", show_default=False)
]
VaryOption = Annotated[
    str,
    typer.Option("--vary", metavar="REGISTER.COLUMN", help="The amount that moves, of the household's first record.", show_default=False),
]
FirstOption = Annotated[str, typer.Option("--from", metavar="AMOUNT", help="From which amount.")]
LastOption = Annotated[str | None, typer.Option("--to", metavar="AMOUNT", help="Up to which amount.", show_default=False)]
ShowOption = Annotated[Show, typer.Option("--show", help="Which table is printed; JSON has all.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Also write the tables as Parquet files here.", show_default=False)
]


def command(
    council: CouncilOption = None,
    year: YearOption = None,
    scenario: ScenarioOption = None,
    household: HouseholdOption = None,
    name: NameOption = None,
    vary: VaryOption = "",
    first: FirstOption = "£0",
    last: LastOption = None,
    caseload: CaseloadOption = None,
    column_map: MapOption = None,
    charges: ChargesOption = None,
    rules: RulesOption = None,
    show: ShowOption = Show.EDGES,
    form: FormatOption = Format.TABLE,
    out: OutOption = None,
) -> None:
    """Find where a little more income leaves a household with less.

    Each edge with what is lost by it, the rule and the row of a table that make it, its paragraph, and how much more income is needed
    to have as much again. Edges are found from the rules, followed exactly to the penny. `--show stretches`: the share that is taken of
    a pound more, from amount to amount. `--show curve`: income, Council Tax and what is left.

    Examples:
      rbcalc cliffs --council {council} --year {year}
      rbcalc cliffs --council {council} --year {year} --show stretches --format csv
    """
    from rbcalc.incomes.cliffs import cliffs

    loaded = rules_of(rules)
    asked = council_of(loaded, council)
    found = cliffs(
        asked,
        year_of(asked, year, charges),
        scenarios=[existing(path) for path in scenario or []],
        charges=[charges] if charges is not None else [],
        household=within(loaded.library.root, household) if household is not None else None,
        names=name or [],
        vary=vary,
        first=first,
        last=last,
        caseload=existing(caseload, "folder") if caseload is not None else None,
        column_map=column_map,
    )
    _print(found, show, form)
    if out is not None:
        found.write(out)
        say(f"tables: {out}")
    for line in found.notes:
        say(f"note: {line}")
    if found.provisional:
        say("some figures are provisional; rbcalc show provisional names them")


def _print(found: Cliffs, show: Show, form: Format) -> None:
    title = f"{found.council}, {found.year}{', hypothetical' if found.hypothetical else ''}: {show} along {', '.join(found.varied)}"
    if form is Format.JSON:
        tables = {
            name: [{key: _word(value) for key, value in row.items()} for row in held.to_pylist()] for name, held in found.tables.items()
        }
        document({"title": title, "varied": list(found.varied), "hypothetical": found.hypothetical, **tables})
        return
    held = found.tables[show]
    if form is Format.TABLE and show is Show.EDGES and not held.num_rows:
        put(title)
        put("No edges: as far as the rules could be followed, a little more never leaves any of these households with less.")
        return
    # On paper the rule's title and its paragraph are enough; CSV and JSON have its name and the address besides.
    hidden = {"rule", "kind", "varied"} if form is Format.TABLE else set()
    names = [name for name in held.column_names if name not in hidden]
    columns = [HEADINGS.get(name, name) for name in names] if form is Format.TABLE else names
    rows = [[_word(row[name], name) for name in names] for row in held.to_pylist()]
    if form is Format.TABLE and "source" in names:
        place = names.index("source")
        for row in rows:
            row[place] = ", ".join(part for part in row[place].split(", ") if not part.startswith("http"))
    table(title, columns, rows, form)


def _word(value: Any, name: str = "") -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "deduction_rate":
        return f"{value:.2%}"
    return str(value)
