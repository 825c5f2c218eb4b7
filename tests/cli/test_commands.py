"""What the commands give: checks, views, schemas, sign-off, receipts."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rbcalc._places import rules_root
from rbcalc_cli.asking import shown_command

COUNCIL, YEAR, EARLIER = "hartlepool", "2025-26", "2024-25"
FOR = ["--council", COUNCIL, "--year", YEAR]
Run = Callable[..., Any]


@pytest.fixture
def own_rules(tmp_path: Path) -> Path:
    """A copy of the rules with one council."""
    folder = tmp_path / "rules"
    # Cases of the reduction schemes name councils that are not there.
    shutil.copytree(rules_root() / "england", folder / "england", ignore=shutil.ignore_patterns("*.cases.yaml"))
    shutil.copytree(rules_root() / "preceptors", folder / "preceptors")
    shutil.copytree(rules_root() / "councils" / COUNCIL, folder / "councils" / COUNCIL)
    (folder / "partnerships").mkdir()
    return folder


# ---------------------------------------------------------------------------------------------------------------- check
def test_one_council_is_checked(rbcalc: Run) -> None:
    ran = rbcalc("check", *FOR)
    assert ran.code == 0, ran.said
    assert "nothing wrong" in ran.err


def test_everything_of_a_folder_is_checked_and_sorted(own_rules: Path, rbcalc: Run) -> None:
    charges = own_rules / "councils" / COUNCIL / "charges" / f"{YEAR}.yaml"
    charges.write_text(charges.read_text(encoding="utf-8").replace("£2083.44}", "£2083.44/week}"), encoding="utf-8")
    profile = own_rules / "councils" / COUNCIL / "profile.yaml"
    profile.write_text("kind: profil\n", encoding="utf-8")
    ran = rbcalc("check", "--rules", own_rules, "--format", "json")
    assert ran.code == 1
    found = json.loads(ran.out)
    assert found["errors"] == len(found["findings"]) >= 1
    places = [(each["file"], each["line"], each["column"]) for each in found["findings"]]
    assert places == sorted(places)
    assert ("rules/councils/hartlepool/profile.yaml", 1, 7) in places


def test_findings_of_one_year_are_found(own_rules: Path, rbcalc: Run) -> None:
    charges = own_rules / "councils" / COUNCIL / "charges" / f"{YEAR}.yaml"
    charges.write_text(charges.read_text(encoding="utf-8").replace("£2083.44}", "£2083.44/week}"), encoding="utf-8")
    assert rbcalc("check", charges, "--rules", own_rules).code == 1
    ran = rbcalc("check", "--rules", own_rules, "--format", "github", *FOR)
    assert ran.code == 1
    assert ran.out.startswith(f"::error file=rules/councils/{COUNCIL}/charges/{YEAR}.yaml,line=")
    assert rbcalc("check", "--rules", own_rules, "--council", COUNCIL, "--year", "2014-15").code == 0


def test_statute_precepts_and_partnerships_can_be_checked_alone(rbcalc: Run) -> None:
    for path in ("rules/england/council_tax/liability.yaml", "rules/preceptors/cleveland_fire.yaml", "rules/partnerships/westwey.yaml"):
        ran = rbcalc("check", path)
        assert ran.code == 0, ran.said


# ----------------------------------------------------------------------------------------------------------------- test
def test_cases_from_anywhere_run_in_both_evaluators(rbcalc: Run) -> None:
    ran = rbcalc("test", Path(__file__).parents[1] / "explain" / "cases.yaml")
    assert ran.code == 0, ran.said
    assert "6 cases of 1 file, 0 failed, both evaluators" in ran.err


def test_a_folder_without_cases_is_said_to_be_so(tmp_path: Path, rbcalc: Run) -> None:
    ran = rbcalc("test", tmp_path)
    assert ran.code == 1
    assert "no case files there" in ran.err


# ----------------------------------------------------------------------------------------------------------------- show
def test_councils_and_partnerships_are_listed(rbcalc: Run) -> None:
    rows = json.loads(rbcalc("show", "councils", "--format", "json").out)["rows"]
    assert {"name": COUNCIL, "title": "Hartlepool Borough Council"}.items() <= next(row for row in rows if row["name"] == COUNCIL).items()
    assert "westwey" in rbcalc("show", "partnerships").out


def test_the_rate_card_has_every_figure_with_its_source(rbcalc: Run) -> None:
    ran = rbcalc("show", "rates", *FOR, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert all(row["Source"] and row["Status"] in ("confirmed", "provisional") for row in rows)
    found = {(row["Name"], row["For"]): row for row in rows}
    assert found["band_d_amount", "billing authority"]["Value"] == "£2,083.44 a year"
    assert "Hartlepool" in found["band_d_amount", "billing authority"]["Source"]
    assert found["single_adult_discount", ""]["Value"] == "25 %"
    assert found["single_adult_discount", ""]["By whom"] == "set by law"
    assert found["empty_premium", "from 10"]["Value"] == "300 %"
    same = rbcalc("show", "parameters", *FOR, "--format", "csv")
    assert same.out == ran.out


def test_a_rule_is_shown_as_an_officer_reads_it(rbcalc: Run) -> None:
    ran = rbcalc("show", "rule", "discount_class", *FOR)
    assert "Discount or premium that applies" in ran.out
    assert "4. when counted_adults = 1\n     give one_adult_25\n     Only one adult counts." in ran.out
    assert "rules/england/council_tax/discounts.yaml:" in ran.out
    lines = json.loads(rbcalc("show", "rule", "discount_class", *FOR, "--format", "json").out)["lines"]
    assert lines[-1]["when"] == "otherwise"


def test_what_a_rule_reads_is_a_tree(rbcalc: Run) -> None:
    tree = rbcalc("show", "graph", "bill", *FOR).out.splitlines()
    assert tree[:3] == ["bill", "  charge_total", "    charge"]
    assert any(line.strip() == "band (fact)" for line in tree)
    assert not any("__" in line for line in tree)
    dot = rbcalc("show", "graph", "bill", *FOR, "--dot").out
    assert dot.startswith("digraph")
    assert '"charge_total" -> "bill";' in dot


def test_facts_and_rules_are_listed(rbcalc: Run) -> None:
    rows = json.loads(rbcalc("show", "inputs", *FOR, "--format", "json").out)["rows"]
    assert {"table": "dwellings", "column": "band", "required": "yes"}.items() <= next(r for r in rows if r["column"] == "band").items()
    assert "net_annual_charge" in rbcalc("show", "rules", *FOR).out


def test_differences_are_told_in_words(rbcalc: Run) -> None:
    ran = rbcalc("show", "diff", EARLIER, YEAR, "--council", COUNCIL)
    assert "Premium for a second home: from 0 % to 100 %" in ran.out
    assert "billing authority: from £1,703.17 a year to £2,083.44 a year" in ran.out
    assert rbcalc("show", "diff", YEAR, YEAR, "--council", COUNCIL).out.splitlines()[-1] == "nothing differs"
    other = rbcalc("show", "diff", COUNCIL, "stevenage", "--year", YEAR, "--format", "csv")
    assert other.code == 0
    assert "Band D amount" in other.out


def test_a_sign_off_holds_until_a_rule_changes(own_rules: Path, rbcalc: Run, tmp_path: Path) -> None:
    record = tmp_path / "signed.json"
    ran = rbcalc("show", "--sign-off", *FOR, "--rules", own_rules, "--record", record)
    assert ran.code == 0, ran.said
    assert f"| Old ({EARLIER}) | New ({YEAR}) |" in ran.out
    assert "| Premium for a second home |  | 0 % | 100 % |" in ran.out
    assert "☐" in ran.out
    assert "transcribed, not adopted" in ran.out
    held = rbcalc("show", "sign-off", "--rules", own_rules, "--holds", record)
    assert (held.code, held.out) == (0, f"the sign-off of {COUNCIL}, {YEAR} holds\n")
    liability = own_rules / "england" / "council_tax" / "liability.yaml"
    liability.write_text(liability.read_text(encoding="utf-8") + "\n# a remark\n", encoding="utf-8")
    void = rbcalc("show", "sign-off", "--rules", own_rules, "--holds", record)
    assert void.code == 1
    assert "is void:\n  rules/england/council_tax/liability.yaml was changed" in void.out


def test_the_generated_source_is_python(rbcalc: Run) -> None:
    ran = rbcalc("show", "--python", *FOR, "--outputs", "bill")
    assert ran.code == 0, ran.said
    assert "def " in ran.out
    compile(ran.out, "generated", "exec")


# --------------------------------------------------------------------------------------------------------------- schema
def test_the_schema_of_rule_files_is_written_for_editors(tmp_path: Path, rbcalc: Run) -> None:
    ran = rbcalc("schema", "rules", "--write", tmp_path)
    assert ran.code == 0
    schema = json.loads((tmp_path / "rbcalc-rules.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    assert "yaml-language-server" in ran.err
    good = {"kind": "partnership", "name": "x", "title": "X", "standing": "live", "default_year": "2025-26", "members": []}
    jsonschema.validate(good, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**good, "standing": "maybe"}, schema)


def test_the_schema_of_the_caseload_says_type_unit_range_and_members(rbcalc: Run) -> None:
    tables = json.loads(rbcalc("schema", "input", *FOR).out)["tables"]
    band = next(column for column in tables["dwellings"]["columns"] if column["name"] == "band")
    assert band["members"] == list("ABCDEFGH")
    money = next(column for column in tables["accounts"]["columns"] if column["name"] == "fallen_due")
    assert (money["unit"], money["range"], money["step"], money["required"]) == ("£", ["£0.00", "£1,000,000.00"], "1/100", "no")
    assert tables["people"]["optional"] is True


# ------------------------------------------------------------------------------------------------------- purge, verify
def test_a_purge_gives_a_receipt(tmp_path: Path, rbcalc: Run) -> None:
    (tmp_path / ".cache").mkdir(mode=0o700)
    (tmp_path / ".cache" / "left").write_text("x", encoding="utf-8")
    ran = rbcalc("purge", "--list")
    assert ran.code == 0
    assert "removed 1 files, 1 bytes" in ran.out
    assert "SHA-256" in ran.out
    assert not (tmp_path / ".cache" / "left").exists()
    assert json.loads(rbcalc("purge", "--format", "json").out)["files"] == 0


def test_an_output_that_was_changed_is_not_what_it_says(tmp_path: Path, rbcalc: Run) -> None:
    from rbcalc.running.outputs import OutputFolder

    folder = OutputFolder.made(tmp_path / "out")
    folder.place("bills.txt").write_text("1\n", encoding="utf-8")
    folder.keep("bills.txt", 1)
    folder.finish({"result": "test"})
    assert rbcalc("verify", "out").code == 0
    (tmp_path / "out" / "bills.txt").write_text("2\n", encoding="utf-8")
    ran = rbcalc("verify", "out")
    assert ran.code == 1
    assert "bills.txt was changed" in ran.out
    assert rbcalc("verify", "out", "--quiet").said == ""


# -------------------------------------------------------------------------------------------------------------- output
def test_no_cell_is_a_formula(capsys: pytest.CaptureFixture[str]) -> None:
    from rbcalc_cli.options import Format
    from rbcalc_cli.output import table

    table("", ("A",), [("=1+1",), ("@x",), ("-£5.00",), ("-5",), ("-x",), ("fine",)], Format.CSV)
    assert capsys.readouterr().out.splitlines() == ["A", "'=1+1", "'@x", "-£5.00", "-5", "'-x", "fine"]


HEADS, LINES = ["by", "and by", "a long heading", "other"], [["one word", "two", "£1,234,567.00", "9"], ["three", "four", "£2.00", "10"]]


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("width", [20, 40, 100])
def test_no_figure_of_the_totals_is_broken(
    width: int, down: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    from rbcalc_cli import output

    monkeypatch.setattr(output, "_console", lambda: Console(width=width))
    output.totals("Made up", HEADS, LINES, keys=2, down=down)
    printed = capsys.readouterr().out
    if width > 20:
        assert "£1,234,567.00" in printed
        assert max(map(len, printed.splitlines())) <= width
    assert ("a long heading" in printed and printed.index("£1,234,567.00") < printed.index("£2.00")) or width < 100


def test_with_down_each_figure_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    from rbcalc_cli.output import totals

    totals("Made up", HEADS, LINES, keys=2, down=True)
    _, head, first, second = (line.split("  ") for line in capsys.readouterr().out.splitlines())
    assert [word.strip() for word in head if word.strip()] == ["one word, two", "three, four"]
    assert [word.strip() for word in first if word.strip()] == ["a long heading", "£1,234,567.00", "£2.00"]
    assert [word.strip() for word in second if word.strip()] == ["other", "9", "10"]


@pytest.mark.parametrize("width", [42, 46])
def test_words_that_do_not_fit_stand_above_their_figures(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    from rbcalc_cli import output

    monkeypatch.setattr(output, "_console", lambda: Console(width=width))
    lines = [["accommodation", "departmental determination", f"£{each}23.45", "£1,234.56", "9"] for each in range(8)]
    output.totals("Made up", ["where", "why", "above the limit", "below", "awards"], lines, keys=2)
    printed = capsys.readouterr().out.splitlines()
    assert max(map(len, printed)) <= width
    assert printed[0] == "Made up" and printed[-2:] == ["accommodation, departmental determination", "  £723.45          £1,234.56  9"]
    assert sum("accommodation, departmental determination" in line for line in printed) == 8
    assert [word for word in ["above", "the", "limit", "below", "awards"] if word not in " ".join(printed[1:3]).split()] == []


def test_no_word_of_the_totals_is_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from rbcalc_cli import output

    monkeypatch.setattr(output, "_console", lambda: Console(width=40))
    lines = [["a rebate outside the account", "departmental determination", "£123.45"]]
    output.totals("", ["where", "why", "awarded"], lines, keys=2)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 40
    assert [word for word in " ".join(lines[0]).split() if word not in printed.split()] == []


# ------------------------------------------------------------------------------------------------ warnings, scenarios
def test_warnings_alone_are_no_findings_for_a_script(own_rules: Path, rbcalc: Run) -> None:
    path = own_rules / "england" / "council_tax" / "liability.yaml"
    extra = "  nobody_asks:\n    title: Nobody asks\n    of: period\n    unit: £\n    is: charge\n"
    path.write_text(path.read_text(encoding="utf-8").rstrip() + "\n" + extra, encoding="utf-8")
    ran = rbcalc("check", "--rules", own_rules, "--year", YEAR)
    assert ran.code == 0, ran.said
    assert "warning[RB085] nothing uses the rule 'nobody_asks'" in ran.out
    assert "error" not in ran.out


def test_a_scenario_is_checked_for_a_council(tmp_path: Path, rbcalc: Run) -> None:
    text = "kind: scenario\ntitle: Suppose\nextends: [england.council_tax]\nfrom: 2025-04-01\nsource: {note: made up}\n"
    path = tmp_path / "suppose.yaml"
    path.write_text(text + "set:\n  single_adult_discount: {value: 30%}\n", encoding="utf-8")
    assert rbcalc("check", path, *FOR).code == 0
    assert rbcalc("check", path).code == 2
    path.write_text(text + "set:\n  single_adult_discuont: {value: 30%}\n", encoding="utf-8")
    ran = rbcalc("check", path, *FOR)
    assert ran.code == 1
    assert "did you mean 'single_adult_discount'" in ran.out


# -------------------------------------------------------------------------------------------------------------- explain
def test_lines_of_a_year_that_say_nothing_are_told_together(tmp_path: Path, rbcalc: Run) -> None:
    load = tmp_path / "load"
    load.mkdir()
    (load / "rates_accounts.csv").write_text("rates_account,ratepayer,hereditament,from\nA,R,H,2020-04-01\n", encoding="utf-8")
    entry = "hereditament,from,rateable_value,rating_use\nH,2023-04-01,20000,retail\n"
    (load / "hereditaments.csv").write_text(entry, encoding="utf-8")
    (load / "occupations.csv").write_text("rates_account,from,occupation_state\nA,2020-04-01,occupied\n", encoding="utf-8")
    ran = rbcalc("explain", "A", "--caseload", load, "--subject", "business_rates", *FOR)
    assert ran.code == 0, ran.said
    assert "£0.00 each: Less what is not charged while unoccupied; Less transitional relief;" in ran.out
    assert "= £9,980.00 \N{MINUS SIGN} £9,980.00" not in ran.out
    assert "= £9,980.00 \N{MINUS SIGN} £5,988.00" in ran.out, "the relief that there is stands alone"
    assert "Reoccupation relief" not in ran.out


def test_rules_that_are_not_confirmed_are_listed_in_the_years_that_rest_on_them(rbcalc: Run) -> None:
    def listed(year: str) -> str:
        ran = rbcalc("show", "provisional", "--subject", "business_rates", "--council", COUNCIL, "--year", year, "--format", "csv")
        assert ran.code == 0, ran.said
        return str(ran.out)

    assert "Base liability for 2026-27,,a rule," in listed("2026-27")
    assert "Base liability" not in listed("2025-26")
    assert "had the scheme gone on" in listed("2015-16")
    assert "had the scheme gone on" not in listed("2021-22")


def test_an_account_that_rests_on_figures_not_confirmed_says_so(tmp_path: Path, rbcalc: Run) -> None:
    load = tmp_path / "load"
    load.mkdir()
    (load / "accounts.csv").write_text("account,dwelling,from,to\nA,Y,2025-04-01,\n", encoding="utf-8")
    dwellings = "dwelling,from,to,band,area,occupation,empty_since\nY,2000-01-01,,D,whole,furnished,2025-03-01\n"
    (load / "dwellings.csv").write_text(dwellings, encoding="utf-8")
    ran = rbcalc("explain", "A", "--caseload", load, *FOR)
    assert ran.code == 0, ran.said
    assert "Provisional: these figures are not confirmed: Discount for a second home (class B)." in ran.out
    assert "50 % (provisional)" in ran.out
    assert "Rules: transcribed, not adopted." in ran.out
    assert "provisional" in ran.err
    missing = rbcalc("explain", "B", "--caseload", load, *FOR)
    assert missing.code == 2
    assert "no account B in the caseload" in missing.err


def test_a_caseload_that_cannot_be_read_gives_3(tmp_path: Path, rbcalc: Run) -> None:
    (tmp_path / "load").mkdir()
    ran = rbcalc("explain", "A", "--caseload", "load", *FOR)
    assert ran.code == 3, ran.said
    assert "accounts" in ran.err
    assert "Traceback" not in ran.err


# ------------------------------------------------------------------------------------------------------ what is recorded
def test_the_command_is_told_without_folders_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.yaml").touch()
    limit = "loss <= £5/week where disabled = yes"
    words = ["whatif", "mine/a.yaml+/elsewhere/b.yaml", "--rules-of", "hartlepool/reduction", "--limit", limit, "--out=/elsewhere/paper"]
    monkeypatch.setattr("sys.argv", ["rbcalc", *words])
    assert shown_command() == f"rbcalc whatif a.yaml+b.yaml --rules-of hartlepool/reduction --limit '{limit}' --out=paper"
