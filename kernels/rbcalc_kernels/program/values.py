"""Written-out values of rule files: dates, figures, ranges, roundings and sources."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.language.documents import RuleFile, SourceDoc, Text
from rbcalc_kernels.language.types import COUNT, DATE, DAYS, RATE, RATIO, UNITS, YES_NO, Choice, Number, Type
from rbcalc_kernels.program.expressions import EPOCH, Scope, Stop, Typer
from rbcalc_kernels.program.graph import Mode, Rounding, Source, Value
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.source import Findings, Scalar, suggest

_PLAIN: Final = re.compile(r"\d+(\.\d+)?")
_ROUND: Final = re.compile(
    r"(?P<step>penny|pound|(?P<decimals>[0-9]) decimals?|£[0-9]+(\.[0-9]+)?|[0-9]+p|day|whole number), *(?P<mode>half up|half down|up|down)"
)


@lru_cache(maxsize=4096)
def _day(text: str) -> int | None:
    """A date as days since 1970; None where there is no such day."""
    try:
        return date.fromisoformat(text).toordinal() - EPOCH if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None


def day_of(text: Text, findings: Findings) -> int | None:
    """A date as days since 1970, or None with a finding."""
    found = _day(str(text))
    if found is None:
        findings.error("RB038", f"no such day: {text}", text.span, help="dates are year-month-day, as 2026-04-01")
    return found


def unit_of(text: Text, names: Names, findings: Findings) -> Type | None:
    """The type that a unit's text names, or None with a finding."""
    word = str(text)
    if word in UNITS:
        return Number(word)
    if word == "yes/no":
        return YES_NO
    if word == "date":
        return DATE
    if word in names.lists:
        return names.lists[word]
    known = [*UNITS, "yes/no", "date", *names.lists]
    findings.error(
        "RB056", f"no such unit: {word}", text.span, help=f"a unit is one of {', '.join(known[:10])}, or a list{suggest(word, known)}"
    )
    return None


def constant(text: Text, type_: Type, names: Names, findings: Findings) -> Value | None:
    """A written-out figure of a type, or None with a finding."""
    from rbcalc_kernels.exact.constants import evaluate_constant

    key = (str(text), type_)
    if key in _KNOWN:
        return _KNOWN[key]
    try:
        node = Typer(names, text, findings, figure=True).typed(Scope(None), type_)
    except Stop:
        return None
    try:
        value = evaluate_constant(node, _NOTHING)
    except (LookupError, TypeError, ArithmeticError, CalculationFault):
        findings.error("RB057", "a written-out figure is wanted here", text.span, help="write the amount, not a name")
        return None
    if type_ == RATE and isinstance(value, Fraction) and value > 1 and _PLAIN.fullmatch(str(text)):
        help_ = f"write {text}%; a divisor or a factor that is no share has unit: ratio"
        findings.error("RB040", f"a plain number, and {text} as a rate is {float(value * 100):,.15g} %", text.span, help=help_)
        return None
    if len(_KNOWN) < _MOST_KNOWN:
        _KNOWN[key] = value
    return value


_KNOWN: Final[dict[tuple[str, Type], Value]] = {}
"""Figures that were read before: what a written-out figure means rests on its text and its type alone."""
_MOST_KNOWN: Final = 100_000


class _Nothing:
    def parameter(self, name: str) -> Value:
        raise LookupError(name)

    def cell(self, table: str, keys: tuple[Value, ...]) -> Value:
        raise LookupError(table)

    def known(self, table: str, keys: tuple[Value, ...]) -> bool:
        raise LookupError(table)

    def key(self, name: str) -> Value:
        raise LookupError(name)


_NOTHING: Final = _Nothing()


def range_of(text: Text, type_: Type, names: Names, findings: Findings) -> tuple[Fraction, Fraction] | None:
    """The two ends of `lowest to highest`, or None with a finding."""
    whole = str(text)
    low_text, middle, _ = whole.partition(" to ")
    if not middle:
        findings.error("RB058", "a range is `lowest to highest`", text.span, help="write £0 to £1000000, or 0 to 20")
        return None
    ends = []
    for first, last in ((0, len(low_text)), (len(low_text) + len(middle), len(whole))):
        part = Text.of(Scalar(whole[first:last], text.scalar.part(first, last)))
        value = constant(part, type_, names, findings)
        if value is None:
            return None
        ends.append(Fraction(value))  # dates are whole numbers already
    if ends[0] > ends[1]:
        findings.error("RB058", "the range ends before it begins", text.span, help="write the lowest value first")
        return None
    return ends[0], ends[1]


