"""`rbcalc whatif` and `rbcalc seek`: what they print, and every mistake told with its place and its remedy."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rbcalc_cli.main import outcome
from whatif.conftest import YEAR

FOR = ["--council", "stevenage", "--year", YEAR]
SHARE = """kind: scenario
title: A smaller share
from: 2026-04-01
source: {document: made up}
set:
  share_working_age: {value: 70%}
"""
HOSTILE = '=HYPERLINK(\\"http://x\\")<script>alert(1)</script>'

Ran = tuple[int, str, str]


@pytest.fixture(scope="session")
def few_folder(few: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handful of accounts as a folder."""
    folder = tmp_path_factory.mktemp("few")
    for name, table in few.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], few_folder: Path) -> Callable[..., Ran]:
    """Run the command line in a folder of its own; CASELOAD stands for the handful of accounts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.delenv("RBCALC_DEBUG", raising=False)
    files = {
        "share.yaml": SHARE,
        "typo.yaml": SHARE.replace("share_working_age", "share_workin_age"),
        "broken.yaml": SHARE + "  x: [1\n",
        "key.yaml": SHARE.replace("set:", "sett:"),
        "council.yaml": "kind: council\ntitle: x\nfrom: 2026-04-01\nadopted: no\nsource: {note: x}\n",
        "hostile.yaml": SHARE.replace("A smaller share", f'"{HOSTILE}"'),
        "others.yaml": SHARE.replace("source:", "only_for: [stevnage]\nsource:"),
        "cap.yaml": SHARE.replace("A smaller share", "A cap").replace(
            "share_working_age: {value: 70%}", "band_cap_working_age: {value: B}"
        ),
        "next.yaml": SHARE.replace("2026", "2027"),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine", encoding="utf-8")

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        code = outcome([str(few_folder) if argument == "CASELOAD" else str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


WITH = [*FOR, "--caseload", "CASELOAD"]
MISTAKES: list[tuple[list[str], int, list[str]]] = [
    # for whom, and on what
    (["whatif", "share.yaml"], 2, ["for whom?", "--council", "--partnership"]),
    (["whatif", "share.yaml", *FOR, "--partnership", "east_herts_stevenage"], 2, ["a council or a partnership, not both"]),
    (["whatif", "share.yaml", *FOR], 2, ["which caseload?", "--caseload DIR, or --sample"]),
    (["whatif", "share.yaml", *WITH, "--sample"], 2, ["which caseload?"]),
    (["whatif", "share.yaml", *FOR, "--caseload", "nowhere"], 2, ["no such folder: nowhere"]),
    (["whatif", "share.yaml", "--council", "stevnage", "--year", YEAR, "--caseload", "CASELOAD"], 2, ["no such council", "'stevenage'"]),
    (["seek", *FOR, "--vary", "taper_working_age=10%:30%:1%"], 2, ["which caseload?"]),
    (["seek", *FOR, "--caseload", "nowhere", "--vary", "taper_working_age=10%:30%:1%"], 2, ["no such folder: nowhere"]),
    # nothing, or no scenario
    (["whatif", *WITH], 2, ["nothing is supposed", "--set name=value"]),
    (["whatif", "nowhere.yaml", *WITH], 2, ["no such file: nowhere.yaml", "kind: scenario"]),
    (["whatif", "share.yaml+nowhere.yaml", *WITH], 2, ["no such file: nowhere.yaml"]),
    (["whatif", "council.yaml", *WITH], 2, ["council.yaml is no scenario", "kind: scenario"]),
    (["whatif", "typo.yaml", *WITH], 2, ["typo.yaml:6:3: error[RB068] nothing called 'share_workin_age' to set", "'share_working_age'"]),
    (["whatif", "key.yaml", *WITH], 2, ["key.yaml:5:1: error[RB035] unknown key 'sett'", "did you mean 'set'?"]),
    (["whatif", "broken.yaml", *WITH], 2, ["broken.yaml:", "error[RB015]"]),
    (["whatif", "others.yaml", *WITH], 2, ["others.yaml:4:12", "no such council: stevnage", "'stevenage'"]),
    # figures
    (["whatif", *WITH, "--set", "tapr_working_age=10%"], 2, ["no figure called tapr_working_age", "'taper_working_age'"]),
    (["whatif", *WITH, "--set", "taper_working_age"], 2, ["no value in 'taper_working_age'", "name=value"]),
    (["whatif", *WITH, "--set", "taper_working_age=10"], 2, ["'10' is no rate", "20%"]),
    (["whatif", *WITH, "--set", "capital_limit_working_age=10000"], 2, ["'10000' is no amount in £", "money is written with its sign"]),
    (["whatif", *WITH, "--set", "capital_limit_working_age=£16,000"], 2, ["'£16,000' is no amount in £"]),
    (["whatif", *WITH, "--set", "alternative_rate=5%"], 2, ["alternative_rate is no single figure", "the edge in £/week"]),
    (["whatif", *WITH, "--set", "alternative_rate[£290]=5%"], 2, ["no edge at £290", "£289/week"]),
    (["whatif", *WITH, "--set", "days_in_year=360"], 2, ["belongs to the calendar"]),
    (["whatif", *WITH, "--sweep", "taper_working_age=10%:30%"], 2, ["'10%:30%' is no range", "from:to:step"]),
    (["whatif", *WITH, "--sweep", "taper_working_age"], 2, ["no range in 'taper_working_age'"]),
    (["whatif", *WITH, "--sweep", "taper_working_age=30%:10%:1%"], 2, ["has no values"]),
    (["seek", *WITH], 2, ["what may be changed?", "--vary NAME=FROM:TO:STEP"]),
    (["seek", *WITH, "--vary", "taper=10%:30%:1%"], 2, ["no figure called taper"]),
    (["seek", *WITH, "--vary", "taper_working_age=10%:30%:1%", "--target", "cost < £5"], 2, ["no target: cost < £5", "cost <= £9.18m"]),
    (["seek", *WITH, "--vary", "taper_working_age=10%,30%", "--limit", "loss <= £5"], 2, ["no limit: loss <= £5", "loss <= £5/week"]),
    (["seek", *WITH, "--vary", "taper_working_age=10%,30%", "--limit", "loss <= £5/week where disabled = yes"], 2,
     ["accounts do not fall into groups by disabled", "disability_in_household"]),
    (["seek", *WITH, "--vary", "taper_working_age=10%,30%", "--limit", "loss <= £5/week where claim_scheme = pension"], 2,
     ["pension is not one of claim_scheme", "pension_age"]),
    # years
    (["whatif", "next.yaml", "--council", "stevenage", "--year", "2027-28", "--caseload", "CASELOAD"], 2,
     ["no published charges for 2027-28", "carry:"]),
    (["whatif", "share.yaml", "--council", "stevenage", "--year", "2027", "--caseload", "CASELOAD"], 2, ["no such financial year: 2027"]),
    (["whatif", "share.yaml", *WITH, "--baseline-year", "26/27"], 2, ["no such financial year: 26/27"]),
    # other councils
    (["whatif", *WITH, "--rules-of", "east_hertfordshire"], 2, ["which of the files of east_hertfordshire?", "COUNCIL/FOLDER"]),
    (["whatif", *WITH, "--rules-of", "east_hertfordshire/schemes"], 2, ["has no rules under schemes", "charges, reduction"]),
    (["whatif", *WITH, "--rules-of", "nowhere/reduction"], 2, ["no such council: nowhere"]),
    (["whatif", *WITH, "--rules-of", "east_hertfordshire/reduction", "--rules-of", "hartlepool/charges"], 2,
     ["files of different folders"]),
    (["whatif", "share.yaml", *WITH, "--earnings-growth", "3%"], 2, ["earnings grow only when facts are rolled forward"]),
    (["whatif", "share.yaml", *WITH, "--collection-rate", "98"], 2, ["98"]),
    # where it goes
    (["whatif", "share.yaml", *WITH, "--out", "full"], 2, ["the folder full is not empty", "--force"]),
    (["seek", *WITH, "--vary", "share_working_age=70%,80%", "--out", "full"], 2, ["the folder full is not empty", "--force"]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "words"), MISTAKES, ids=lambda each: " ".join(each)[:70] if isinstance(each, list) else None)
def test_a_mistake_is_told(run: Callable[..., Ran], arguments: list[str], code: int, words: list[str]) -> None:
    found, out, err = run(*arguments)
    assert found == code, err
    for word in words:
        assert word in err
    assert "Traceback" not in err + out
    assert "error[" in err
    assert out == "", "nothing of a failed command is taken for data"


# ---------------------------------------------------------------------------------------------------------- the answer


def test_two_options_beside_the_baseline(run: Callable[..., Ran]) -> None:
    code, out, err = run("whatif", "share.yaml", "share.yaml+cap.yaml", *WITH, "--together")
    assert code == 0, err
    assert "No change" in out
    assert "A smaller share + A cap" in out
    assert err.rstrip().endswith("HYPOTHETICAL: these are suppositions, not awards")
    assert "A smaller share: Largest share" in err


def test_a_best_point_that_is_the_option_as_it_stands_is_no_other_option(run: Callable[..., Ran]) -> None:
    asked = ["--vary", "share_working_age=70%:70%:1%", "--target", "cost <= £900m", "--together", "--format", "json"]
    code, out, err = run("whatif", "share.yaml", *WITH, *asked)
    assert code == 0, err
    found = json.loads(out)
    assert [option["title"] for option in found["options"]] == ["No change", "A smaller share"]
    assert "the best point is the option as it stands" in err + out


def test_json_and_csv_hold_the_same(run: Callable[..., Ran]) -> None:
    code, out, _ = run("whatif", "share.yaml", *WITH, "--format", "json", "--together")
    assert code == 0
    found = json.loads(out)
    assert (found["year"], found["hypothetical"]) == (YEAR, True)
    costs = {(row["option"], row["council"]): row["amount"] for row in found["costs"]}
    code, out, _ = run("whatif", "share.yaml", *WITH, "--format", "csv", "--together")
    assert code == 0
    rows = [row for row in csv.DictReader(io.StringIO(out)) if row["table"] == "costs" and row["figure"] == "amount"]
    assert {(row["option"], row["council"]): row["value"] for row in rows} == costs


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_hostile_titles_are_only_text(run: Callable[..., Ran], form: str) -> None:
    """A title that a spreadsheet would take for a formula, or a browser for a script, comes out as what it is."""
    code, out, err = run("whatif", "hostile.yaml", *WITH, "--format", form, "--together")
    assert code == 0, err
    assert "\x1b" not in out
    if form == "json":
        assert json.loads(out)["options"][1]["title"] == HOSTILE.replace('\\"', '"')
    elif form == "csv":
        assert not any(cell.startswith(("=", "+", "@")) for row in csv.reader(io.StringIO(out)) for cell in row)


def test_a_sweep_is_printed(run: Callable[..., Ran]) -> None:
    code, out, err = run(
        "whatif", *WITH, "--sweep", "share_working_age=60%:90%:10%", "--sweep", "band_cap_working_age=D,H", "--format", "csv"
    )
    assert code == 0, err
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["share working age"], row["band cap working age"]) for row in rows][:3] == [("60%", "D"), ("60%", "H"), ("70%", "D")]
    assert len(rows) == 8


def test_what_is_found_is_a_scenario_that_costs_as_much(run: Callable[..., Ran], tmp_path: Path) -> None:
    code, out, err = run(
        "seek", *WITH, "--vary", "share_working_age=60%:90%:10%", "--vary", "taper_working_age=20%,30%",
        "--target", "cost <= £28,000", "--out", "front", "--format", "csv",
    )  # fmt: skip
    assert code == 0, err
    assert (tmp_path / "front" / "manifest.json").is_file()
    frontier = list(csv.DictReader(io.StringIO((tmp_path / "front" / "frontier.csv").read_text(encoding="utf-8"))))
    told = list(csv.DictReader(io.StringIO(out)))
    assert [row["point"] for row in told] == ["best", *["frontier"] * (len(told) - 1)]
    assert sorted(row["cost"] for row in told if row["on frontier"] == "yes") == sorted(f"{float(row['cost']):,.2f}" for row in frontier)
    # The best may stand beside the frontier: it spends what there is, where that takes no more from anybody.
    plain = sorted(path.name for path in (tmp_path / "front").glob("0*.yaml"))
    code, out, err = run("whatif", f"front/{plain[0]}", "front/best.yaml", *WITH, "--format", "json", "--together")
    assert code == 0, err
    found = json.loads(out)
    names = [option["name"] for option in found["options"]]
    one, best = ({row["amount"] for row in found["costs"] if row["option"] == name} for name in names[1:])
    assert one <= {row["cost"] for row in frontier}
    assert all(float(cost) <= 28_000 for cost in best)
    code, _, err = run("seek", *WITH, "--vary", "share_working_age=60%,70%", "--out", "front")
    assert code == 2
    assert "--force" in err


def test_a_search_tells_a_program_the_best_point(run: Callable[..., Ran]) -> None:
    """As JSON, and in the JSON of a comparison: the best as an option costs what is told."""
    vary = ["--vary", "share_working_age=60%:90%:10%", "--target", "cost <= £28,000"]
    code, out, err = run("seek", *WITH, *vary, "--format", "json")
    assert code == 0, err
    found = json.loads(out)
    assert found["met"]
    assert found["best"] == found["nearest"]
    assert found["best"] in found["frontier"]
    assert found["tried"] == 4
    code, out, err = run("whatif", *WITH, *vary, "--format", "json", "--together")
    assert code == 0, err
    other = json.loads(out)
    assert other["sought"] == {key: found[key] for key in other["sought"]}
    name = other["options"][-1]["name"]
    assert {row["amount"] for row in other["costs"] if row["option"] == name} == {found["best"]["cost"]}
    code, out, _ = run("seek", *WITH, *vary[:2], "--target", "cost <= £1k", "--format", "json")
    assert code == 1
    missed = json.loads(out)
    assert (missed["met"], missed["best"]) == (False, None)
    assert missed["nearest"]["share_working_age"] == "60%"


def test_the_paper_holds_schemes_and_edges_where_they_are_asked_for(run: Callable[..., Ran], tmp_path: Path) -> None:
    """Figures that go on into a year that nobody has published are still the council's own decision."""
    carried = SHARE.replace("2026", "2027") + "carry: {as_on: 2027-03-31, because: Nothing is published yet.}\n"
    (tmp_path / "carried.yaml").write_text(carried, encoding="utf-8")
    council = ["--council", "stevenage", "--year", "2027-28", "--caseload", "CASELOAD", "--together"]
    code, _, err = run("whatif", "carried.yaml", *council, "--out", "plain")
    assert code == 0, err
    code, _, err = run("whatif", "carried.yaml", *council, "--out", "more", "--schemes", "--cliffs")
    assert code == 0, err
    plain, more = ((tmp_path / name / "public" / "paper.html").read_text(encoding="utf-8") for name in ("plain", "more"))
    for said in ("No change: Decided by the council", "A smaller share: Decided by the council", "a pound more costs more than a pound"):
        assert said in more, said
        assert said not in plain, said
    assert "Where a little more income leaves people with less" in more


def test_what_is_found_on_top_of_a_dial_keeps_the_dial(run: Callable[..., Ran]) -> None:
    code, out, err = run(
        "whatif", *WITH, "--set", "taper_working_age=30%", "--vary", "share_working_age=60%,70%", "--target", "cost <= £28,000",
        "--format", "json", "--together",
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(out)
    name = found["options"][-1]["name"]
    assert {row["amount"] for row in found["costs"] if row["option"] == name} == {found["sought"]["best"]["cost"]}


def test_what_cannot_be_met_says_what_can(run: Callable[..., Ran]) -> None:
    code, out, err = run("seek", *WITH, "--vary", "share_working_age=60%:90%:10%", "--target", "cost <= £1k")
    assert code == 1
    assert "NOT MET, the nearest: cost at most £1,000.00" in out
    assert "note: No point that was tried meets the target and the limits." in err
    assert "note: Within the limits the nearest cost is £" in err
