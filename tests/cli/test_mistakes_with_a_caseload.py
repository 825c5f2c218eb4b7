"""Mistakes that an officer makes with a caseload at hand: told at once, with the place and the remedy, and nothing is written."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rbcalc.rulebook.rules import load
from rbcalc.sampling.sample import sample

COUNCIL, OTHER, YEAR = "stevenage", "hartlepool", "2026-27"
FOR = ["--council", COUNCIL, "--year", YEAR]
SET = ["--set", "capital_limit_working_age=£10000"]
WHATIF = ["whatif", *FOR, "--caseload", "load"]
LETTERS = ["explain", *FOR, "--caseload", "load", "--out", "letters", "--accounts"]
RECONCILE = ["reconcile", *FOR, "--caseload", "load", "--out", "found", "--billed"]

SCENARIO = """kind: scenario
title: A lower limit
from: 2026-04-01
source: {note: made up}
set: {capital_limit_working_age: {value: £10000}}
"""
FILES = {
    "misspelt.yaml": SCENARIO.replace("working_age", "workin_age"),
    "unit.yaml": SCENARIO.replace("£10000", "£10000/week"),
    "later.yaml": SCENARIO.replace("2026-04-01", "2027-04-01"),
    "paper.yaml": "kind: paper\ndate: 2026-13-02\nconsultation:\n  - {step: prcepting, council: stevenge}\n",
    "option.yaml": "kind: paper\noptions:\n  A lower limt: {title: Lower}\n",
    "good.yaml": SCENARIO,
    "cell.csv": "council,account,charge,award\nstevenage,1,100.00\n",
    "column.csv": "council,acount,charge,award\nstevenage,1,100.00,5.00\n",
    "map.yaml": "kind: column map\ntables: {}\n",
    "record.json": "{}",
    "none.txt": "\n",
    "unknown.txt": "{account}\n999\n",
    "twice.txt": "{account}\n{account}\n",
}

MISTAKES: list[tuple[list[str], int, list[str]]] = [
    # what is supposed
    ([*WHATIF, "misspelt.yaml"], 2, ["misspelt.yaml:5:7", "did you mean 'capital_limit_working_age'"]),
    ([*WHATIF, "unit.yaml"], 2, ["unit.yaml:5:", "expected £, found £/week"]),
    ([*WHATIF, "later.yaml"], 2, ["later.yaml is in force on no day of 2026-27, but from 2027-04-01", "--year"]),
    ([*WHATIF, "--set", "capital_limit_working_age=10000"], 2, ["'10000' is no amount in £", "£10000"]),
    ([*WHATIF, "--set", "capital_limit_working_age=£10,000"], 2, ["'£10,000' is no amount in £", "without commas"]),
    # the paper
    ([*WHATIF, *SET, "--paper", "paper.yaml"], 2, ["no paper is asked for", "--out DIR"]),
    ([*WHATIF, *SET, "--schemes"], 2, ["--schemes is about the paper", "--out DIR"]),
    ([*WHATIF, *SET, "--out", "o", "--paper", "paper.yaml"], 2, ["paper.yaml:2:7", "as 2026-12-02", "did you mean 'stevenage'"]),
    ([*WHATIF, "good.yaml", "--out", "o", "--paper", "option.yaml"], 2, ["option.yaml:3:3", "did you mean 'A lower limit'"]),
    ([*WHATIF, *SET, "--out", "o", "--reconciliation", "record.json"], 2, ["no record of a reconciliation", "reconciliation.json"]),
    # folders
    (["rebill", *FOR, "--caseload", "load", "--out", "load", "--force"], 2, ["load holds something that is no result", "another folder"]),
    (["rebill", *FOR, "--caseload", "load", "--out", "good.yaml/out"], 4, ["good.yaml is a file", "that you may write to"]),
    (["sample", *FOR, "--out", "full"], 4, ["not empty", "another folder"]),
    (["sample", *FOR, "--out", "full", "--force"], 4, ["holds no sample", "another folder"]),
    (["sample", *FOR, "--out", "good.yaml"], 4, ["is a file", "name a folder"]),
    # letters
    ([*LETTERS, "none.txt"], 2, ["none.txt names no account", "one a line"]),
    ([*LETTERS, "unknown.txt"], 2, ["unknown.txt:2: no account 999", "leading zeros"]),
    ([*LETTERS, "twice.txt"], 2, ["twice.txt:2:", "named in line 1 already", "leave one of them out"]),
    (["explain", "{unclaimed}", *FOR, "--caseload", "load", "--letter"], 2, ["no decision to write about", "no claim in the year"]),
    (
        ["explain", "{account}", "--council", OTHER, "--year", YEAR, "--caseload", "load"],
        2,
        ["only accounts of hartlepool", "to other councils"],
    ),
    (
        ["explain", "{account}", *FOR, "--caseload", "load", "--letter", "--dated", "01/04/2026"],
        2,
        ["no such day: 01/04/2026", "2026-04-01"],
    ),
    # files beside the caseload
    ([*RECONCILE, "cell.csv"], 3, ["cell.csv", "row 2: the row has 3 fields and the header has 4"]),
    ([*RECONCILE, "column.csv"], 3, ["lack the column 'account'", "did you mean 'acount'"]),
    (["rebill", *FOR, "--caseload", "load", "--map", "map.yaml"], 2, ["map.yaml:2:1", "'tables' is not known here", "registers"]),
    (["rebill", *FOR, "--caseload", "lacking", "--out", "o"], 3, ["dwellings.csv", "lacks the column 'band'", "did you mean 'bnd'"]),
    (["cliffs", *FOR, "--vary", "capital"], 2, ["capital is no fact of a caseload (did you mean 'claims.capital'?)"]),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A small caseload, and the references of an account with a claim and of one without."""
    folder = tmp_path_factory.mktemp("mistakes") / "load"
    sample(load(), council=COUNCIL, year=YEAR, subjects=["council_tax"], dwellings=60, format="csv", out=folder)
    with (folder / "claims.csv").open() as file:
        claiming = [row["account"] for row in csv.DictReader(file)]
    with (folder / "accounts.csv").open() as file:
        unclaimed = next(row["account"] for row in csv.DictReader(file) if row["account"] not in claiming)
    return folder, {"account": claiming[0], "unclaimed": unclaimed}


