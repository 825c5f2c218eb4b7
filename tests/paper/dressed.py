"""A made-up study with all that a paper reads of it, and texts that mean harm."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from typing import Any

import pyarrow as pa

from rbcalc.comparing.comparison import comparison
from rbcalc.comparing.study import Option
from rbcalc_kernels.program.graph import Ref
from whatif.made import random_study

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "+1+1",
    "-2+3",
    "<script>alert(1)</script>",
    '"><img src=https://example.org/x onerror=alert(1)>',
    "'}</style><script>alert(2)</script>",
    "{{ 7 * 7 }} {% raw %}",
    "\\00003c &lt;b&gt; & Sons",
    "a long name " * 40,
    "Av\u202eerthgir ot tfel",
    "]]> --> /* */ url(https://example.org/a.png)",
)
CHARACTERISTICS = (
    ("Disability", Ref("account", "disabled")),
    ("Age", None),
    ("Religion or belief", None),
)


class Study:
    """A study and its comparison."""

    def __init__(
        self,
        *,
        seed: int = 7,
        sizes: dict[str, int] | None = None,
        options: int = 2,
        titles: dict[str, str] | None = None,
        named: tuple[str, ...] = (),
        references: tuple[str, ...] = (),
    ) -> None:
        made: Any = random_study(seed, sizes or {"north": 400, "south": 600}, options)
        made.titles = titles or {name: f"{name.title()} Council" for name in made.councils}
        made.impact = replace(made.impact, name="council_tax_reduction", title="Council Tax Reduction", characteristics=CHARACTERISTICS)
        made.assumptions, made.notes = ("claims.capital is assumed to be '0' for 12 rows",), ("figures of 2026-27 go on",)
        made.digest, made.rejects = "b" * 64, 0
        fresh = []
        for place, option in enumerate(made.options):
            title = named[place - 1] if 0 < place <= len(named) else "No change" if place == 0 else f"Option {place}"
            changes = (f"Limit: £16,000 to £{place},000",) if place else ()
            fresh.append(Option(option.name, title, (), place > 0, changes))
            for council, outcome in made.outcomes[option.name].items():
                outcome.program.digest = f"{council}{place}".ljust(64, "0")
                outcome.program.provisional = ("The taper",) if place else ()
                outcome.program.tables = {}
        made.options = fresh
        for name, texts in {made.councils[0]: references}.items():
            held = made.accounts[name].to_pylist()
            made.accounts[name] = pa.array([*texts, *held[len(texts) :]])
        self.study = made
        self.comparison = comparison(made)


class Reconciled:
    """A reconciliation with a match rate."""

    def __init__(self, rate: str, threshold: str | None = "99.5") -> None:
        self.match_rate = Fraction(rate) / 100
        self.threshold = None if threshold is None else Fraction(threshold) / 100

    def trusted(self, threshold: Fraction) -> bool:
        return self.match_rate >= threshold


class Page(HTMLParser):
    """A page taken apart: elements in order with their attributes and the text inside."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.inside and self.inside[-1] == tag, (self.inside, tag)
        self.inside.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.inside[-1] if self.inside else "", data))

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def words(self) -> str:
        return " ".join(" ".join(text for tag, text in self.texts if tag != "style").split())
