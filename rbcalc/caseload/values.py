"""Cells of a caseload as DuckDB reads them: from text, decimals, dates and flags to encoded whole numbers.

For each fact there is an expression for its encoded value, NULL where nothing was given or nothing can be made of it, and
one for what is wrong, which never says the value itself: a reject may stand beside somebody's private facts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np

from rbcalc.caseload.column_map import DATE_FORMATS
from rbcalc.caseload.files import literal, quote
from rbcalc.errors import DataError
from rbcalc_kernels.language.types import Choice, Date, Number, YesNo
from rbcalc_kernels.program.graph import Input

OPEN_END = 2**31 - 1
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_NARROW = frozenset(_INTEGERS) - {"HUGEINT", "UBIGINT"}  # those that fit in a BIGINT whatever they hold
_DIGITS = r"(\d{1,3}(,\d{3})+|\d{0,15})(\.\d{1,9})?"
_PLAIN = r"-?\d{1,15}(\.\d{1,9})?"
_MONEY = rf"-? ?£? ?{_DIGITS}|£ ?-{_DIGITS}|£? ?{_DIGITS} ?-|\( ?£? ?{_DIGITS} ?\)"
_COUNT = rf"-? ?{_DIGITS}|{_DIGITS} ?-|\({_DIGITS}\)"
# Two decimals fewer, so that a hundredth of it still fits the nine that are kept.
_RATE = r"-?\d{0,12}(\.\d{1,7})? ?%"
_SCIENTIFIC = r"-?\d(\.\d+)?[Ee]\+?\d+"
_TOTALS = "('total', 'totals', 'grand total', 'sub total', 'subtotal', 'sum')"
_YES = "('yes', 'y', 'true', 't', '1')"
_NO = "('no', 'n', 'false', 'f', '0')"


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a fact is read: an SQL expression, its DuckDB type, and how dates in text are written."""

    sql: str
    kind: str
    dates: str = "YYYY-MM-DD"

    @property
    def is_text(self) -> bool:
        """Whether the cell holds text."""
        return self.kind == "VARCHAR"

    @property
    def text(self) -> str:
        """The text, from a view that leaves no outer blanks and no empty text."""
        return self.sql if self.is_text else f"{self.sql}::VARCHAR"

    @property
    def given(self) -> str:
        """Whether the cell holds anything."""
        return f"({self.sql}) IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Field:
    """A fact in SQL: its encoded value, whether it was given, and the words for what is wrong with a bad one."""

    name: str
    column: str
    value: str
    given: str
    reason: str
    remedy: str
    dtype: np.dtype[np.generic]
    filler: int
    required: bool


def dtype_of(described: Input) -> np.dtype[np.generic]:
    """The narrowest kind of column that holds a fact's range."""
    if isinstance(described.type, YesNo):
        return np.dtype(np.uint8)
    if isinstance(described.type, Choice):
        return np.dtype(np.uint8 if len(described.type.members) <= 256 else np.uint16)
    low, high = bounds(described)
    return np.result_type(np.min_scalar_type(min(low, -1)), np.min_scalar_type(min(high, 2**63 - 1)))


def bounds(described: Input) -> tuple[int, int]:
    """The least and greatest encoded value of a number or a date."""
    scale = described.step.denominator if isinstance(described.type, Number) else 1
    return ceil(described.low * scale), floor(described.high * scale)


def key_field(cell: Cell, label: str, column: str, typed: bool) -> tuple[str, str]:
    """A reference: its text (leading zeros kept), NULL when it cannot be one; and what is wrong then.

    Rows of totals are looked for in files that people type (`typed`).
    """
    if cell.kind in _INTEGERS:
        return f"{cell.sql}::VARCHAR", "'is blank and must be given'"
    if not cell.is_text:
        _refuse(cell, label, column, "a reference", "give references as text, or as whole numbers")
    text = cell.text
    totals = f"WHEN lower({text}) IN {_TOTALS} THEN NULL" if typed else ""
    # Spreadsheets always write the plus sign, and looking for one is far faster than a pattern.
    good = f"CASE WHEN contains({text}, '+') AND regexp_full_match({text}, '{_SCIENTIFIC}') THEN NULL {totals} ELSE {text} END"
    reason = (
        f"CASE WHEN {text} IS NULL THEN 'is blank and must be given' "
        f"WHEN regexp_full_match({text}, '{_SCIENTIFIC}') THEN 'is in scientific notation: its digits are lost' "
        f"ELSE 'looks like a row of totals' END"
    )
    return good, reason


