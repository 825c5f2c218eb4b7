"""For whom a command works, on which caseload, and how it was called."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rbcalc_cli.options import say, year_of

if TYPE_CHECKING:
    from rbcalc._years import FinancialYear
    from rbcalc.rulebook.rules import Council, Rules


def asked(
    book: Rules, council: str | None, partnership: str | None, year: str | None, charges: Path | None
) -> tuple[list[Council], FinancialYear]:
    """The councils and the year that were asked for.  Raises UsageError."""
    from rbcalc._years import FinancialYear
    from rbcalc.errors import UsageError

    if (council is None) == (partnership is None):
        hint = f"--council {book.council_names[0]}, or --partnership {book.partnership_names[0]}"
        raise UsageError("RC042", "a council or a partnership, not both" if council else "for whom?", hint=hint)
    if council is not None:
        one = book.council(council)
        return [one], year_of(one, year, charges)
    assert partnership is not None
    found = book.partnership(partnership)
    when = FinancialYear.of(year) if year else found.default_year
    if not year:
        say(f"for {when}; --year chooses another")
    return found.councils(when), when


def check_caseload(caseload: Path | None, *, sample: bool) -> None:
    """See that a caseload was given, or a sample was asked for instead of one.  Raises UsageError."""
    from rbcalc.errors import UsageError

    if sample == (caseload is not None):
        raise UsageError("RC044", "which caseload?", hint="give --caseload DIR, or --sample for a made-up one of the published size")
    if caseload is not None:
        check_tables(caseload)


def check_tables(caseload: Path) -> None:
    """See that the folder of a caseload is there.  Raises UsageError."""
    from rbcalc.errors import UsageError

    if not caseload.is_dir():
        raise UsageError("RC044", f"no such folder: {caseload}", hint="give the folder that holds the tables of the caseload")


@contextmanager
def caseload_folder(
    book: Rules,
    councils: list[Council],
    partnership: str | None,
    when: FinancialYear,
    caseload: Path | None,
    own: list[Path],
    subjects: Sequence[str] | None = None,
) -> Iterator[Path]:
    """The caseload's folder; a sample's, of some subjects (the councils' own where none are named), is removed afterwards."""
    if caseload is not None:
        yield caseload
        return
    from rbcalc.sampling.sample import sample

    made = [book.subjects.named(councils[0].subject).name] if subjects is None else list(subjects)
    with tempfile.TemporaryDirectory(prefix="rbcalc-sample-") as place:
        folder = Path(place) / "caseload"
        if partnership is not None:
            sample(book, partnership=partnership, year=when, out=folder, charges=own, subjects=made)
        else:
            sample(book, council=councils[0].name, year=when, out=folder, charges=own, subjects=made)
        yield folder


def shown_command() -> str:
    """The command line without the folders of this machine."""
    return shlex.join(["rbcalc", *map(_without_folders, sys.argv[1:])])


def _without_folders(word: str) -> str:
    """A word in which files are told by their names; a word that is no path may have a slash too."""
    option, equals, rest = word.partition("=") if word.startswith("--") else ("", "", word)
    return option + equals + "+".join(_name(part) if "/" in part else part for part in rest.split("+"))


def _name(text: str) -> str:
    path = Path(text)
    return path.name if path.is_absolute() or path.parts[0] in (".", "..", "~") or path.exists() else text
