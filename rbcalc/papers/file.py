"""What an officer declares for a paper: an optional YAML file of what no caseload and no rule can say.

The report's number and date, the meeting, consultations with their dates, the collection rate of the charge that becomes due, a hardship
fund, the cost of administration, other ways of paying, and what each option does for those who lose.  What is not declared is said to be
missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from rbcalc.errors import UsageError
from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.shaping import shaped
from rbcalc_kernels.source import Findings, Mapping_, RulesError, read, suggest

KIND: Final = "paper"
_MONEY: Final = re.compile(r"(-?)£(\d{1,12}(?:\.\d{1,2})?)")
_RATE: Final = re.compile(r"(\d{1,3}(?:\.\d{1,4})?)\s?%")
_Value = TypeVar("_Value")


class _Doc(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)


class MeetingDoc(_Doc):
    """Where and when the decision is taken."""

    body: Text
    on: Text | None = None


class OptionDoc(_Doc):
    """What the officer says of one option."""

    title: Text | None = None
    says: Text | None = None
    transitional: Text | None = None


class ConsultedDoc(_Doc):
    """One consultation; without `council` it was that of all."""

    step: Text
    council: Text | None = None
    whom: Text | None = None
    from_: Text | None = None
    to: Text | None = None
    outcome: Text | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        defer_build=True,
        alias_generator=lambda name: name.rstrip("_"),
    )


class MoneyDoc(_Doc):
    """What becomes of a change of cost, for one council or option or for all."""

    council: Text | None = None
    option: Text | None = None
    collection_rate: Text | None = None
    hardship_fund: Text | None = None
    administration: Text | None = None
    source: Text | None = None


class OtherDoc(_Doc):
    """What the officer says of another way of paying."""

    title: Text | None = None
    amount: Text | None = None
    says: Text | None = None
    reason: Text | None = None
    source: Text | None = None


class PaperDoc(_Doc):
    """A paper's declarations."""

    kind: Literal["paper"]
    title: Text | None = None
    report: Text | None = None
    date: Text | None = None
    author: Text | None = None
    contact: Text | None = None
    meeting: MeetingDoc | None = None
    threshold: Text | None = None
    background: list[Text] = []
    options: dict[Text, OptionDoc] = {}
    consultation: list[ConsultedDoc] = []
    money: list[MoneyDoc] = []
    other_ways: dict[Text, OtherDoc] = {}


@dataclass(frozen=True, slots=True)
class Consulted:
    """A consultation with its dates."""

    step: str
    council: str
    whom: str
    first: date | None
    last: date | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Money:
    """Declared figures for a council and an option; empty names mean all."""

    council: str = ""
    option: str = ""
    collection_rate: Fraction | None = None
    hardship_fund: Fraction | None = None
    administration: Fraction | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What the officer says of an option: its title, a text, and the transitional provision."""

    title: str = ""
    says: str = ""
    transitional: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """Another way of paying as declared."""

    title: str = ""
    amount: Fraction | None = None
    says: str = ""
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """All that was declared; empty where nothing was."""

    title: str = ""
    report: str = ""
    dated: date | None = None
    author: str = ""
    contact: str = ""
    body: str = ""
    meeting: date | None = None
    threshold: Fraction | None = None
    background: tuple[str, ...] = ()
    options: Mapping[str, Said] = field(default_factory=dict)
    consultation: tuple[Consulted, ...] = ()
    money: tuple[Money, ...] = ()
    other_ways: Mapping[str, Other] = field(default_factory=dict)
    file: str = ""

    def figure(self, name: str, council: str, option: str) -> Fraction | None:
        """A declared figure: that of the council and the option, else the council's, else the option's, else that of all."""
        for wanted in ((council, option), (council, ""), ("", option), ("", "")):
            for money in self.money:
                value: Fraction | None = getattr(money, name)
                if (money.council, money.option) == wanted and value is not None:
                    return value
        return None


def read_declared(path: Path, *, councils: Iterable[str], options: Iterable[str] | None, steps: Iterable[str]) -> Declared:
    """What a file declares, for the councils, options and steps of consultation that there are; without `options` any may be named.

    Raises UsageError RC080 with every mistake and its place.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError("RC044", f"no such file: {path} ({error.strerror})", hint="give the path of a file with kind: paper") from error
    findings = Findings()
    try:
        node = read(data, path.name)
        doc = _shaped(node, findings)
        made = (
            _Maker(findings, list(councils), None if options is None else list(options), list(steps)).made(doc, path.name)
            if doc is not None
            else Declared()
        )
        findings.raise_if_errors({path.name: data.decode("utf-8-sig")})
    except RulesError as error:
        raise UsageError("RC080", f"the paper's declarations cannot be used\n{error}") from error
    return made


