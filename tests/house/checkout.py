"""The files of the checkout, for tests that look at the project itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (ROOT / "kernels" / "rbcalc_kernels", ROOT / "rbcalc", ROOT / "cli" / "rbcalc_cli")
LEFT_BEHIND = {ROOT / name for name in ("out", "sample", "build", "dist", "venv")}
"""Folders that .gitignore names; `__pycache__` and those that begin with a dot are passed over too, all but `.ci`."""


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file that belongs to the project."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            hidden = entry.name.startswith(".") and entry.name != ".ci"
            if not hidden and entry.name != "__pycache__" and entry not in LEFT_BEHIND:
                yield from files(entry)
        elif entry.suffix != ".pyc":
            yield entry


def python_outside_tests() -> list[Path]:
    return [file for file in files() if file.suffix == ".py" and file.relative_to(ROOT).parts[0] != "tests"]


def modules() -> list[Path]:
    """The modules of the three packages."""
    return [file for package in PACKAGES for file in files(package) if file.suffix == ".py"]


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def shown(file: Path) -> str:
    return str(file.relative_to(ROOT))
