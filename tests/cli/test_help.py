"""Help: a line for each command, worked examples that work, and nothing heavy loaded to print it."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rbcalc
import rbcalc_cli
import rbcalc_kernels
from rbcalc_cli import commands
from rbcalc_cli.examples import worked
from rbcalc_cli.main import COMMANDS, helping, module

HEAVY = {"numba", "llvmlite", "numpy", "pyarrow", "duckdb", "pandas", "polars", "pydantic", "lark", "yaml"}
MODULES = sorted(path.stem for path in Path(commands.__file__).parent.glob("*.py") if path.stem != "__init__")
LONG = {"churn", "sample", "rebill", "reconcile"}  # they have tests of their own, beside what they make
WHOLE = (
    {"--partnership", "--sample"},
    {"--sweep", "--sample"},
)  # the caseload of a whole partnership, and of its largest council, are for the night
PATHS = os.pathsep.join(str(Path(package.__file__).parents[1]) for package in (rbcalc, rbcalc_kernels, rbcalc_cli))


def fresh(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": PATHS}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment, timeout=60, check=False
    )


@pytest.mark.parametrize("name", MODULES)
def test_the_list_of_commands_says_what_their_modules_say(name: str) -> None:
    first = inspect.cleandoc(module(name).command.__doc__).splitlines()[0]
    assert COMMANDS[name] == first


def test_every_command_has_a_module() -> None:
    assert set(COMMANDS) == set(MODULES)


def test_the_list_of_commands_needs_none_of_them() -> None:
    code = (
        "import sys, json\nfrom rbcalc_cli.main import outcome\ncode = outcome(['--help'])\n"
        "print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)"
    )
    ran = fresh(code)
    code_, modules = json.loads(ran.stderr.splitlines()[-1])
    assert code_ == 0
    assert not {name.partition(".")[0] for name in modules} & HEAVY
    assert not [name for name in modules if name.startswith("rbcalc_cli.commands.")]
    assert all(name in ran.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", MODULES)
def test_help_has_two_worked_examples_of_the_command(name: str) -> None:
    examples = worked(helping(name))
    assert len(examples) >= 2
    assert all(example[0] == name for example in examples)
    assert "{" not in helping(name)


def examples() -> list[Any]:
    found = [example for name in MODULES if name not in LONG for example in worked(helping(name))]
    nightly = [any(set(example) >= each for each in WHOLE) for example in found]
    return [
        pytest.param(example, id=" ".join(example), marks=[pytest.mark.nightly] if late else [])
        for example, late in zip(found, nightly, strict=True)
    ]


@pytest.mark.parametrize("example", examples())
def test_worked_examples_work(example: list[str], rbcalc: Callable[..., Any], tmp_path: Path) -> None:
    if example[0] == "verify":
        finished(tmp_path / "out")
    ran = rbcalc(*example)
    assert ran.code == 0, ran.said
    assert "Traceback" not in ran.said


def finished(folder: Path) -> None:
    """A result folder with a manifest."""
    from rbcalc.running.outputs import OutputFolder

    made = OutputFolder.made(folder)
    made.place("bills.txt").write_text("1\n", encoding="utf-8")
    made.keep("bills.txt", 1)
    made.finish({"result": "test"})


def test_help_of_a_command_names_its_options(rbcalc: Callable[..., Any]) -> None:
    ran = rbcalc("show", "--help")
    assert ran.code == 0
    for option in ("--council", "--year", "--charges", "--rules", "--format", "--sign-off", "--python"):
        assert option in ran.out


def test_no_arguments_print_help(rbcalc: Callable[..., Any]) -> None:
    ran = rbcalc()
    assert "Commands" in ran.said
    assert ran.code in (0, 2)


def test_version_is_one_line(rbcalc: Callable[..., Any]) -> None:
    ran = rbcalc("--version")
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [["explain", "--case", "CASES"], ["show", "rates", "--council", "hartlepool", "--year", "2025-26"], ["check", "CASES"]],
    ids=lambda arguments: arguments[0],
)
def test_reading_rules_loads_no_engine(arguments: list[str]) -> None:
    cases = str(Path(__file__).parents[1] / "explain" / "cases.yaml")
    code = (
        "import sys, json\nfrom rbcalc_cli.main import outcome\ncode = outcome(sys.argv[1:])\n"
        "print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)"
    )
    ran = fresh(code, *(cases if argument == "CASES" else argument for argument in arguments))
    code_, modules = json.loads(ran.stderr.splitlines()[-1])
    assert code_ == 0, ran.stderr
    assert not {name.partition(".")[0] for name in modules} & (HEAVY - {"pydantic", "lark", "yaml"})
