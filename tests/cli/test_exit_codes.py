"""Exit codes, what goes to which stream, and what is kept from the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rbcalc
import rbcalc_cli
import rbcalc_kernels
from rbcalc.errors import DataError, OutputError, UsageError
from rbcalc_cli.main import FINDINGS, FINE, INPUT, INTERNAL, INTERRUPTED, OUTPUT, USAGE, outcome, spoken
from rbcalc_kernels.source import Diagnostic, RulesError, Span

PATHS = os.pathsep.join(str(Path(package.__file__).parents[1]) for package in (rbcalc, rbcalc_kernels, rbcalc_cli))
CASES = Path(__file__).parents[1] / "explain" / "cases.yaml"
PROGRAM = "from rbcalc_cli.main import run; run()"


def started(*arguments: str, program: str = PROGRAM, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PATHS, "COLUMNS": "200"},
        **more,
    )


def test_the_codes_are_as_documented() -> None:
    assert (FINE, FINDINGS, USAGE, INPUT, OUTPUT, INTERNAL, INTERRUPTED) == (0, 1, 2, 3, 4, 70, 130)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("RC041", "no"), 2),
        (RulesError([Diagnostic("RB014", "empty", Span("a.yaml", 1, 1, 1, 1))], {}), 2),
        (DataError("RC001", "no"), 3),
        (OutputError("RC049", "no"), 4),
        (OSError(28, "No space left on device"), 4),
        (FileNotFoundError(2, "no", "x"), 2),
        (IsADirectoryError(21, "no", "x"), 2),
        (PermissionError(13, "no", "x"), 2),
        (ZeroDivisionError(), 70),
        (ModuleNotFoundError("no", name="rbcalc.nothing"), 70),
    ],
)
def test_every_error_has_its_code_and_a_remedy(error: Exception, code: int) -> None:
    message, found = spoken(error)
    assert found == code
    assert message.strip()
    if found == 70 or isinstance(error, OSError):
        assert "help:" in message


def test_an_internal_error_is_short_unless_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("rbcalc_cli.main.app", fails)
    monkeypatch.delenv("RBCALC_DEBUG", raising=False)
    assert outcome(["check"]) == 70
    assert "RBCALC_DEBUG=1" in capsys.readouterr().err
    monkeypatch.setenv("RBCALC_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        outcome(["check"])


def test_stopping_gives_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rbcalc_cli.main.app", stopped)
    assert outcome(["check"]) == 130
    assert "stopped" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_is_clean() -> None:
    waiting = (
        "import time, rbcalc.rulebook.cases as c\ndef run(*a, **k):\n    print('ready', flush=True)\n    time.sleep(60)\nc.run = run\n"
    )
    process = started("test", str(CASES), program=waiting + PROGRAM, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_gives_4() -> None:
    with Path("/dev/full").open("w") as full:
        process = started("show", "partnerships", stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "could not be written" in err
    assert "Traceback" not in err


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = started("schema", "rules", stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 1)
    assert "Traceback" not in err


def test_results_and_messages_go_to_their_streams(rbcalc: Callable[..., Any]) -> None:
    ran = rbcalc("show", "provisional", "--council", "stevenage", "--format", "csv")
    assert ran.code == 0
    assert ran.out.startswith("Figure,For,Value,Source")
    assert "the latest year" in ran.err
    assert "\x1b[" not in ran.out


def test_colour_is_left_out_when_nobody_looks(rbcalc: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in rbcalc("show", "councils").out
