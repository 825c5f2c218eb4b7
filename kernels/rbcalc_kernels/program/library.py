"""The files of a rules folder: found by dotted name, read once, kept with their text for messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from rbcalc_kernels.language.documents import Document, RuleFile, Text
from rbcalc_kernels.language.shaping import document
from rbcalc_kernels.source import Findings, RulesError, Span, read, suggest

_DOTTED: Final = re.compile(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*(\.[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*)*")
MOST_HINTS: Final = 20
MOST_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class RuleSource:
    """A file that was read: its shown name, its text and what it holds.  It is equal to itself alone."""

    file: str
    text: str
    content: Document

    @property
    def name(self) -> str:
        """The dotted name: england.council_tax.liability."""
        return self.file.removeprefix("rules/").removesuffix(".yaml").replace("/", ".")


class Memory(Protocol):
    """Files that were read before, perhaps by another process."""

    def get(self, file: str, data: bytes) -> RuleSource | None:
        """What was read from the file when it held exactly this."""

    def put(self, source: RuleSource, data: bytes) -> None:
        """Remember a file in which nothing was found wrong."""


@dataclass
class Library:
    """A folder of rules.  Files are read when asked for, and each is read once."""

    root: Path
    memory: Memory | None = None
    _read: dict[Path, RuleSource | None] = field(default_factory=dict)
    _broken: dict[Path, RulesError | Findings] = field(default_factory=dict)
    _resolved: dict[Path, Path] = field(default_factory=dict)
    _extends: WeakKeyDictionary[RuleSource, list[tuple[Path, Text]]] = field(default_factory=WeakKeyDictionary)
    remembered: dict[object, object] = field(default_factory=dict)  # what linking worked out from files that stay as they are

    def _place(self, path: Path) -> Path:
        """A path without links and detours."""
        found = self._resolved.get(path)
        if found is None:
            found = self._resolved[path] = path.resolve()
        return found

    def shown(self, path: Path) -> str:
        """The name of a file in messages: from the rules folder down, or as given when it lies elsewhere."""
        resolved = self._place(path)
        root = self._place(self.root)
        if resolved.is_relative_to(root):
            return "rules/" + resolved.relative_to(root).as_posix()
        return path.as_posix()

    def open(self, path: Path, findings: Findings) -> RuleSource | None:
        """The document in a file, or None with findings added."""
        key = self._place(path)
        if key not in self._read:
            own = Findings()
            self._read[key] = self._load(path, own)
            self._broken[key] = own
        broken = self._broken[key]
        if isinstance(broken, Findings):
            findings.extend((*broken.errors, *broken.warnings))
        return self._read[key]

    def _load(self, path: Path, findings: Findings) -> RuleSource | None:
        shown = self.shown(path)
        data = path.read_bytes()
        found = self.memory.get(shown, data) if self.memory is not None else None
        if found is not None:
            return found
        try:
            node = read(data, shown)
        except RulesError as error:
            findings.extend(error.diagnostics)
            return None
        content = document(node, findings)
        if content is None:
            return None
        source = RuleSource(shown, data.decode("utf-8-sig"), content)
        if self.memory is not None and not findings.errors and not findings.warnings:
            self.memory.put(source, data)
        return source

    def text(self, file: str) -> str:
        """The text behind a shown name, for messages; empty when it cannot be read."""
        path = self.root / file.removeprefix("rules/") if file.startswith("rules/") else Path(file)
        return path.read_text(encoding="utf-8-sig", errors="replace") if path.is_file() else ""

    def texts(self, findings: Findings) -> dict[str, str]:
        """The texts of all files that findings point at."""
        files = {span.file for found in findings for span in (found.span, *(other for other, _ in found.related))}
        return {file: self.text(file) for file in sorted(files)}

    def folder(self, dotted: str) -> Path:
        """Where a dotted name points, without a check that anything is there."""
        return self.root.joinpath(*dotted.split("."))

    def named(self, dotted: str) -> list[Path]:
        """The rule files that a dotted name stands for: one file, or all of a folder (cases, profiles and such left out)."""
        if not _DOTTED.fullmatch(dotted):
            return []
        place = self.folder(dotted)
        if place.with_suffix(".yaml").is_file():
            return [place.with_suffix(".yaml")]
        return (
            [path for path in sorted(place.rglob("*.yaml")) if path.is_file() and not path.name.endswith("cases.yaml")]
            if place.is_dir()
            else []
        )

    def every(self) -> Iterator[Path]:
        """Every file of the folder."""
        yield from (path for path in sorted(self.root.rglob("*.yaml")) if path.is_file())

    def closure(
        self,
        start: Iterable[Path],
        findings: Findings,
        more: Iterable[RuleSource] = (),
        holds: Callable[[RuleFile], bool] = lambda _: True,
    ) -> list[RuleSource]:
        """The rule files of `start` and `more` with all that they extend, each once; what is extended comes first.

        Files that do not hold are left out, with what only they extend.
        """
        found: dict[Path, RuleSource] = {}
        for path in start:
            self._visit(path, found, findings, holds)
        for source in more:
            for other, _ in self._extended(source, findings):
                self._visit(other, found, findings, holds)
        return [*found.values(), *more]

    def _visit(self, start: Path, found: dict[Path, RuleSource], findings: Findings, holds: Callable[[RuleFile], bool]) -> None:
        """Add a file to `found` after all that it extends; with a list of what is under way, so that no chain is too long."""
        under_way: dict[Path, Iterator[tuple[Path, Text]]] = {}
        opened: dict[Path, RuleSource] = {}

        def enter(path: Path) -> None:
            source = self.open(path, findings)
            if source is not None and isinstance(source.content, RuleFile) and holds(source.content):
                opened[self._place(path)] = source
                under_way[self._place(path)] = self._extended(source, findings)

        if self._place(start) not in found:
            enter(start)
        while under_way:
            key = next(reversed(under_way))
            other, asked = next(under_way[key], (None, None))
            if other is None or asked is None:
                del under_way[key]
                found[key] = opened[key]
            elif self._place(other) in under_way:
                if self._place(other) != key:  # a folder may hold the file that extends it
                    chain = [opened[place].name for place in under_way]
                    chain = [*chain[list(under_way).index(self._place(other)) :], opened[self._place(other)].name]
                    words = " -> ".join(chain if len(chain) < 9 else [*chain[:4], "...", *chain[-4:]])
                    findings.error(
                        "RB055", f"files extend each other in a circle: {words}", asked.span, help="take one of the extends away"
                    )
            elif self._place(other) not in found:
                enter(other)

    def _extended(self, source: RuleSource, findings: Findings) -> Iterator[tuple[Path, Text]]:
        """The rule files that a file extends, each with the words that ask for it; looked for once where all are there."""
        known = self._extends.get(source)
        if known is not None:
            yield from known
            return
        found, whole = list[tuple[Path, Text]](), True
        for dotted in source.content.extends if isinstance(source.content, RuleFile) else []:
            paths = self.named(str(dotted))
            if not paths:
                whole = False
                hint = suggest(str(dotted), self.names()) if len(findings) < MOST_HINTS else ""
                help_ = f"a dotted name of a file or folder under rules/{hint}"
                findings.error("RB054", f"nothing to extend: {dotted}", dotted.span, help=help_)
            for path in paths:
                if self._is_rules(path):
                    found.append((path, dotted))
                    yield path, dotted
        if whole:
            self._extends[source] = found

    def names(self) -> list[str]:
        """The dotted names of all files and folders."""
        known = [self.shown(path).removeprefix("rules/").removesuffix(".yaml").replace("/", ".") for path in self.every()]
        return [*known, *sorted({name.rsplit(".", 1)[0] for name in known if "." in name})]

    def _is_rules(self, path: Path) -> bool:
        source = self.open(path, Findings())
        return source is None or isinstance(source.content, RuleFile)


def remembered_as(remembered: dict[object, object], what: str) -> dict[Any, Any]:
    """What was remembered of one kind; begun anew when it has grown beyond use."""
    found = remembered.get(what)
    if not isinstance(found, dict) or len(found) > MOST_REMEMBERED:
        found = remembered[what] = {}
    return found


def place_in(file: str) -> Span:
    """The beginning of a file, for findings about the file as a whole."""
    return Span(file, 1, 1, 1, 1)
