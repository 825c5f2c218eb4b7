"""rbcalc reconcile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbcalc_cli.asking import asked, check_tables, shown_command
from rbcalc_cli.options import (
    CaseloadOption,
    ChargesOption,
    CouncilOption,
    ForceOption,
    Format,
    FormatOption,
    MapOption,
    PartnershipOption,
    RulesOption,
    SubjectOption,
    ThreadsOption,
    YearOption,
    existing,
    rules_of,
    say,
)
from rbcalc_cli.output import put, table
from rbcalc_cli.progress import shown_steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from rbcalc.reconciling.reconcile import Reconciliation


BilledOption = Annotated[
    Path | None, typer.Option("--billed", metavar="FILE", help="The live system's figures, a row for each account.", show_default=False)
]
BilledMapOption = Annotated[
    Path | None, typer.Option("--billed-map", metavar="FILE", help="A column map for the live system's figures.", show_default=False)
]
ToleranceOption = Annotated[
    str, typer.Option("--tolerance", metavar="AMOUNT", help="What each figure of an account may differ by, as £0.05.")
]
ThresholdOption = Annotated[str, typer.Option("--threshold", metavar="SHARE", help="The share of accounts that must match, as 99%.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="The folder that the differences and the record go to.", show_default=False)
]
NoCausesOption = Annotated[bool, typer.Option("--no-causes", help="Compare only, and look for no causes.")]


def command(
    caseload: CaseloadOption = None,
    billed: BilledOption = None,
    council: CouncilOption = None,
    partnership: PartnershipOption = None,
    year: YearOption = None,
    subject: SubjectOption = None,
    charges: ChargesOption = None,
    tolerance: ToleranceOption = "£0.00",
    threshold: ThresholdOption = "99%",
    column_map: MapOption = None,
    billed_map: BilledMapOption = None,
    out: OutOption = None,
    no_causes: NoCausesOption = False,
    threads: ThreadsOption = 2,
    force: ForceOption = False,
    rules: RulesOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Compare each account with what the live system billed.

    Every account is in one class: it matches, differs within the tolerance, differs, stands on one side only, or was rejected.
    Differences are grouped by the causes that the figures prove. The exit code is 1 when an account differs by more than the
    tolerance, or when fewer accounts match than the threshold says.

    `rbcalc sample --billed FILE` makes figures to try it on.

    Examples:
      rbcalc reconcile --council {council} --year {year} --caseload sample --billed live.csv --out reconciled
      rbcalc reconcile --council {council} --year {year} --caseload sample --billed live.csv --tolerance £0.02 --format json
    """
    from rbcalc.errors import UsageError
    from rbcalc.reconciling.reconcile import pounds, reconcile, share
    from rbcalc.running.outputs import OutputFolder

    book = rules_of(rules, subject)
    councils, when = asked(book, council, partnership, year, charges)
    if caseload is None or billed is None:
        raise UsageError("RC044", "what is compared with what?", hint="give --caseload DIR and --billed FILE")
    check_tables(caseload)
    allowed, wanted = pounds(tolerance), share(threshold)
    if out is not None:
        OutputFolder.check(out, force=force)  # before the long work
    with shown_steps() as told:
        found = reconcile(
            councils,
            when,
            caseload,
            existing(billed),
            tolerance=allowed,
            threshold=wanted,
            charges=[charges] if charges is not None else [],
            column_map=column_map,
            billed_map=billed_map,
            threads=threads,
            causes=not no_causes,
            progress=told,
        )
    _print(found, form)
    _tell(found)
    if out is not None:
        record = found.write(out, force=force, command=shown_command())
        say(f"results: {out}  (differences, classes and causes; the record of this baseline: {record})")
    if not found.agrees:
        say(found.verdict)
        raise typer.Exit(1)


def _tell(found: Reconciliation) -> None:
    """Say what the comparison rests on."""
    for line in found.assumptions:
        say(f"assumed: {line}")
    for line in found.notes:
        say(f"note: {line}")


def _print(found: Reconciliation, form: Format) -> None:
    if form is Format.JSON:
        put(found.to_json())
        return
    if form is Format.CSV:
        table("", ["council", "grouped by", "group", "what", "accounts", "figure", "amount"], _long(found), form)
        return
    put(found.headline)
    put()
    heads = ["council", "accounts that", "number", "figure", "ours", "live", "live less ours"]
    table("Accounts", heads, list(_classes(found)), form)
    lines = list(_causes(found))
    if lines:
        put()
        heads = ["council", "cause", "what", "accounts", "figure", "live less ours", "all differences added"]
        table("Causes of differences", heads, lines, form)


def _classes(found: Reconciliation) -> Iterator[list[str]]:
    """Each class with its figures; of a figure that is nought on both sides there is no line."""
    for row in found.classes.to_pylist():
        about = [row["council"], row["outcome"], f"{row['accounts']:,}"]
        for name, title in found.figures.items():
            ours, live, less = (row[f"{name}{end}"] for end in ("", "_live", "_difference"))
            if ours or live:
                yield [*about, title, _pounds(ours), _pounds(live), _pounds(less)]
                about = ["", "", ""]
        if any(about):
            yield [*about, "", "", "", ""]


def _causes(found: Reconciliation) -> Iterator[list[str]]:
    """Each cause with the figures that differ."""
    for row in found.causes.to_pylist():
        about = [row["council"], row["cause"], row["what"], f"{row['accounts']:,}"]
        for name, title in found.figures.items():
            if row[f"{name}_absolute"]:
                yield [*about, title, _pounds(row[f"{name}_difference"]), _pounds(row[f"{name}_absolute"])]
                about = [""] * 4


def _long(found: Reconciliation) -> list[list[str]]:
    """Classes and causes as rows for a program: one for each amount."""
    rows = []
    for held, keys in ((found.classes, ("outcome",)), (found.causes, ("cause", "what"))):
        for row in held.to_pylist():
            about = [row["council"], keys[0], row[keys[0]], row.get("what", ""), str(row["accounts"])]
            rows += [[*about, name, str(row[name])] for name in held.column_names[len(keys) + 2 :]]
    return rows


def _pounds(value: Decimal) -> str:
    return f"{'-' if value < 0 else ''}£{abs(value):,.2f}"
