"""Reads the situations of the sample files for one program, leaving what is wrong among the findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatch
from fractions import Fraction
from typing import Any, Final

from rbcalc.sampling.figures import Figures, NoFigureError
from rbcalc.sampling.plan import MEMBERS, SLOTS, Chance, Group, Plan, Range, RowPlan, Situation, Wrong
from rbcalc.sampling.values import BLANK, OWN, Spec, SpecReader, share_of
from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.types import DATE, Choice
from rbcalc_kernels.source import Findings, Span, suggest

_TOP: Final = ("kind", "title", "source", "subject", "size", "references", "spread", "groups", "uprating", "brings", "rows", "values",
    "let", "always", "chances", "remarks", "situations", "private", "wrong")  # fmt: skip
_SITUATION: Final = ("title", "source", "each", "count", "share", "least", "rest", "among", "of", "busy", "only", "changing", "gathers",
    "let", "amounts", "chances")  # fmt: skip
_SIZE: Final = ("column", "things", "shape", "total", "otherwise", "members", "fewest", "source", "status")
_RANGE: Final = ("share", "is")
_GROUP: Final = ("title", "source", "status", "of", "count", "share", "rest", "needs", "otherwise", "shape", "weights")
_WRONG: Final = ("register", "column", "value", "rows", "copy", "why")
_ROW: Final = ("chance", "times", "again", "use")
_WHEN: Final = "when"
_ONCE: Final = "once"
_USUAL: Final = "usual"
_ELSE: Final = "otherwise"
_GIVEN: Final = "given"  # of a column: something is said there
_NEEDED: Final = ("size", "references", "situations")
_BROUGHT: Final = 1000  # rows that others bring are told apart from those that are written by numbers from here on

Written = Mapping[Any, Any]
"""A mapping as written: its keys know their place, and are asked for by plain words."""


class Reader:
    """Reads the sample files for one program."""

    def __init__(self, plan: Plan, findings: Findings, profile: Written) -> None:
        self.plan, self.findings = plan, findings
        values = plan.document.get("values", {})
        own = {**values, **{key: said for key, said in profile.items() if key in values}}
        self.named = {key: self._of_year(said) if _is_by_year(said) else said for key, said in own.items()}
        registers = plan.program.registers
        self.inside = {
            name: [other.name for other in registers.values() if held.key and other.by == held.key] for name, held in registers.items()
        }
        self.figures = Figures((plan.program, *plan.others))
        self.factor = Fraction(1)
        self.numbers: dict[str, int] = {}

    def read(self) -> None:
        """Fill the plan."""
        document = self.plan.document
        self._keys(document, _TOP)
        for key in _NEEDED:
            if not isinstance(document.get(key), Mapping):
                self.findings.error("RB036", f"'{key}' is missing", self._top(), help=f"add {key}: with what belongs to it")
        self.findings.raise_if_errors(self.plan.texts)
        self._keys(document["size"], _SIZE)
        self._ranges(document["size"].get("members", {}))
        if "uprating" in document:
            said = document["uprating"]
            of = Fraction(str(said["of"]).lstrip("£"))
            self.factor = self.figures.one(str(said["figure"])) / of
        for name, written in document.get("groups", {}).items():
            self._group(name, written)
        always = document.get("always", {})
        for name, written in document["situations"].items():
            if not isinstance(written, Mapping):
                self.findings.error("RB037", "expected a mapping", name.span)
                continue
            for filled, each in _each(name, written):
                if str(filled) in self.plan.situations:
                    self.findings.error("RB069", f"there are two situations {filled}", filled.span)
                try:
                    self._situation(filled, each, always)
                except NoFigureError:  # a figure that this council or this year does not have: nor has it the situation
                    continue
        self._names()
        for table, said in document.get("remarks", {}).items():
            remark = str(self._of_year(said))
            if str(table) in self.plan.columns and remark:
                self.plan.remarks.append(remark)
        self.plan.wrong = tuple(self._wrong(item) for item in document.get("wrong", ()))

    def _ranges(self, written: Written) -> None:
        """The ranges that things are made of where no list has their sizes; their shares make 100 %."""
        for name, said in written.items():
            self._keys(said, _RANGE)
            if not all(key in said for key in _RANGE):
                self.findings.error(
                    "RB036", f"{name} lacks its range or its share", name.span, help="write {is: £100 to £2899, share: 20%}"
                )
                continue
            spec = SpecReader(self.findings, {}, set()).read(said["is"], None, self.plan.shape.scale)
            share = self._share(said["share"])
            if spec is not None:
                self.plan.ranges[str(name)] = Range(share, spec)
        if written and sum((held.share for held in self.plan.ranges.values()), Fraction(0)) != 1:
            place = next(iter(written))
            self.findings.error("RB037", "the shares of the sizes do not add up to 100%", place.span)
        self.findings.raise_if_errors(self.plan.texts)

    def _with_root(self, register: str) -> bool:
        """Whether every row of the root has rows of a register: it belongs to them, and cannot be left out."""
        held = self.plan.program.registers[register]
        return register in self.inside[self.plan.root] and not held.optional

    def _names(self) -> None:
        for name, situation in self.plan.situations.items():
            for word, other, known in (
                ("among", situation.among, list(self.plan.situations)),
                ("of", situation.of, list(self.plan.groups)),
            ):
                if other and other not in known:
                    what = "situation" if word == "among" else "group"
                    message = f"{name} is {word} {other}, which is no {what}"
                    self.findings.error("RB039", message, situation.place.span, help=suggest(other, known))

    def _keys(self, written: Written, known: tuple[str, ...]) -> None:
        for key in written:
            if str(key) not in known:
                self.findings.error(
                    "RB035",
                    f"unknown key '{key}'",
                    key.span if isinstance(key, Text) else self._top(),
                    help=f"known keys here: {', '.join(known)}{suggest(str(key), known)}",
                )

    def _top(self) -> Span:
        return Span(next(iter(self.plan.texts)), 1, 1, 1, 1)

    def _whole(self, text: Text | None, otherwise: int) -> int:
        if text is None:
            return otherwise
        if not str(text).isdigit() or len(text) > 9:
            self.findings.error("RB037", f"expected a whole number, not {text}", text.span)
            return otherwise
        return int(text)

    def _share(self, written: Any) -> Fraction:
        """A share, or the one of the latest year that is not after the plan's: {2013: 0%, 2018: 20%}."""
        if isinstance(written, Mapping):
            years = {int(str(year)): share for year, share in written.items() if str(year).isdigit()}
            past = [year for year in years if year <= self.plan.year.begins]
            return self._share(years[max(past)]) if past else Fraction(0)
        return share_of(written, self.findings) or Fraction(0)

    def _chance_of(self, written: Any, made: Situation) -> Fraction:
        """The share of a chance that all situations know: one for all, or the first that is of the group or fits the name."""
        if isinstance(written, Mapping) and not all(str(key).isdigit() for key in written):
            fitting = (share for name, share in written.items() if str(name) in (made.of, _ELSE) or fnmatch(made.name, str(name)))
            return self._share(next(fitting, None))
        return self._share(written)

    def _of_year(self, written: Any) -> Any:
        """What is said of days, or what is said of the latest year that is not after the plan's: {2017: 2017-04-01, 2023: 2023-04-01}."""
        if not isinstance(written, Mapping) or not all(str(year).isdigit() for year in written):
            return written
        past = [year for year in written if int(str(year)) <= self.plan.year.begins]
        return written[max(past, key=lambda year: int(str(year)))] if past else next(iter(written.values()))

    def _group(self, name: Text, written: Written) -> None:
        self._keys(written, _GROUP)
        count = written.get("count", {})
        paths = count.items() if isinstance(count, Mapping) else [(path, None) for path in (count if isinstance(count, list) else [count])]
        self.plan.groups[str(name)] = Group(
            str(name),
            str(written.get("of", "")),
            tuple((str(path), Fraction(1) if times is None else self._share(times)) for path, times in paths),
            self._share(written["share"]) if "share" in written else Fraction(0),
            str(written.get("rest", "no")) == "yes",
            str(written.get("needs", "")),
            str(written.get("otherwise", "")),
            str(written.get("shape", "")),
            {str(member): self._share(share) for member, share in written.get("weights", {}).items()},
        )

    def _situation(self, name: Text, written: Written, always: Mapping[str, Any]) -> None:
        self._keys(written, (*_SITUATION, *self.plan.columns))
        count = written.get("count", ())
        made = Situation(
            str(name),
            name,
            tuple(str(path) for path in (count if isinstance(count, list) else [count])),
            least=self._whole(written.get("least"), 0),
            among=str(written.get("among", "")),
            of=str(written.get("of", "")),
            busy=self._share(written["busy"]) if "busy" in written else None,
            only=tuple(str(member) for member in written.get("only", ())),
            changing=str(written.get("changing", "no")) == "yes",
            gathers=max(1, self._whole(written.get("gathers"), 1)),
        )
        for key in ("share", "rest"):
            if key in written:
                setattr(made, key, self._share(written[key]))
        if isinstance(written.get("share"), Mapping) and not made.share:
            made.least = 0  # there was no such thing in the year
        named = self.named
        days = {"year_start", "year_end"}
        for day, spec in {**self.plan.document.get("let", {}), **written.get("let", {})}.items():
            found = SpecReader(self.findings, named, days).read(self._of_year(spec), DATE)
            if found is not None:
                made.days[str(day)] = found
                days = days | {str(day)}
        amounts: set[str] = {OWN} if self.plan.ranges else set()
        for amount, spec in written.get("amounts", {}).items():
            found = SpecReader(self.findings, named, days, amounts, self.figures, self.factor).read(spec, None, 100)
            if found is not None:
                made.days[str(amount)] = found
                amounts = amounts | {str(amount)}
        reader = SpecReader(self.findings, named, days, amounts, self.figures, self.factor)
        chances = {str(thing): self._chance_of(share, made) for thing, share in self.plan.document.get("chances", {}).items()}
        chances |= {str(thing): self._share(share) for thing, share in written.get("chances", {}).items()}
        self.numbers = {}
        context = _Rows(made, always, reader, chances, written)
        for register, held in self.plan.program.registers.items():
            if (
                register in written
                and held.by
                and any(register in inner for outer, inner in self.inside.items() if outer != self.plan.root)
            ):
                self.findings.error("RB037", f"rows of {register} stand inside the row that they belong to", name.span)
            elif register in self.plan.columns and not self._with_root(register):
                self._rows(context, register, written.get(register, [] if held.optional else [{}]), {}, (), {})
        self.plan.situations[made.name] = made

    def _rows(
        self,
        context: _Rows,
        register: str,
        written: Any,
        above: Mapping[str, int],
        chances: tuple[Chance, ...],
        given: Mapping[str, Any],
    ) -> None:
        before: dict[str, int] = {}
        for row in self._used(register, written if isinstance(written, list) else [written]):
            if not isinstance(row, Mapping):
                self.findings.error("RB037", f"expected a row of {register}, or a list of rows", context.made.place.span)
                continue
            for _ in range(self._whole(row.get("times"), 1)):
                before = self._row(
                    context, register, row, {**above, **(before if str(row.get("again", "no")) == "yes" else {})}, chances, given
                )

    def _used(self, register: str, rows: list[Any]) -> Iterator[Any]:
        """The rows, with those that are called by name in their places; what stands beside the name goes to the first."""
        named = self.plan.document.get("rows", {})
        for written in rows:
            row = {"use": written} if isinstance(written, Text) else written
            if not isinstance(row, Mapping) or "use" not in row:
                yield row
                continue
            found = named.get(str(row["use"]))
            if found is None:
                self.findings.error(
                    "RB039", f"no rows are called {row['use']}", row["use"].span, help=suggest(str(row["use"]), list(named))
                )
                continue
            first, *others = list(self._used(register, list(found)))
            yield {**first, **{key: value for key, value in row.items() if str(key) != "use"}}
            yield from others

    def _row(
        self,
        context: _Rows,
        register: str,
        row: Mapping[str, Any],
        above: Mapping[str, int],
        chances: tuple[Chance, ...],
        given: Mapping[str, Any],
    ) -> dict[str, int]:
        """Read one row and those inside it; the reference that others of the same thing share."""
        made, held = context.made, self.plan.program.registers[register]
        brings = {str(key): value for key, value in self.plan.document.get("brings", {}).get(register, {}).items()}
        apart = {*_ROW, *self.inside[register], *brings}
        gathered = self.plan.program.gathered_by if register == self.plan.root else ""
        apart |= {gathered}
        columns = {**given, **context.always.get(register, {}), **{key: value for key, value in row.items() if str(key) not in apart}}
        slot = sum(plan.register == register for plan in made.rows)
        own: dict[str, int] = {}
        if held.key:
            again = held.key in above
            own = {held.key: above[held.key] if again else self.numbers.get(held.key, 0)}
            self.numbers[held.key] = max(self.numbers.get(held.key, 0), own[held.key] + 1)
            most = SLOTS if register == self.plan.root else MEMBERS
            if own[held.key] >= most or (register == self.plan.root and "chance" in row):
                self.findings.error("RB037", f"a dwelling has at most {most} rows of {register}, none of them by chance", made.place.span)
        else:
            again = False
        mine = (*chances, *self._chance(context, row, f"{register}/{slot}"))
        brought = [] if again else self._brought(context, register, row, brings, mine, above)
        specs = self._specs(context, register, columns)
        usual = frozenset(str(key) for key in context.always.get(register, {}) if key not in row)
        alike: dict[str, int] = {}
        if again:
            before = next(plan for plan in reversed(made.rows) if plan.register == register and plan.places[held.key] == own[held.key])
            alike = {name: before.alike.get(name, before.slot) for name in usual & before.usual}
        places = {name: above.get(name, 0) for name in self.plan.references(register) if name != held.key} | own
        if gathered:
            places[gathered] = self._whole(row.get(gathered), own[held.key])  # each has its own, unless it says whose it has
        made.rows.append(RowPlan(register, slot, mine, specs, places, brings=tuple(brought), usual=usual, alike=alike))
        when = {key: value for key, value in columns.items() if str(key) in ("from", "to")}
        for inner in self.inside[register]:
            if inner in row or (register == self.plan.root and self._with_root(inner)):
                rows = row.get(inner, context.written.get(inner, [{}]))
                self._rows(context, inner, rows, {**{k: v for k, v in above.items() if k != held.key}, **own}, mine, when)
        return own

    def _chance(self, context: _Rows, row: Mapping[str, Any], label: str) -> tuple[Chance, ...]:
        if "chance" not in row:
            return ()
        if isinstance(row["chance"], Mapping):
            return (Chance(label, self._share(row["chance"])),)
        found = []
        for written in row["chance"] if isinstance(row["chance"], list) else [row["chance"]]:
            unless, name = str(written).startswith("not "), str(written).removeprefix("not ")
            if name in context.chances:
                found.append(Chance(name, context.chances[name], unless))
            else:
                found.append(Chance(label, share_of(written, self.findings) or Fraction(0)))
        return tuple(found)

    def _brought(
        self,
        context: _Rows,
        register: str,
        row: Mapping[str, Any],
        brings: Mapping[str, Any],
        chances: tuple[Chance, ...],
        above: Mapping[str, int],
    ) -> list[RowPlan]:
        """The rows of other registers that a row brings with it, unless it says otherwise.

        What is brought may hang on a column of the row (`when`) and on chance; tables that nobody reads are not made.  What
        the row says of a table is added to each row that is brought there, but those that are `usual` go where it says anything.
        """
        found = []
        for other, usual in brings.items():
            said = row.get(other, {})
            if str(said) == "no" or other not in self.plan.columns:
                continue
            # A home is there once, however many claims are made for it one after the other.
            place = other, tuple(above.get(name, 0) for name in self.plan.references(other))
            if place in context.brought:
                continue
            if any(str(each.get(_ONCE, "no")) == "yes" for each in (usual if isinstance(usual, list) else [usual])):
                context.brought.add(place)
            rows = usual if isinstance(usual, list) else [usual]
            if other in row:
                rows = [each for each in rows if str(each.get(_USUAL, "no")) != "yes"] or [{}]
            for extra in said if isinstance(said, list) else [said]:
                for each in rows:
                    self.numbers[other] = self.numbers.get(other, _BROUGHT) + 1
                    found.append(self._one_brought(context, register, other, {**each, **extra}, chances, above))
        return found

    def _one_brought(
        self,
        context: _Rows,
        register: str,
        other: str,
        row: Mapping[str, Any],
        chances: tuple[Chance, ...],
        above: Mapping[str, int],
    ) -> RowPlan:
        number = self.numbers[other]
        written = {
            **context.always.get(other, {}),
            **{key: value for key, value in row.items() if str(key) not in (_WHEN, _ONCE, _USUAL, *_ROW)},
        }
        known = self.plan.columns[other]
        copied = {
            str(name): str(source)
            for name, source in written.items()
            if not isinstance(source, Mapping) and str(source) in self.plan.columns[register] and str(name) in known
        }
        specs = self._specs(context, other, {name: value for name, value in written.items() if str(name) not in copied}, copied)
        places = {name: above[name] for name in self.plan.references(other) if name in above}
        mine = (*chances, *self._chance(context, row, f"{other}/{number}"))
        return RowPlan(other, number, mine, specs, places, copied, self._when(register, row.get(_WHEN, {})))

    def _when(self, register: str, written: Written) -> tuple[tuple[str, tuple[int | None, ...]], ...]:
        found = []
        for name, given in written.items():
            column = self.plan.columns[register].get(str(name))
            if column is None:
                self.findings.error(
                    "RB039", f"{register} has no column {name}", name.span, help=suggest(str(name), self.plan.columns[register])
                )
                continue
            codes: list[int | None] = []
            for member in given if isinstance(given, list) else [given]:
                if str(member) == BLANK:
                    codes.append(None)
                elif str(member) == _GIVEN:
                    pass  # whatever it is
                elif not isinstance(column.type, Choice):
                    self.findings.error("RB037", f"{name} has no members; it is blank or given", member.span)
                elif str(member) in column.type.members:
                    codes.append(column.type.members.index(str(member)))
                else:
                    self.findings.error("RB039", f"{name} is never {member}", member.span, help=suggest(str(member), column.type.members))
            found.append((str(name), tuple(codes)))
        return tuple(found)

    def _specs(self, context: _Rows, register: str, written: Mapping[str, Any], copied: Collection[str] = ()) -> dict[str, Spec]:
        columns = self.plan.columns[register]
        specs: dict[str, Spec] = {}
        for name, said in written.items():
            value = self._of_year(said) if _is_by_year(said) else said
            column = columns.get(str(name))
            if column is None:
                place = name.span if isinstance(name, Text) else context.made.place.span
                self.findings.error(
                    "RB039", f"{register} has no column {name}", place, help=f"columns: {', '.join(columns)}{suggest(str(name), columns)}"
                )
                continue
            spec = context.reader.read(value, column.type, column.scale)
            if spec is not None:
                specs[str(name)] = spec
        missing = [name for name, column in columns.items() if column.required and name not in specs and name not in copied]
        if missing:
            self.findings.error(
                "RB036",
                f"a row of {register} lacks {', '.join(missing)}",
                context.made.place.span,
                help="give it in the row or under always",
            )
        return specs

    def _wrong(self, item: Written) -> Wrong:
        self._keys(item, _WRONG)
        register, column = str(item["register"]), str(item.get("column", ""))
        if column and column not in self.plan.columns.get(register, {}) and column not in self.plan.references(register):
            self.findings.error("RB039", f"{register} has no column {column}", item["register"].span)
        value = item.get("value", item["register"])
        return Wrong(
            register, column, value, self._whole(item.get("rows"), 1), str(item.get("copy", "no")) == "yes", str(item.get("why", ""))
        )


