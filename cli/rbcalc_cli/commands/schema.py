"""rbcalc schema."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from rbcalc_cli.options import (
    ChargesOption,
    CouncilOption,
    Format,
    FormatOption,
    RulesOption,
    SubjectOption,
    YearOption,
    program_of,
    rules_of,
    say,
)
from rbcalc_cli.output import put


class What(StrEnum):
    """Which schema."""

    RULES = "rules"
    INPUT = "input"


def command(
    what: Annotated[What, typer.Argument(help="Rule files, or the tables of a caseload.")] = What.RULES,
    council: CouncilOption = None,
    year: YearOption = None,
    subject: SubjectOption = None,
    charges: ChargesOption = None,
    rules: RulesOption = None,
    form: FormatOption = Format.JSON,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="DIR", help="Write the schema into a folder instead of printing it.", show_default=False),
    ] = None,
) -> None:
    """Describe rule files and the tables of a caseload.

    `rules` is the JSON Schema of rule files; put the line that --write prints first in a rule file and an editor completes and
    checks it. `input` lists the tables and columns that a council's rules read in a year.

    Examples:
      rbcalc schema rules --write .   # for an editor
      rbcalc schema input --council {council} --year {year} --format table
    """
    from rbcalc.rulebook.schema import RULES_FILE, columns, input_schema, modeline, rule_schema

    if what is What.RULES:
        if form is not Format.JSON:
            from rbcalc.errors import UsageError

            raise UsageError("RC049", f"the schema of rule files cannot be printed as {form}", hint="leave --format out: it is JSON")
        _give(rule_schema(), RULES_FILE, write)
        say(f"first line of a rule file: {modeline()}")
        return
    found, when, program = program_of(rules_of(rules, subject), council, year, charges)
    if form is Format.JSON:
        _give({"council": found.name, "year": str(when), **input_schema(program)}, f"rbcalc-input-{found.name}-{when}.json", write)
        return
    from rbcalc_cli.output import table

    rows = [(column.table, column.name, column.kind, column.required, column.allowed, column.title) for column in columns(program)]
    table(f"Tables of a caseload, {found.title}, {when}", ("Table", "Column", "Type", "Required", "Allowed", "Meaning"), rows, form)


def _give(content: dict[str, Any], name: str, folder: Path | None) -> None:
    import json

    text = json.dumps(content, indent=2, ensure_ascii=False)
    if folder is None:
        put(text)
        return
    from rbcalc_cli.output import write_file

    write_file(folder / name, text + "\n")
    say(f"wrote {folder / name}")
