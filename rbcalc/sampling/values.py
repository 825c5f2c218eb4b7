"""Values of sample rows: small specifications such as `year_start - 30 years to year_start - 18 years`, drawn by the column.

Everything is whole-number arithmetic on the raw words of a Philox generator whose key is made of names, so that a value
depends on the seed, the council and the place of its specification alone: not on the machine, on the version of NumPy, or
on what else is made.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc.sampling.figures import Figures, NoFigureError
from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.types import DATE, NOT_RECORDED, YES_NO, Choice, Type
from rbcalc_kernels.source import Findings, Span, suggest

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint32]

EPOCH: Final = date(1970, 1, 1).toordinal()
BLANK: Final = "blank"
OWN: Final = "own"  # the member of the list for which the dwelling was made, or its amount within the range
SPREAD: Final = "any"  # a member chosen for the dwelling once and for all
EACH: Final = "each"  # any member of a list, one as often as another
_DEALT: Final = 65_536  # up to so many rows alternatives are dealt like cards, so that rare ones are not missed
_STEP: Final = re.compile(r"\s*([+-])\s*([0-9]+)\s*(days?|months?|years?)\b")
_NUMBER: Final = re.compile(r"£?([0-9]+(?:\.[0-9]+)?)(%|/[a-z]+)?")
_TERM: Final = re.compile(r"\s*([+-]?)\s*(?:([0-9]+)% of )?(?:£?([0-9]+(?:\.[0-9]+)?)|([a-z][a-z_0-9]*(?:\[[^\]]*\])?))\s*")
_EDGES: Final = re.compile(r"edges of ([a-z_0-9]+(?:\[[^\]]*\])?)\s*(?:([+-])\s*£([0-9]+(?:\.[0-9]+)?))?")
UPRATED: Final = " uprated"
HUNDREDTHS: Final = 100  # amounts that are known by name are held in hundredths
_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Stream:
    """A source of random words with a name; each name has its own."""

    name: str

    def words(self, count: int) -> Words:
        """`count` random words of 32 bits."""
        return self.raw(-(-count // 2)).astype("<u8", copy=False).view("<u4")[:count].astype(np.uint32, copy=False)

    def raw(self, count: int) -> npt.NDArray[np.uint64]:
        """`count` random words of 64 bits; unlike what is made of them, their sequence never changes between versions."""
        key = int.from_bytes(hashlib.blake2b(self.name.encode(), digest_size=16).digest(), "little")
        return np.asarray(np.random.Philox(key=key).random_raw(count), np.uint64)

    def below(self, bound: Whole | int, count: int) -> Whole:
        """Whole numbers from 0 to below `bound` (at most 2^31)."""
        spans = np.asarray(bound, np.uint64)
        return ((self.words(count).astype(np.uint64) * spans) >> np.uint64(32)).astype(np.int64)

    def order(self, count: int) -> npt.NDArray[np.int64]:
        """The numbers below `count` in random order."""
        mask = np.uint64((1 << max(1, count.bit_length())) - 1)
        keys = (self.raw(count) & ~mask) | np.arange(count, dtype=np.uint64)
        keys.sort()
        return (keys & mask).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Point:
    """A day or a number: an anchor (a name, or nothing), and steps from it; or an amount and shares of others, not below zero."""

    anchor: str = ""
    value: int = 0
    steps: tuple[tuple[int, str], ...] = ()
    terms: tuple[tuple[Fraction, str], ...] = ()

    def at(self, known: Mapping[str, Whole | int]) -> Whole | int:
        """The value, with the days that are known by name."""
        made: Whole | int = known[self.anchor] if self.anchor else self.value
        for part, name in self.terms:
            made = made + (known[name] * (2 * part.numerator) + part.denominator) // (2 * part.denominator)
        if self.terms:
            made = np.maximum(made, 0)
        for count, unit in self.steps:
            made = made + count if unit == "day" else months_after(made, count * (12 if unit == "year" else 1))
        return made


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way that a value may come out: blank, or between two points (both included)."""

    low: Point | None
    high: Point | None
    word: str = ""  # `own` or `any`


