"""Letters from the command line: one to standard output or a file, or one for each account of a caseload."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbcalc_cli.asking import check_tables
from rbcalc_cli.commands.explain import programs_of, which_account
from rbcalc_cli.options import counted, existing, say, within
from rbcalc_cli.output import put, write_file

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
    if wanted.out.is_dir() and any(wanted.out.iterdir()):
        raise UsageError("RC049", f"the folder {wanted.out} is not empty", hint="name another folder: letters of two runs are not mixed")
    path = letter_file(asked.rules, wanted.which)
    programs, titles = programs_of(asked.rules, asked.council, asked.partnership, asked.year, asked.charges, [path])
    caseload = held_caseload(asked.caseload, programs, asked.column_map)
    if listed is None:
        names = [str(reference) for reference in caseload.references.to_pylist()]
    else:
        names = [line.strip() for line in existing(listed).read_text(encoding="utf-8-sig").splitlines() if line.strip()]

    def accounts() -> Iterator[tuple[str, Any, Any, str]]:
        for name in names:
            council, records, _ = account_records(caseload, programs, name)
            yield name, programs[council], records, titles[council]

    templates = {council: template_for(asked.rules, council, wanted.form, wanted.template) for council in programs}
    done = write_letters(LetterWriter(asked.rules, path), accounts(), wanted.out, wanted.form, templates, date=_day(wanted.dated))
    without = sum(1 for one in done if not one.file)
    say(
        f"{counted(len(done) - without, 'letter')} in {wanted.out}, with an index"
        + (f"; none for {counted(without, 'account')}, each with its reason there" if without else "")
    )
