"""rbcalc whatif."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rbcalc_cli.asking import asked, shown_command
from rbcalc_cli.options import (
    BaselineOption,
    CaseloadOption,
    ChargesOption,
    CollectionRateOption,
    CouncilOption,
    EarningsGrowthOption,
    ForceOption,
    Format,
    FormatOption,
    ImpactOption,
    LimitOption,
    MapOption,
    PartnershipOption,
    RollForwardOption,
    RulesOption,
    SampleOption,
    SubjectOption,
    TargetOption,
    ThreadsOption,
    VaryOption,
    YearOption,
    existing,
    rules_of,
    say,
)
from rbcalc_cli.supposing import caseload_of, check_free, print_answer, print_points, question_of

if TYPE_CHECKING:
    from rbcalc.rulebook.rules import Council, Rules
    from rbcalc.supposing.whatif import Answer


ScenariosArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SCENARIO]...", help="Scenario files, each an option; FILE+FILE lays two over each other.", show_default=False),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set one figure, or one cell: NAME[KEY, EDGE]=VALUE.", show_default=False),
]
RulesFromOption = Annotated[
    list[str] | None,
    typer.Option("--rules-of", metavar="COUNCIL/FOLDER", help="Another council's files in the place of ours.", show_default=False),
]
BaselineYearOption = Annotated[
    str | None, typer.Option("--baseline-year", metavar="YEAR", help="Compare with the rules of another year.", show_default=False)
]
SweepOption = Annotated[
    list[str] | None,
    typer.Option(
        "--sweep", metavar="NAME=FROM:TO:STEP", help="Try many values of a figure; of several, each combination.", show_default=False
    ),
]
TogetherOption = Annotated[bool, typer.Option("--together", help="Do not cost each change of an option by itself.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Write the paper, the workbook and the tables.", show_default=False)
]
PaperOption = Annotated[
    Path | None, typer.Option("--paper", metavar="FILE", help="What the paper declares: dates, rates, other ways.", show_default=False)
]
ReconciliationOption = Annotated[
    Path | None, typer.Option("--reconciliation", metavar="FILE", help="What rbcalc reconcile found.", show_default=False)
]
HouseholdsOption = Annotated[
    Path | None,
    typer.Option("--households", metavar="FILE", help="Case file with example households for the paper.", show_default=False),
]
SchemesOption = Annotated[bool, typer.Option("--schemes", help="With --out: the figures of each option in the paper too.")]
CliffsOption = Annotated[
    bool, typer.Option("--cliffs", help="With --out: where a little more income leaves people with less in the paper too.")
]
RestrictedOption = Annotated[bool, typer.Option("--restricted", help="Print small counts too; not for publication.")]


def command(
    scenarios: ScenariosArgument = None,
    caseload: CaseloadOption = None,
    sample: SampleOption = False,
    council: CouncilOption = None,
    partnership: PartnershipOption = None,
    year: YearOption = None,
    subject: SubjectOption = None,
    impact: ImpactOption = "",
    settings: SettingsOption = None,
    rules_from: RulesFromOption = None,
    baseline: BaselineOption = None,
    baseline_year: BaselineYearOption = None,
    sweep: SweepOption = None,
    vary: VaryOption = None,
    target: TargetOption = "",
    limits: LimitOption = None,
    collection_rate: CollectionRateOption = None,
    roll_forward: RollForwardOption = False,
    earnings_growth: EarningsGrowthOption = None,
    together: TogetherOption = False,
    out: OutOption = None,
    paper: PaperOption = None,
    reconciliation: ReconciliationOption = None,
    households: HouseholdsOption = None,
    schemes: SchemesOption = False,
    cliffs: CliffsOption = False,
    restricted: RestrictedOption = False,
    charges: ChargesOption = None,
    column_map: MapOption = None,
    threads: ThreadsOption = 2,
    force: ForceOption = False,
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
    from rbcalc.papers.answer_files import check_declared
    from rbcalc.reconciling.record import read_record
    from rbcalc.supposing.whatif import answered, swept

    book = rules_of(rules, subject)
    councils, when = asked(book, council, partnership, year, charges)
    check_free(out, force=force)
    for given in (paper, reconciliation, households):  # before the long work
        if given is not None:
            existing(given)
    _check_asked(out, paper=paper, reconciliation=reconciliation, households=households, schemes=schemes, cliffs=cliffs)
    if reconciliation is not None:
        read_record(reconciliation)
    own = [charges] if charges is not None else []
    with caseload_of(book, councils, partnership, when, (caseload, sample), own) as source:
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
            impact=impact,
        )
        if paper is not None:
            check_declared(book, question, paper)
        if sweep:
            print_points(*swept(question, sweep, limits or []), form)
            return
        answer = answered(question)
    print_answer(answer, form, restricted=restricted)
    if out is not None:
        shown = {"declared": paper, "reconciliation": reconciliation, "households": households, "schemes": schemes, "cliffs": cliffs}
        _write(book, councils, answer, out, charges=own, force=force, **shown)
    if answer.sought is not None and answer.sought.best is None:
        raise typer.Exit(1)


def _check_asked(out: Path | None, **parts: Path | bool | None) -> None:
    """See that what is asked for of a paper can go into one.  Raises UsageError."""
    from rbcalc.errors import UsageError

    asked = [name for name, given in parts.items() if given]
    if out is None and asked:
        raise UsageError("RC060", f"--{asked[0]} is about the paper, and no paper is asked for", hint="add --out DIR, or leave it out")


def _write(book: Rules, councils: list[Council], answer: Answer, out: Path, **shown: Any) -> None:
    from rbcalc.papers.answer_files import write_answer

    written = write_answer(book, councils, answer, out, command=shown_command(), **shown)
    say(f"the paper: {written[0]}  (the folder has a workbook, the tables, and restricted case lists)")
