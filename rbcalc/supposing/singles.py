"""Each change of an option by itself, and the option without it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc.comparing.comparison import Single
from rbcalc.comparing.study import Option, Study, UnsettledError
from rbcalc.supposing.scenario_words import told_apart
from rbcalc.supposing.scenarios import file_of, with_file
from rbcalc_kernels.source import RulesError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rbcalc.comparing.study import Outcome
    from rbcalc_kernels.program.library import RuleSource

MOST_UNSETTLED: Final = 200
"""A change that leaves more accounts without a result does not stand by itself; nor are more worked out exactly for one change."""

_SECTIONS: Final = ("set", "replace", "drop")
_HOW: Final = ("without", "alone")
_ASIDE: Final = frozenset(("kind", "title", "from_", "to", "adopted", "source", "status", "note", "only_for"))
"""What a file says without changing anything."""

_BOUND: Final = "what does not stand without the other changes has no cost of its own"
_DOUBTFUL: Final = "not costed by themselves, as too many accounts would have to be worked out exactly"

_Found = dict[str, "Outcome"] | str
"""What comes of some changes, or why nothing does."""

_Piece = tuple[str, str]
"""A change: the section of a file, and the name there."""

_Pieces = tuple[_Piece, ...]


class Singles:
    """Changes that are costed by themselves; what options have in common is worked out once."""

    def __init__(self, study: Study) -> None:
        """Nothing yet."""
        self._study = study
        self._known: dict[tuple[object, ...], _Found] = {}
        self._bound: frozenset[_Piece] = frozenset()
        self._cut: dict[tuple[RuleSource, _Pieces, str], RuleSource | None] = {}

    def of(self, option: Option) -> tuple[list[Single], list[str]]:
        """The changes of an option, and notes about those that cannot be costed by themselves.  One change alone is the option.

        Changes that do not stand without each other are one change together.
        """
        laid = self._laid(option)
        pieces = dict.fromkeys(
            (section, str(name)) for source in laid for section in _SECTIONS for name in getattr(file_of(source), section)
        )
        if len(pieces) < 2:
            return [], []
        titles = self._titles(option, pieces)
        found: list[Single] = []
        left: dict[str, list[_Piece]] = {}
        # What did not stand by itself in another option is taken with the others again.
        known = self._bound if self._bound <= pieces.keys() else frozenset()
        for piece in pieces:
            worked = _BOUND if piece in known else self._both(option, (piece,))
            if isinstance(worked, str):
                left.setdefault(worked, []).append(piece)
            else:
                found.append(Single(option.name, titles[piece[1]], *worked))
        bound = left.get(_BOUND, [])
        self._bound |= frozenset(bound)
        if 1 < len(bound) < len(pieces):
            worked = self._both(option, tuple(bound))
            if not isinstance(worked, str):
                del left[_BOUND]
                told = "; ".join(titles[name] for _, name in bound)
                found.append(Single(option.name, f"Together: {told}", *worked))
        return found, [f"{option.title}: {why}: {'; '.join(titles[name] for _, name in pieces)}." for why, pieces in left.items()]

    def _titles(self, option: Option, pieces: Iterable[_Piece]) -> dict[str, str]:
        """What people call the figures and rules that change, by name."""
        programs = [program for each in (option, self._study.baseline) for program in self._study.programs(each).values()]
        known: dict[str, str] = {}
        for program in programs:
            rules = {rule.name: rule for rule in program.rules if not rule.hidden}
            for things in (program.parameters, program.tables, rules):
                known = {**{name: thing.title for name, thing in things.items() if thing.title}, **known}
        return told_apart({name: known.get(name) or name.replace("_", " ") for _, name in pieces})

    def _both(self, option: Option, pieces: _Pieces) -> tuple[dict[str, Outcome], dict[str, Outcome]] | str:
        """What some changes come to alone, and the option without them; otherwise why that cannot be said."""
        first, second = _HOW if pieces[0][0] == "set" else _HOW[::-1]  # what is likelier to fail comes first
        one = self._worked(option, pieces, first)
        if isinstance(one, str):
            return one
        other = self._worked(option, pieces, second)
        if isinstance(other, str):
            return other
        return (other, one) if first == "without" else (one, other)

    def _laid(self, option: Option) -> list[RuleSource]:
        """What an option lays over the baseline."""
        return [source for source in option.scenarios[len(self._study.baseline.scenarios) :] if not isinstance(source, Path)]

    def _worked(self, option: Option, pieces: _Pieces, how: str) -> _Found:
        """What comes of some changes alone, or of all others; otherwise why that cannot be said."""
        cut = [self._cut_to(source, pieces, how) for source in self._laid(option)]
        laid = tuple(source for source in cut if source is not None)
        if laid not in self._known:
            name = _told(pieces)
            title = f"{option.name}: {name} alone" if how == "alone" else f"{option.name}: without {name}"
            supposed = Option(title, name, (*self._study.baseline.scenarios, *laid), hypothetical=True)
            try:
                self._known[laid] = self._study.amounts(supposed, MOST_UNSETTLED)
            except RulesError:
                self._known[laid] = _BOUND
            except UnsettledError as error:
                self._known[laid] = _DOUBTFUL if error.doubtful else _BOUND
        return self._known[laid]

    def _cut_to(self, source: RuleSource, pieces: _Pieces, how: str) -> RuleSource | None:
        """A scenario with some of its changes alone, or with all but those; None where nothing is left of it."""
        key = (source, pieces, how)
        if key not in self._cut:
            file = file_of(source)
            entries = {section: getattr(file, section) for section in _SECTIONS}
            kept = {
                section: {each: entry for each, entry in entries[section].items() if ((section, str(each)) in pieces) is (how == "alone")}
                for section in _SECTIONS
            }
            if how == "without" and kept == entries:
                self._cut[key] = source
                return source
            emptied: Mapping[str, Any] = {} if how == "without" else {"uprate": [], "without": []}
            made = with_file(source, f"{source.file} ({_told(pieces)} {how})", **{**emptied, **kept})
            self._cut[key] = made if _says_something(made) else None
        return self._cut[key]


def _told(pieces: Sequence[_Piece]) -> str:
    """Changes by name."""
    *first, last = [name.replace("_", " ") for _, name in pieces]
    return f"{', '.join(first)} and {last}" if first else last


def _says_something(source: RuleSource) -> bool:
    file = file_of(source)
    return any(getattr(file, name) for name in type(file).model_fields if name not in _ASIDE)
