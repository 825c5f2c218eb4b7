"""Schemes as the public reads them, for `rbcalc show scheme` and `rbcalc show diff --scheme`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rbcalc_cli.options import Format, council_of, year_of
from rbcalc_cli.output import document, put, table

if TYPE_CHECKING:
    from rbcalc.rulebook.rules import Rules
    from rbcalc.schemes.booklet import Maker


def show(rules: Rules, of: tuple[str | None, str | None], charges: Path | None, form: str, name: str | None = None) -> None:
    """Print the booklet of a council and year; without a council, that of a scheme which the law prescribes."""
    from rbcalc.schemes.booklet_files import COLUMNS, rendered, rows

    booklet = _maker(rules, of, charges, name).made()
    if form == "csv":
        table("", COLUMNS, list(rows(booklet)), Format.CSV)
    elif form == "json":
        document(asdict(booklet))
    else:
        _print(rendered(booklet, form), form)


def compare(rules: Rules, pairs: Sequence[tuple[str | None, str | None]], charges: Path | None, form: str) -> None:
    """Print what tells two schemes apart, each given by council and year."""
    from rbcalc.schemes.booklet_changes import Teller
    from rbcalc.schemes.booklet_files import DIFFERENCES, differing, rendered

    old, new = (_maker(rules, pair, charges) for pair in pairs)
    found = Teller(old, new).told()
    if form == "csv":
        table("", DIFFERENCES, list(differing(found)), Format.CSV)
    elif form == "json":
        document(asdict(found))
    else:
        _print(rendered(found, form), form)


def _maker(rules: Rules, of: tuple[str | None, str | None], charges: Path | None, name: str | None = None) -> Maker:
    from rbcalc.schemes.booklet import Maker, booklet_file

    path = booklet_file(rules, name)
    if name and not of[0] and charges is None and (found := _of_law(rules, of[1], path)) is not None:
        return found
    council = council_of(rules, of[0])
    when = year_of(council, of[1], charges)
    return Maker(council, when, path, [charges] if charges is not None else [])


def _of_law(rules: Rules, year: str | None, path: Path) -> Maker | None:
    """What makes a booklet that needs no council; None where one must decide first."""
    from rbcalc._years import FinancialYear
    from rbcalc.errors import UsageError
    from rbcalc.schemes.booklet import Maker
    from rbcalc.schemes.booklet_law import Law

    law = Law(rules, "", subject=rules.subject)
    when = FinancialYear.of(year) if year else law.years()[-1]
    try:
        made = Maker(law, when, path)
    except UsageError as error:
        if error.code != "RC045" or when not in law.years():
            raise
        return None
    year_of(law, year)  # says which year was taken
    return made


def _print(text: str, form: str) -> None:
    if form != "table":
        put(text.rstrip("\n"))
        return
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.markdown import Markdown, TableElement
    from rich.table import Table

    class Folded(TableElement):
        """A table that breaks long words rather than leave out their ends."""

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            """The table."""
            for part in super().__rich_console__(console, options):
                if isinstance(part, Table):
                    for column in part.columns:
                        column.overflow = "fold"
                yield part

    class Told(Markdown):
        """Markdown with such tables."""

        elements: ClassVar = {**Markdown.elements, "table_open": Folded}

    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    console.print(Told(text))


__all__ = ["compare", "show"]
