"""A finding underlines the construct that is wrong, however the expression is written in YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.linking_toolbox import BASE, findings, report, write

HEAD = "  answer:\n    of: period\n    unit: £/week\n    output: yes\n    is: "


def underlined(folder: Path, text: str) -> list[str]:
    """What each finding underlines, taken from the file itself; only the first line of longer stretches."""
    write(folder, {"base.yaml": text})
    lines = text.splitlines()
    return [
        lines[each.span.line - 1][each.span.column - 1 : each.span.end_column - 1 if each.span.end_line == each.span.line else None]
        for each in findings(folder)
    ]


@pytest.mark.parametrize(
    "written",
    [
        "rent + 5 days\n",
        '"rent + 5 days"\n',
        "'rent + 5 days'\n",
        "rent\n      + 5 days\n",
        "|\n      rent\n        + 5 days\n",
        "|-\n      rent +\n\n      5 days\n",
        ">\n      rent\n      + 5 days\n",
        ">-\n      rent\n\n      + 5 days\n",
        '"rent\n      + 5 days"\n',
        '"rent \\\n      + 5 days"\n',
        '"\\u0072ent + 5 days"\n',
        "|2\n      rent + 5 days\n",
        "|  # the rent\n      rent + 5 days\n",
        "rent + 5 days   # and more\n",
    ],
)
def test_the_wrong_term_is_underlined(tmp_path: Path, written: str) -> None:
    assert underlined(tmp_path, BASE + HEAD + written) == ["5 days"]


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("if band = A\n      then rent\n      else £5", "£5"),
        ("max(rent, £1/week,\n      £2)", "£2"),
        ("rent * (1 -\n      rnet)", "rnet"),
        ("sum(residents.incme)", "incme"),
        ("sum(residents.income where\n      studnt)", "studnt"),
        ("rent / 0", "0"),
        ("first_known(rooms, rent)", "rent"),
        ("rent as at 2025-04-01", "rent as at 2025-04-01"),
        ("round(rent, £1, sidewards)", "sidewards"),
        ("if first_day = 2025-05-01 then rent else rent", "first_day"),
        ("rent +* 2", "*"),
        ("rent $ 2", "$"),
        ("(rent", "t"),
        ("rent ]", "]"),
        ("rent * 1,000", "1,000"),
    ],
)
def test_no_more_and_no_less_than_what_is_wrong(tmp_path: Path, expression: str, wrong: str) -> None:
    assert underlined(tmp_path, f"{BASE}{HEAD}|\n      {expression}\n") == [wrong]


def test_several_mistakes_are_told_in_one_run(tmp_path: Path) -> None:
    lines = "    first:\n      - {when: bnd = A, give: rent, because: x}\n"
    lines += "      - {when: rent > 5, give: £5, because: '{rnet}'}\n      - {otherwise: 7, because: y}\n"
    assert underlined(tmp_path, BASE + HEAD.replace("    is: ", lines)) == ["bnd", "5", "7"]


def test_ranges_and_words_in_braces(tmp_path: Path) -> None:
    text = BASE.replace("range: 0 to 20", "range: 0 to 20 days")
    assert underlined(tmp_path, text) == ["20 days"]
    text = BASE + HEAD.replace("    is: ", "    first:\n      - {otherwise: rent, because: 'The {rent} and the {rnet} of {band}.'}\n")
    assert underlined(tmp_path, text) == ["rnet"]


def test_the_caret_stands_under_the_operator(tmp_path: Path) -> None:
    write(tmp_path, {"base.yaml": BASE + HEAD + "|\n      rent\n        ** 2\n"})
    lines = report(tmp_path).splitlines()
    assert lines[1].index("**") + 1 == lines[2].index("^")
    (found,) = findings(tmp_path)
    line = (tmp_path / "base.yaml").read_text(encoding="utf-8").splitlines()[found.span.line - 1]
    assert line[found.span.column - 1] == "*"
    assert line[found.span.column - 2] == "*"
