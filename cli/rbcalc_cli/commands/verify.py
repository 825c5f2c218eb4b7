"""rbcalc verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbcalc_cli.options import existing, say
from rbcalc_cli.output import put


def command(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The folder that a run wrote.")],
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Say whether an output is what it says it is.

    The hash of every file is worked out again and compared with the manifest; files that are missing, changed or not listed are
    named, with exit code 1.

    Examples:
      rbcalc verify out   # after rbcalc rebill --out out
      rbcalc verify out --quiet   # for a script: the exit code says it
    """
    from rbcalc.running.outputs import verify

    problems = verify(existing(output, "folder"))
    for problem in () if quiet else problems:
        put(problem)
    if problems:
        if not quiet:
            say(f"{output} is not what its manifest says")
        raise typer.Exit(1)
    if not quiet:
        say(f"{output} is what its manifest says")
