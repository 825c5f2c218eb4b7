"""What is written down: the project speaks only of itself, its links lead somewhere, its scripts can be run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from house.checkout import ROOT, files, shown

OF_ONE_MACHINE = re.compile(r"[/](?:work|root|mnt)[/]|[/](?:home|Users)[/]\w|[A-Z]:\\Users|[.][.][/]shared|[/]tmp[/]\w+_(?:jobs|clone)")
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)([^)#\s]+)")
SCRIPTS = [file for file in files(ROOT / "scripts") if not file.suffix] + [ROOT / ".ci" / "run"]


def test_nothing_names_a_place_on_one_machine() -> None:
    found = []
    for file in files():
        text = file.read_bytes().decode("utf-8", errors="replace")
        found += [f"{shown(file)}: {match.group()}" for match in OF_ONE_MACHINE.finditer(text)]
    assert not found


@pytest.mark.parametrize("text", ["/" + "work/main", "/" + "home/jo", "../" + "shared/x", "C:" + r"\Users"])
def test_a_place_on_one_machine_is_found(text: str) -> None:
    assert OF_ONE_MACHINE.search(text)


@pytest.mark.parametrize("file", [file for file in files() if file.suffix == ".md"], ids=shown)
def test_links_between_documents_lead_somewhere(file: Path) -> None:
    targets = LINK.findall(file.read_text(encoding="utf-8"))
    assert [target for target in targets if not (file.parent / target).exists()] == []


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(file.name[:4]) for file in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("script", SCRIPTS, ids=shown)
def test_scripts_are_sound(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    if not script.name.startswith("_"):
        assert os.access(script, os.X_OK)
        assert "\nset -euo pipefail\n" in text
    subprocess.run(["bash", "-n", script], check=True, timeout=10)