@dataclass(frozen=True, slots=True)
class Spec:
    """What a column may hold: alternatives with their shares."""

    alternatives: tuple[Alternative, ...]
    shares: tuple[Fraction, ...]
    place: Span

    def uses(self) -> set[str]:
        """The names of days that the specification rests on."""
        points = [point for found in self.alternatives for point in (found.low, found.high)]
        return {point.anchor for point in points if point is not None and point.anchor}

    def draw(self, stream: Stream, count: int, known: Mapping[str, Whole | int], words: Mapping[str, Whole]) -> tuple[Whole, Flags]:
        """`count` values and whether each was given; `words` holds the columns that `own` and `any` stand for."""
        chosen = None if len(self.alternatives) == 1 else deal(Stream(stream.name + "/which"), self.shares, count)
        made = np.zeros(count, np.int64)
        given = np.ones(count, np.bool_)
        for place, found in enumerate(self.alternatives):
            rows: Any = slice(None) if chosen is None else np.flatnonzero(chosen == place)
            if found.low is None:
                if found.word:
                    made[rows] = words[found.word][rows]
                else:
                    given[rows] = False
                continue
            low = found.low.at(known)
            if found.high is None or found.high == found.low:
                made[rows] = low if np.ndim(low) == 0 else np.asarray(low)[rows]
                continue
            spans = np.asarray(found.high.at(known), np.int64) - low + 1
            if np.any(spans < 1):
                raise ValueError("the first of the two is after the second")
            made[rows] = (low + stream.below(spans, count))[rows]
        return made, given


def deal(stream: Stream, shares: tuple[Fraction, ...], count: int) -> npt.NDArray[np.int64]:
    """For each of `count` rows which share it falls to: in proportion when there are few, to the next whole row, by chance when many."""
    if count <= _DEALT:
        codes = np.repeat(np.arange(len(shares)), by_lot(shares, count, stream))
        return codes[stream.order(count)]
    edges, total = [], Fraction(0)
    for share in shares[:-1]:
        total += share
        edges.append(int(total * 2**32))
    return np.searchsorted(np.array(edges, np.uint64), stream.words(count), side="right").astype(np.int64)


def by_lot(shares: tuple[Fraction, ...], count: int, stream: Stream) -> list[int]:
    """`count` divided by shares of one, each to the whole number below or above.

    Which of the two is drawn, so that many small groups come out right together: the larger share of a group of one would otherwise
    always be given it, and the smaller none.
    """
    lot = Fraction(int(Stream(f"{stream.name}/lot").words(1)[0]), 2**32)
    edges = [0]
    total = Fraction(0)
    for share in shares:
        total += share
        edges.append(int(total * count + lot))
    return [edges[place + 1] - edges[place] for place in range(len(shares))]


def _each(type_: Choice) -> Alternative:
    """Any member of a list that says something, where one does."""
    last = len(type_.members) - 1
    return Alternative(Point(value=min(last, int(type_.members[0] == NOT_RECORDED))), Point(value=last))


