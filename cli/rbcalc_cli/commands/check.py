"""rbcalc check."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rbcalc_cli.options import ChargesOption, CouncilOption, RulesOption, YearOption, counted, existing, rules_of, say, within
from rbcalc_cli.output import put


class Report(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders to look at, with what they reach.  [default: all the rules]", show_default=False),
    ] = None,
    council: CouncilOption = None,
    year: YearOption = None,
    charges: ChargesOption = None,
    rules: RulesOption = None,
    report: Annotated[Report, typer.Option("--format", help="How to print findings.")] = Report.TEXT,
) -> None:
    """Say whether the rules are well-formed, typed and complete.

    The law alone, every council for each year it has charges for, and the form of every other file. Findings come sorted, with
    file, line and column; any error ends with exit code 1, warnings alone with 0.

    Examples:
      rbcalc check --council {council} --year {year}   # one council for one year
      rbcalc check {cases}   # one file and what it reaches
    """
    from rbcalc_cli.checking import Checker
    from rbcalc_kernels.source import render

    loaded = rules_of(rules)
    shipped = [within(loaded.library.root, path) for path in paths or []]
    checker = Checker(loaded, council, year, [existing(charges)] if charges is not None else [])
    done = checker.paths(shipped) if shipped else checker.everything()
    findings = done.findings
    if report is Report.JSON:
        from rbcalc_cli.checking import as_data
        from rbcalc_cli.output import document

        document({"errors": len(findings.errors), "warnings": len(findings.warnings), "findings": [as_data(found) for found in findings]})
    elif report is Report.GITHUB:
        from rbcalc_cli.checking import github

        for found in findings:
            put(github(found))
    elif len(findings):
        put(render(findings, loaded.library.texts(findings)))
    ending = "" if len(findings) else ": nothing wrong"
    say(f"checked {counted(len(done.files), 'file')}, {counted(done.programs, 'program')}, {counted(done.cases, 'case')}{ending}")
    if findings:
        raise typer.Exit(1)
