"""Typical mistakes: each answered with what is wrong, where, and what to do; never with a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rbcalc._places import rules_root

COUNCIL, YEAR = "hartlepool", "2025-26"
FOR = ["--council", COUNCIL, "--year", YEAR]
PAST = ["--council", COUNCIL, "--year", "2016-17"]

GOOD_CASES = """kind: cases
title: one
extends: [england.council_tax]
year: 2025-26
lists: {area: {members: [whole]}}
set: {band_d_amount: {rows: {billing_authority: £1000}}}
given:
  accounts: {account: X, dwelling: Y, from: 2000-01-01}
  dwellings: {dwelling: Y, from: 2000-01-01, band: D, area: whole}
cases:
  - {name: first, expect: {bill: £1000.00}}
"""
OWN = """kind: council
title: My own charges
extends: [england.council_tax]
from: 2016-04-01
to: 2017-03-31
source: {note: made up}
adopted: a draft
lists: {area: {members: [whole]}}
set: {band_d_amount: {rows: {billing_authority: £1000}}}
"""

FILES = {
    "good.cases.yaml": GOOD_CASES,
    "failing.cases.yaml": GOOD_CASES.replace("£1000.00", "£999.00"),
    "broken.yaml": "kind: council\ntitle: [unclosed\n",
    "tabs.yaml": "kind:\tcouncil\n",
    "kind.yaml": "kind: concil\ntitle: x\n",
    "unit.yaml": OWN.replace("£1000", "£1000/week"),
    "comma.yaml": OWN.replace("£1000", "£1,000.00"),
    "percent.yaml": OWN.replace("band_d_amount: {rows: {billing_authority: £1000}}", "second_home_premium: {value: 100}"),
    "pound.yaml": OWN.replace("£1000", "1000"),
    "key.yaml": OWN.replace("adopted:", "adoptd:"),
    "name.yaml": OWN.replace("band_d_amount", "band_d_amont"),
    "statute.yaml": OWN.replace("band_d_amount: {rows: {billing_authority: £1000}}", "single_adult_discount: {value: 30%}"),
    "own.yaml": OWN,
    "date.cases.yaml": GOOD_CASES.replace("from: 2000-01-01, band", "from: 31/12/2000, band"),
    "band.cases.yaml": GOOD_CASES.replace("band: D", "band: J"),
    "column.cases.yaml": GOOD_CASES.replace("band: D", "bnad: D"),
    "value.cases.yaml": GOOD_CASES.replace("{bill:", "{bil:"),
    "gap.cases.yaml": GOOD_CASES.replace("from: 2000-01-01, band", "from: 2025-05-01, band"),
    "record.json": "{}",
    "empty.yaml": "",
}

MISTAKES: list[tuple[list[str], int, list[str]]] = [
    # names
    (["show", "rates", "--council", "hartlepol"], 2, ["no such council: hartlepol", "did you mean 'hartlepool'"]),
    (["show", "rates"], 2, ["which council?", "--council NAME"]),
    (["check", "--council", "nowhere"], 2, ["no such council: nowhere", "one of"]),
    (["explain", "1", "--caseload", "load", "--partnership", "east_hert"], 2, ["no such partnership: east_hert", "one of"]),
    (["show", "rule", "bil", *FOR], 2, ["no rule is called bil", "did you mean 'bill'", "show rules"]),
    (["show", "rule", *FOR], 2, ["rule of which rule?", "show rules"]),
    (["show", "graph", "nothing_such", *FOR], 2, ["no rule is called nothing_such"]),
    (["show", "python", "--outputs", "bil", *FOR], 2, ["no rule is called bil", "did you mean 'bill'"]),
    (["show", "python", "--outputs", " , ", *FOR], 2, ["no value is named", "--outputs"]),
    (["show", "diff", "2024-25", *FOR[:2]], 2, ["which two?", "rbcalc show diff"]),
    (["show", "diff", "hartlepol", "stevenage", "--year", YEAR], 2, ["no such council: hartlepol"]),
    (["explain", "--case", "good.cases.yaml", "--name", "frist"], 2, ["no case called frist", "did you mean 'first'", "its cases"]),
    (["explain", "--case", "good.cases.yaml", "--value", "bil"], 2, ["no rule is called bil", "did you mean"]),
    # years
    (["show", "rates", "--council", COUNCIL, "--year", "2025"], 2, ["no such financial year: 2025", "write 2025-26"]),
    (["show", "rates", "--council", COUNCIL, "--year", "2025/26"], 2, ["no such financial year: 2025/26", "as 2025-26"]),
    (["show", "rates", "--council", COUNCIL, "--year", "2025-27"], 2, ["no such financial year: 2025-27"]),
    (["show", "rates", "--council", COUNCIL, "--year", "1999-00"], 2, ["has no published charges for 1999-00", "--charges"]),
    (["check", "--council", COUNCIL, "--year", "2016-17"], 2, ["has no published charges for 2016-17", "years there are"]),
    (["show", "sign-off", *FOR, "--against", "last"], 2, ["no such financial year: last"]),
    # options and arguments
    (["show", "rates", "--coucil", COUNCIL], 2, ["No such option", "--coucil", "--council"]),
    (["shwo", "rates"], 2, ["No such command", "shwo", "show"]),
    (["show"], 2, ["show what?", "councils"]),
    (["show", "rate"], 2, ["rate", "rates"]),
    (["show", "rates", "--sign-off", *FOR], 2, ["not both", "leave one of them out"]),
    (["show", "councils", "--format", "xml"], 2, ["xml", "csv"]),
    (["schema", "rules", "--format", "csv"], 2, ["cannot be printed as csv", "leave --format out"]),
    (["schema", "everything"], 2, ["everything", "input"]),
    (["show", "rates", "--council"], 2, ["--council", "requires an argument"]),
    (["rebill", *FOR, "--caseload", "load", "--map", "none.yaml"], 2, ["none.yaml", "cannot be read", "check the path"]),
    (["rebill", *FOR, "--caseload", "load"], 3, ["no table 'accounts'", "add accounts.parquet"]),
    (["rebill", *FOR], 2, ["which caseload?", "--caseload DIR"]),
    (["whatif", *FOR, "--caseload", "load"], 2, ["nothing is supposed", "--set name=value"]),
    (["whatif", *FOR, "--caseload", "load", "--paper", "none.yaml"], 2, ["no such file: none.yaml"]),
    (["whatif", *FOR, "--caseload", "load", "--set", "second_home_premum=5%"], 2, ["did you mean 'second_home_premium'", "show rates"]),
    (["whatif", *FOR, "--caseload", "load", "--set", "second_home_premium=100"], 2, ["'100' is no rate", "as 20%"]),
    (["seek", *FOR, "--caseload", "load"], 2, ["what may be changed?", "--vary NAME=FROM:TO:STEP"]),
    (["explain", *FOR, "--caseload", "load", "--all-accounts", "--out", "."], 2, ["is not empty", "name another folder"]),
    (["test", "load"], 1, ["no case files there"]),
    # files
    (["check", "nowhere.yaml"], 2, ["no such file: nowhere.yaml", "check the path"]),
    (["test", "nowhere.cases.yaml"], 2, ["no such file: nowhere.cases.yaml", "check the path"]),
    (["explain", "--case", "."], 2, ["is a folder", "path of a file"]),
    (["show", "rates", *FOR, "--charges", "."], 2, ["is a folder", "path of a file"]),
    (["show", "rates", *FOR, "--charges", "none.yaml"], 2, ["no such file: none.yaml", "path of a rule file"]),
    (["show", "councils", "--rules", "nowhere"], 2, ["no such folder of rules: nowhere", "councils/"]),
    (["show", "sign-off", "--holds", "record.json"], 3, ["record.json", "no record of a sign-off", "--record"]),
    (["show", "sign-off", "--holds", "broken.yaml"], 3, ["broken.yaml", "no record of a sign-off"]),
    (["verify", "nowhere"], 2, ["no such folder: nowhere", "check the path"]),
    (["verify", "."], 2, ["no manifest", "run it again"]),
    (["explain"], 2, ["which account?", "--case FILE"]),
    (["explain", "1", *FOR], 2, ["which caseload?", "--caseload DIR"]),
    (["explain", "1", "--caseload", "nowhere", *FOR], 2, ["no such folder: nowhere", "holds the tables"]),
    (["schema", "rules", "--write", "nowhere"], 4, ["cannot write", "nowhere", "folder that exists"]),
    (["show", "sign-off", *FOR, "--record", "nowhere/x.json"], 4, ["cannot write nowhere/x.json", "folder that exists"]),
    # what is in files
    (["check", "broken.yaml"], 1, ["broken.yaml:", "error[RB015]"]),
    (["check", "empty.yaml"], 1, ["empty.yaml:1:1", "error[RB014]"]),
    (["check", "tabs.yaml"], 1, ["tabs.yaml:1:", "error[RB002]"]),
    (["check", "kind.yaml"], 1, ["kind.yaml:1:7", "no such kind of file: concil", "did you mean 'council'"]),
    (["check", "key.yaml", "--council", COUNCIL], 1, ["key.yaml:7:1", "unknown key 'adoptd'", "did you mean 'adopted'"]),
    (["check", "own.yaml"], 2, ["whose file is own.yaml?", "--council NAME"]),
    (["check", "unit.yaml", "--council", COUNCIL, "--year", "2016-17"], 1, ["unit.yaml:9:", "£/week"]),
    (["check", "comma.yaml", "--council", COUNCIL, "--year", "2016-17"], 1, ["comma.yaml:9:"]),
    (["check", "percent.yaml", *PAST], 1, ["percent.yaml:9:", "100 as a rate is 10,000 %", "help: write 100%"]),
    (["check", "pound.yaml", *PAST], 1, ["pound.yaml:9:", "help: write £1000"]),
    (["check", "name.yaml", "--council", COUNCIL, "--year", "2016-17"], 1, ["name.yaml:9:7", "RB068", "did you mean 'band_d_amount'"]),
    (["check", "statute.yaml", "--council", COUNCIL, "--year", "2016-17"], 1, ["statute.yaml:9:", "RB067"]),
    (["check", "date.cases.yaml"], 1, ["date.cases.yaml:9:", "RB0"]),
    (["check", "band.cases.yaml"], 1, ["band.cases.yaml:9:", "J is not one of band"]),
    (["test", "column.cases.yaml"], 1, ["column.cases.yaml:9:", "no column bnad", "did you mean 'band'"]),
    (["test", "value.cases.yaml", "--exact-only"], 1, ["value.cases.yaml:11", "no value called bil", "did you mean 'bill'"]),
    (["test", "failing.cases.yaml", "--exact-only"], 1, ["failing.cases.yaml:11", "expected £999.00, found £1,000.00"]),
    (["test", "own.yaml", "--exact-only"], 1, ["own.yaml", "not a file of cases"]),
    (["explain", "--case", "own.yaml"], 2, ["own.yaml", "not a file of cases", "kind: cases"]),
    (["explain", "--case", "broken.yaml"], 2, ["broken.yaml:", "error[RB015]"]),
    (["explain", "--case", "gap.cases.yaml"], 3, ["first", "cannot be worked out", "no record in force", "correct the records"]),
    (["show", "rates", *FOR, "--charges", "broken.yaml"], 2, ["broken.yaml:", "error[RB015]"]),
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "load").mkdir()
    return tmp_path


@pytest.mark.parametrize(("arguments", "code", "fragments"), [pytest.param(*mistake, id=" ".join(mistake[0])) for mistake in MISTAKES])
def test_a_mistake_is_answered(arguments: list[str], code: int, fragments: list[str], files: Path, rbcalc: Callable[..., Any]) -> None:
    ran = rbcalc(*arguments)
    assert ran.code == code, ran.said
    for fragment in fragments:
        assert fragment in ran.said
    assert "Traceback" not in ran.said
    if code not in (0, 1):
        assert ran.err.strip()


def test_there_are_enough_mistakes() -> None:
    assert len(MISTAKES) >= 40


def test_an_officers_own_charges_are_taken(files: Path, rbcalc: Callable[..., Any]) -> None:
    ran = rbcalc("show", "rates", "--council", COUNCIL, "--year", "2016-17", "--charges", "own.yaml", "--format", "csv")
    assert ran.code == 0, ran.said
    assert "£1,000.00 a year" in ran.out
    assert rbcalc("check", "own.yaml", "--council", COUNCIL).code == 0


def test_the_rules_folder_may_be_ones_own(tmp_path: Path, rbcalc: Callable[..., Any]) -> None:
    (tmp_path / "mine").symlink_to(rules_root())
    ran = rbcalc("show", "councils", "--rules", "mine", "--format", "json")
    assert ran.code == 0
    assert COUNCIL in ran.out
