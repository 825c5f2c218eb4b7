"""Two schemes told apart in words: what the council decided first, then what came with the rules behind it, then the law."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rbcalc._show import amount
from rbcalc.schemes.booklet import GROUPS, LAW, OWN, SILENT, Laid, Maker, Rung
from rbcalc.schemes.booklet_scope import Step
from rbcalc.schemes.booklet_tables import Row
from rbcalc.schemes.booklet_words import member, quoted
from rbcalc_kernels.program.graph import Parameter, Ref, Source, Table, Value


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that differs: both values in words, empty where there is none, and the sentence that says it."""

    title: str
    keys: tuple[str, ...]
    old: str
    new: str
    told: str
    old_source: str
    new_source: str
    provisional: bool


@dataclass(frozen=True, slots=True)
class Alone:
    """A table that only one side uses."""

    side: str
    old: bool
    table: Laid


@dataclass(frozen=True, slots=True)
class Replaced:
    """A step that differs; without one of the two it is one side's alone."""

    title: str
    old: Rung | None
    new: Rung | None


@dataclass(frozen=True, slots=True)
class Section:
    """What differs of one kind."""

    title: str
    differences: tuple[Difference, ...]
    tables: tuple[Alone, ...]
    steps: tuple[Replaced, ...]

    @property
    def count(self) -> int:
        """How many differences there are."""
        return len(self.differences) + len(self.tables) + len(self.steps)

    def alone(self, side: int) -> list[str]:
        """The titles of steps that only one side has (0 the old, 1 the new) and no council wrote."""
        kept = [step.new if side else step.old for step in self.steps if not (step.new and step.old)]
        return list(dict.fromkeys(rung.title for rung in kept if rung is not None and not rung.own))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two schemes told apart, ready for a template."""

    title: str
    old: str
    new: str
    names: tuple[str, str]  # the two in short: the years of one council, or the councils
    adopted: tuple[str, ...]
    undecided: tuple[tuple[str, str], ...]  # the side, and what its rules do not decide
    sections: tuple[Section, ...]

    @property
    def count(self) -> int:
        """How many differences there are."""
        return sum(section.count for section in self.sections)


OWN_TITLES = {
    OWN: "Decided by the council",
    SILENT: "Not decided by the council: it came with the rules behind the scheme",
    LAW: "Set by law",
}
FOLLOWS = "What follows for the steps of the calculation"


class Teller:
    """Tells the schemes of two makers apart."""

    def __init__(self, old: Maker, new: Maker) -> None:
        """Compare `old` with `new`: one council's two years, or two councils."""
        self.makers = (old, new)
        self.same = old.council.name == new.council.name
        self.names = (str(old.year), str(new.year)) if self.same else (old.council.title, new.council.title)
        self.labels = tuple(f"{maker.council.title}, {maker.year}" for maker in self.makers)

    def told(self) -> Comparison:
        """What differs."""
        sections = [self._section(title) for title in GROUPS]
        steps = [(own, step) for own, step in self._steps()]
        own_steps = tuple(step for own, step in steps if own)
        sections[0] = Section(sections[0].title, sections[0].differences, sections[0].tables, own_steps)
        sections.append(Section(FOLLOWS, (), (), tuple(step for own, step in steps if not own)))
        adopted = dict.fromkeys(says for maker in self.makers for says in maker.adopted)
        undecided = tuple((name, reason) for name, maker in zip(self.labels, self.makers, strict=True) for reason in maker.undecided())
        return Comparison(
            self.makers[1].title,
            self.labels[0],
            self.labels[1],
            self.names,
            tuple(adopted),
            undecided,
            tuple(found for found in sections if found.count),
        )

    def _section(self, title: str) -> Section:
        differences: list[Difference] = []
        tables: list[Alone] = []
        for name in dict.fromkeys((*self.makers[1].figures, *self.makers[0].figures)):
            if any(name in maker.program.parameters for maker in self.makers):
                differences += self._parameter(name) if self._side(name) == title else ()
            else:
                differences += self._table(name, title)
                tables += self._alone(name, title)
        return Section(OWN_TITLES[title], tuple(differences), tuple(tables), ())

    def _side(self, name: str, first: str = "") -> str:
        sides = [maker.side(name, first) for maker in self.makers if name in maker.figures]
        return min(sides, key=GROUPS.index)

    # ----------------------------------------------------------------------------------------------------- parameters
    def _parameter(self, name: str) -> Iterator[Difference]:
        found = [maker.program.parameters.get(name) if name in maker.figures else None for maker in self.makers]
        one = found[1] or found[0]
        if one is None or one.span is None:
            return
        words = tuple(self._in_year(maker, parameter) for maker, parameter in zip(self.makers, found, strict=True))
        if words[0] != words[1]:
            values = tuple(parameter.by_period[-1] if parameter is not None else None for parameter in found)
            sources = tuple(self._source_in_year(maker, parameter) for maker, parameter in zip(self.makers, found, strict=True))
            yield self._difference(one.title, (), words, values, sources)

    @staticmethod
    def _in_year(maker: Maker, parameter: Parameter | None) -> str:
        figures = list(maker.dated(parameter)) if parameter is not None else []
        return "; ".join([*(figure.words for figure in figures[:1]), *(f"{figure.words} from {figure.since}" for figure in figures[1:])])

    @staticmethod
    def _source_in_year(maker: Maker, parameter: Parameter | None) -> Source | None:
        figures = list(maker.dated(parameter)) if parameter is not None else []
        provisional = any(figure.provisional for figure in figures)
        return Source(figures[-1].source, "provisional" if provisional else "confirmed") if figures else None

    # ---------------------------------------------------------------------------------------------------------- tables
    def _both(self, name: str) -> tuple[Table, Table] | None:
        old, new = self.makers
        return (old.program.tables[name], new.program.tables[name]) if name in old.figures and name in new.figures else None

    def _alone(self, name: str, title: str) -> Iterator[Alone]:
        if self._both(name) is None:
            at = 0 if name in self.makers[0].figures else 1
            for laid in self.makers[at].group(title).laid:
                if laid.name == name:
                    yield Alone(self.names[at], at == 0, laid)

    def _table(self, name: str, title: str) -> Iterator[Difference]:
        both = self._both(name)
        if both is None or self.makers[1].worked_out(name):
            return
        rows = [{row[0]: row for row in maker.rows(table, -1)} for maker, table in zip(self.makers, both, strict=True)]
        for keys in dict.fromkeys((*rows[1], *rows[0])):
            if self._side(name, keys[0] if keys else "") == title:
                yield from self._row(both, keys, (rows[0].get(keys), rows[1].get(keys)))

    def _row(self, tables: tuple[Table, Table], keys: tuple[str, ...], rows: tuple[Row | None, Row | None]) -> Iterator[Difference]:
        sources = tuple(
            maker.row_source(table, keys) if row is not None else None for maker, table, row in zip(self.makers, tables, rows, strict=True)
        )
        said = tuple(member(key) for key in keys)
        if rows[0] is not None and rows[1] is not None and rows[0][1] != rows[1][1] and len(rows[0][2]) == len(rows[1][2]):
            yield from self._moved(tables[1], said, rows[0], rows[1], sources)
            return
        old, new = (self._cells(row) for row in rows)
        for range_ in dict.fromkeys((*new, *old)):
            values = (old.get(range_), new.get(range_))
            if values[0] != values[1]:
                words = tuple("" if value is None else amount(value, table.type) for value, table in zip(values, tables, strict=True))
                yield self._difference(tables[1].title, (*said, range_) if range_ else said, words, values, sources)

    def _moved(self, table: Table, said: tuple[str, ...], old: Row, new: Row, sources: Sequence[Source | None]) -> Iterator[Difference]:
        """As many bands as before with other ends: a band keeps its place, and its value where that did not change."""
        for then, now, was, is_ in zip(old[1], new[1], old[2], new[2], strict=True):
            if was == is_ and then != now:
                yield self._difference(table.title, (*said, amount(is_, table.type)), (then, now), (None, None), sources, "the range")
            elif was != is_:
                words = (f"{amount(was, table.type)} ({then})", f"{amount(is_, table.type)} ({now})")
                yield self._difference(table.title, said, words, (was, is_), sources)

    @staticmethod
    def _cells(row: Row | None) -> dict[str, Value]:
        return {} if row is None else dict(zip(row[1] or ("",), row[2], strict=True))

    # ----------------------------------------------------------------------------------------------------------- words
    def _difference(
        self,
        title: str,
        keys: tuple[str, ...],
        words: Sequence[str],
        values: Sequence[Value | None],
        sources: Sequence[Source | None],
        aspect: str = "",
    ) -> Difference:
        what = quoted(title) + (f" for {', '.join(keys)}" if keys else "") + (f": {aspect}" if aspect else "")
        told = self._told(what, words, values, aspect)
        texts = [source.text if source is not None else "" for source in sources]
        provisional = any(source is not None and source.status == "provisional" for source in sources)
        return Difference(title, keys, words[0], words[1], told, texts[0], texts[1], provisional)

    def _told(self, what: str, words: Sequence[str], values: Sequence[Value | None], aspect: str) -> str:
        old, new = words
        if not old or not new:
            return f"{what} is only in {self.names[0 if old else 1]}: {old or new}."
        if not self.same:
            return f"{what} is {old} in {self.names[0]} and {new} in {self.names[1]}."
        return f"{what} was {old} and is now {new}." if aspect else f"{what} {_goes(values)} from {old} to {new}."

    # ----------------------------------------------------------------------------------------------------------- steps
    def _steps(self) -> Iterator[tuple[bool, Replaced]]:
        """The steps that differ, with whether a council wrote one of the two; figures that only differ are told above."""
        old, new = ({step.ref: step for scope in maker.scopes for step in scope.steps} for maker in self.makers)
        ranks: dict[Ref, int] = {}
        for steps in (old, new):
            for ref, step in steps.items():
                ranks[ref] = min(step.rank, ranks.get(ref, step.rank))
        for ref in sorted(ranks, key=lambda ref: ranks[ref]):
            pair = (old.get(ref), new.get(ref))
            if pair[0] is not None and pair[1] is not None and _meaning(pair[0]) == _meaning(pair[1]):
                continue
            rungs = [maker.rung(step) if step is not None else None for maker, step in zip(self.makers, pair, strict=True)]
            if rungs[0] is not None and rungs[1] is not None and rungs[0].lines == rungs[1].lines:
                continue
            one = rungs[1] or rungs[0]
            assert one is not None
            yield any(rung is not None and rung.own for rung in rungs), Replaced(one.title, rungs[0], rungs[1])


def _goes(values: Sequence[Value | None]) -> str:
    old, new = values
    if isinstance(old, Fraction) and isinstance(new, Fraction):
        return "goes up" if new > old else "goes down"
    return "changes"


def _meaning(step: Step) -> object:
    return tuple((line.when, line.give, line.because, line.refused) for line in step.lines), step.rule.rounding


__all__ = ["Alone", "Comparison", "Difference", "Replaced", "Section", "Teller"]
