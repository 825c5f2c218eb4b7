"""Letters from the command line: one to standard output or a file, or one for each account of a caseload."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbcalc_cli.asking import check_tables
from rbcalc_cli.commands.explain import programs_of, which_account
from rbcalc_cli.options import counted, existing, say, within
from rbcalc_cli.output import put, write_file
from rbcalc_cli.progress import shown_progress

if TYPE_CHECKING:
    from rbcalc.letters.letter import Letter
    from rbcalc_cli.commands.explain import Asked


@dataclass(frozen=True, slots=True)
class Wanted:
    """How letters are to be written, and where."""

    form: str
    template: Path | None
    dated: str | None
    out: Path | None
    which: str | None = None


def write(asked: Asked, wanted: Wanted, *, all_accounts: bool, listed: Path | None) -> None:
    """Write the letter, or the letters, that were asked for."""
    from rbcalc.errors import UsageError
    from rbcalc.letters.files import SUFFIX, rendered, template_for
    from rbcalc.letters.letter import letter_of_example

    if wanted.form not in SUFFIX:
        raise UsageError("RC046", f"a letter is not written as {wanted.form}", hint="take --format html or --format markdown")
    _day(wanted.dated)  # before the work
    if all_accounts or listed is not None:
        _batch(asked, wanted, listed)
        return
    if asked.case is not None:
        letter, council = letter_of_example(
            asked.rules, within(asked.rules.library.root, asked.case), asked.name, wanted.which, asked.claim
        )
    else:
        letter, council = _account(asked, wanted.which)
    template = template_for(asked.rules, council, wanted.form, wanted.template)
    text = rendered(letter, wanted.form, template=template, date=_day(wanted.dated))
    if wanted.out is None:
        put(text.rstrip("\n"))
    else:
        write_file(wanted.out, text)
        say(f"the letter is in {wanted.out}")


def _day(dated: str | None) -> str:
    from rbcalc._years import shown
    from rbcalc_cli.changing import day_of

    return shown(day_of(dated)) if dated else ""


def _account(asked: Asked, which: str | None) -> tuple[Letter, str]:
    from rbcalc.explaining.explain import account_records, held_caseload
    from rbcalc.letters.letter import LetterWriter, letter_file

    folder, account = which_account(asked)
    path = letter_file(asked.rules, which)
    programs, titles = programs_of(asked.rules, asked.council, asked.partnership, asked.year, asked.charges, [path])
    caseload = held_caseload(folder, programs, asked.column_map)
    council, records, _ = account_records(caseload, programs, account)
    writer = LetterWriter(asked.rules, path)
    return writer.letter(programs[council], records, council=titles[council], reference=account, key=asked.claim), council


def _batch(asked: Asked, wanted: Wanted, listed: Path | None) -> None:
    from rbcalc.errors import UsageError
    from rbcalc.explaining.explain import account_records, held_caseload
    from rbcalc.letters.files import template_for, write_letters
    from rbcalc.letters.letter import LetterWriter, letter_file

    if asked.caseload is None or wanted.out is None:
        raise UsageError("RC048", "letters for which accounts, and where?", hint="give --caseload DIR and --out DIR")
    check_tables(asked.caseload)
    places = {} if listed is None else _listed(listed)
    if wanted.out.is_dir() and any(wanted.out.iterdir()):
        raise UsageError("RC049", f"the folder {wanted.out} is not empty", hint="name another folder: letters of two runs are not mixed")
    path = letter_file(asked.rules, wanted.which)
    programs, titles = programs_of(asked.rules, asked.council, asked.partnership, asked.year, asked.charges, [path])
    caseload = held_caseload(asked.caseload, programs, asked.column_map)
    names = [str(reference) for reference in caseload.references.to_pylist()]
    if listed is not None:
        _check_known(listed, places, set(names))
        names = list(places)

    def accounts(progress: Callable[[int, int], None] | None) -> Iterator[tuple[str, Any, Any, str]]:
        for done, name in enumerate(names):
            if progress is not None:
                progress(done, len(names))
            council, records, _ = account_records(caseload, programs, name)
            yield name, programs[council], records, titles[council]

    templates = {council: template_for(asked.rules, council, wanted.form, wanted.template) for council in programs}
    day = _day(wanted.dated)
    with shown_progress("writing letters") as progress:
        done = write_letters(LetterWriter(asked.rules, path), accounts(progress), wanted.out, wanted.form, templates, date=day)
    without = sum(1 for one in done if not one.file)
    say(
        f"{counted(len(done) - without, 'letter')} in {wanted.out}, with an index"
        + (f"; none for {counted(without, 'account')}, each with its reason there" if without else "")
    )


def _listed(path: Path) -> dict[str, int]:
    """The references in a file, one a line, with their lines: each once, so that nobody gets two letters."""
    from rbcalc.errors import UsageError

    places: dict[str, int] = {}
    for place, line in enumerate(existing(path).read_text(encoding="utf-8-sig").splitlines(), 1):
        name = line.strip()
        if name in places:
            told = f"{path}:{place}: account {name} is named in line {places[name]} already"
            raise UsageError("RC048", told, hint="leave one of them out")
        if name:
            places[name] = place
    if not places:
        raise UsageError("RC048", f"{path} names no account", hint="give the references of accounts, one a line")
    return places


def _check_known(path: Path, places: Mapping[str, int], known: set[str]) -> None:
    """See that all accounts of a file are in the caseload, before the first letter is written."""
    from rbcalc.errors import UsageError

    for name, place in places.items():
        if name not in known:
            hint = "references are compared as text, leading zeros included; the file has one a line and no heading"
            raise UsageError("RC048", f"{path}:{place}: no account {name} in the caseload", hint=hint)