KEY_REMEDY = "in a spreadsheet format the column as text before the extract is pasted or saved; remove totals rows"


def day_sql(cell: Cell, label: str, column: str) -> str:
    """A date as days since 1970, NULL when there is none or nothing can be made of it."""
    if cell.kind == "DATE":
        return f"TRY({_days_of(cell)})"
    if cell.kind.startswith("TIMESTAMP") and "ZONE" not in cell.kind:
        return f"CASE WHEN {cell.sql} = date_trunc('day', {cell.sql}) THEN TRY({cell.sql}::DATE - DATE '1970-01-01') END"
    if not cell.is_text:
        _refuse(cell, label, column, "a date", "give dates as dates, or as text")
    pattern, form = DATE_FORMATS[cell.dates]
    text = cell.text
    whole = rf"({pattern})([ T]00:00(:00(\.0+)?)?)?"
    date = f"TRY_STRPTIME(regexp_extract({text}, '^{pattern}'), '{form}')::DATE"
    if cell.dates == "YYYY-MM-DD":
        date = f"TRY_CAST(left({text}, 10) AS DATE)"
    return f"CASE WHEN regexp_full_match({text}, '{whole}') THEN {date} - DATE '1970-01-01' END"


def _days_of(cell: Cell) -> str:
    return f"({cell.sql} - DATE '1970-01-01')"


def day_reason(cell: Cell) -> str:
    """What is wrong with a date that could not be read."""
    if not cell.is_text:
        return f"CASE WHEN {cell.sql} IS NULL THEN 'is blank and must be given' ELSE 'has a time of day' END"
    pattern = DATE_FORMATS[cell.dates][0]
    return (
        f"CASE WHEN {cell.text} IS NULL THEN 'is blank and must be given' "
        f"WHEN regexp_full_match({cell.text}, '{pattern}.*') THEN 'is not a day of the calendar' "
        f"WHEN regexp_full_match({cell.text}, '\\d{{1,2}}/\\d{{1,2}}/\\d{{4}}') "
        f"THEN 'is a date with slashes, and {cell.dates} is wanted' "
        f"ELSE 'is not a date ({cell.dates}): ' || {_shape(cell)} END"
    )


def day_remedy(cell: Cell) -> str:
    """What to do about a date that could not be read."""
    return f"write dates as {cell.dates}, or say `dates:` in the column map"


def field(described: Input, cell: Cell, codes: Mapping[str, str], label: str, members: tuple[str, ...] | None = None) -> Field:
    """A fact in SQL; `members` replaces the list of a fact whose list differs between councils."""
    column = described.column or described.name
    remedy, low, high = "", 0, 0
    if isinstance(described.type, Number):
        low, high = bounds(described)
        value, wrong = _number(described, described.type, cell, label, column)
        remedy = "correct the figure in the extract"
    elif isinstance(described.type, Date):
        low, high = bounds(described)
        day = day_sql(cell, label, column)
        first, last = (f"DATE '1970-01-01' + {limit}" for limit in (low, high))
        # Dates are compared as they are, which is quicker; those that are none, being infinite, lie outside.
        within = f"{cell.sql} BETWEEN {first} AND {last}" if cell.kind == "DATE" else f"{day} BETWEEN {low} AND {high}"
        value = f"CASE WHEN {within} THEN {_days_of(cell) if cell.kind == 'DATE' else day} END"
        limits = f"{first}, {last}"
        wrong = f"CASE WHEN {day} IS NOT NULL THEN format('is outside {{}} to {{}}', {limits}) ELSE {day_reason(cell)} END"
        remedy = day_remedy(cell)
    elif isinstance(described.type, YesNo):
        value, wrong = _flag(cell, codes, label, column)
        remedy = "write yes or no, or say `codes:` in the column map"
    else:
        value, wrong = _member(members or described.type.members, cell, codes, label, column)
        remedy = "use the names of the list, or say `codes:` in the column map"
    reason = f"CASE WHEN NOT ({cell.given}) THEN 'is blank and must be given' ELSE {wrong} END"
    filler = low if isinstance(described.type, Number | Date) else 0
    dtype = dtype_of(described)
    if members is not None:
        dtype = np.dtype(np.uint8 if len(members) <= 256 else np.uint16)
    return Field(described.name, column, value, cell.given, reason, remedy, dtype, filler, not described.optional)


