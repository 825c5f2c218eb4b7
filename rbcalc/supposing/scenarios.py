"""Scenarios as options: files that suppose, dials that were turned, another council's scheme, and a baseline that goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc._show import amount
from rbcalc._years import FinancialYear, iso
from rbcalc.comparing.study import BASELINE, Option
from rbcalc.errors import UsageError
from rbcalc.rulebook.dials import Dial, document_of, readers, sources_of, type_of
from rbcalc_kernels.program.graph import Program, Value
from rbcalc_kernels.source import suggest

if TYPE_CHECKING:
    from rbcalc.rulebook.rules import Council, Rules
    from rbcalc_kernels.language.documents import RuleFile
    from rbcalc_kernels.program.library import RuleSource

_CHANGING: Final = ("set", "replace", "drop", "uprate", "without", "extends")
"""The sections by which a scenario changes what is in force."""


def opened(rules: Rules, given: Any) -> RuleSource:
    """A scenario from a file, from text, from a mapping as a file would hold it, or as it is.

    Raises UsageError where there is no such file, or it is no scenario, and RulesError.
    """
    from rbcalc_kernels.language.documents import RuleFile
    from rbcalc_kernels.program.library import RuleSource
    from rbcalc_kernels.source import Findings

    if isinstance(given, RuleSource):
        found: RuleSource | None = given
    elif isinstance(given, Mapping):
        import yaml

        found = _in_memory(yaml.safe_dump({"kind": "scenario", **given}, sort_keys=False, allow_unicode=True))
    elif isinstance(given, str) and "\n" in given:
        found = _in_memory(given)
    else:
        path = Path(given)
        if not path.is_file():
            raise UsageError("RC044", f"no such file: {path}", hint="give the path of a scenario, a rule file with kind: scenario")
        findings = Findings()
        found = rules.library.open(path, findings)
        findings.raise_if_errors(rules.library.texts(findings))
    if found is None or not isinstance(found.content, RuleFile) or found.content.kind != "scenario":
        where = found.file if found is not None else str(given)
        raise UsageError("RC060", f"{where} is no scenario", hint="a file that supposes something begins with kind: scenario")
    for name in found.content.only_for:
        if str(name) not in rules.council_names:
            place = f"{name.span.file}:{name.span.line}:{name.span.column}"
            hint = f"only_for: names councils that there are rules for{suggest(str(name), rules.council_names)}"
            raise UsageError("RC041", f"no such council: {name}", place, hint)
    return found


def _in_memory(text: str) -> RuleSource:
    """A document from its text, under a name that no other text has."""
    return document_of(text, f"scenario {hashlib.sha256(text.encode()).hexdigest()[:6]} in memory")


def file_of(source: RuleSource) -> RuleFile:
    """The rule file that a scenario is."""
    from rbcalc_kernels.language.documents import RuleFile

    assert isinstance(source.content, RuleFile)
    return source.content


def is_for(source: RuleSource, council: str) -> bool:
    """Whether a scenario is for a council."""
    only = [str(name) for name in file_of(source).only_for]
    return not only or council in only


def with_file(source: RuleSource, name: str, **changes: Any) -> RuleSource:
    """The same scenario under another name, some of its sections changed."""
    return replace(source, file=name, content=file_of(source).model_copy(update=changes))


def going_on(sources: Sequence[RuleSource]) -> RuleSource | None:
    """What lets figures go on, taken out of the first scenario that does: the baseline of a year that has no figures of its own."""
    for source in sources:
        file = file_of(source)
        if file.carry is not None:
            emptied: dict[str, Any] = {name: type(getattr(file, name))() for name in (*_CHANGING, "tables", "rules", "parameters", "lists")}
            return with_file(source, f"{source.file} (figures that go on)", **{**emptied, "uprate": file.uprate})
    return None


def baseline_of(rules: Rules, given: Sequence[Any], options: Sequence[RuleSource]) -> Option:
    """The baseline: the scenarios that were given for it, or what lets figures go on in the options, or today's rules."""
    sources = [opened(rules, each) for each in given]
    if not sources and (derived := going_on(options)) is not None:
        sources = [derived]
    titles = ", ".join(str(file_of(source).title) for source in sources) if given else ""
    return Option(BASELINE, titles or "No change", tuple(sources), hypothetical=bool(sources))


def option_of(baseline: Option, sources: Sequence[RuleSource], title: str = "") -> Option:
    """An option: scenarios laid over the baseline's; what the baseline already lets go on is not said twice."""
    own = [source for source in baseline.scenarios if not isinstance(source, Path)]
    said = {id(file_of(source).carry) for source in own if file_of(source).carry is not None}
    laid = []
    for source in sources:
        carry = file_of(source).carry
        if carry is None or not said:
            laid.append(source)
        elif id(carry) in said:  # the baseline was taken out of this very file
            laid.append(with_file(source, source.file, carry=None, uprate=[]))
        else:
            laid.append(with_file(source, source.file, carry=None))
    name = title or " + ".join(str(file_of(source).title) for source in sources)
    return Option(name, name, (*own, *laid), hypothetical=True)


def turned_option(
    baseline: Option, base: Sequence[RuleSource], programs: Mapping[str, Program], settings: Mapping[Dial, Value], year: FinancialYear
) -> Option:
    """An option that sets some figures, on top of scenarios; `programs` are the councils' rules under these."""
    words = []
    for dial, value in settings.items():
        program = programs[readers(programs, dial)[0]]
        words.append(f"{_titled(program, dial)} {amount(value, type_of(program, dial))}")
    title = ", ".join(words)
    sources = [*base, *sources_of(programs, settings, year, title)]
    return option_of(baseline, sources, " + ".join([*(str(file_of(source).title) for source in base), title]))


def _titled(program: Program, dial: Dial) -> str:
    """What people call a dial."""
    if not dial.keys:
        return program.parameters[dial.name].title
    return f"{program.tables[dial.name].title} ({', '.join(key.replace('_', ' ') for key in dial.keys)})"


def neighbour(rules: Rules, councils: Sequence[Council], other: str, folder: str, year: FinancialYear) -> RuleSource:
    """The scenario that puts another council's files of a folder in the place of the councils' own.

    Raises UsageError where the other council has no such files.
    """
    their = rules.council(other)
    paths = [path for path in their.files() if path.relative_to(their.folder).parts[0] == folder]
    if not paths:
        known = sorted({path.relative_to(their.folder).parts[0] for path in their.files() if len(path.relative_to(their.folder).parts) > 1})
        raise UsageError("RC060", f"{their.title} has no rules under {folder}", hint=f"folders there are: {', '.join(known)}")
    own = [f"councils.{council.name}.{folder}" for council in councils if council.name != other and (council.folder / folder).is_dir()]
    lines = [
        "kind: scenario",
        f"title: The scheme of {their.title}",
        f"from: {iso(year.first_day)}",
        f"only_for: [{', '.join(council.name for council in councils if council.name != other)}]",
        f"without: [{', '.join(own)}]",
        f"extends: [councils.{other}.{folder}]",
        f"source: {{document: rules of {their.title}}}",
    ]
    return document_of("\n".join(lines) + "\n", f"the scheme of {other}")


def replace_year(option: Option) -> Option:
    """An option for the study's own year."""
    return replace(option, year=None)
