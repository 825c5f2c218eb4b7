"""rbcalc seek."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbcalc_cli.asking import asked, caseload_folder
from rbcalc_cli.options import (
    ChargesOption,
    CouncilOption,
    Format,
    FormatOption,
    PartnershipOption,
    RulesOption,
    YearOption,
    rules_of,
    say,
)
from rbcalc_cli.supposing import print_sought, question_of


def command(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCENARIO]", help="The option to search from; FILE+FILE lays two over each other.", show_default=False),
    ] = None,
    caseload: Annotated[
        Path | None, typer.Option("--caseload", metavar="DIR", help="The folder with the tables of the caseload.", show_default=False)
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Search on a sample caseload of the published size instead.")] = False,
    council: CouncilOption = None,
    partnership: PartnershipOption = None,
    year: YearOption = None,
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="NAME=FROM:TO:STEP", help="A figure to be sought, or a cell: NAME[KEY, EDGE].", show_default=False),
    ] = None,
    target: Annotated[
        str, typer.Option("--target", metavar="TARGET", help="As 'cost <= £9.18m' or 'cost = baseline'.")
    ] = "cost = baseline",
    limits: Annotated[
        list[str] | None,
        typer.Option("--limit", metavar="LIMIT", help="As 'loss <= £5/week', or with 'where GROUP = MEMBER'.", show_default=False),
    ] = None,
    baseline: Annotated[
        list[Path] | None,
        typer.Option("--baseline", metavar="FILE", help="A scenario that belongs to the baseline too.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write each point of the frontier as a scenario file.", show_default=False)
    ] = None,
    charges: ChargesOption = None,
    column_map: Annotated[Path | None, typer.Option("--map", metavar="FILE", help="A column map.", show_default=False)] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, max=64, help="How many threads work at once.")] = 2,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier result in the folder.")] = False,
    rules: RulesOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Find the figures that meet a target, and the frontier of cost against loss.

    A target is a cost of the year; limits say how much anybody, or anybody of a group, may lose a week. Of the points that meet
    them, that is best which takes least from those who lose most. Where none does, what can be had is said, and the exit code is 1.

    Examples:
      rbcalc seek --council {council} --year {year} --sample --vary capital_limit_working_age=£2000:£16000:£500 --target 'cost <= baseline'
      rbcalc seek --council {council} --year {year} --sample --vary capital_limit_working_age=£2000:£16000:£2000 --limit 'loss <= £500/week'
    """
    from rbcalc._scenarios import replace_year
    from rbcalc._whatif import sought_of, study_of
    from rbcalc.errors import UsageError

    book = rules_of(rules)
    councils, when = asked(book, council, partnership, year, charges)
    if sample == (caseload is not None):
        raise UsageError("RC044", "which caseload?", hint="give --caseload DIR, or --sample for a made-up one of the published size")
    if caseload is not None and not caseload.is_dir():
        raise UsageError("RC044", f"no such folder: {caseload}", hint="give the folder that holds the tables of the caseload")
    if out is not None:
        from rbcalc._outputs import OutputFolder

        OutputFolder.check(out, force=force)  # before the long work
    if not vary:
        raise UsageError("RC061", "what may be changed?", hint="give --vary NAME=FROM:TO:STEP, once for each figure")
    own = [charges] if charges is not None else []
    held = councils[0].years()
    with caseload_folder(book, councils, partnership, when if when in held else held[-1], caseload, own) as source:
        question = question_of(
            book,
            councils,
            when,
            source,
            scenarios=scenarios or [],
            baseline=baseline or [],
            vary=vary,
            target=target,
            limits=limits or [],
            charges=own,
            column_map=column_map,
            threads=threads,
        )
        study, options = study_of(question)
        found = sought_of(question, study, options[0][0] if options else replace_year(study.baseline))
    print_sought(found, form)
    if out is not None:
        from rbcalc._answer_files import write_frontier

        say(f"results: {write_frontier(found, out, force=force)}  (rbcalc whatif takes each file as an option)")
    if found.best is None:
        raise typer.Exit(1)
