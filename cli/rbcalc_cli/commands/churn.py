"""rbcalc churn."""

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
    RulesOption,
    ScenarioOption,
    YearOption,
    council_of,
    existing,
    rules_of,
    say,
    year_of,
)
from rbcalc_cli.output import document, table

if TYPE_CHECKING:
    from rbcalc.incomes.churn import Churn


class Show(StrEnum):
    """Which table is printed."""

    OPTIONS = "options"
    DISTRIBUTION = "distribution"


HEADINGS = {
    "reassessments_each": "a household",
    "bills": "changed bills",
    "bills_each": "a household",
    "letters_each": "a household",
    "most_bills": "most bills",
    "to_pay": "to pay",
}


IncomesOption = Annotated[
    Path | None,
    typer.Option(
        "--incomes", metavar="FILE", help="Monthly amounts: person or claim, month, amount.  [default: made up]", show_default=False
    ),
]
ToleranceOption = Annotated[
    list[str] | None,
    typer.Option("--tolerance", metavar="AMOUNT", help="Leave smaller changes of a week's income; may be repeated.", show_default=False),
]
FixedPeriodOption = Annotated[
    list[int] | None,
    typer.Option("--fixed-period", metavar="MONTHS", help="Look at incomes once in so many months; may be repeated.", show_default=False),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Another number makes up other incomes.")]
ShowOption = Annotated[Show, typer.Option("--show", help="Which table is printed; JSON has both.")]


def command(
    council: CouncilOption = None,
    year: YearOption = None,
    caseload: CaseloadOption = None,
    incomes: IncomesOption = None,
    tolerance: ToleranceOption = None,
    fixed_period: FixedPeriodOption = None,
    scenario: ScenarioOption = None,
    seed: SeedOption = 1,
    charges: ChargesOption = None,
    rules: RulesOption = None,
    show: ShowOption = Show.OPTIONS,
    form: FormatOption = Format.TABLE,
) -> None:
    """Replay a year of monthly incomes, and count bills and letters.

    On the first day of each month the caseload is worked out with what is known by then: how many changes of income are acted on, how
    many bills change and how many letters go out, when every change counts, only changes beyond a tolerance, or only those of each fixed
    period, side by side. Without a table of incomes the months are made up, which is said.

    Examples:
      rbcalc churn --council {council} --year {year} --caseload sample --tolerance £15 --fixed-period 6
      rbcalc churn --council {council} --year {year} --caseload sample --incomes months.csv --show distribution --format csv
    """
    from rbcalc.errors import UsageError
    from rbcalc.incomes.churn import churn

    asked = council_of(rules_of(rules), council)
    if caseload is None:
        raise UsageError("RC071", "which caseload?", hint="give its folder with --caseload DIR; rbcalc sample makes one to try things on")
    found = churn(
        asked,
        year_of(asked, year, charges),
        existing(caseload, "folder"),
        incomes=existing(incomes) if incomes is not None else None,
        seed=seed,
        tolerances=tolerance or [],
        fixed_periods=fixed_period or [],
        scenarios=[existing(path) for path in scenario or []],
        charges=[charges] if charges is not None else [],
    )
    _print(found, show, form)
    for line in found.notes:
        say(f"note: {line}")


def _print(found: Churn, show: Show, form: Format) -> None:
    from rbcalc.incomes.cliffs import published

    stamps = f"{', hypothetical' if found.hypothetical else ''}{', invented incomes' if found.invented else ''}"
    title = f"{found.council}, {found.year}{stamps}: {published(found.households)} households with monthly incomes"
    tables = {"options": found.options, "distribution": found.distribution}
    rows = {name: [{key: _word(key, value) for key, value in row.items()} for row in held.to_pylist()] for name, held in tables.items()}
    for row, held in zip(rows["distribution"], found.distribution.to_pylist(), strict=True):
        row["households"] = published(held["households"])
    if form is Format.JSON:
        document({"title": title, "hypothetical": found.hypothetical, "invented": found.invented, **rows})
        return
    names = tables[show].column_names
    columns = [HEADINGS.get(name, name) for name in names] if form is Format.TABLE else names
    table(title, columns, [list(row.values()) for row in rows[show]], form)


def _word(name: str, value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) and name != "bills" else str(value)
