"""A paper's tables for machines, and the case lists behind them in a folder that only their owner can read.

What may be published goes into `public/`: CSV, Parquet and one JSON file.  What tells of single households goes into `restricted/`, a file
for each council, and never into anything else.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc.papers.tables import CASES, Figures
from rbcalc.running.outputs import OutputFolder

if TYPE_CHECKING:
    from rbcalc.papers.paper import Paper
    from rbcalc.papers.sections import Matter

JSON: Final = "public/paper.json"
README: Final = "restricted/README.txt"
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_TELLS: Final = """RESTRICTED: single households. Do not publish, and do not send on with the paper.

One file for each council, as Parquet and as CSV: a row for each account under each option, with its award under the baseline (baseline)
and under the option (amount), the change of the year (change) and for a week (week), what becomes of it (outcome), and the groups that it
falls into.
Every figure of the paper is a sum or a count of these rows; below each of its tables stands which.
"""


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def plain(value: Any) -> Any:
    """A value as JSON holds it: money as text, so that nothing is rounded."""
    if isinstance(value, Decimal | Fraction | date):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def public_tables(figures: Figures) -> dict[str, Any]:
    """The publishable tables as Arrow, for the councils that the paper is about."""
    import pyarrow.compute as pc

    found = {}
    for name, table in figures.tables.items():
        kept = table
        if "council" in table.column_names:
            kept = table.filter(pc.is_in(table["council"].cast("string"), value_set=_strings(figures.scopes)))
        found[name] = kept
    return found


def _strings(values: Iterable[str]) -> Any:
    import pyarrow as pa

    return pa.array(list(values), pa.string())


def write_tables(paper: Paper, matter: Matter, folder: OutputFolder) -> list[str]:
    """Write the publishable tables; the names of the files."""
    import pyarrow.parquet as pq

    names = []
    told = {term: list(words) for term, words in paper.provenance}
    found = public_tables(matter.figures)
    for name, table in found.items():
        facts = {"paper": paper.title, "hypothetical": paper.hypothetical, **told}
        stamped = table.replace_schema_metadata(
            {**(table.schema.metadata or {}), b"rbcalc": json.dumps(facts, ensure_ascii=False).encode()}
        )
        parquet, text = f"public/tables/{name}.parquet", f"public/tables/{name}.csv"
        pq.write_table(stamped, folder.place(parquet), compression="zstd")
        folder.place(text).write_text(_csv(table), encoding="utf-8", newline="")
        for file in (parquet, text):
            folder.keep(file, table.num_rows)
            names.append(file)
    content = {
        "title": paper.title,
        "councils": list(paper.councils),
        "year": paper.year,
        "hypothetical": paper.hypothetical,
        "incomplete": paper.incomplete,
        "baseline": {"trusted": paper.trust.trusted, "told": paper.trust.told},
        "provenance": told,
        "assumptions": list(map(str, matter.figures.study.assumptions)),
        "notes": list(map(str, matter.figures.study.notes)),
        "options": [
            {
                "name": option.name,
                "title": matter.figures.titles[option.name],
                "changes": list(option.changes),
                "warnings": list(matter.figures.study.warnings.get(option.name, ())),
            }
            for option in matter.figures.study.options
        ],
        "tables": {name: plain(table.to_pylist()) for name, table in found.items()},
    }
    folder.place(JSON).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    folder.keep(JSON, 0)
    return [JSON, *names]


def _csv(table: Any) -> str:
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    writer.writerow(map(safe, table.column_names))
    for row in table.to_pylist():
        writer.writerow([_field(value) for value in row.values()])
    return held.getvalue()


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return safe(" ".join(map(str, value)))
    return safe(value) if isinstance(value, str) else str(value)


def write_cases(comparison: Any, figures: Figures, folder: OutputFolder) -> list[str]:
    """Write the case lists into the restricted folder; the names of the files, none where the comparison holds no cases."""
    cases = getattr(comparison, "cases", None)
    if cases is None:
        return []
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from pyarrow import csv as arrow_csv

    place = folder.place(README)
    place.parent.chmod(0o700)
    place.write_text(_TELLS, encoding="utf-8")
    names = [README]
    rows = [1]
    for council in figures.councils:
        own = cases.filter(pc.equal(cases["council"].cast("string"), council)) if cases.num_rows else cases
        name = CASES.format(council=council)
        pq.write_table(own, folder.place(name), compression="zstd")
        text = name.removesuffix(".parquet") + ".csv"
        arrow_csv.write_csv(_guarded(own), folder.place(text))
        names += [name, text]
        rows += [own.num_rows] * 2
    for name, count in zip(names, rows, strict=True):
        Path(folder.path / name).chmod(0o600)
        folder.keep(name, count)
    return names


def _guarded(table: Any) -> Any:
    """A table whose texts no spreadsheet takes for formulae."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type):
            text = table[column.name].cast("string")
            risky = pc.fill_null(pc.match_substring_regex(text, r"\A[=+\-@\t\r\n\x00]"), False)
            table = table.set_column(place, column.name, pc.if_else(risky, pc.binary_join_element_wise("'", text, ""), text))
    return table
