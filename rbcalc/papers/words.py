"""What a paper says besides figures: the wording that the rules keep for it, and figures in words.

Which day a decision must be made by, what the law asks of a consultation, which other ways of paying there are: all of it is in a wording
file under `england/papers`, with sources.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.rulebook.rules import Rules
from rbcalc_kernels.language.documents import Flag, SourceDoc, Text
from rbcalc_kernels.language.shaping import shaped
from rbcalc_kernels.source import Findings, Mapping_, read

FOLDER: Final = "england/papers"
MINUS: Final = "\u2212"
ABSENT: Final = "\u2013"
_BRACES: Final = re.compile(r"\{([a-z_]+)\}")
_PENNY: Final = Decimal("0.01")


class _Doc(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)


class SaidDoc(_Doc):
    """A paragraph and where it comes from."""

    says: Text
    source: SourceDoc | None = None


class DeadlineDoc(_Doc):
    """A day of the year before."""

    month: Text
    day: Text
    source: SourceDoc | None = None


class StepDoc(_Doc):
    """A step of a consultation."""

    title: Text
    source: SourceDoc | None = None


class ChargeDoc(_Doc):
    """The charge by which an equal rise is told: one cell of a table, wherever the keys that are not named agree."""

    title: Text
    table: Text
    keys: dict[Text, Text]


class WayDoc(_Doc):
    """Another way of paying; `equivalent` says that the rise that brings in as much is worked out."""

    title: Text
    says: Text
    equivalent: Flag = False
    source: SourceDoc | None = None


class WordingDoc(_Doc):
    """All that the rules have to say in a paper on one impact."""

    kind: Literal["profile"]
    title: Text
    impact: Text
    deadline: DeadlineDoc
    decided_by: Text
    decided_by_source: SourceDoc | None = None
    own_bodies: list[Text] = []
    charge: ChargeDoc | None = None
    decision: list[SaidDoc] = []
    consultation: list[SaidDoc] = []
    steps: Annotated[dict[Text, StepDoc], Field(min_length=1)]
    transitional: list[SaidDoc] = []
    hardship: list[SaidDoc] = []
    alternatives: list[SaidDoc] = []
    other_ways: dict[Text, WayDoc] = {}
    equality: list[SaidDoc] = []
    known_only: Text | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """The wording of one impact for one year."""

    doc: WordingDoc
    year: FinancialYear

    @property
    def deadline(self) -> date:
        """The day by which the decision must be made, in the year before."""
        month, day = int(self.doc.deadline.month), int(self.doc.deadline.day)
        return date(self.year.begins - 1 if month >= 4 else self.year.begins, month, day)

    def filled(self, text: str) -> str:
        """A text with the year and the deadline in place of their names in braces."""
        values = {"year": str(self.year), "year_before": str(FinancialYear(self.year.begins - 1)), "deadline": day(self.deadline)}
        return _BRACES.sub(lambda match: values.get(match[1], match[0]), " ".join(text.split()))

    def told(self, paragraphs: list[SaidDoc]) -> list[tuple[str, str]]:
        """Paragraphs, each with its source in words."""
        return [(self.filled(one.says), source(one.source)) for one in paragraphs]


def wording(rules: Rules, impact: str, year: FinancialYear) -> Wording:
    """The wording for an impact.  Raises UsageError where the rules have none, RulesError where its file is wrong."""
    known = []
    for path in sorted((rules.root / FOLDER).glob("*.yaml")):
        doc = _read(rules, path)
        if str(doc.impact) == impact:
            return Wording(doc, year)
        known.append(str(doc.impact))
    hint = f"rules/{FOLDER} has wording for {', '.join(known) or 'nothing'}; add a file that names impact: {impact}"
    raise UsageError("RC080", f"the rules have no wording for a paper on {impact.replace('_', ' ')}", hint=hint)


def steps_of(rules: Rules, impact: str = "") -> list[str]:
    """The steps of consultation that the wording for an impact has, or without one any wording."""
    docs = [_read(rules, path) for path in sorted((rules.root / FOLDER).glob("*.yaml"))]
    return list(dict.fromkeys(str(step) for doc in docs if impact in ("", str(doc.impact)) for step in doc.steps))


def _read(rules: Rules, path: Path) -> WordingDoc:
    shown, findings = rules.library.shown(path), Findings()
    text = path.read_bytes()
    node = read(text, shown)
    doc = shaped(node, "profile", WordingDoc, findings) if isinstance(node, Mapping_) else None
    if doc is None and not findings:
        findings.error("RB033", "a rule file is a mapping of keys", node.span, help="begin with kind: profile")
    if doc is not None:
        try:
            date(2024, int(doc.deadline.month), int(doc.deadline.day))
        except ValueError:
            findings.error("RB037", "no day of a year", doc.deadline.month.span, help="write numbers, as month: 3 and day: 11")
    findings.raise_if_errors({shown: text.decode("utf-8")})
    assert doc is not None
    return doc


def source(doc: SourceDoc | None) -> str:
    """Where something is printed, in words."""
    if doc is None:
        return ""
    parts = [doc.law, doc.document, doc.paragraph, f"page {doc.page}" if doc.page else None, doc.resolution, doc.url, doc.note]
    return ", ".join(" ".join(str(part).split()) for part in parts if part)


# ------------------------------------------------------------------------------------------------------ figures in words
def day(when: date) -> str:
    """A day as people write it: 11 March 2027."""
    return f"{when.day} {when:%B %Y}"


def pence(value: Fraction | Decimal | int) -> Decimal:
    """An amount to the penny, half up by value."""
    exact = Fraction(value)
    whole = floor(abs(exact) * 100 + Fraction(1, 2))
    return Decimal(-whole if exact < 0 else whole).scaleb(-2)


def pounds(value: Decimal, *, whole: bool = False, signed: bool = False) -> str:
    """An amount of money; with `signed` the direction is said even where it is up."""
    rounded = value.quantize(Decimal(1) if whole else _PENNY, ROUND_HALF_UP)
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}£{abs(rounded):,}"


def percent(value: Decimal, places: int = 1, *, signed: bool = False) -> str:
    """A number of hundredths."""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):,}%"


def number(value: Any) -> str:
    """A count, or a decimal as it is."""
    return f"{value:,}".replace("-", MINUS)


def direction(change: Decimal, *, whole: bool = True) -> str:
    """A change of cost as one says it."""
    if not change:
        return "the same"
    return f"{pounds(abs(change), whole=whole)} {'more' if change > 0 else 'less'}"


def sentence(text: str) -> str:
    """A code as words, with a capital."""
    said = " ".join(text.replace("_", " ").split())
    return said[:1].upper() + said[1:]


def slug(text: str) -> str:
    """A text as the name of a place in a page."""
    return "-".join(part for part in re.split(r"[^a-z0-9_]+", text.casefold()) if part) or "place"


def shortened(text: str, most: int) -> str:
    """A text that fits: what is too long ends in an ellipsis."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1].rstrip()}…"


def joined(items: list[str]) -> str:
    """Items as a sentence lists them."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