def step_of(
    text: Text | None, type_: Type, names: Names, findings: Findings, default_rate: Fraction | None = Fraction(1, 10_000)
) -> Fraction | None:
    """The smallest difference of a figure: as written, or the usual one of its unit."""
    if text is not None:
        value = constant(text, type_, names, findings)
        if isinstance(value, Fraction) and value > 0:
            return value
        if value is not None:
            findings.error("RB059", "a step is more than nothing", text.span, help="write the smallest difference, as 1p or 0.01%")
        return Fraction(1)
    if isinstance(type_, Number) and type_.is_money:
        return Fraction(1, 100)
    if type_ in (RATE, RATIO):
        return default_rate
    return Fraction(1)


def rounding_of(text: Text, type_: Type, findings: Findings) -> Rounding | None:
    """The rounding that a text like `penny, half up` means, or None with a finding."""
    match = _ROUND.fullmatch(str(text))
    if match is None:
        findings.error(
            "RB060",
            f"no such rounding: {text}",
            text.span,
            help="write penny, pound, 50p, £5, 3 decimals or whole number, then half up, half down, up or down",
        )
        return None
    word = match["step"]
    if match["decimals"]:
        step = Fraction(1, 10 ** int(match["decimals"]))
    elif word.startswith("£"):
        step = Fraction(word[1:])
    elif word.endswith("p"):
        step = Fraction(int(word[:-1]), 100)
    else:
        step = {"penny": Fraction(1, 100), "pound": Fraction(1), "day": Fraction(1), "whole number": Fraction(1)}[word]
    money = word in ("penny", "pound") or word.startswith("£") or word.endswith("p") and word[:-1].isdigit()
    if money != (isinstance(type_, Number) and type_.is_money) or type_ not in (RATE, RATIO, COUNT, DAYS) and not money:
        right = "penny, pound, 50p or £5" if isinstance(type_, Number) and type_.is_money else "2 decimals or whole number"
        numbers = isinstance(type_, Number)
        findings.error("RB060", f"{type_} cannot be rounded to {word}", text.span, help=f"write {right}" if numbers else "take round: away")
        return None
    if step == 0:
        findings.error("RB060", "nothing is no step of a rounding", text.span, help="write penny, pound, 50p, £5 or another step")
        return None
    return Rounding(Mode(match["mode"]), step)


def source_of(file: RuleFile, *levels: tuple[SourceDoc | None, Text | None]) -> tuple[Source | None, dict[str, Any]]:
    """The source of an entry: the file's keys, overlaid by each level's (outermost first), with the nearest status.

    Where in a law or a document something stands says nothing of another one, so that this is inherited only while both are the same; and
    a file's note is about its own law.
    """
    keys: dict[str, Text] = {}
    status = "confirmed"
    for source, given in ((file.source, file.status), *levels):
        if source is not None:
            own = {name: value for name, value in vars(source).items() if value is not None}
            if "law" in keys and own.get("law", keys["law"]) != keys["law"]:
                kept: tuple[str, ...] = ("note",)  # paragraph and address are those of another instrument
            elif any(name in own and own[name] != keys.get(name, keys.get("law", own[name])) for name in ("document", "resolution")):
                kept = ("law", "document", "resolution", "note")
            else:
                kept = tuple(keys)
            if kept != tuple(keys) and file.source is not None and keys.get("note") == file.source.note:
                kept = tuple(name for name in kept if name != "note")  # a file's note is about its own law
            keys = {name: value for name, value in keys.items() if name in kept} | own
        if given is not None:
            status = str(given)
    if not any(name in keys for name in ("law", "document", "resolution", "url", "note")):
        return None, {}
    order = ("law", "document", "resolution", "paragraph", "page", "url", "note")
    words = [("page " if name == "page" else "") + str(keys[name]) for name in order if name in keys]
    return Source(", ".join(words), status), dict(keys)


def check_status(texts: Iterable[Text | None], findings: Findings) -> None:
    """Every status is confirmed or provisional."""
    for text in texts:
        if text is not None and text not in ("confirmed", "provisional"):
            findings.error("RB061", f"no such status: {text}", text.span, help="confirmed or provisional")


def members_of(type_: Type) -> tuple[str, ...]:
    """The members of a list type."""
    return type_.members if isinstance(type_, Choice) else ()