def largest_remainder(weights: tuple[Fraction, ...] | tuple[int, ...], total: int, stream: Stream | None = None) -> list[int]:
    """`total` divided in proportion to the weights, to whole numbers that add up to it; `stream` settles ties by lot."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    exact = [Fraction(weight) * total / whole for weight in weights]
    made = [int(part) for part in exact]
    lot = stream.order(len(weights)).tolist() if stream is not None else list(range(len(weights)))
    order = sorted(range(len(weights)), key=lambda place: (made[place] - exact[place], lot[place]))
    for place in order[: total - sum(made)]:
        made[place] += 1
    return made


def months_after(days: Whole | int, months: int) -> Whole | int:
    """The day so many months after (or before); the last day of a shorter month."""
    given = np.asarray(days, np.int64).astype("datetime64[D]")
    month = given.astype("datetime64[M]")
    inside = (given - month.astype("datetime64[D]")).astype(np.int64)
    first = (month + months).astype("datetime64[D]").astype(np.int64)
    last = (month + (months + 1)).astype("datetime64[D]").astype(np.int64) - 1
    made = np.minimum(first + inside, last)
    return int(made) if np.ndim(days) == 0 else np.asarray(made, np.int64)


class SpecReader:
    """Reads specifications, leaving what is wrong among `findings`."""

    def __init__(
        self,
        findings: Findings,
        named: Mapping[str, Any],
        days: set[str],
        amounts: set[str] | None = None,
        figures: Figures | None = None,
        factor: Fraction = Fraction(1),
    ) -> None:
        """`named` are specifications that others may call by name, `days` and `amounts` what is known by name."""
        self.findings, self.named, self.days = findings, named, days
        self.amounts, self.figures, self.factor = amounts or set(), figures, factor

    def read(self, written: Any, type_: Type | None, scale: int = 1) -> Spec | None:
        """A specification of values of a type, held as multiples of 1/`scale`; None when it is wrong."""
        found = self._parts(written, type_, scale)
        if found is None or any(alternative is None or share is None for alternative, share in found):
            return None
        place = written.span if isinstance(written, Text) else next(iter(written)).span
        return Spec(tuple(a for a, _ in found if a is not None), tuple(s for _, s in found if s is not None), place)

    def _parts(self, written: Any, type_: Type | None, scale: int) -> list[tuple[Alternative | None, Fraction | None]] | None:
        """The alternatives with their shares; those of a specification that is called by name take its place."""
        if isinstance(written, Text):
            called = self.named.get(str(written)) if str(written) not in (self.days | self.amounts) else None
            if called is not None and not (isinstance(type_, Choice) and str(written) in type_.members):
                return self._parts(called, type_, scale)
            if str(written).startswith("edges of "):
                edges = self._edges(written, scale)
                return [(edge, Fraction(1, len(edges))) for edge in edges]
            return [(self._alternative(written, type_, scale), Fraction(1))]
        if not isinstance(written, Mapping) or not written:
            return None
        found: list[tuple[Alternative | None, Fraction | None]] = []
        whole = Fraction(0)
        for text, said in written.items():
            share = share_of(said, self.findings)
            whole += share or Fraction(0)
            for alternative, part in self._parts(text, type_, scale) or ():
                found.append((alternative, None if share is None or part is None else share * part))
        if whole != 1 and all(share is not None for _, share in found):
            place = next(iter(written)).span
            self.findings.error(
                "RB037", "the shares do not add up to 100%", place, help="each alternative has its share, and together they make 100%"
            )
            return None
        return found

    def _edges(self, text: Text, scale: int) -> list[Alternative]:
        """One alternative for each edge of a banded table, or so much above or below it."""
        match = _EDGES.fullmatch(str(text))
        if match is None or self.figures is None:
            self.findings.error("RB037", f"not the edges of a table: {text}", text.span, help="edges of work_deduction - £0.01")
            return [Alternative(None, None)]
        beside = Fraction(match[3] or 0) * (-1 if match[2] == "-" else 1)
        return [Alternative(Point(value=int((edge + beside) * scale)), None) for edge in self.figures.edges(match[1])]

    def _alternative(self, text: Text, type_: Type | None, scale: int) -> Alternative | None:
        if str(text) == BLANK:
            return Alternative(None, None)
        if isinstance(type_, Choice):
            if str(text) in (OWN, SPREAD) and str(text) not in type_.members:
                return Alternative(None, None, str(text))
            if str(text) == EACH and EACH not in type_.members:
                return _each(type_)
            if str(text) not in type_.members:
                help_ = f"one of {', '.join(type_.members[:12])}{suggest(str(text), type_.members)}"
                self.findings.error("RB039", f"{text} is not one of {type_.name}", text.span, help=help_)
                return None
            return Alternative(Point(value=type_.code(str(text))), None)
        if type_ == YES_NO:
            if str(text) not in ("yes", "no"):
                self.findings.error("RB037", "expected yes or no", text.span)
                return None
            return Alternative(Point(value=int(str(text) == "yes")), None)
        ends = [self._point(part, text, type_, scale) for part in str(text).removesuffix(UPRATED).split(" to ")]
        if None in ends or len(ends) > 2:
            if None not in ends:
                self.findings.error("RB037", "expected one value, or two with `to` between them", text.span)
            return None
        return Alternative(ends[0], ends[-1])

    def _point(self, part: str, text: Text, type_: Type | None, scale: int) -> Point | None:
        if type_ != DATE:
            match = _NUMBER.fullmatch(part.strip())
            value = Fraction(match[1]) * scale / (100 if match[2] == "%" else 1) if match is not None else Fraction(1, 2)
            if match is not None and str(text).endswith(UPRATED):
                value = Fraction(int(value * self.factor + Fraction(1, 2)))
            if match is None:
                return self._sum(part, text, scale)
            if value.denominator != 1:
                self.findings.error("RB037", f"not a figure of this fact: {part}", text.span)
                return None
            return Point(value=int(value))
        begun = re.match(r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2}|[a-z_]+)", part)
        rest = part[begun.end() :] if begun is not None else part
        steps: list[tuple[int, str]] = []
        while (step := _STEP.match(rest)) is not None:
            steps.append((int(step[1] + step[2]), step[3].rstrip("s")))
            rest = rest[step.end() :]
        if begun is None or rest.strip():
            self.findings.error(
                "RB037", f"not a day: {part}", text.span, help="a date or a named day, with steps: year_start - 18 years + 1 day"
            )
            return None
        if _ISO.fullmatch(begun[1]):
            try:
                return Point("", date.fromisoformat(begun[1]).toordinal() - EPOCH, tuple(steps))
            except ValueError:
                self.findings.error("RB038", f"no such day: {begun[1]}", text.span)
                return None
        if begun[1] not in self.days:
            self.findings.error(
                "RB039",
                f"no day is called {begun[1]}",
                text.span,
                help=f"one of {', '.join(sorted(self.days))}{suggest(begun[1], self.days)}",
            )
            return None
        return Point(begun[1], 0, tuple(steps))

    def _sum(self, part: str, text: Text, scale: int) -> Point | None:
        """An amount made of amounts known by name, figures of the rules, and shares of them: maximum - 55% of earnings."""
        constant, terms, place = Fraction(0), [], 0
        while place < len(part) and (match := _TERM.match(part, place)) is not None and match.end() > place:
            times = Fraction(int(match[2] or 100), 100) * (-1 if match[1] == "-" else 1)
            place = match.end()
            if match[3]:
                constant += times * Fraction(match[3])
            elif match[4] in self.amounts:
                terms.append((times * scale / HUNDREDTHS, match[4]))
            else:
                try:
                    constant += times * (self.figures.one(match[4]) if self.figures is not None else Fraction(1, 3))
                except NoFigureError:
                    if self.figures is not None and self.figures.known(match[4]):
                        raise
                    place = 0
                    break
        if place < len(part) or not part.strip():
            self.findings.error("RB037", f"not a figure of this fact: {part}", text.span)
            return None
        if str(text).endswith(UPRATED):
            constant *= self.factor
        return Point(
            value=int(constant * scale + Fraction(1, 2)) if constant > 0 else -int(-constant * scale + Fraction(1, 2)), terms=tuple(terms)
        )


def share_of(text: Any, findings: Findings) -> Fraction | None:
    """A share such as 12.5%, or None with a finding."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)%", str(text)) if isinstance(text, Text) else None
    if match is None:
        if isinstance(text, Text):
            findings.error("RB037", f"not a share: {text}", text.span, help="write it in per cent, as 12.5%")
        return None
    return Fraction(match[1]) / 100
