"""The wheel is whole: it works in an environment of its own, from any folder, with no checkout near."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from house.checkout import PACKAGES, ROOT, files
from rbcalc import _places
from rbcalc_kernels.kept import kernels_folder

COUNCIL, YEAR = "stevenage", "2026-27"

pytestmark = pytest.mark.wheel


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and a folder far from the checkout to work in."""

    wheel: Path
    environment: Path
    elsewhere: Path

    def path(self, kind: str) -> Path:
        where = {"base": str(self.environment), "platbase": str(self.environment)}
        return Path(sysconfig.get_path(kind, "venv", where))

    def run(self, command: str, *arguments: str, timeout: float = 60, **further: str) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's programs as a stranger to this machine would, but for `further` variables."""
        scripts = self.path("scripts")
        variables = {
            "PATH": os.pathsep.join([str(scripts), os.defpath]),
            "HOME": str(self.elsewhere),
            "XDG_CACHE_HOME": str(self.elsewhere / "cache"),
            "LANG": "C.UTF-8",
            **further,
        }
        return subprocess.run(
            [scripts / command, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=variables,
            cwd=self.elsewhere,
            timeout=timeout,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel and install it alone; what it needs is borrowed from the environment that runs the tests."""
    built, environment, elsewhere = (tmp_path_factory.mktemp(name) for name in ("built", "environment", "elsewhere"))
    must_work([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)])
    (wheel,) = built.glob("*.whl")
    must_work([sys.executable, "-m", "venv", "--without-pip", str(environment)])
    result = Installed(wheel, environment, elsewhere)
    borrowed = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    # A folder that is named in a .pth file is searched for modules, but its own .pth files are not read: an editable
    # install of the checkout stays out of sight.
    (result.path("purelib") / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(result.path("scripts") / "python")]
    must_work([*pip, "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed", str(wheel)])
    return result


def must_work(command: list[str]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_wheel_holds_the_packages_and_the_rules_and_nothing_else(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {f"{package.name}/{file.relative_to(package).as_posix()}" for package in PACKAGES for file in files(package)}
    expected |= {f"rbcalc/_rules/{file.relative_to(ROOT / 'rules').as_posix()}" for file in files(ROOT / "rules")}
    assert held == expected
    assert {f"{package.name}/py.typed" for package in PACKAGES} <= held


def test_the_rules_in_the_wheel_are_those_of_the_checkout(installed: Installed) -> None:
    """So what `rbcalc check` says of all of them here holds there."""
    with zipfile.ZipFile(installed.wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if name.startswith("rbcalc/_rules/") and not name.endswith("/")}
    assert held == {f"rbcalc/_rules/{file.relative_to(ROOT / 'rules').as_posix()}": file.read_bytes() for file in files(ROOT / "rules")}


def test_the_installed_packages_and_rules_are_the_wheels_own(installed: Installed) -> None:
    code = "import rbcalc_kernels, rbcalc, rbcalc_cli; from rbcalc._places import rules_root; print(rbcalc.__file__); print(rules_root())"
    ran = installed.run("python", "-c", code)
    assert ran.returncode == 0, ran.stderr
    package, rules = (Path(line) for line in ran.stdout.splitlines())
    home = installed.path("purelib").resolve() / "rbcalc"
    assert package == home / "__init__.py"
    assert rules == home / "_rules"
    assert {entry.name for entry in rules.iterdir()} == {entry.name for entry in (ROOT / "rules").iterdir()}
    assert ran.stderr == ""


def test_the_installed_rules_are_well_formed(installed: Installed) -> None:
    ran = installed.run("rbcalc", "check", "--council", COUNCIL, "--year", YEAR, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr


SMALL = """
import numpy as np
from rbcalc_kernels.compiled.cache import Kernel

kernel = Kernel("def work_out(n, a, b):\\n    for i in range(n):\\n        b[i] = a[i] + 1 if a[i] > 1 else 0\\n")
given, found = np.arange(5), np.zeros(5, dtype=np.int64)
kernel(5, given, found)
print(found.tolist(), kernel.hits)
"""


def test_machine_code_is_made_and_kept_where_only_the_wheel_is(installed: Installed) -> None:
    said = [installed.run("python", "-c", SMALL.strip()) for _ in range(2)]
    assert [(ran.stdout, ran.stderr) for ran in said] == [("[0, 0, 3, 4, 5] 0\n", ""), ("[0, 0, 3, 4, 5] 1\n", "")]


def test_a_rebill_runs_where_only_the_wheel_is(installed: Installed) -> None:
    """Machine code is known by what it is made from, so what other tests made serves here; the wheel's programs are its own."""
    out = installed.elsewhere / "rebill"
    rebill = ("rebill", "--council", COUNCIL, "--year", YEAR, "--sample", "--subject", "council_tax", "--out", str(out))
    ran = installed.run("rbcalc", *rebill, timeout=600, RBCALC_CACHE_DIR=str(kernels_folder().parent))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.strip(), "the totals are shown"
    assert any(out.rglob("*.parquet"))


def test_the_checkout_reads_its_own_rules() -> None:
    assert _places.rules_root() == ROOT / "rules"


def test_missing_rules_are_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_places, "_PACKAGE", tmp_path / "rbcalc")
    with pytest.raises(FileNotFoundError, match="install rbcalc again"):
        _places.rules_root()