def _shaped(node: Any, findings: Findings) -> PaperDoc | None:
    if not isinstance(node, Mapping_):
        findings.error("RB033", "the file is a mapping of keys", node.span, help="begin with kind: paper")
        return None
    kind = node.get("kind")
    if getattr(kind, "text", "") != KIND:
        findings.error("RB034", "the file must say `kind: paper`", kind.span if kind is not None else node.span)
        return None
    return shaped(node, KIND, PaperDoc, findings)


class _Maker:
    """Turns texts into values and collects what is wrong."""

    def __init__(self, findings: Findings, councils: list[str], options: list[str] | None, steps: list[str]) -> None:
        self.findings, self.councils, self.options, self.steps = findings, councils, options, steps

    def made(self, doc: PaperDoc, file: str) -> Declared:
        meeting = doc.meeting
        return Declared(
            _text(doc.title),
            _text(doc.report),
            self.day(doc.date),
            _text(doc.author),
            _text(doc.contact),
            _text(meeting.body) if meeting else "",
            self.day(meeting.on) if meeting else None,
            self.rate(doc.threshold),
            tuple(_text(one) for one in doc.background),
            {
                self.known(name, self.options, "option"): Said(_text(one.title), _text(one.says), _text(one.transitional))
                for name, one in doc.options.items()
            },
            tuple(self.consulted(one) for one in doc.consultation),
            self.money(doc.money),
            {
                str(name): Other(_text(one.title), self.pounds(one.amount), _text(one.says), _text(one.reason), _text(one.source))
                for name, one in doc.other_ways.items()
            },
            file,
        )

    def consulted(self, doc: ConsultedDoc) -> Consulted:
        first, last = self.day(doc.from_), self.day(doc.to)
        if first is not None and last is not None and last < first:
            assert doc.to is not None
            self.findings.error("RB037", "the consultation ends before it begins", doc.to.span)
        council = self.known(doc.council, self.councils, "council") if doc.council is not None else ""
        return Consulted(self.known(doc.step, self.steps, "step"), council, _text(doc.whom), first, last, _text(doc.outcome))

    def money(self, docs: list[MoneyDoc]) -> tuple[Money, ...]:
        found: dict[tuple[str, str, str], Any] = {}
        made = []
        for doc in docs:
            council = self.known(doc.council, self.councils, "council") if doc.council is not None else ""
            option = self.known(doc.option, self.options, "option") if doc.option is not None else ""
            for name in ("collection_rate", "hardship_fund", "administration"):
                text: Text | None = getattr(doc, name)
                if text is None:
                    continue
                if (council, option, name) in found:
                    self.findings.error("RB037", f"{name} is declared twice for the same council and option", text.span)
                if name != "collection_rate" and not council and len(self.councils) > 1:
                    self.findings.error("RB037", "an amount belongs to one council", text.span, help="add council: to the entry")
                found[council, option, name] = text
            made.append(
                Money(
                    council,
                    option,
                    self.rate(doc.collection_rate),
                    self.pounds(doc.hardship_fund),
                    self.pounds(doc.administration),
                    _text(doc.source),
                )
            )
        return tuple(made)

    def known(self, name: Text, names: list[str] | None, what: str) -> str:
        if names is not None and str(name) not in names:
            self.findings.error(
                "RB037", f"no {what} is called {name}{suggest(str(name), names)}", name.span, help=f"one of {', '.join(names) or 'none'}"
            )
        return str(name)

    def day(self, text: Text | None) -> date | None:
        return self._value(text, date.fromisoformat, "no day", "write year-month-day, as 2026-12-02")

    def pounds(self, text: Text | None) -> Fraction | None:
        return self._value(text, _pounds, "no amount of money", "write pounds without commas, as £120000 or £1250.50")

    def rate(self, text: Text | None) -> Fraction | None:
        return self._value(text, _rate, "no rate from 0% to 100%", "write a percentage, as 85% or 98.5%")

    def _value(self, text: Text | None, to: Callable[[str], _Value], wrong: str, hint: str) -> _Value | None:
        if text is None:
            return None
        try:
            return to(str(text))
        except ValueError:
            self.findings.error("RB037", f"{wrong}: {text}", text.span, help=hint)
            return None


def _pounds(text: str) -> Fraction:
    match = _MONEY.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return Fraction(match[1] + match[2])


def _rate(text: str) -> Fraction:
    match = _RATE.fullmatch(text.strip())
    if match is None or Fraction(match[1]) > 100:
        raise ValueError(text)
    return Fraction(match[1]) / 100


def _text(text: Text | None) -> str:
    return " ".join(str(text).split()) if text is not None else ""