class _Rows:
    """What the rows of one situation are read with."""

    __slots__ = ("always", "brought", "chances", "made", "reader", "written")

    def __init__(
        self, made: Situation, always: Mapping[str, Any], reader: SpecReader, chances: Mapping[str, Fraction], written: Written
    ) -> None:
        self.made, self.always, self.reader, self.chances, self.written = made, always, reader, chances, written
        self.brought: set[tuple[str, tuple[int, ...]]] = set()


def _is_by_year(written: Any) -> bool:
    """Whether something is said for each of some years, and not shares of some values."""
    if not isinstance(written, Mapping) or not all(str(key).isdigit() and len(str(key)) == 4 for key in written):
        return False
    return not any(isinstance(said, Text) and str(said).endswith("%") for said in written.values())


def _each(name: Text, written: Written) -> Iterator[tuple[Text, Written]]:
    """A situation, or one for each of the words under `each`, with the word in place of `<each>`."""
    for word in written.get("each", [None]):
        if word is None:
            yield name, written
        else:
            made = {key: _filled(value, str(word)) for key, value in written.items() if str(key) != "each"}
            for key in ("share", "among", "busy", "least"):
                if isinstance(made.get(key), Mapping) and not all(str(held).isdigit() for held in made[key]):
                    found = {str(held): value for held, value in made[key].items()}.get(str(word))
                    if found is None:
                        del made[key]
                    else:
                        made[key] = found
            yield _filled(name, str(word)), made


def _filled(written: Any, word: str) -> Any:
    if isinstance(written, Text):
        made = Text(str(written).replace("<each>", word))
        made.scalar = written.scalar
        return made
    if isinstance(written, Mapping):
        return {_filled(key, word): _filled(value, word) for key, value in written.items()}
    if isinstance(written, list):
        return [_filled(value, word) for value in written]
    return written
