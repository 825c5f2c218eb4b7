"""What a paper leaves behind: a workbook of figures, tables for machines, and case lists that only their owner can read."""

from __future__ import annotations

import csv
import json
import stat
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from paper.dressed import HOSTILE, Reconciled, Study
from rbcalc.errors import OutputError, UsageError
from rbcalc.papers.paper import write_paper
from rbcalc.running.outputs import verify

DECLARED = """kind: paper
title: "=1+1 <b>"
money:
  - {council: north, collection_rate: 80%, hardship_fund: £1000, administration: £500, source: "=HYPERLINK(1)"}
"""


@pytest.fixture(scope="module")
def made() -> Study:
    found = Study(titles={"north": HOSTILE[0], "south": HOSTILE[5]}, named=(HOSTILE[1], HOSTILE[4]), references=HOSTILE)
    found.study.assumptions = HOSTILE
    return found


@pytest.fixture(scope="module")
def out(made: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper")
    declared = folder / "declared.yaml"
    declared.write_text(DECLARED, encoding="utf-8")
    paths = write_paper(
        made.comparison, made.study, folder / "out", declared=declared, reconciliation=Reconciled("99.9"), command=HOSTILE[0]
    )
    assert paths[0].name == "paper.html" and all(path.is_file() for path in paths)
    return folder / "out"


@pytest.fixture(scope="module")
def book(out: Path) -> Any:
    return openpyxl.load_workbook(out / "public" / "paper.xlsx")


def test_the_folder_is_what_its_manifest_says(out: Path) -> None:
    assert verify(out) == []
    assert {path.name for path in out.iterdir()} == {"public", "restricted", "manifest.json"}
    assert {path.name for path in (out / "public").iterdir()} == {"paper.html", "paper.xlsx", "paper.json", "tables"}


# ------------------------------------------------------------------------------------------------------------ workbook
def test_the_workbook_holds_no_formula_and_hides_nothing(out: Path, book: Any) -> None:
    for sheet in book.worksheets:
        assert sheet.sheet_state == "visible"
        assert not [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f" or cell.hyperlink], sheet.title
    assert not book.defined_names
    with zipfile.ZipFile(out / "public" / "paper.xlsx") as archive:
        names = archive.namelist()
        assert not [
            name for name in names if any(word in name for word in ("pivot", "external", "comments", "vba", "drawing", "connections"))
        ]
        assert b"<f>" not in b"".join(archive.read(name) for name in names if "worksheets/" in name)


def test_the_workbook_has_its_sheets(book: Any) -> None:
    wanted = ["Summary", "Costs", "Outcomes", "Distribution", "Groups", "Who bears the cost", "Single changes", "Tax base"]
    assert book.sheetnames == [*wanted, "Yield", "Assumptions", "Checks", "Run"]


def test_texts_of_the_workbook_are_kept_as_they_are(book: Any) -> None:
    texts = {cell.value for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.data_type == "s"}
    assert {HOSTILE[0], HOSTILE[1], HOSTILE[4], HOSTILE[5]} <= texts
    assert set(HOSTILE) <= {cell.value for row in book["Assumptions"].iter_rows() for cell in row}


def test_figures_of_the_workbook_are_figures(made: Study, book: Any) -> None:
    rows = [list(row) for row in book["Costs"].iter_rows(values_only=True)]
    head = next(place for place, row in enumerate(rows) if "Amount" in row)
    column = rows[head].index("Amount")
    shown = [row[column] for row in rows[head + 1 :]]
    held = [row["amount"] for row in made.comparison.publishable().costs.to_pylist()]
    for value, other in zip(shown, held, strict=True):
        assert value == "withheld" if other is None else Decimal(str(value)) == other
    assert any(isinstance(value, int | float) for value in shown)


def test_nothing_published_tells_of_a_single_account(made: Study, out: Path) -> None:
    references = {f"south{number}" for number in range(40)}
    for path in (out / "public").rglob("*"):
        if path.suffix in {".html", ".json", ".csv"}:
            text = path.read_text(encoding="utf-8")
            assert not [name for name in references if f">{name}<" in text or f'"{name}"' in text or f",{name}," in text], path.name
    with zipfile.ZipFile(out / "public" / "paper.xlsx") as archive:
        strings = archive.read("xl/sharedStrings.xml").decode()
        assert not [name for name in references if f">{name}<" in strings]


# -------------------------------------------------------------------------------------------------------- for machines
@pytest.mark.parametrize("name", ["costs", "outcomes", "distribution", "groups", "bodies", "changes", "tax_base", "checks"])
def test_tables_are_the_same_in_every_form(made: Study, out: Path, name: str) -> None:
    table = pq.read_table(out / "public" / "tables" / f"{name}.parquet")
    wanted = getattr(made.comparison.publishable(), name)
    assert table.to_pylist() == wanted.to_pylist()
    facts = json.loads(table.schema.metadata[b"rbcalc"])
    assert facts["Command"] == [HOSTILE[0]] and facts["hypothetical"] is True
    with (out / "public" / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == table.num_rows + 1
    assert not [
        field for row in rows for field in row if field.startswith(("=", "@", "+", "\t")) or (field[:1] == "-" and not _number(field))
    ]
    held = json.loads((out / "public" / "paper.json").read_text(encoding="utf-8"))["tables"][name]
    assert len(held) == table.num_rows


def _number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdigit()


# --------------------------------------------------------------------------------------------------------------- cases
def test_case_lists_are_for_their_owner_alone(out: Path) -> None:
    folder = out / "restricted"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {"README.txt", "north.parquet", "north.csv", "south.parquet", "south.csv"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert (folder / "README.txt").read_text(encoding="utf-8").startswith("RESTRICTED: single households.")


def test_case_lists_add_up_to_the_figures(made: Study, out: Path) -> None:
    for council in ("north", "south"):
        table = pq.read_table(out / "restricted" / f"{council}.parquet")
        assert set(table["council"].to_pylist()) == {council}
        rows = table.to_pylist()
        for cost in made.comparison.costs.to_pylist():
            if cost["council"] == council and cost["option"] != "baseline":
                assert sum(row["amount"] for row in rows if row["option"] == cost["option"]) == cost["amount"]


def test_case_lists_hold_no_formulae(out: Path) -> None:
    with (out / "restricted" / "north.csv").open(encoding="utf-8", newline="") as file:
        accounts = {row["account"] for row in csv.DictReader(file)}
    assert {f"'{text}" for text in HOSTILE if text[0] in "=+-@"} <= accounts
    assert {text for text in HOSTILE if text[0] not in "=+-@"} <= accounts


# ------------------------------------------------------------------------------------------------------------- refused
def test_a_folder_with_something_else_is_left_alone(made: Study, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="is not empty"):
        write_paper(made.comparison, made.study, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_no_wording_for_an_impact_is_said(made: Study, tmp_path: Path) -> None:
    from dataclasses import replace

    other: Any = type("Other", (), dict(vars(made.study)))()
    other.impact = replace(made.study.impact, name="housing_benefit")
    with pytest.raises(UsageError, match="no wording for a paper on housing benefit") as caught:
        write_paper(made.comparison, other, tmp_path / "out")
    assert "council_tax_reduction" in caught.value.hint


def test_a_disk_that_is_full_is_no_traceback(made: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rbcalc.papers.workbook.write_workbook", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_paper(made.comparison, made.study, tmp_path / "out")
