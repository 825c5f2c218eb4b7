"""Column maps: a YAML file that tells how another system's extract becomes the tables that the rules read.

kind: column map
title: Nightly extract of the billing system
dates: DD/MM/YYYY               # dates in text; YYYY-MM-DD unless told
encoding: windows-1252          # of CSV files; UTF-8 unless told
delimiter: ";"                  # found in the header unless told
registers:
  accounts:
    file: "ACC_*.csv"           # one pattern; the table's own name unless told
    columns: {account: ACC REF, dwelling: PROP REF}      # ours: theirs
    codes: {band: {"1": A, "2": B}}                      # theirs: ours
    constants: {council: north}                          # the same for every row, and known to be so
    assume: {disabled: "no"}                             # not in the extract: assumed, counted and printed
    private: [LEAD NAME]                                 # their headers: replaced by pseudonyms
    dates: YYYYMMDD                                      # dates, encoding and delimiter may differ by table
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rbcalc.errors import UsageError
from rbcalc_kernels.source import Mapping_, Node, RulesError, Scalar, Sequence_, Span, read, render, suggest
from rbcalc_kernels.source.diagnostics import Diagnostic

DATE_FORMATS: Mapping[str, tuple[str, str]] = {
    "YYYY-MM-DD": (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"),
    "DD/MM/YYYY": (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"),
    "DD-MM-YYYY": (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    "DD.MM.YYYY": (r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    "YYYYMMDD": (r"\d{8}", "%Y%m%d"),
}
"""The ways to write dates: a pattern (RE2) and a format of `strptime` for each."""

DELIMITERS = (",", ";", "\t", "|")
_SETTINGS = ("dates", "encoding", "delimiter")
_TOP = ("kind", "title", *_SETTINGS, "registers")
_REGISTER = ("file", "columns", "codes", "constants", "assume", "private", *_SETTINGS)


@dataclass(frozen=True, slots=True)
class TableMap:
    """How one table is adapted; every mapping but `codes` goes from our name to theirs or to a value."""

    file: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    assume: Mapping[str, str] = field(default_factory=dict)
    private: tuple[str, ...] = ()
    dates: str = "YYYY-MM-DD"
    encoding: str = ""
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A column map that was read; `places` knows where each name stands, for messages."""

    registers: Mapping[str, TableMap] = field(default_factory=dict)
    title: str = ""
    places: Mapping[tuple[str, ...], Span] = field(default_factory=dict, repr=False, compare=False)
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read(cls, source: Path | str) -> ColumnMap:
        """The column map in a file.  Raises UsageError RC010 with every mistake and its place."""
        path = Path(source)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UsageError("RC010", f"the column map cannot be read ({error.strerror})", str(path), "check the path") from error
        return cls.parse(data, path.name)

    @classmethod
    def parse(cls, text: str | bytes, file: str = "column map") -> ColumnMap:
        """The column map in a text."""
        try:
            root = read(text, file)
        except RulesError as error:
            raise UsageError("RC010", f"the column map cannot be used\n{error}") from error
        shown = text if isinstance(text, str) else text.decode("utf-8")
        reader = _Reader({file: shown.removeprefix("\ufeff")})
        made = reader.top(root)
        reader.raise_if_wrong("RC010")
        return made

    def table(self, register: str) -> TableMap:
        """How a table is adapted: not at all when the map does not name it."""
        return self.registers.get(register, TableMap())

    def without(self, tables: Collection[str]) -> ColumnMap:
        """The map without some tables."""
        return replace(self, registers={name: table for name, table in self.registers.items() if name not in tables})

    def check(self, known: Mapping[str, Mapping[str, tuple[str, ...]]]) -> None:
        """Refuse names that the rules do not have.

        `known` gives, for each register, its columns, and for each column the values it may take (none: any).  Raises
        UsageError RC011 with every mistake and its place.
        """
        reader = _Reader(self.sources)
        for name, table in self.registers.items():
            if name not in known:
                reader.wrong(self._place(name), f"the rules have no table '{name}'{suggest(name, known)}")
                continue
            columns = known[name]
            for section in ("columns", "codes", "constants", "assume"):
                for column in getattr(table, section):
                    if column not in columns:
                        problem = f"the table '{name}' has no column '{column}'{suggest(column, columns)}"
                        reader.wrong(self._place(name, section, column), problem)
            for column, codes in table.codes.items():
                members = columns.get(column, ())
                for theirs, ours in codes.items():
                    if members and ours not in members:
                        problem = f"'{ours}' is not a value of '{column}'{suggest(ours, members)}"
                        reader.wrong(self._place(name, "codes", column, theirs), problem)
            for column in table.columns:
                for section in ("constants", "assume"):
                    if column in getattr(table, section):
                        place = self._place(name, section, column)
                        reader.wrong(place, f"'{column}' is read from the extract and set under '{section}' too")
        reader.raise_if_wrong("RC011")

    def _place(self, *path: str) -> Span:
        return self.places.get(path, Span("column map", 1, 1, 1, 1))


