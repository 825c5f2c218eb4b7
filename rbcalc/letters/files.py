"""Letters as text: a template filled in, one letter or one for each account of a caseload with an index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc.errors import DataError, OutputError, UsageError
from rbcalc.letters.letter import Letter, LetterWriter

if TYPE_CHECKING:
    from jinja2 import Template

    from rbcalc.rulebook.rules import Rules
    from rbcalc_kernels.program.graph import Program

SUFFIX: Final = {"html": ".html", "markdown": ".md"}
_TEMPLATES: Final = {"html": "decision.html.j2", "markdown": "decision.md.j2"}
_INDEX: Final = {"html": "index.html.j2", "markdown": "index.md.j2"}
_SIGNS: Final = re.compile(r"([\\`*_\[\]<>|#])")


@dataclass(frozen=True, slots=True)
class Written:
    """One account of a batch: its letter's file, or why there is none."""

    reference: str
    file: str = ""
    reason: str = ""


def template_for(rules: Rules, council: str, form: str, given: Path | None = None) -> Path | None:
    """The template that was given, else the council's own, else None for the one that comes with rbcalc."""
    if given is not None:
        if not given.is_file():
            raise UsageError("RC044", f"no such file: {given}", hint="give the path of a template")
        return given
    own = rules.root / "councils" / council / "letters" / _TEMPLATES[form]
    return own if council and own.is_file() else None


def rendered(letter: Letter, form: str = "html", *, template: Path | None = None, date: str = "") -> str:
    """A letter as HTML or Markdown.  Raises UsageError when a template of one's own is wrong."""
    from jinja2 import TemplateError

    try:
        return _template(_TEMPLATES[form], template, escaped=form == "html").render(letter=letter, date=date)
    except TemplateError as error:
        place = getattr(error, "lineno", None)
        line = f":{place}" if place else ""
        raise UsageError(
            "RC046", f"{template or _TEMPLATES[form]}{line}: {error}", hint="a template may use letter and date; compare rbcalc/templates"
        ) from error


def write_letters(
    writer: LetterWriter,
    accounts: Iterable[tuple[str, Program, Mapping[str, Any], str]],
    folder: Path,
    form: str,
    templates: Mapping[str, Path | None],
    *,
    date: str = "",
) -> list[Written]:
    """A letter for each account (reference, program, records, the council's title), and an index of them.

    Files are numbered; no reference and no name is in a file's name.  Where several claims stand on an account each has a letter.
    An account that cannot be worked out has no letter and its reason in the index.
    """
    done: list[Written] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (reference, program, records, title) in enumerate(accounts, 1):
            try:
                letters = list(writer.letters(program, records, council=title, reference=reference))
            except (DataError, UsageError) as error:
                done.append(Written(reference, reason=error.message))
                continue
            for place, letter in enumerate(letters, 1):
                name = f"{number:06d}{f'-{place}' if len(letters) > 1 else ''}{SUFFIX[form]}"
                text = rendered(letter, form, template=templates.get(program.name), date=date)
                (folder / name).write_text(text, encoding="utf-8")
                done.append(Written(letter.reference, name))
        (folder / f"index{SUFFIX[form]}").write_text(_index(done, form), encoding="utf-8")
    except OSError as error:
        hint = "choose a folder that exists and that you may write to"
        raise OutputError("RC049", f"cannot write into {folder} ({error.strerror})", hint=hint) from error
    return done


def _index(done: Sequence[Written], form: str) -> str:
    return _template(_INDEX[form], None, escaped=form == "html").render(done=done)


@lru_cache(maxsize=16)
def _template(name: str, own: Path | None, *, escaped: bool) -> Template:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    folder = own.parent if own is not None else Path(__file__).parents[1] / "templates"
    made = ImmutableSandboxedEnvironment(
        autoescape=escaped, undefined=StrictUndefined, loader=FileSystemLoader(folder), keep_trailing_newline=True
    )
    made.filters["plain"] = _plain
    return made.get_template(own.name if own is not None else name)


def _plain(text: object) -> str:
    """Text in which no sign means anything in Markdown."""
    return _SIGNS.sub(r"\\\1", " ".join(str(text).split()))