def _number(described: Input, kind: Number, cell: Cell, label: str, column: str) -> tuple[str, str]:
    low, high = bounds(described)
    scale, multiple = described.step.denominator, described.step.numerator
    whole = False
    if cell.kind in _INTEGERS:
        # An integer that does not fit is out of range whatever the range is.
        encoded, whole = f"TRY_CAST({cell.sql} AS BIGINT)::HUGEINT * {scale}", True
    elif cell.kind.startswith("DECIMAL"):
        precision, places = (int(part) for part in re.findall(r"\d+", cell.kind))
        if precision <= 13:
            encoded, whole = f"({cell.sql} * {scale})", scale % 10**places == 0
        else:
            narrow = f"TRY_CAST({cell.sql} AS DECIMAL(28, 9))"
            encoded = f"(CASE WHEN {narrow} = {cell.sql} THEN {narrow} END * {scale})"
    elif cell.kind in ("FLOAT", "DOUBLE"):
        if kind.unit not in ("count", "days"):
            what = "an amount of money" if kind.is_money else "a rate"
            _refuse(cell, label, column, what, "give it as decimal, as text, or as a whole number; never as a float")
        encoded, whole = f"(CASE WHEN {cell.sql} = trunc({cell.sql}) THEN TRY_CAST({cell.sql} AS BIGINT) END * {scale})", True
    elif cell.is_text:
        encoded = f"({_parsed(kind, cell)} * {scale})"
    else:
        _refuse(cell, label, column, "a number", "give numbers as decimal, whole numbers or text")
    exact = "" if whole else f"{encoded} = trunc({encoded}) AND "
    step = f" AND {encoded} % {multiple} = 0" if multiple != 1 else ""
    within, coded = f"{encoded} BETWEEN {low} AND {high}", encoded
    if cell.kind in _NARROW:
        # What is within its range fits as it is, and needs not be looked at as a larger number first.
        within = f"{cell.sql} BETWEEN {-(-low // scale)} AND {high // scale}"
        coded = f"{cell.sql}::BIGINT" + (f" * {scale}" if scale != 1 else "")
    value = f"CASE WHEN {exact}{within}{step} THEN {coded} END"
    limits = f"{shown(described, described.low)} to {shown(described, described.high)}"
    fallback = literal(f"is not {'an amount' if kind.is_money else 'a number'}: ")
    scientific = f"WHEN regexp_full_match({cell.text}, '{_SCIENTIFIC}') THEN 'is in scientific notation'" if cell.is_text else ""
    wrong = (
        f"CASE {scientific} WHEN {encoded} IS NULL THEN {fallback} || {_shape(cell)} "
        f"WHEN {encoded} NOT BETWEEN {low} AND {high} THEN {literal(f'is outside {limits}')} "
        f"ELSE {literal(f'is not a multiple of {shown(described, described.step)}')} END"
    )
    return value, wrong


