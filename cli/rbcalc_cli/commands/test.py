"""rbcalc test."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from rbcalc_cli.options import Format, FormatOption, RulesOption, counted, rules_of, say, within
from rbcalc_cli.output import put


def command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Case files, or folders that hold some.  [default: those beside the rules]", show_default=False),
    ] = None,
    exact_only: Annotated[bool, typer.Option("--exact-only", help="Leave the compiled evaluator out.")] = False,
    rules: RulesOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Work through the cases beside the rules, in both evaluators.

    A case file may lie anywhere. Each value that a case expects is compared to the penny, and all values of the two evaluators
    with each other. Any difference ends with exit code 1.

    Examples:
      rbcalc test {cases}   # one file
      rbcalc test {cases} --exact-only   # without machine code
    """
    from rbcalc.rulebook.cases import CaseReader, case_files, run
    from rbcalc_kernels.source import Findings, RulesError, render

    began = time.perf_counter()
    loaded = rules_of(rules)
    reader, broken, examples = CaseReader(loaded), Findings(), []
    files = list(case_files([within(loaded.library.root, path) for path in paths] if paths else [loaded.library.root]))
    for path in files:
        try:
            examples += reader.read(path)
        except RulesError as error:
            broken.extend(error.diagnostics)
    outcomes = run(examples, compiled=not exact_only)
    failed = [outcome for outcome in outcomes if outcome.problems]
    if form is Format.TABLE:
        for outcome in failed:
            place = outcome.example.place
            put(f"{place.file}:{place.line}: {outcome.example.name}")
            for problem in outcome.problems:
                put(f"   {problem}")
        if broken:
            put(render(broken, loaded.library.texts(broken)))
    else:
        from rbcalc_cli.output import table

        rows = [(o.example.place.file, str(o.example.place.line), o.example.name, problem) for o in failed for problem in o.problems]
        rows += [(d.span.file, str(d.span.line), "", d.message) for d in broken]
        table("Cases that fail", ("File", "Line", "Case", "Problem"), rows, form, cases=len(outcomes), failed=len(failed))
    how = "exact evaluator only" if exact_only else "both evaluators"
    took = f"{time.perf_counter() - began:.1f} s"
    say(f"{counted(len(outcomes), 'case')} of {counted(len(files), 'file')}, {len(failed):,} failed, {how}, {took}")
    if not files:
        say("no case files there; a case file is called cases.yaml or ends with .cases.yaml")
    if failed or broken or (paths and not files):
        raise typer.Exit(1)
