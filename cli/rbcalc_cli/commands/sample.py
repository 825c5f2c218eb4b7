"""rbcalc sample."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbcalc_cli.options import ChargesOption, CouncilOption, Format, PartnershipOption, RulesOption, YearOption, rules_of, say
from rbcalc_cli.output import document, table
from rbcalc_cli.progress import shown_progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from rbcalc._rules import Council


class FileFormat(StrEnum):
    """How the tables are written."""

    PARQUET = "parquet"
    CSV = "csv"


def command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder that the tables go to.")] = Path("sample"),
    council: CouncilOption = None,
    partnership: PartnershipOption = None,
    year: YearOption = None,
    charges: ChargesOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another number makes another caseload of the same size.")] = 1,
    dwellings: Annotated[
        int | None, typer.Option("--dwellings", min=1, help="How many dwellings.  [default: as published]", show_default=False)
    ] = None,
    changing: Annotated[
        str | None,
        typer.Option(
            "--changing", metavar="SHARE", help="The share of dwellings whose year is cut in two, as 30%; or busy.", show_default=False
        ),
    ] = None,
    files: Annotated[FileFormat, typer.Option("--files", help="How the tables are written.")] = FileFormat.PARQUET,
    with_names: Annotated[bool, typer.Option("--with-names", help="Add invented names, addresses and national insurance numbers.")] = False,
    with_errors: Annotated[bool, typer.Option("--with-errors", help="Make a few rows wrong on purpose; they are listed.")] = False,
    billed: Annotated[
        Path | None,
        typer.Option(
            "--billed", metavar="FILE", help="Write what a live system would have billed too, with differences.", show_default=False
        ),
    ] = None,
    billed_share: Annotated[
        str | None,
        typer.Option(
            "--billed-share", metavar="SHARE", help="With --billed: how many differ by each cause.  [default: 1%]", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier sample in the folder.")] = False,
    rules: RulesOption = None,
    json_: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Make a caseload to try things on.

    The numbers of dwellings are the published ones, and so are the counts behind many situations; people, dates and amounts are
    invented. The same seed makes the same rows anywhere, and a council's rows are the same alone and in a partnership.

    Examples:
      rbcalc sample --council {council} --year {year} --dwellings 2000 --out sample
      rbcalc sample --partnership {partnership} --dwellings 4000 --files csv --with-names --with-errors --out sample --force
    """
    from rbcalc._reconcile_sample import check_place, share_of
    from rbcalc._sample import sample

    part, book = share_of(billed_share), rules_of(rules)
    own = [charges] if charges is not None else []
    if billed is not None:
        check_place(billed, out, force=force)  # before the long work
    with shown_progress("making dwellings") as progress:
        made = sample(
            book,
            council=council or "",
            partnership=partnership or "",
            year=year or "",
            seed=seed,
            dwellings=dwellings,
            out=out,
            format=files.value,
            with_names=with_names,
            with_errors=with_errors,
            changing=changing,
            charges=own,
            force=force,
            progress=progress,
        )
    if json_:
        document({"folder": out.name, **made.manifest})
    else:
        members = list(next(iter(made.members.values())))
        rows = [[name, f"{made.dwellings[name]:,}", *(f"{count:,}" for count in held.values())] for name, held in made.members.items()]
        table(f"{made.year}, seed {made.seed}", ["council", "dwellings", *members], rows, Format.TABLE)
        table("", ["table", "rows", "files"], [[n, f"{t.rows:,}", f"{len(t.files):,}"] for n, t in made.tables.items()], Format.TABLE)
    for line in made.notes:
        say(f"note: {line}")
    for line in made.wrong:
        say(f"wrong on purpose: {line}")
    say(f"tables: {out}  (what was counted and what was invented: {out / 'manifest.json'})")
    if billed is not None:
        councils = [book.council(council)] if council else book.partnership(partnership or "").councils(made.year)
        _billed(councils, made.year, out, billed, seed=seed, share=part, charges=own)


def _billed(
    councils: Sequence[Council], year: str, caseload: Path, path: Path, *, seed: int, share: Fraction, charges: Sequence[Path]
) -> None:
    """Write what a live system would have billed, and say what was put in."""
    from rbcalc._reconcile_sample import billed, lines, write_billed

    planted = billed(councils, year, caseload, seed=seed, share=share, charges=charges)
    paths = write_billed(planted, path)
    for line in lines(planted):
        say(f"put in on purpose: {line}")
    say(f"the live system's figures: {paths[0]}  (which accounts differ, and why: {paths[1]})")
