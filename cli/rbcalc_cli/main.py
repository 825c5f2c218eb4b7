"""The program `rbcalc`: finds the command that was asked for, runs it, and turns what went wrong into an exit code."""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Annotated, Any, Final

import typer

COMMANDS: Final = {
    "check": "Say whether the rules are well-formed, typed and complete.",
    "test": "Work through the cases beside the rules, in both evaluators.",
    "show": "Show figures, rules, differences, and a sheet for sign-off.",
    "sample": "Make a caseload to try things on.",
    "rebill": "Bill a whole year for a council or a partnership.",
    "cliffs": "Find where a little more income leaves a household with less.",
    "churn": "Replay a year of monthly incomes, and count bills and letters.",
    "whatif": "Try other rules on a caseload: what they cost, and who gains and loses.",
    "seek": "Find the figures that meet a target, and the frontier of cost against loss.",
    "reconcile": "Compare each account with what the live system billed.",
    "explain": "Explain one account, as a person would work it on paper.",
    "schema": "Describe rule files and the tables of a caseload.",
    "verify": "Say whether an output is what it says it is.",
    "purge": "Remove working files and caches, with a receipt.",
}
"""The commands and the first line of their help, so that the list of commands needs none of their modules."""

FINE, FINDINGS, USAGE, INPUT, OUTPUT, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 70, 130

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_STOPPED = "stopped; a folder in which no manifest stands is no result"
_ABOUT = """Council bills from rules that an officer can read.

Results go to standard output and messages to standard error. Exit codes: 0 done, 1 findings, 2 the command or the rules
were not understood, 3 the caseload cannot be used, 4 the output could not be written."""


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    # A command makes many things that last to its end; to look through them for garbage again and again takes long.
    gc.set_threshold(5_000_000, 20, 20)
    left = [INTERNAL]
    if arguments is None:
        # Registered first, so called last: nor is everything taken apart at the end, which takes as long again.
        atexit.register(lambda: os._exit(left[0]))
    left[0] = code = outcome(list(sys.argv[1:] if arguments is None else arguments))
    try:
        sys.stdout.flush()
    except OSError:  # what is left cannot be written, and was reported
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if arguments is None:
        sys.stderr.flush()
    raise SystemExit(code)


def outcome(given: list[str]) -> int:
    """Run the command line and give its exit code."""
    try:
        app(given)(given, prog_name="rbcalc")
        sys.stdout.flush()
    except SystemExit as end:
        try:
            sys.stdout.flush()
        except OSError as error:
            return _told(*spoken(error))
        if end.code == INTERRUPTED:
            return _told(_STOPPED, INTERRUPTED)
        return end.code if isinstance(end.code, int) else FINE if end.code is None else INTERNAL
    except KeyboardInterrupt:
        return _told(_STOPPED, INTERRUPTED)
    except BrokenPipeError:
        return FINE  # whoever read the output has seen enough
    except Exception as error:
        if os.environ.get("RBCALC_DEBUG"):
            raise
        return _told(*spoken(error))
    return FINE


def spoken(error: Exception) -> tuple[str, int]:
    """What to say about an error, and the exit code for it."""
    from rbcalc.errors import DataError, OutputError, UsageError
    from rbcalc_kernels.source import RulesError

    if isinstance(error, RulesError):
        # Warnings may follow from what is wrong, and `rbcalc check` tells them.
        errors = tuple(found for found in error.diagnostics if found.severity == "error")
        return str(RulesError(errors or error.diagnostics, error.sources)), USAGE
    if isinstance(error, UsageError):
        return str(error), USAGE
    if isinstance(error, DataError):
        return str(error), INPUT
    if isinstance(error, OutputError):
        return str(error), OUTPUT
    if isinstance(error, IsADirectoryError):
        return f"error: {error.filename} is a folder\n   help: give the path of a file", USAGE
    if isinstance(error, FileNotFoundError):
        return f"error: no such file: {error.filename or error}\n   help: check the path", USAGE
    if isinstance(error, PermissionError):
        return f"error: {error.filename or 'a file'} may not be read or written\n   help: check who owns it", USAGE
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("rbcalc"):
        return f"error: this installation lacks {error.name}\n   help: install rbcalc again", INTERNAL
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"error: the output could not be written ({error.strerror})\n   help: free some space, or write it elsewhere", OUTPUT
    name = type(error).__name__
    return f"error: rbcalc itself failed ({name})\n   help: run again with RBCALC_DEBUG=1 for the details, and report them", INTERNAL


def app(given: Sequence[str]) -> typer.Typer:
    """The program with the command that was asked for; of the others only the first line of help is there."""
    made = typer.Typer(
        help=_ABOUT,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_about)
    asked = next((word for word in given if not word.startswith("-")), "")
    helped = any(word in ("-h", "--help") for word in given)
    completing = "_RBCALC_COMPLETE" in os.environ
    for name, line in COMMANDS.items():
        if name == asked or completing:
            made.command(name, help=helping(name, filled=helped), no_args_is_help=False)(module(name).command)
        else:
            made.command(name, help=line)(_stub(line))
    return made


def module(name: str) -> ModuleType:
    """The module of a command."""
    return importlib.import_module(f"rbcalc_cli.commands.{name}")


def helping(name: str, *, filled: bool = True) -> str:
    """The help of a command: its docstring, with the names that the shipped rules hold put into the examples."""
    text = inspect.cleandoc(module(name).command.__doc__ or "")
    if filled:
        from rbcalc_cli.examples import filled as fill

        text = fill(text)
    return text.replace("\n\nExamples:\n", "\n\n\b\nExamples:\n")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(version("rbcalc"))
        except PackageNotFoundError:
            typer.echo("not installed")
        raise typer.Exit


def _about(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)] = False,
) -> None:
    assert not version


def _stub(line: str) -> Callable[..., Any]:
    def stub() -> None:
        raise AssertionError(line)

    return stub


def _told(message: str, code: int) -> int:
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.stderr.write(f"{message}\n")
    return code
