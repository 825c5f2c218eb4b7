"""rbcalc rebill."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rbcalc_cli.asking import asked, caseload_folder, check_caseload, shown_command
from rbcalc_cli.options import (
    CaseloadOption,
    ChargesOption,
    CollectionRateOption,
    CouncilOption,
    EarningsGrowthOption,
    ForceOption,
    Format,
    FormatOption,
    MapOption,
    PartnershipOption,
    RollForwardOption,
    RulesOption,
    SampleOption,
    SubjectsOption,
    ThreadsOption,
    YearOption,
    counted,
    rules_of,
    say,
)
from rbcalc_cli.output import put, table, totals
from rbcalc_cli.progress import shown_progress
from rbcalc_cli.rebilling import base_rows, print_base, print_rolled, print_statements, statement_rows

if TYPE_CHECKING:
    from rbcalc._years import FinancialYear
    from rbcalc.rulebook.rules import Rules
    from rbcalc.running.roll_forward import Uprating
    from rbcalc.running.run import Summary
    from rbcalc_kernels.program.graph import Report


MOST_SHOWN = 5
"""Names of unconfirmed figures that are printed; the rest is for `show`."""
MOST_REASONS = 3
"""Reasons for which rows were rejected that are printed; all are in the files."""


OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder that the results go to.")]
PeriodsOption = Annotated[bool, typer.Option("--periods", help="Write the periods of each account too.")]
KeepPrivateOption = Annotated[bool, typer.Option("--keep-private", help="Keep names and addresses as they are, instead of pseudonyms.")]


def command(
    caseload: CaseloadOption = None,
    sample: SampleOption = False,
    out: OutOption = Path("out"),
    council: CouncilOption = None,
    partnership: PartnershipOption = None,
    year: YearOption = None,
    subject: SubjectsOption = None,
    charges: ChargesOption = None,
    column_map: MapOption = None,
    periods: PeriodsOption = False,
    roll_forward: RollForwardOption = False,
    earnings_growth: EarningsGrowthOption = None,
    collection_rate: CollectionRateOption = None,
    keep_private: KeepPrivateOption = False,
    threads: ThreadsOption = 2,
    force: ForceOption = False,
    rules: RulesOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Bill a whole year for a council or a partnership.

    Bills, totals and rejects are written as Parquet, each council's in a folder of its own, with a manifest that is written last; the
    totals are printed. Every subject whose accounts the caseload holds is billed: Council Tax, business rates. Rows that cannot be
    billed are rejected with a reason; the totals then say that they are not complete, and the exit code is 1.

    Examples:
      rbcalc rebill --council {council} --year {year} --sample --out out
      rbcalc rebill --council {council} --year {year} --sample --collection-rate 98.5% --out out --force
      rbcalc rebill --partnership {partnership} --year {partnership_year} --sample --out out --force --format json
    """
    # Read when Arrow is first imported: what one shard leaves serves the next, and is not handed back to be cleaned page by page.
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "-1")
    from rbcalc.running.rebill import rebill
    from rbcalc.running.tax_base import collection_rates

    book = rules_of(rules)
    councils, when = asked(book, council, partnership, year, charges)
    check_caseload(caseload, sample=sample)
    own = [charges] if charges is not None else []
    rates = collection_rates(collection_rate or [], [found.name for found in councils])
    uprating = _uprating(book, when, earnings_growth, roll_forward=roll_forward)
    with caseload_folder(book, councils, partnership, when, caseload, own, subject or []) as source, shown_progress("billing") as progress:
        summary = rebill(
            councils,
            when,
            source,
            out,
            charges=own,
            column_map=column_map,
            threads=threads,
            periods=periods,
            force=force,
            keep_private=keep_private,
            command=shown_command(),
            collection_rates=rates,
            uprating=uprating,
            progress=progress,
            subjects=subject or [],
        )
    _print(summary, form)
    if uprating is not None:
        print_rolled(uprating, form)
    _tell(summary, out)
    if not summary.complete or not any(summary.accounts.values()):
        raise typer.Exit(1)


def _uprating(book: Rules, year: FinancialYear, earnings_growth: str | None, *, roll_forward: bool) -> Uprating | None:
    """How the facts are rolled forward to the year, where that was asked for.  Raises UsageError."""
    from rbcalc.errors import UsageError
    from rbcalc.running.roll_forward import growth_of, uprating_for

    if roll_forward:
        return uprating_for(book, year, growth_of(earnings_growth))
    if earnings_growth is not None:
        raise UsageError("RC052", "earnings grow only when facts are rolled forward", hint="add --roll-forward")
    return None


