"""How findings are collected and what a report looks like, to the character."""

from __future__ import annotations

import pickle

import pytest

from rbcalc_kernels.source import CODES, Diagnostic, Findings, RulesError, Span, render, suggest

FILE = "rules/councils/stevenage/reduction/2026-27.yaml"
LINE = "    is: taper_amount + annual_liability"


def at(line: int, column: int, end_column: int | None = None, file: str = "f.yaml") -> Span:
    return Span(file, line, column, line, column + 1 if end_column is None else end_column)


def finding(line: int = 1, code: str = "RB031", severity: str = "error") -> Diagnostic:
    return Diagnostic(code, "wrong", at(line, 1), severity="error" if severity == "error" else "warning")


def test_one_error_in_full() -> None:
    diagnostic = Diagnostic(
        "RB031",
        "cannot add £/week and £/year",
        Span(FILE, 41, 24, 41, 40),
        label="£/year, defined at rules/england/council_tax/liability.yaml:12:3",
        related=((Span("rules/england/council_tax/liability.yaml", 12, 3, 12, 9), "it is defined here"),),
        help="write per_week(annual_liability)",
    )
    assert render([diagnostic], {FILE: "\n" * 40 + LINE + "\n"}) == (
        "rules/councils/stevenage/reduction/2026-27.yaml:41:24: error[RB031] cannot add £/week and £/year\n"
        "   41 |     is: taper_amount + annual_liability\n"
        "      |                        ^^^^^^^^^^^^^^^^ "
        "£/year, defined at rules/england/council_tax/liability.yaml:12:3\n"
        "   note: rules/england/council_tax/liability.yaml:12:3: it is defined here\n"
        "   help: write per_week(annual_liability)\n"
        "1 error"
    )


def test_a_multi_line_span_is_underlined_to_the_end_of_its_first_line() -> None:
    diagnostic = Diagnostic("RB031", "wrong", Span("f.yaml", 1, 3, 2, 2))
    assert render([diagnostic], {"f.yaml": "abcdef\r\ngh"}).split("\n")[1:3] == ["   1 | abcdef", "     |   ^^^^"]


def test_the_gutter_fits_the_line_number() -> None:
    report = render([finding(1234)], {"f.yaml": "\n" * 1233 + "x"}).split("\n")
    assert report[1:3] == ["   1234 | x", "        | ^"]


def test_an_empty_or_overlong_span_still_has_one_caret_inside_reach() -> None:
    for span in (at(1, 3, 3), at(1, 3, 99), at(1, 99, 120)):
        caret_line = render([Diagnostic("RB031", "wrong", span)], {"f.yaml": "ab"}).split("\n")[2]
        assert caret_line == "     |   ^"


def test_wide_characters_are_underlined_where_they_stand() -> None:
    caret_line = render([Diagnostic("RB031", "wrong", at(1, 2, 3))], {"f.yaml": "😀£x"}).split("\n")[2]
    assert caret_line == "     |   ^"


def test_without_the_source_the_label_is_kept() -> None:
    diagnostic = Diagnostic("RB031", "wrong", at(7, 1), label="this one")
    assert render([diagnostic], {}) == "f.yaml:7:1: error[RB031] wrong\n   note: this one\n1 error"


def test_dangerous_characters_never_reach_the_terminal() -> None:
    diagnostic = Diagnostic("RB031", "bad '\x1b[2J\u202e'\nnext", at(1, 1))
    report = render([diagnostic], {"f.yaml": "\x1b[31m\u202ered\ud800"})
    assert not set(report) & set("\x1b\u202e\ud800\r")
    assert report.count("\n") == 3


def test_a_very_long_line_is_shown_as_a_window() -> None:
    report = render([Diagnostic("RB031", "wrong", at(1, 5001, 5003))], {"f.yaml": "a" * 5000 + "XY" + "b" * 5000})
    shown, carets = report.split("\n")[1:3]
    assert len(shown) < 220
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "XY"


def test_the_report_is_sorted_without_repeats_and_counts_everything() -> None:
    found = [finding(2), finding(1, "RB032"), finding(1), finding(2), finding(3, "RB040", "warning")]
    report = render(found, {}).split("\n")
    assert [line.split(" ")[0] + line.split("[")[1][:5] for line in report[:-1]] == [
        "f.yaml:1:1:RB031",
        "f.yaml:1:1:RB032",
        "f.yaml:2:1:RB031",
        "f.yaml:3:1:RB040",
    ]
    assert report[-1] == "3 errors, 1 warning"
    assert report[3] == "f.yaml:3:1: warning[RB040] wrong"


def test_after_the_limit_only_the_number_is_given() -> None:
    report = render([finding(line) for line in range(1, 61)], {}).split("\n")
    assert len(report) == 52
    assert report[-2:] == ["... and 10 more", "60 errors"]
    assert render([finding(1), finding(2)], {}, limit=1).split("\n")[1:] == ["... and 1 more", "2 errors"]


@pytest.mark.parametrize(
    ("errors", "warnings", "line"),
    [(0, 0, "0 errors"), (1, 0, "1 error"), (0, 1, "1 warning"), (2, 3, "2 errors, 3 warnings")],
)
def test_the_count_line(errors: int, warnings: int, line: str) -> None:
    found = [finding(place + 1) for place in range(errors)]
    found += [finding(place + 1, severity="warning") for place in range(warnings)]
    assert render(found, {}).split("\n")[-1] == line


def test_findings_are_true_only_with_an_error() -> None:
    findings = Findings()
    assert not findings
    findings.warning("RB040", "look", at(1, 1), label="here", help="think")
    assert not findings
    findings.raise_if_errors({})
    findings.error("RB031", "wrong", at(2, 1))
    findings.error("RB031", "wrong", at(2, 1))
    findings.error("RB031", "wrong", at(1, 1), related=((at(9, 9), "there"),))
    assert findings
    assert len(findings) == 3
    assert [found.span.line for found in findings.errors] == [1, 2]
    assert [found.code for found in findings.warnings] == ["RB040"]
    with pytest.raises(RulesError) as caught:
        findings.raise_if_errors({"f.yaml": "x"})
    assert caught.value.diagnostics == tuple(findings)
    assert str(caught.value).endswith("2 errors, 1 warning")


def test_the_order_does_not_depend_on_discovery() -> None:
    found = [finding(line, code) for line in (3, 1, 2) for code in ("RB040", "RB031")]
    assert tuple(Findings(found)) == tuple(Findings(reversed(found)))


def test_an_error_survives_pickling() -> None:
    error = RulesError([finding()], {"f.yaml": "x"})
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_suggestions() -> None:
    assert suggest("tapper", {"taper", "income"}) == " (did you mean 'taper'?)"
    assert suggest("zzz", ["taper", "income"]) == ""
    assert suggest("", []) == ""


def test_codes_are_well_formed_and_titles_are_different() -> None:
    assert all(code.startswith("RB") and len(code) == 5 and code[2:].isdigit() for code in CODES)
    assert len(set(CODES.values())) == len(CODES)
