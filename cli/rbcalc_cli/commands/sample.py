"""rbcalc sample."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbcalc_cli.options import (
    ChargesOption,
    CouncilOption,
    ForceOption,
    Format,
    FormatOption,
    PartnershipOption,
    RulesOption,
    SubjectsOption,
    YearOption,
    rules_of,
    say,
)
from rbcalc_cli.output import document, table
from rbcalc_cli.progress import shown_progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from rbcalc.rulebook.rules import Council
    from rbcalc.sampling.sample import Made, Summary


class FileFormat(StrEnum):
    """How the tables are written."""

    PARQUET = "parquet"
    CSV = "csv"


OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder that the tables go to.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Another number makes another caseload of the same size.")]
DwellingsOption = Annotated[
    int | None, typer.Option("--dwellings", min=1, help="How many dwellings.  [default: as published]", show_default=False)
]
HereditamentsOption = Annotated[
    int | None,
    typer.Option(
        "--hereditaments",
        min=1,
        help="How many hereditaments.  [default: as published, or in proportion to the dwellings asked for]",
        show_default=False,
    ),
]
ChangingOption = Annotated[
    str | None,
    typer.Option(
        "--changing", metavar="SHARE", help="The share of dwellings whose year is cut in two, as 30%; or busy.", show_default=False
    ),
]
FilesOption = Annotated[FileFormat, typer.Option("--files", help="How the tables are written.")]
WithNamesOption = Annotated[bool, typer.Option("--with-names", help="Add invented names, addresses and national insurance numbers.")]
WithErrorsOption = Annotated[bool, typer.Option("--with-errors", help="Make a few rows wrong on purpose; they are listed.")]
BilledOption = Annotated[
    Path | None,
    typer.Option(
        "--billed", metavar="FILE", help="Write what a live system would have billed too, of the first subject.", show_default=False
    ),
]
BilledShareOption = Annotated[
    str | None,
    typer.Option(
        "--billed-share", metavar="SHARE", help="With --billed: how many differ by each cause.  [default: 1%]", show_default=False
    ),
]


def command(
    out: OutOption = Path("sample"),
    council: CouncilOption = None,
    partnership: PartnershipOption = None,
    year: YearOption = None,
    charges: ChargesOption = None,
    seed: SeedOption = 1,
    dwellings: DwellingsOption = None,
    hereditaments: HereditamentsOption = None,
    subject: SubjectsOption = None,
    changing: ChangingOption = None,
    files: FilesOption = FileFormat.PARQUET,
    with_names: WithNamesOption = False,
    with_errors: WithErrorsOption = False,
    billed: BilledOption = None,
    billed_share: BilledShareOption = None,
    force: ForceOption = False,
    rules: RulesOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Make a caseload to try things on.

    It has the tables of every subject that the council has rules of in the year: Council Tax, business rates. The numbers of
    dwellings and hereditaments are the published ones where there are any, and so are the counts behind many situations; people,
    dates and amounts are invented. The same seed makes the same rows anywhere, and a council's rows are the same alone and in a
    partnership.

    Examples:
      rbcalc sample --council {council} --year {year} --dwellings 2000 --out sample
      rbcalc sample --council {council} --year {year} --subject business_rates --hereditaments 1500 --out sample --force
      rbcalc sample --partnership {partnership} --dwellings 4000 --files csv --with-names --with-errors --out sample --force
    """
    from rbcalc.reconciling.sample import check_place, share_of
    from rbcalc.sampling.sample import sample

    part, book = share_of(billed_share), rules_of(rules)
    own = [charges] if charges is not None else []
    if billed is not None:
        check_place(billed, out, force=force)  # before the long work
    with shown_progress("making the caseload") as progress:
        made = sample(
            book,
            council=council or "",
            partnership=partnership or "",
            year=year or "",
            seed=seed,
            dwellings=dwellings,
            hereditaments=hereditaments,
            subjects=subject or [],
            out=out,
            format=files.value,
            with_names=with_names,
            with_errors=with_errors,
            changing=changing,
            charges=own,
            force=force,
            progress=progress,
        )
    _tell(made, out, form)
    if billed is not None:
        councils = [book.council(council)] if council else book.partnership(partnership or "").councils(made.year)
        councils = [each.of(made.parts[0].subject) for each in councils if each.name in made.dwellings]
        _billed(councils, made.year, out, billed, seed=seed, share=part, charges=own)


def _tell(made: Summary, out: Path, form: Format) -> None:
    """Print what was made, and say what is to be known of it."""
    if form is Format.JSON:
        document({"folder": out.name, **made.manifest})
    else:
        for each in made.parts if form is Format.TABLE else ():
            _sizes(f"{each.title} {made.year}, seed {made.seed}", each)
        table("", ["table", "rows", "files"], [[n, f"{t.rows:,}", f"{len(t.files):,}"] for n, t in made.tables.items()], form)
    for line in made.notes:
        say(f"note: {line}")
    for line in made.wrong:
        say(f"wrong on purpose: {line}")
    say(f"tables: {out}  (what was counted and what was invented: {out / 'manifest.json'})")


def _sizes(heading: str, part: Made) -> None:
    """How many things of one subject there are, by council and size."""
    members = [name.replace("_", " ") for name in next(iter(part.members.values()))]
    rows = [[name, f"{part.counts[name]:,}", *(f"{count:,}" for count in held.values())] for name, held in part.members.items()]
    table(heading, ["council", part.things, *members], rows, Format.TABLE)


def _billed(
    councils: Sequence[Council], year: str, caseload: Path, path: Path, *, seed: int, share: Fraction, charges: Sequence[Path]
) -> None:
    """Write what a live system would have billed, and say what was put in."""
    from rbcalc.reconciling.sample import billed, lines, write_billed

    planted = billed(councils, year, caseload, seed=seed, share=share, charges=charges)
    paths = write_billed(planted, path)
    for line in lines(planted):
        say(f"put in on purpose: {line}")
    say(f"the live system's figures: {paths[0]}  (which accounts differ, and why: {paths[1]})")
