"""The options that several commands share, and what they stand for."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rbcalc._years import FinancialYear
    from rbcalc.rulebook.rules import Council, Rules
    from rbcalc_kernels.program.graph import Program


class Format(StrEnum):
    """How a table is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


RulesOption = Annotated[
    Path | None,
    typer.Option(
        "--rules", metavar="DIR", help="A folder of rules of your own.  [default: those that came with rbcalc]", show_default=False
    ),
]
YearOption = Annotated[str | None, typer.Option("--year", metavar="YEAR", help="The financial year, as 2025-26.", show_default=False)]
CouncilOption = Annotated[
    str | None, typer.Option("--council", metavar="NAME", help="The council, as `rbcalc show councils` names it.", show_default=False)
]
PartnershipOption = Annotated[
    str | None,
    typer.Option("--partnership", metavar="NAME", help="The partnership, as `rbcalc show partnerships` names it.", show_default=False),
]
ChargesOption = Annotated[
    Path | None,
    typer.Option("--charges", metavar="FILE", help="A council file of your own with the charges of the year.", show_default=False),
]
SubjectOption = Annotated[
    str | None,
    typer.Option("--subject", metavar="NAME", help="What the rules are about, as business_rates.", show_default=False),
]
ImpactOption = Annotated[
    str,
    typer.Option("--impact", metavar="NAME", help="What is compared, as reliefs.  [default: the first that the rules declare]"),
]
SubjectsOption = Annotated[
    list[str] | None,
    typer.Option("--subject", metavar="NAME", help="Only this subject, as business_rates.  [default: all there are]", show_default=False),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print it.")]
CaseloadOption = Annotated[
    Path | None, typer.Option("--caseload", metavar="DIR", help="The folder with the tables of the caseload.", show_default=False)
]
SampleOption = Annotated[bool, typer.Option("--sample", help="Try it on a sample caseload of the published size instead.")]
MapOption = Annotated[
    Path | None, typer.Option("--map", metavar="FILE", help="A column map for the caseload's headers and codes.", show_default=False)
]
RollForwardOption = Annotated[
    bool, typer.Option("--roll-forward", help="Raise last year's benefits and pensions as the uprating orders of the year do.")
]
EarningsGrowthOption = Annotated[
    str | None,
    typer.Option("--earnings-growth", metavar="RATE", help="With --roll-forward: how much earnings grow, as 3%.", show_default=False),
]
CollectionRateOption = Annotated[
    list[str] | None,
    typer.Option(
        "--collection-rate",
        metavar="RATE",
        help="Work out the tax base too, with this rate, as 98.5%, or NAME=98.5% for each council.",
        show_default=False,
    ),
]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, max=64, help="How many threads work at once.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an earlier result in the folder.")]
ScenarioOption = Annotated[
    list[Path] | None, typer.Option("--scenario", metavar="FILE", help="A scenario laid over the council's rules.", show_default=False)
]
BaselineOption = Annotated[
    list[Path] | None,
    typer.Option("--baseline", metavar="FILE", help="A scenario that belongs to the baseline too.", show_default=False),
]
VaryOption = Annotated[
    list[str] | None,
    typer.Option("--vary", metavar="NAME=FROM:TO:STEP", help="A figure to be sought, or a cell: NAME[KEY, EDGE].", show_default=False),
]
TargetOption = Annotated[str, typer.Option("--target", metavar="TARGET", help="With --vary: 'cost <= £9.18m', or 'cost = baseline'.")]
LimitOption = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="LIMIT", help="As 'loss <= £5/week', or with 'where GROUP = MEMBER'.", show_default=False),
]


def say(message: str) -> None:
    """Print a message for the person at the terminal; results go to standard output instead."""
    sys.stderr.write(f"{message}\n")


def counted(number: int, word: str) -> str:
    """A number with its word: 1 file, 2,000 files."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def rules_of(folder: Path | None, subject: str | None = None) -> Rules:
    """The rules that were asked for, of a subject; the first where none is named."""
    from rbcalc.rulebook.rules import load

    return load(folder, subject or "")


def council_of(rules: Rules, name: str | None) -> Council:
    """The council that was asked for."""
    if not name:
        from rbcalc.errors import UsageError

        raise UsageError("RC041", "which council?", hint=f"add --council NAME, one of {', '.join(rules.council_names)}")
    return rules.council(name)


def year_of(council: Council, year: str | None, charges: Path | None = None) -> FinancialYear:
    """The year that was asked for; without one, the latest that the council has charges for, which is said."""
    from rbcalc._years import FinancialYear
    from rbcalc.errors import UsageError

    if year:
        return FinancialYear.of(year)
    years = council.years()
    if not years or charges is not None:
        raise UsageError("RC040", "which year?", hint="add --year, as in --year 2025-26")
    say(f"for {years[-1]}, the latest year there are charges for; --year chooses another")
    return years[-1]


def program_of(rules: Rules, name: str | None, year: str | None, charges: Path | None) -> tuple[Council, FinancialYear, Program]:
    """The council, the year and the checked program that were asked for."""
    council = council_of(rules, name)
    when = year_of(council, year, charges)
    if charges is not None and charges.is_dir():
        raise IsADirectoryError(21, "is a folder", str(charges))
    return council, when, council.program(when, own=[charges] if charges is not None else [])


def existing(path: Path, what: str = "file") -> Path:
    """A path that must be there."""
    from rbcalc.errors import UsageError

    if not path.exists():
        raise UsageError("RC044", f"no such {what}: {path}", hint="check the path; it is looked for from the folder you are in")
    return path


def within(root: Path, path: Path) -> Path:
    """A path; one that begins with rules/ may mean the rules in use, wherever they are."""
    if not path.exists() and path.parts[:1] == ("rules",) and root.joinpath(*path.parts[1:]).exists():
        return root.joinpath(*path.parts[1:])
    return existing(path)