@pytest.fixture
def files(made: tuple[Path, dict[str, str]], tmp_path: Path) -> dict[str, str]:
    folder, names = made
    (tmp_path / "load").symlink_to(folder)
    shutil.copytree(folder, tmp_path / "lacking")
    dwellings = tmp_path / "lacking" / "dwellings.csv"
    dwellings.write_text(dwellings.read_text(encoding="utf-8").replace('"band"', '"bnd"', 1), encoding="utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("kept", encoding="utf-8")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text.replace("{account}", names["account"]), encoding="utf-8")
    return names


def held(folder: Path) -> dict[Path, bytes]:
    """All files below a folder with what they hold."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("arguments", "code", "fragments"), [pytest.param(*mistake, id=" ".join(mistake[0])) for mistake in MISTAKES])
def test_a_mistake_is_answered_and_nothing_is_written(
    arguments: list[str], code: int, fragments: list[str], files: dict[str, str], tmp_path: Path, rbcalc: Callable[..., Any]
) -> None:
    before = held(tmp_path)
    ran = rbcalc(*(word.format(**files) if word.startswith(("{", "0{")) else word for word in arguments))
    assert ran.code == code, ran.said
    assert [fragment for fragment in fragments if fragment not in ran.err] == []
    assert "Traceback" not in ran.said
    assert held(tmp_path) == before


def test_there_are_enough_of_them() -> None:
    assert len(MISTAKES) >= 25


def test_a_folder_that_may_not_be_written_to_is_told_before_the_work(
    files: dict[str, str], rbcalc: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert files
    asked = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: not mode & os.W_OK and asked(path, mode, **more))
    ran = rbcalc(*WHATIF, *SET, "--out", "there")
    assert ran.code == 4
    assert "may not be written to" in ran.err and "HYPOTHETICAL" not in ran.err


def test_a_scheme_without_edges_says_so(rbcalc: Callable[..., Any]) -> None:
    ran = rbcalc("cliffs", *FOR, "--name", "Single person in work")
    assert ran.code == 0
    assert "No edges: " in ran.out


def test_a_stopped_run_says_what_is_left(rbcalc: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rbcalc.rulebook.rules.load", stopped)
    ran = rbcalc("show", "councils")
    assert ran.code == 130
    assert "stopped" in ran.err and "no result" in ran.err
