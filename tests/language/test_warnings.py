"""What nothing uses is named once, and nothing else is."""

from __future__ import annotations

from pathlib import Path

from language.linking_toolbox import BASE, findings, rule, write

MORE = """\
parameters:
  read: {unit: count, value: 1}
  through_a_table: {unit: count, value: 1}
  idle: {unit: count, value: 1}
tables:
  by_band: {unit: count, over: {band: band}, is: through_a_table}
  asked_about: {unit: count, over: {band: band}, sparse: yes, rows: {A: 1}}
  idle_table: {unit: count, over: {band: band}, rows: {A: 1, B: 1, C: 1}}
"""


def warnings(folder: Path, text: str) -> list[str]:
    found = findings(write(folder, {"base.yaml": text}))
    assert not found.errors
    assert {each.code for each in found} <= {"RB085"}
    lines = text.splitlines()
    return [lines[each.span.line - 1][each.span.column - 1 : each.span.end_column - 1] for each in found]


def test_a_base_without_waste(tmp_path: Path) -> None:
    assert warnings(tmp_path, BASE) == []


def test_parameters_tables_inputs_and_rules(tmp_path: Path) -> None:
    rules = rule("answer", "period", "count", "read + by_band[band] + (if known(asked_about[band]) then 1 else 0)")
    rules += rule("step", "period", "count", "1").replace("    output: yes\n", "")
    assert warnings(tmp_path, BASE + rules + MORE) == ["step", "idle", "idle_table"]
    text = (BASE + rules.replace("read + ", "step + read + ") + MORE).replace(
        "  student:", "  spare: {of: resident, unit: yes/no, optional: yes, register: people}\n  student:"
    )
    assert warnings(tmp_path, text) == ["spare", "idle", "idle_table"]


def test_what_is_read_only_by_a_cut_a_because_or_another_row_is_used(tmp_path: Path) -> None:
    hidden = {"output: yes": "note: only read by others"}
    text = BASE + rule("clock", "period", "date", "year_start").replace("output: yes", hidden["output: yes"])
    text += rule("before", "period", "count", "1").replace("output: yes", "note: n")
    text += rule("answer", "period", "yes/no", "reached(clock) and previous(before, first: 0) = 1")
    assert warnings(tmp_path, text) == []
