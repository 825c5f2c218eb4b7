"""CSV files as they come: their encoding, delimiter, header and broken rows, settled before DuckDB sees them.

DuckDB wants UTF-8, renames duplicate headers silently and guesses; so Python decides what the file says.  A file that is
plain (UTF-8, no quotation marks, every row as long as the header) is left where it is; any other is written again, as
plain UTF-8, in the working folder.
"""

from __future__ import annotations

import codecs
import csv
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rbcalc.caseload.column_map import DELIMITERS, TableMap
from rbcalc.errors import DataError

PROBLEM = "#problem"
"""The extra column of a rewritten file: what is wrong with the row as a whole."""

_BLOCK = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class CsvText:
    """A CSV file that DuckDB can read: plain UTF-8, `skip` lines of header, fields as in `headers`.

    `rows` counts its records; `rewritten` says that the path is a copy with the column PROBLEM last.
    """

    path: Path
    headers: tuple[str, ...]
    delimiter: str
    skip: int
    rows: int
    rewritten: bool
    notes: tuple[str, ...]


def plain_name(header: str) -> str:
    """A header as it is compared: without case and outer blanks, inner blanks, dots and hyphens as underscores."""
    words = "".join(char if char.isalnum() else " " for char in header.casefold()).split()
    return "_".join(words)


def check_headers(headers: tuple[str, ...], label: str) -> None:
    """Refuse a header that is blank or written twice (case and blanks apart)."""
    counts = Counter(plain_name(header) for header in headers)
    twice = sorted({header.strip() for header in headers if header.strip() and counts[plain_name(header)] > 1})
    if twice:
        names = ", ".join(f"'{name}'" for name in twice)
        raise DataError("RC004", f"the header {names} is written more than once", label, "rename or remove all but one")
    if any(not header.strip() for header in headers):
        place = next(place for place, header in enumerate(headers, 1) if not header.strip())
        raise DataError("RC004", f"column {place} has no header", label, "give the column a name or remove it")


def open_csv(path: Path, label: str, table: TableMap, work: Path) -> CsvText:
    """Settle what a CSV file says, and copy it into the working folder when it is not plain."""
    notes: list[str] = []
    encoding, quoted = _encoding(path, label, table.encoding, notes)
    lines = _lines(path, encoding)
    first = next(lines, "")
    skip = 1
    declared = ""
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        declared, first, skip = first.strip()[4], next(lines, ""), 2
    if not first.strip():
        raise DataError("RC005", "the file has no header", label)
    delimiter = table.delimiter or declared or _delimiter(first)
    if not quoted and encoding in ("utf-8", "utf-8-sig"):
        headers = tuple(field.strip() for field in first.rstrip("\r\n").split(delimiter))
        check_headers(headers, label)
        rows, plain = _count_plain(path, delimiter, len(headers), skip)
        if plain:
            return CsvText(path, headers, delimiter, skip, rows, False, tuple(notes))
    return _rewrite(path, label, encoding, delimiter, skip, work, notes)


def _encoding(path: Path, label: str, told: str, notes: list[str]) -> tuple[str, bool]:
    """The encoding of a file, and whether there is a quotation mark or another reason to read it field by field."""
    with path.open("rb") as file:
        start = file.read(4)
    found = next((name for mark, name in _BOMS if start.startswith(mark)), "")
    quoted = found == "utf-16"
    decoder = codecs.getincrementaldecoder(told or found or "utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                quoted = quoted or b'"' in block
                if b"\x00" in block and found != "utf-16" and not told.startswith("utf"):
                    raise DataError("RC007", "the file holds NUL bytes and is not text", label)
                decoder.decode(block)
        decoder.decode(b"", True)
    except UnicodeDecodeError as error:
        if told:
            hint = "correct `encoding:` in the column map"
            raise DataError("RC007", f"the file is not in the encoding {told}", label, hint) from error
        notes.append(f"{label}: not UTF-8; read as Windows-1252 (say `encoding:` in the column map to settle it)")
        return _windows(path, label), True
    # UTF-8 may begin with a mark whether it was declared or not.
    return (found or told or "utf-8") if not told or codecs.lookup(told).name != "utf-8" else "utf-8-sig", quoted


def _windows(path: Path, label: str) -> str:
    """Windows-1252, when the file can be that: five bytes mean nothing in it."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if any(byte in block for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)):
                hint = "say `encoding:` in the column map"
                raise DataError("RC007", "the file is neither UTF-8 nor Windows-1252", label, hint)
    return "cp1252"


def _lines(path: Path, encoding: str) -> Iterator[str]:
    """The first lines of a file; a handful is all that is asked for."""
    with path.open(encoding=encoding, newline="") as file:
        yield from (line for line in iter(lambda: file.readline(1 << 20), ""))


def _delimiter(header: str) -> str:
    """The delimiter that the header has most of."""
    counts = {delimiter: header.count(delimiter) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: counts[delimiter])


def _count_plain(path: Path, delimiter: str, width: int, skip: int) -> tuple[int, bool]:
    """How many records there are, and whether each has one line and the width of the header."""
    want, mark = width - 1, delimiter.encode()
    rows = 0
    with path.open("rb") as file:
        for _ in range(skip):
            if b"\r" in file.readline().rstrip(b"\r\n"):
                return 0, False
        for line in file:
            if line.count(mark) != want or b"\r" in line[:-2] or not line.strip(b" \r\n" + mark):
                return 0, False
            rows += 1
    return rows, True


def _rewrite(path: Path, label: str, encoding: str, delimiter: str, skip: int, work: Path, notes: list[str]) -> CsvText:
    """Write a file again as plain UTF-8; rows of a wrong length become blank rows that say so."""
    copy = work / f"csv-{len(list(work.glob('csv-*')))}.csv"
    rows = 0
    try:
        with path.open(encoding=encoding, newline="") as file, _private(copy) as out:
            for _ in range(skip - 1):
                file.readline()
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
            headers = tuple(header.strip() for header in next(reader))
            check_headers(headers, label)
            width, blank = len(headers), [""] * len(headers)
            writer.writerow([*headers, PROBLEM])
            for record in reader:
                if not record:
                    continue
                rows += 1
                if len(record) == width:
                    writer.writerow([*record, "" if any(map(str.strip, record)) else "the row is blank"])
                else:
                    writer.writerow([*blank, f"the row has {len(record)} fields and the header has {width}"])
    except csv.Error as error:
        what = "a quotation mark is not closed" if "unexpected end" in str(error) else str(error)
        where = f"{label}, line {reader.line_num}"
        raise DataError("RC005", what, where, "save the extract again as CSV, or mend that line") from error
    return CsvText(copy, headers, ",", 1, rows, True, tuple(notes))


def _private(path: Path) -> TextIO:
    """A new text file that only its owner can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="")
