"""The views of `rbcalc show`, one method each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbcalc._years import iso
from rbcalc.errors import UsageError
from rbcalc.schemes.rate_card import Papers, changes, rate_card, reads_of
from rbcalc_cli.options import Format, existing, program_of, rules_of, say
from rbcalc_cli.output import document, put, table, write_file

if TYPE_CHECKING:
    from rbcalc._years import FinancialYear
    from rbcalc.rulebook.rules import Council, Rules
    from rbcalc_kernels.program.graph import Program, Ref


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the command."""

    council: str | None
    year: str | None
    charges: Path | None
    rules: Path | None
    form: str
    against: str | None
    record: Path | None
    holds: Path | None
    outputs: str | None
    dot: bool
    names: tuple[str, ...]
    scheme: bool = False
    subject: str | None = None


class Views:
    """What can be shown."""

    def __init__(self, asked: Asked) -> None:
        """Show what was asked for."""
        self.asked = asked

    def show(self, what: str) -> int:
        """Show one of the views and give the exit code."""
        views: dict[str, Callable[[], int | None]] = {
            "councils": self.councils,
            "partnerships": self.partnerships,
            "scheme": self.scheme,
            "rates": self.rates,
            "parameters": self.rates,
            "rules": self.rule_names,
            "rule": self.rule,
            "graph": self.graph,
            "inputs": self.inputs,
            "provisional": self.provisional,
            "diff": self.diff,
            "amounts": self.amounts,
            "sign-off": self.sign_off,
            "python": self.python,
        }
        return views[what]() or 0

    @cached_property
    def rules(self) -> Rules:
        """The rules in use."""
        return rules_of(self.asked.rules, self.asked.subject)

    @cached_property
    def chosen(self) -> tuple[Council, FinancialYear, Program]:
        """The council, the year and the program asked for."""
        return program_of(self.rules, self.asked.council, self.asked.year, self.asked.charges)

    def _papers(self, council: str | None, year: str | None) -> tuple[str, Papers]:
        found, when, program = program_of(self.rules, council, year, self.asked.charges)
        return f"{found.title}, {when}", Papers(self.rules, program)

    def _table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], **about: Any) -> None:
        if self.asked.form == "markdown":
            _markdown(title, columns, rows)
        else:
            table(title, columns, rows, Format(self.asked.form), **about)

    def _one_name(self, what: str) -> str:
        if len(self.asked.names) != 1:
            raise UsageError("RC049", f"{what} of which rule?", hint=f"rbcalc show {what} NAME; rbcalc show rules lists them")
        return self.asked.names[0]

    # -------------------------------------------------------------------------------------------------------- views
    def councils(self) -> None:
        """Who there is, and the years that can be billed."""
        rows = []
        for name in self.rules.council_names:
            council = self.rules.council(name)
            rows.append(
                (
                    name,
                    council.title,
                    str(council.facts.get("type", "")).replace("_", " "),
                    ", ".join(str(year) for year in council.years()) or "none",
                )
            )
        self._table("Councils", ("Name", "Title", "Type", "Years"), rows)

    def partnerships(self) -> None:
        """Who works together, and since when."""
        rows = []
        for name in self.rules.partnership_names:
            found = self.rules.partnership(name)
            members = []
            for council, first, last in found.memberships:
                days = [f"from {iso(first)}"] if first > -(2**30) else []
                days += [f"to {iso(last)}"] if last < 2**30 else []
                members.append(f"{council} ({' '.join(days)})" if days else council)
            rows.append((name, found.title, found.standing, str(found.default_year), ", ".join(members)))
        self._table("Partnerships", ("Name", "Title", "Standing", "Year", "Members"), rows)

    def amounts(self) -> None:
        """The amounts of the year beside those of the year before, with the change that a bill shows."""
        from rbcalc._show import pounds
        from rbcalc.schemes.changes import changes as compared

        council, when, program = self.chosen
        titles = {comparison.name: comparison for comparison in program.comparisons}
        for name, lines in compared(council, when, [self.asked.charges] if self.asked.charges is not None else []).items():
            axes = [axis.name.replace("_", " ") for axis in program.tables[titles[name].table].axes]
            rows = [
                (
                    *(key.replace("_", " ") for key in line.keys),
                    pounds(line.amount),
                    pounds(line.last) if line.last is not None else "not known",
                    f"{float(line.change):.{titles[name].decimals}f} %" if line.change is not None else "not known",
                )
                for line in lines
            ]
            self._table(f"{titles[name].title}, {council.title}, {when}", (*axes, "this year", "last year", "change"), rows)

    def scheme(self) -> None:
        """A council's scheme as a booklet."""
        from rbcalc_cli import schemes

        if len(self.asked.names) > 1:
            raise UsageError("RC049", "one booklet at a time", hint="rbcalc show scheme --council NAME --year YEAR")
        name = self.asked.names[0] if self.asked.names else None
        schemes.show(self.rules, (self.asked.council, self.asked.year), self.asked.charges, self.asked.form, name)

    def rates(self) -> None:
        """The rate card."""
        council, when, program = self.chosen
        rows = []
        for figure in rate_card(Papers(self.rules, program)):
            since = f"{figure.words} from {figure.since}" if figure.since else figure.words
            rows.append((figure.title, ", ".join(figure.keys), since, figure.group, figure.status, figure.source, figure.name))
        columns = ("Figure", "For", "Value", "By whom", "Status", "Source", "Name")
        shown = len(columns) - 1 if self.asked.form == "table" else len(columns)
        self._table(
            f"Rate card, {council.title}, {when}",
            columns[:shown],
            [row[:shown] for row in rows],
            council=council.name,
            year=str(when),
            rules=program.digest,
        )

    def rule_names(self) -> None:
        """Every rule with its unit."""
        council, when, program = self.chosen
        rows = [
            (rule.name, rule.title, rule.entity.replace("_", " "), str(rule.type), rule.source.text if rule.source else "")
            for rule in program.rules
            if not rule.hidden
        ]
        self._table(f"Rules, {council.title}, {when}", ("Name", "Title", "One for each", "Unit", "Source"), rows)

    def rule(self) -> None:
        """The text of one rule."""
        name = self._one_name("rule")
        text = Papers(self.rules, self.chosen[2]).rule_text(name)
        if self.asked.form == "json":
            lines = [{"when": when, "give": give, "because": because, "source": source} for when, give, because, source in text.lines]
            document(
                {
                    "name": text.name,
                    "title": text.title,
                    "place": text.place,
                    "about": text.about,
                    "source": text.source,
                    "note": text.note,
                    "lines": lines,
                }
            )
            return
        put(text.title)
        put(f"   {text.name}: {text.about}")
        put(f"   {text.source}")
        if text.note:
            put(f"   Note: {text.note}")
        put()
        for number, (when, give, because, source) in enumerate(text.lines, 1):
            if not when:
                put(f"   is {give}")
                continue
            put(f"{number:>3}. {when}")
            put(f"     give {give}")
            if because or source:
                put(f"     {because} {f'[{source}]' if source else ''}".rstrip())
        put(f"\n   reads {', '.join(reads_of(self.chosen[2], name)) or 'nothing'}")
        put(f"   {text.place}")

    def graph(self) -> None:
        """What a rule reads, and what that reads."""
        name = self._one_name("graph")
        program = self.chosen[2]
        names = {rule.name: rule.title for rule in program.rules if not rule.hidden}
        if name not in names:
            Papers(self.rules, program).rule_text(name)
        edges: dict[str, list[str]] = {}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one not in edges:
                edges[one] = reads_of(program, one) if one in names else []
                waiting += edges[one]
        if self.asked.dot:
            put("digraph rules {\n  rankdir=LR;\n  node [shape=box];")
            for one, reads in edges.items():
                put(f'  "{one}"{"" if one in names else " [style=rounded]"};')
                for other in reads:
                    put(f'  "{other}" -> "{one}";')
            put("}")
        elif self.asked.form == "json":
            document({"rule": name, "reads": edges})
        else:
            _tree(name, edges, _kinds(program), 0, set())

    def inputs(self) -> None:
        """The registers and their columns."""
        from rbcalc.rulebook.schema import columns

        council, when, program = self.chosen
        rows = [(column.table, column.name, column.kind, column.required, column.allowed, column.title) for column in columns(program)]
        self._table(f"Facts, {council.title}, {when}", ("Table", "Column", "Type", "Required", "Allowed", "Meaning"), rows)

    def provisional(self) -> None:
        """The figures and rules in use that are not confirmed."""
        council, when, program = self.chosen
        figures = [figure for figure in rate_card(Papers(self.rules, program)) if figure.status == "provisional"]
        rows = [(figure.title, ", ".join(figure.keys), figure.words, figure.source) for figure in figures]
        named = {rule.name: rule for rule in program.rules if not rule.hidden and rule.name in program.provisional}
        rows += [(rule.title, "", "a rule", "" if rule.source is None else rule.source.text) for rule in named.values()]
        self._table(f"Figures and rules not confirmed, {council.title}, {when}", ("Figure", "For", "Value", "Source"), rows)
        if not rows:
            say("every figure and rule in use is confirmed")

    def diff(self) -> None:
        """What changed between two years, or differs between two councils."""
        if len(self.asked.names) != 2:
            raise UsageError(
                "RC049",
                "which two?",
                hint="rbcalc show diff 2024-25 2025-26 --council NAME, or rbcalc show diff ONE OTHER --year 2025-26 for two councils",
            )
        one, two = self.asked.names
        if one[:1].isdigit():
            pairs: list[tuple[str | None, str | None]] = [(self.asked.council, one), (self.asked.council, two)]
        else:
            for name in (one, two):
                self.rules.council(name)
            pairs = [(one, self.asked.year), (two, self.asked.year)]
        if self.asked.scheme:
            from rbcalc_cli import schemes

            schemes.compare(self.rules, pairs, self.asked.charges, self.asked.form)
            return
        before, after = (self._papers(*pair) for pair in pairs)
        found = changes(before[1], after[1])
        title = f"From {before[0]} to {after[0]}"
        if self.asked.form == "table":
            put(title)
            for change in found:
                put(f"  {change.told}" + (" (provisional)" if change.status == "provisional" else ""))
                put(f"      [{change.source}]")
            put(f"{len(found)} differences" if found else "nothing differs")
            return
        rows = [(change.title, ", ".join(change.keys), change.old, change.new, change.status, change.source) for change in found]
        self._table(title, ("Figure", "For", "Old", "New", "Status", "Source"), rows)

    def sign_off(self) -> int:
        """A sheet of figures to be signed for; its record; whether a record still holds."""
        from rbcalc.schemes import sign_off as signing

        if self.asked.holds is not None:
            return self._holds(self.asked.holds)
        council, when, program = self.chosen
        papers = Papers(self.rules, program)
        years = [year for year in council.years() if year < when]
        against = self.asked.against or (str(years[-1]) if years else None)
        old = self._papers(council.name, against)[1] if against else None
        items = signing.items(papers, old)
        columns = ("Figure", "For", f"Old ({against})" if against else "Old", f"New ({when})", "Status", "Source", "Checked")
        tick = "☐"
        rows = [(item.title, ", ".join(item.keys), item.old, item.new, item.status, item.source, tick) for item in items]
        title = f"For sign-off: {council.title}, {when}"
        if self.asked.form in ("table", "markdown"):
            _markdown(title, columns, rows)
            put(f"\nAdoption: {'; '.join(signing.adoption(papers)) or 'not stated'}. Rules: {program.digest}.")
            put("\nSigned: ____________________   Date: ____________________")
        else:
            self._table(title, columns, rows, council=council.name, year=str(when), rules=program.digest)
        if self.asked.record is not None:
            import json

            made = signing.record(papers, council.name, str(when), items)
            write_file(self.asked.record, json.dumps(made, indent=1, ensure_ascii=False) + "\n")
            say(f"wrote {self.asked.record}; any change of a rule voids it: rbcalc show sign-off --holds {self.asked.record}")
        return 0

    def _holds(self, path: Path) -> int:
        from rbcalc.schemes import sign_off as signing

        record = signing.read_record(existing(path))
        asked = replace(self.asked, council=record["council"], year=record["year"])
        program = Views(asked).chosen[2]
        reasons = signing.voided(record, Papers(self.rules, program))
        what = f"the sign-off of {record['council']}, {record['year']}"
        if not reasons:
            put(f"{what} holds")
            return 0
        put(f"{what} is void:")
        for reason in reasons:
            put(f"  {reason}")
        return 1

    def python(self) -> None:
        """The generated source."""
        from rbcalc_kernels.compiled.evaluator import compile_program

        program = self.chosen[2]
        put(compile_program(program, self._wanted(program), engine="python").source)

    def _wanted(self, program: Program) -> list[Ref]:
        from rbcalc_kernels.program.graph import Ref
        from rbcalc_kernels.source import suggest

        there = {rule.name: Ref(rule.entity, rule.name) for rule in program.rules if not rule.hidden}
        if self.asked.outputs is None:
            return list(program.outputs) or list(there.values())
        names = [name.strip() for name in self.asked.outputs.split(",") if name.strip()]
        for name in names:
            if name not in there:
                raise UsageError("RC046", f"no rule is called {name}{suggest(name, there)}", hint="rbcalc show rules lists them")
        if not names:
            raise UsageError("RC046", "no value is named", hint="--outputs takes names of rules with commas between them")
        return [there[name] for name in names]


def _kinds(program: Program) -> dict[str, str]:
    """What each name is."""
    kinds = {ref.name: "fact" for ref in program.inputs}
    kinds |= dict.fromkeys(program.parameters, "figure") | dict.fromkeys(program.tables, "table")
    return kinds | {rule.name: "" for rule in program.rules}


def _tree(name: str, edges: dict[str, list[str]], kinds: dict[str, str], depth: int, seen: set[str]) -> None:
    kind = f" ({kinds[name]})" if kinds.get(name) else ""
    again = name in seen and edges.get(name)
    put("  " * depth + name + kind + (" (as above)" if again else ""))
    if again:
        return
    seen.add(name)
    for other in edges.get(name, ()):
        _tree(other, edges, kinds, depth + 1, seen)


def _markdown(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    put(f"# {title}\n")
    put(f"| {' | '.join(columns)} |")
    put(f"|{'|'.join('---' for _ in columns)}|")
    for row in rows:
        put(f"| {' | '.join(value.replace('|', chr(92) + '|').replace(chr(10), ' ') for value in row)} |")


__all__ = ["Asked", "Views"]