class _Reader:
    """Turns nodes into a column map and collects what is wrong."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources
        self.places: dict[tuple[str, ...], Span] = {}
        self.found: list[tuple[Span, str]] = []

    def wrong(self, span: Span, message: str) -> None:
        self.found.append((span, message))

    def raise_if_wrong(self, code: str) -> None:
        if self.found:
            report = render([Diagnostic(code, message, span) for span, message in self.found], self.sources)
            raise UsageError(code, f"the column map cannot be used\n{report}")

    def top(self, root: Node) -> ColumnMap:
        entries = self.mapping(root, (), _TOP)
        kind = self.text(entries["kind"]) if "kind" in entries else ""
        if kind != "column map":
            self.wrong(entries["kind"].span if "kind" in entries else root.span, "the file must say `kind: column map`")
        shared = self.settings(entries)
        registers = {
            name: self.table(name, node, shared)
            for name, node in (self.mapping(entries["registers"], ()).items() if "registers" in entries else ())
        }
        title = self.text(entries["title"]) if "title" in entries else ""
        return ColumnMap(registers, title, self.places, self.sources)

    def table(self, name: str, node: Node, shared: Mapping[str, str]) -> TableMap:
        entries = self.mapping(node, (name,), _REGISTER)
        own = {**shared, **self.settings(entries)}
        codes = self.mapping(entries["codes"], (name, "codes")) if "codes" in entries else {}
        private = entries.get("private")
        if private is not None and not isinstance(private, Sequence_):
            self.wrong(private.span, "a list of headers is wanted, as in [NAME, ADDRESS 1]")
        return TableMap(
            self.text(entries["file"]) if "file" in entries else "",
            self.texts(entries, name, "columns"),
            {column: self.flat(codes[column], (name, "codes", column)) for column in codes},
            self.texts(entries, name, "constants"),
            self.texts(entries, name, "assume"),
            tuple(self.text(item) for item in private) if isinstance(private, Sequence_) else (),
            own.get("dates", "YYYY-MM-DD"),
            own.get("encoding", ""),
            own.get("delimiter", ""),
        )

    def texts(self, entries: Mapping[str, Node], name: str, section: str) -> dict[str, str]:
        return self.flat(entries[section], (name, section)) if section in entries else {}

    def flat(self, node: Node, path: tuple[str, ...]) -> dict[str, str]:
        return {key: self.text(value) for key, value in self.mapping(node, path).items()}

    def settings(self, entries: Mapping[str, Node]) -> dict[str, str]:
        checks: dict[str, tuple[Callable[[str], bool], str]] = {
            "dates": (DATE_FORMATS.__contains__, f"one of {', '.join(DATE_FORMATS)}"),
            "encoding": (_is_encoding, "the name of an encoding, such as utf-8 or windows-1252"),
            "delimiter": (lambda text: text in (*DELIMITERS, "tab"), "one of , ; | and tab"),
        }
        found: dict[str, str] = {}
        for key, (good, wanted) in checks.items():
            if key in entries:
                text = self.text(entries[key])
                if not good(text):
                    near = suggest(text, DATE_FORMATS) if key == "dates" else ""
                    self.wrong(entries[key].span, f"'{text}' cannot stand here; wanted is {wanted}{near}")
                found[key] = "\t" if text == "tab" else text
        return found

    def mapping(self, node: Node, path: tuple[str, ...], known: tuple[str, ...] = ()) -> dict[str, Node]:
        """The entries of a mapping; with `known`, other keys are refused."""
        if not isinstance(node, Mapping_):
            self.wrong(node.span, "a mapping is wanted here, as in {ours: theirs}")
            return {}
        found: dict[str, Node] = {}
        for key, value in node.entries:
            if known and key.text not in known:
                self.wrong(key.span, f"the key '{key.text}' is not known here{suggest(key.text, known)}; known are {', '.join(known)}")
                continue
            self.places[(*path, key.text)] = key.span
            found[key.text] = value
        return found

    def text(self, node: Node) -> str:
        if isinstance(node, Scalar):
            return node.text
        self.wrong(node.span, "a single value is wanted here")
        return ""


def _is_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except LookupError:
        return False
    return True
