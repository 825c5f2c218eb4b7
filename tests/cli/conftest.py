"""The command line as tests use it: run in this process, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rbcalc_cli.main import outcome


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@pytest.fixture
def rbcalc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line in an empty folder; a purge has a cache of its own, others take machine code from where it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("RBCALC_DEBUG", raising=False)

    def run(*arguments: object) -> Ran:
        if "purge" in arguments:
            monkeypatch.setenv("RBCALC_CACHE_DIR", str(tmp_path / ".cache"))
        capsys.readouterr()
        code = outcome([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run