def _tell(summary: Summary, out: Path) -> None:
    """Say what the totals rest on, where the results are, and whether they are complete."""
    for note in dict.fromkeys(note for each in summary.every for note in (*each.notes, *each.assumptions)):
        say(f"note: {note}")
    for each in summary.every:
        if each.absent:
            say(f"note: {each.title}: the caseload has no table {', '.join(each.absent)}: nothing of these is recorded of anybody")
        _tell_provisional(each, first=each is summary)
    say(f"results: {out}  (bills, totals and rejects by council; check them with: rbcalc verify {out})")
    if not summary.complete:
        rejected = sum(each.rejects for each in summary.every)
        say(f"INCOMPLETE: {counted(rejected, 'row')} rejected; each is in a file rejects.parquet with its reason and a remedy")
        _tell_reasons(summary)
    for each in summary.every:
        for name in (name for name, accounts in each.accounts.items() if not accounts and not each.rejects):
            say(f"{name}: the caseload has no account of this council about {each.title}; its tables name those that it is of")


def _tell_reasons(summary: Summary) -> None:
    """Say why most rows were rejected; not those that only belong with rejected ones."""
    found = [(count, about) for each in summary.every for about, count in each.reasons.items()]
    for count, (name, column, reason, remedy) in sorted(found, key=lambda one: (not one[1][1], -one[0]))[:MOST_REASONS]:
        say(f"   {counted(count, 'row')} of {name}{f', column {column}' if column else ''}: {reason}; {remedy}")


def _tell_provisional(summary: Summary, *, first: bool) -> None:
    about = "" if first else f" --subject {summary.subject}"
    for name, figures in summary.provisional.items():
        more = f" and {len(figures) - MOST_SHOWN} more" if len(figures) > MOST_SHOWN else ""
        where = f"rbcalc show provisional --council {name} --year {summary.year}{about}"
        say(f"{name}, {summary.title}: rests on figures that are not confirmed: {', '.join(figures[:MOST_SHOWN])}{more}  ({where})")


def _print(summary: Summary, form: Format) -> None:
    if form is not Format.TABLE:
        _machine(summary, form)
        return
    for each in summary.every:
        if summary.further:
            put(f"{each.title}\n" if each is summary else f"\n{each.title}\n")
        _print_subject(each, form)


def _print_subject(summary: Summary, form: Format) -> None:
    from rbcalc._show import total
    from rbcalc.running.tax_base import shown
    from rbcalc.running.totals import kinds, spoken

    program = next(iter(summary.programs.values()))
    reports = shown(program)
    for report in (found for found in reports if not found.by):
        _by_council(summary, report)
    for report in (found for found in reports if found.by):
        types_of = kinds(program, report)
        lines = [
            [*(key.replace("_", " ") for key in keys), *(total(f, t) for f, t in zip(figures, [t for t in types_of if t], strict=True))]
            for keys, figures in summary.table(report.name).items()
        ]
        if lines:
            print()
            names = spoken(program, report)
            keys = len(names) - len(report.sums) - 1
            totals(report.title, names, sorted(lines) if report.split else lines, keys=keys, down=report.down)
    for base in summary.bases.values():
        print()
        print_base(base, form)
    for statements in summary.statements.values():
        print_statements(statements, form)


def _by_council(summary: Summary, report: Report) -> None:
    """A report without keys: a line for each council, and one for all."""
    from rbcalc._show import total
    from rbcalc.running.totals import kinds, spoken

    program = next(iter(summary.programs.values()))
    types = [type_ for type_ in kinds(program, report) if type_ is not None][: len(report.sums)]
    rows = []
    for name in (*summary.councils, None):
        figures = summary.table(report.name, name).get((), [Fraction(0)] * len(types))[: len(types)]
        accounts = summary.accounts[name] if name else sum(summary.accounts.values())
        rows.append([name or "all", f"{accounts:,}", *(total(figure, type_) for figure, type_ in zip(figures, types, strict=True))])
    if len(summary.councils) == 1:
        rows.pop()
    mark = "" if not summary.rejects else "  INCOMPLETE"
    names = ["council", "accounts", *spoken(program, report)[: len(report.sums)]]
    totals(f"{summary.year}{mark}", names, rows, keys=1, down=report.down)


def _machine(summary: Summary, form: Format) -> None:
    """All reports, by council, as rows for a program."""
    from rbcalc._show import plain
    from rbcalc.running.tax_base import shown
    from rbcalc.running.totals import headings

    rows: list[list[str]] = []
    for each, council in [(one, name) for one in summary.every for name in one.councils]:
        for report in shown(each.programs[council]):
            names = headings(each.programs[council], report)
            for keys, figures in each.table(report.name, council).items():
                for name, figure in zip(names[len(keys) :], figures, strict=True):
                    rows.append([council, each.subject, report.name, " / ".join(keys), name, plain(figure)])
        if council in each.bases:
            rows += [[row[0], each.subject, *row[1:]] for row in base_rows(each.bases[council])]
        rows += [[council, each.subject, *row] for row in statement_rows(each.statements.get(council, ()))]
    about: dict[str, Any] = {
        "year": str(summary.year),
        "complete": summary.complete,
        "rejected": sum(each.rejects for each in summary.every),
        "accounts": {each.subject: each.accounts for each in summary.every},
        "provisional": {each.subject: {name: list(figures) for name, figures in each.provisional.items()} for each in summary.every},
    }
    table("rebill", ["council", "subject", "report", "of", "figure", "amount"], rows, form, **about)
