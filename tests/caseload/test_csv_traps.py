"""What spreadsheets and old systems do to CSV files: each is read rightly, or refused with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from caseload.support import ACCOUNTS, DWELLINGS, folder, load, said
from rbcalc.caseload.column_map import ColumnMap
from rbcalc.errors import DataError

HEAD = "account,dwelling,from,to,capital\n"


def accounts(*lines: str, head: str = HEAD) -> str:
    """The accounts table with some lines after a good one."""
    return head + "001,D1,2026-04-01,,12.50\n" + "".join(line + "\n" for line in lines)


def capital(path: Path, text: str) -> tuple[list[int], list[tuple[int, str, str]]]:
    """The capital of the second account, or what is said of it."""
    made = load(folder(path, accounts(f'002,D2,2026-04-01,,"{text}"')), council="north")
    return made.registers["accounts"].columns["capital"].tolist(), said(made)


@pytest.mark.parametrize(
    ("text", "pence"),
    [
        ("£1,234.50", 123450),
        ("(12.00)", -1200),
        ("-12.00", -1200),
        ("12.00-", -1200),
        ("-£12", -1200),
        ("£-12", -1200),
        ("£ 1,000", 100000),
        (".5", 50),
        ("12.500", 1250),
        ("\u00a012\t", 1200),
    ],
)
def test_money_is_read_as_people_write_it(tmp_path: Path, text: str, pence: int) -> None:
    assert capital(tmp_path / "c", text) == ([1250, pence], [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.005", "is not a multiple of £0.01"),
        ("1,23", "is not an amount: text of 4 characters"),
        ("1.234,50", "is not an amount: text of 8 characters"),
        ("12 CR", "is not an amount: text of 5 characters"),
        ("1e3", "is in scientific notation"),
        ("999999", "is outside -£5,000.00 to £100,000.00"),
        ("99999999999999999999", "is not an amount: text of 20 characters"),
        ("", "is blank and must be given"),
    ],
)
def test_money_that_cannot_be_read_is_rejected(tmp_path: Path, text: str, reason: str) -> None:
    assert capital(tmp_path / "c", text) == ([1250], [(3, "capital", reason)])


def test_a_byte_order_mark_is_not_part_of_the_first_header(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", b"\xef\xbb\xbf" + ACCOUNTS.encode()), council="north")
    assert made.references.to_pylist() == ["001", "002"]


def test_utf_16_is_read(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", ACCOUNTS.encode("utf-16")), council="north")
    assert made.references.to_pylist() == ["001", "002"]


def test_windows_1252_is_read_and_said(tmp_path: Path) -> None:
    text = accounts("002,D2,2026-04-01,,£20.00").encode("cp1252")
    made = load(folder(tmp_path / "c", text), council="north")
    assert made.registers["accounts"].columns["capital"].tolist() == [1250, 2000]
    assert made.notes == ("accounts.csv: not UTF-8; read as Windows-1252 (say `encoding:` in the column map to settle it)",)


def test_text_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"RC007.*neither UTF-8 nor Windows-1252"):
        load(folder(tmp_path / "c", ACCOUNTS.encode() + b"\x81\xff\n"), council="north")


def test_a_declared_encoding_must_hold(tmp_path: Path) -> None:
    told = ColumnMap.parse("kind: column map\nregisters: {accounts: {encoding: utf-8}}")
    with pytest.raises(DataError, match=r"RC007.*not in the encoding utf-8"):
        load(folder(tmp_path / "c", ACCOUNTS.encode() + b"\xa3\n"), council="north", column_map=told)


def test_nul_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"RC007.*NUL bytes"):
        load(folder(tmp_path / "c", ACCOUNTS.encode() + b"\x00\n"), council="north")


def test_leading_zeros_of_references_stay(tmp_path: Path) -> None:
    assert load(folder(tmp_path / "c"), council="north").references.to_pylist() == ["001", "002"]


def test_references_in_scientific_notation_are_rejected(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", accounts("1.23457E+11,D2,2026-04-01,,1")), council="north")
    assert said(made) == [(3, "account", "is in scientific notation: its digits are lost")]
    assert made.rejects["remedy"][0].as_py().startswith("in a spreadsheet format the column as text")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Total,,,,99", "looks like a row of totals"),
        ("GRAND TOTAL,,,,99", "looks like a row of totals"),
        (",,,,99", "looks like a row of totals: it has no reference"),
    ],
)
def test_a_trailing_row_of_totals_is_rejected(tmp_path: Path, line: str, reason: str) -> None:
    made = load(folder(tmp_path / "c", accounts("002,D2,2026-04-01,,1", line)), council="north")
    assert said(made) == [(4, "account", reason)]
    assert made.registers["accounts"].count == 2


def test_duplicate_headers_are_refused(tmp_path: Path) -> None:
    text = "account,dwelling,from,Capital,capital \n001,D1,2026-04-01,1,2\n"
    with pytest.raises(DataError, match=r"RC004.*'Capital', 'capital' is written more than once"):
        load(folder(tmp_path / "c", text), council="north")


def test_a_blank_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"RC004.*column 2 has no header"):
        load(folder(tmp_path / "c", "account,,from\n1,2,3\n"), council="north")


def test_case_and_blanks_of_headers_do_not_matter(tmp_path: Path) -> None:
    people = "Dwelling , FROM,to,Birth Date,Student\nD1,2000-01-01,,1970-05-01,Y\nD2,2000-01-01,,1970-05-01,0\n"
    made = load(folder(tmp_path / "c", people=people), council="north")
    assert made.registers["people"].columns["student"].tolist() == [1, 0]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    made = load(folder(tmp_path / "c", ACCOUNTS.replace(",", delimiter)), council="north")
    assert made.references.to_pylist() == ["001", "002"]


def test_a_line_that_names_the_separator_is_understood(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", "sep=;\n" + ACCOUNTS.replace(",", ";")), council="north")
    assert made.references.to_pylist() == ["001", "002"]


def test_line_breaks_inside_quotation_marks_belong_to_the_field(tmp_path: Path) -> None:
    text = 'account,notes,dwelling,from,capital\n001,"one\ntwo, ""three""\r\nfour",D1,2026-04-01,1\n002,,D2,2026-04-01,x\n'
    made = load(folder(tmp_path / "c", text), council="north")
    assert made.references.to_pylist() == ["001"]
    assert said(made) == [(3, "capital", "is not an amount: text of 1 character")]


def test_a_quotation_mark_that_is_not_closed_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"accounts.csv, line 4.*RC005.*a quotation mark is not closed"):
        load(folder(tmp_path / "c", ACCOUNTS + '003,"D3,2026\n'), council="north")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("002,D2,2026-04-01,,1,2", "the row has 6 fields and the header has 5"),
        ("002,D2,2026-04-01", "the row has 3 fields and the header has 5"),
        (",,,,", "the row is blank"),
    ],
)
def test_rows_of_another_length_are_rejected(tmp_path: Path, line: str, reason: str) -> None:
    made = load(folder(tmp_path / "c", accounts(line)), council="north")
    assert said(made) == [(3, "", reason)]


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", ACCOUNTS.replace("\n", "\r\n\r\n")), council="north")
    assert made.counts["accounts"].rows == 2


def test_old_line_ends_are_read(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", ACCOUNTS.replace("\n", "\r")), council="north")
    assert made.references.to_pylist() == ["001", "002"]


def test_british_dates_need_to_be_declared(tmp_path: Path) -> None:
    path = folder(tmp_path / "c", HEAD + "001,D1,01/04/2026,,1\n002,D2,31/02/2026,,1\n")
    reason = "is a date with slashes, and YYYY-MM-DD is wanted"
    assert said(load(path, council="north")) == [(2, "from", reason), (3, "from", reason)]
    told = ColumnMap.parse("kind: column map\nregisters: {accounts: {dates: DD/MM/YYYY}}")
    made = load(path, council="north", column_map=told)
    begins = made.registers["accounts"].begins
    assert begins is not None and begins.tolist() == [20544]
    assert said(made) == [(3, "from", "is not a day of the calendar")]


@pytest.mark.parametrize("text", ["yes", "Yes", "TRUE", "y", "1"])
def test_yes_is_written_in_several_ways(tmp_path: Path, text: str) -> None:
    made = load(folder(tmp_path / "c", dwellings=DWELLINGS.replace("area", "area,disabled").replace("east", f"east,{text}")
                       .replace("west", "west,")), council="north")  # fmt: skip
    assert made.registers["dwellings"].columns["disabled"].tolist() == [1, 0]
    assert made.registers["dwellings"].columns["disabled?"].tolist() == [1, 0]


def test_a_first_day_after_the_last_is_rejected(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", accounts("002,D2,2026-04-01,2026-03-31,1")), council="north")
    assert said(made) == [(3, "to", "is before the first day (from)")]


def test_dates_outside_the_range_say_the_range(tmp_path: Path) -> None:
    people = "dwelling,from,birth_date,student\nD1,2000-01-01,1870-05-01,no\n"
    made = load(folder(tmp_path / "c", people=people), council="north")
    assert said(made, "people") == [(2, "birth_date", "is outside 1889-12-31 to 2100-01-01")]


def test_a_member_of_no_list_shows_the_list_and_not_the_value(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", dwellings=DWELLINGS.replace(",A,", ",Z9,")), council="north")
    assert said(made, "dwellings")[0] == (2, "band", "is not one of A, B, C, D, E, F, G, H: text of 2 characters")
