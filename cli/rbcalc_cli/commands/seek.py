"""rbcalc seek."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbcalc_cli.asking import asked
from rbcalc_cli.options import (
    BaselineOption,
    CaseloadOption,
    ChargesOption,
    CouncilOption,
    ForceOption,
    Format,
    FormatOption,
    ImpactOption,
    LimitOption,
    MapOption,
    PartnershipOption,
    RulesOption,
    SampleOption,
    SubjectOption,
    TargetOption,
    ThreadsOption,
    VaryOption,
    YearOption,
    rules_of,
    say,
)
from rbcalc_cli.supposing import caseload_of, check_free, print_sought, question_of, say_lacking

if TYPE_CHECKING:
    from rbcalc.supposing.seek import Sought
    from rbcalc.supposing.whatif import Question


ScenariosArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SCENARIO]", help="The option to search from; FILE+FILE lays two over each other.", show_default=False),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Write each point of the frontier as a scenario file.", show_default=False)
]


def command(
    scenarios: ScenariosArgument = None,
    caseload: CaseloadOption = None,
    sample: SampleOption = False,
    council: CouncilOption = None,
    partnership: PartnershipOption = None,
    year: YearOption = None,
    subject: SubjectOption = None,
    impact: ImpactOption = "",
    vary: VaryOption = None,
    target: TargetOption = "cost = baseline",
    limits: LimitOption = None,
    baseline: BaselineOption = None,
    out: OutOption = None,
    charges: ChargesOption = None,
    column_map: MapOption = None,
    threads: ThreadsOption = 2,
    force: ForceOption = False,
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
    from rbcalc.errors import UsageError

    book = rules_of(rules, subject)
    councils, when = asked(book, council, partnership, year, charges)
    check_free(out, force=force)
    if not vary:
        raise UsageError("RC061", "what may be changed?", hint="give --vary NAME=FROM:TO:STEP, once for each figure")
    own = [charges] if charges is not None else []
    with caseload_of(book, councils, partnership, when, (caseload, sample), own) as source:
        found = _sought(
            question_of(
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
                impact=impact,
            )
        )
    print_sought(found, form)
    say_lacking(found.bench)
    if out is not None:
        _write(found, out, force=force)
    if found.best is None:
        raise typer.Exit(1)


def _sought(question: Question) -> Sought:
    """What a search finds, from the first option or from the baseline."""
    from rbcalc.supposing.scenarios import replace_year
    from rbcalc.supposing.whatif import sought_of, study_of

    study, options = study_of(question)
    return sought_of(question, study, options[0] if options else replace_year(study.baseline))


def _write(found: Sought, out: Path, *, force: bool) -> None:
    from rbcalc.papers.answer_files import write_frontier

    say(f"results: {write_frontier(found, out, force=force)}  (rbcalc whatif takes each file as an option)")
