"""`rbcalc explain` from the command line: letters, changes, and what is said when something is asked for that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from rbcalc_cli.main import outcome

CASES = Path(__file__).parent / "letters.cases.yaml"
FOR = ("--council", "stevenage", "--year", "2026-27")
TABLES = {
    "accounts": "account,dwelling,from,to\n007,Y1,2025-04-01,\n008,Y2,2025-04-01,\n009,Y3,2025-04-01,\n",
    "dwellings": "dwelling,from,to,band,area\nY1,2000-01-01,,C,whole\nY2,2000-01-01,,D,whole\nY3,2000-01-01,,B,whole\n",
    "claims": "claim,account,from,to,capital\nC1,007,2025-04-01,,5000\nC2,008,2025-04-01,,20000\n",
    "household": "claim,person,from,to,role,born\nC1,P1,2025-04-01,,applicant,1945-01-01\nC2,P2,2025-04-01,,applicant,1945-01-01\n",
    "incomes": "person,from,to,income_kind,frequency,amount\nP1,2025-04-01,,state_pension,weekly,276\n",
    "non_dependants": "claim,non_dependant,from,to,in_work,gross_income\nC1,N1,2025-04-01,,yes,300\n",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = outcome(["explain", *(str(argument) for argument in arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_letter_goes_to_standard_output_or_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, page, _ = run(capsys, "--case", CASES, "--name", "nil", "--letter", "--dated", "2026-04-01")
    assert code == 0 and page.startswith("<!DOCTYPE html>") and "Date: 1 April 2026" in page
    code, out, err = run(capsys, "--case", CASES, "--name", "nil", "--letter", "--format", "markdown", "--out", "letter.md")
    assert (code, out) == (0, "") and "letter.md" in err
    assert "Why you get nothing" in (tmp_path / "letter.md").read_text(encoding="utf-8")


def test_letters_for_a_caseload(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "load").mkdir()
    for name, text in TABLES.items():
        (tmp_path / "load" / f"{name}.csv").write_text(text, encoding="utf-8")
    code, _, err = run(capsys, "--caseload", "load", "--all-accounts", "--out", "out", "--format", "markdown", *FOR)
    assert code == 0, err
    assert "2 letters in out, with an index; none for 1 account" in err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000001.md", "000002.md", "index.md"]
    (tmp_path / "list.txt").write_text("008\n", encoding="utf-8")
    assert run(capsys, "--caseload", "load", "--accounts", "list.txt", "--out", "few", *FOR)[0] == 0
    assert "No letter" not in (tmp_path / "few" / "index.html").read_text(encoding="utf-8")
    code, page, _ = run(capsys, "007", "--caseload", "load", "--letter", *FOR)
    assert code == 0 and "Reference: 007" in page
    code, out, _ = run(capsys, "007", "--caseload", "load", "--against", "2025-26", *FOR)
    assert code == 0 and "Why it changed:" in out


def test_changes_are_printed_with_the_order_of_the_causes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--case", CASES, "--name", "change", "--changed-from", "2026-04-01", "--to", "2026-07-01")
    assert code == 0
    assert "Income and capital" in out and "−£4.00 a week" in out and "in this order: The charge;" in out  # noqa: RUF001 - as printed
    code, out, _ = run(capsys, "--case", CASES, "--name", "nil", "--changed-from", "2026-04-01", "--to", "2026-07-01")
    assert code == 0 and "Nothing changed." in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--case", CASES, "--letter", "--format", "json"], "a letter is not written as json"),
        (["--case", CASES, "--format", "html"], "only a letter is written as html"),
        (["--case", CASES, "--changed-from", "2026-04-01"], "between which days?"),
        (["--case", CASES, "--changed-from", "1 April", "--to", "2026-07-01"], "no such day: 1 April"),
        (["--case", CASES, "--name", "nul", "--letter"], "no case called nul"),
        (["--letter"], "which account?"),
        (["--all-accounts"], "letters for which accounts"),
        (["--case", CASES, "--letter", "--template", "none.j2"], "no such file: none.j2"),
    ],
)
def test_what_cannot_be_is_said_so(arguments: list[object], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert words in err
