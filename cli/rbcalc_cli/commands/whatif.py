"""rbcalc whatif."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbcalc_cli.asking import asked, caseload_folder, shown_command
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
from rbcalc_cli.supposing import print_answer, print_points, question_of

if TYPE_CHECKING:
    from rbcalc._rules import Council, Rules
    from rbcalc._whatif import Answer


def command(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO]...", help="Scenario files, each an option; FILE+FILE lays two over each other.", show_default=False
        ),
    ] = None,
    caseload: Annotated[
        Path | None, typer.Option("--caseload", metavar="DIR", help="The folder with the tables of the caseload.", show_default=False)
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Try it on a sample caseload of the published size instead.")] = False,
    council: CouncilOption = None,
    partnership: PartnershipOption = None,
    year: YearOption = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set one figure, or one cell: NAME[KEY, EDGE]=VALUE.", show_default=False),
    ] = None,
    rules_from: Annotated[
        list[str] | None,
        typer.Option("--rules-of", metavar="COUNCIL/FOLDER", help="Another council's files in the place of ours.", show_default=False),
    ] = None,
    baseline: Annotated[
        list[Path] | None,
        typer.Option("--baseline", metavar="FILE", help="A scenario that belongs to the baseline too.", show_default=False),
    ] = None,
    baseline_year: Annotated[
        str | None, typer.Option("--baseline-year", metavar="YEAR", help="Compare with the rules of another year.", show_default=False)
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep", metavar="NAME=FROM:TO:STEP", help="Try many values of a figure; of several, each combination.", show_default=False
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary", metavar="NAME=FROM:TO:STEP", help="A figure to be sought; the best point becomes an option.", show_default=False
        ),
    ] = None,
    target: Annotated[str, typer.Option("--target", metavar="TARGET", help="With --vary: 'cost <= £9.18m', or 'cost = baseline'.")] = "",
    limits: Annotated[
        list[str] | None,
        typer.Option("--limit", metavar="LIMIT", help="With --vary: 'loss <= £5/week where GROUP = MEMBER'.", show_default=False),
    ] = None,
    collection_rate: Annotated[
        list[str] | None,
        typer.Option("--collection-rate", metavar="RATE", help="Work out the tax base too, as 98.5% or NAME=98.5%.", show_default=False),
    ] = None,
    roll_forward: Annotated[bool, typer.Option("--roll-forward", help="Raise last year's benefits and pensions first.")] = False,
    earnings_growth: Annotated[
        str | None, typer.Option("--earnings-growth", metavar="RATE", help="With --roll-forward: as 3%.", show_default=False)
    ] = None,
    together: Annotated[bool, typer.Option("--together", help="Do not cost each change of an option by itself.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the paper, the workbook and the tables.", show_default=False)
    ] = None,
    paper: Annotated[
        Path | None, typer.Option("--paper", metavar="FILE", help="What the paper declares: dates, rates, other ways.", show_default=False)
    ] = None,
    reconciliation: Annotated[
        Path | None, typer.Option("--reconciliation", metavar="FILE", help="What rbcalc reconcile found.", show_default=False)
    ] = None,
    households: Annotated[
        Path | None,
        typer.Option("--households", metavar="FILE", help="Case file with example households for the paper.", show_default=False),
    ] = None,
    restricted: Annotated[bool, typer.Option("--restricted", help="Print small counts too; not for publication.")] = False,
    charges: ChargesOption = None,
    column_map: Annotated[Path | None, typer.Option("--map", metavar="FILE", help="A column map.", show_default=False)] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, max=64, help="How many threads work at once.")] = 2,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier result in the folder.")] = False,
    rules: RulesOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Try other rules on a caseload: what they cost, and who gains and loses.

    Each scenario file is an option beside the baseline, which is today's rules (or what --baseline adds to them). Everything is
    hypothetical, and counts under five are held back. With --out a paper for members is written, with a workbook, the tables
    and a restricted folder of cases.

    Examples:
      rbcalc whatif --council {council} --year {year} --sample --set capital_limit_working_age=£10000
      rbcalc whatif --council {council} --year {year} --sample --sweep capital_limit_working_age=£6000:£16000:£2000
      rbcalc whatif --partnership {partnership} --sample --set capital_limit_working_age=£10000 --out paper --force
    """
    from rbcalc._whatif import answered, swept
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
    own = [charges] if charges is not None else []
    held = councils[0].years()
    of_sample = when if when in held else held[-1]
    with caseload_folder(book, councils, partnership, of_sample, caseload, own) as source:
        question = question_of(
            book,
            councils,
            when,
            source,
            scenarios=scenarios or [],
            settings=settings or [],
            rules_from=rules_from or [],
            baseline=baseline or [],
            baseline_year=baseline_year,
            vary=vary or [],
            target=target,
            limits=limits or [],
            singly=not together,
            charges=own,
            column_map=column_map,
            growth=(roll_forward, earnings_growth),
            rates=collection_rate or [],
            threads=threads,
        )
        if sweep:
            print_points(*swept(question, sweep, limits or []), form)
            return
        answer = answered(question)
    print_answer(answer, form, restricted=restricted)
    if out is not None:
        _write(book, councils, answer, out, paper, reconciliation, households, force=force)
    if answer.sought is not None and answer.sought.best is None:
        raise typer.Exit(1)


def _write(
    book: Rules,
    councils: list[Council],
    answer: Answer,
    out: Path,
    paper: Path | None,
    reconciliation: Path | None,
    households: Path | None,
    *,
    force: bool,
) -> None:
    from rbcalc._answer_files import write_answer

    written = write_answer(
        book,
        councils,
        answer,
        out,
        declared=paper,
        reconciliation=reconciliation,
        households=households,
        command=shown_command(),
        force=force,
    )
    say(f"the paper: {written[0]}  (the folder has a workbook, the tables, and restricted case lists)")