def shown(described: Input, value: Fraction) -> str:
    """A figure as people read it: £1,234.50, 25%, 3."""
    if isinstance(described.type, Number) and described.type.is_money:
        pence = value * 100
        if pence.denominator == 1:
            return f"{'-' if pence < 0 else ''}£{abs(int(pence)) // 100:,}.{abs(int(pence)) % 100:02}"
    if isinstance(described.type, Number) and described.type.unit == "rate":
        return f"{float(value * 100):.6g}%"
    return f"{int(value):,}" if value.denominator == 1 else f"{float(value):.6g}"


def _parsed(kind: Number, cell: Cell) -> str:
    """The number that a text says, NULL when it is none."""
    text = cell.text
    pattern = _MONEY if kind.is_money else _COUNT
    digits = f"TRY_CAST(regexp_replace({text}, '[^0-9.]', '', 'g') AS DECIMAL(28, 9))"
    sign = f"CASE WHEN {text} LIKE '%-%' OR {text} LIKE '(%' THEN -1 ELSE 1 END"
    percent = ""
    if kind.unit == "rate":
        # Decimals divide into floating point in DuckDB; a hundredth is exact as a product.
        share = f"CAST(({sign}) * {digits.replace('28, 9', '21, 7')} * 0.01 AS DECIMAL(28, 9))"
        percent = f"WHEN regexp_full_match({text}, '{_RATE}') THEN {share}"
    return (
        f"CASE WHEN regexp_full_match({text}, '{_PLAIN}') THEN TRY_CAST({text} AS DECIMAL(28, 9)) {percent} "
        f"WHEN regexp_full_match({text}, '{pattern}') THEN ({sign}) * {digits} END"
    )


def _flag(cell: Cell, codes: Mapping[str, str], label: str, column: str) -> tuple[str, str]:
    if cell.kind == "BOOLEAN":
        return f"{cell.sql}::UTINYINT", "''"
    if not (cell.is_text or cell.kind in _INTEGERS):
        _refuse(cell, label, column, "yes or no", "give it as true and false, or as text")
    text = f"lower({cell.text})"
    told = " ".join(f"WHEN {cell.text} = {literal(theirs)} THEN {int(ours.lower() == 'yes')}" for theirs, ours in codes.items())
    value = f"CASE {told} WHEN {text} IN {_YES} THEN 1 WHEN {text} IN {_NO} THEN 0 END"
    return value, f"'is neither yes nor no: ' || {_shape(cell)}"


def _member(members: tuple[str, ...], cell: Cell, codes: Mapping[str, str], label: str, column: str) -> tuple[str, str]:
    if not (cell.is_text or cell.kind in _INTEGERS):
        _refuse(cell, label, column, "a member of a list", "give it as text")
    places = {member: place for place, member in enumerate(members)}
    places.update({theirs: places[ours] for theirs, ours in codes.items() if ours in places})
    spelt = ", ".join(literal(text) for text in places)
    # The cast to an ENUM is one look-up in a hash table, however long the list.
    code = f"enum_code(TRY_CAST({cell.text} AS ENUM({spelt})))"
    if list(places.values()) != list(range(len(places))):
        code = f"([{', '.join(map(str, places.values()))}])[{code}::INTEGER + 1]"
    listed = ", ".join(members[:12]) + (" ..." if len(members) > 12 else "")
    return code, f"{literal(f'is not one of {listed}: ')} || {_shape(cell)}"


def _shape(cell: Cell) -> str:
    """The shape of a value, never the value."""
    if not cell.is_text:
        return "'a value of another kind'"
    return f"'text of ' || length({cell.text}) || ' character' || CASE WHEN length({cell.text}) = 1 THEN '' ELSE 's' END"


def _refuse(cell: Cell, label: str, column: str, what: str, hint: str) -> None:
    raise DataError("RC006", f"the column '{column}' holds {cell.kind} and cannot be {what}", label, hint)


def alias(name: str) -> str:
    """The name of a fact's column in the tables that DuckDB hands over."""
    return quote(f"= {name}")


def is_measured(described: Input) -> bool:
    """Whether a fact is a number or a date, with a range."""
    return isinstance(described.type, Number | Date)
