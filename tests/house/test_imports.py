"""Starting is cheap, and each floor stands only on those below it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from house.checkout import ROOT

HEAVY = {"numba", "llvmlite", "pandas", "polars", "duckdb", "pyarrow"}
"""What takes long to import: it waits until something is to be computed."""


def loaded_by(code: str) -> set[str]:
    """The outermost names of all modules that a fresh interpreter holds after running the code."""
    report = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_"))}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stderr.splitlines()[-1]))


def test_importing_the_library_loads_nothing_heavy() -> None:
    loaded = loaded_by("import rbcalc")
    assert "rbcalc" in loaded
    assert not loaded & HEAVY


def test_importing_the_kernels_loads_nothing_heavy() -> None:
    assert not loaded_by("import rbcalc_kernels") & HEAVY


def test_asking_for_help_loads_nothing_heavy() -> None:
    code = """
import sys
sys.argv = ["rbcalc", "--help"]
from rbcalc_cli.main import run
try:
    run()
except SystemExit as end:
    assert end.code in (0, None), end.code
"""
    loaded = loaded_by(code)
    assert "rbcalc_cli" in loaded
    assert not loaded & HEAVY


def test_the_floors_stand_only_on_those_below() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([command, "--no-cache"], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 broken" in ran.stdout
