"""Worked examples in the help: names in braces become those of the shipped rules, so that each can be typed in as it stands."""

from __future__ import annotations

import re
import shlex
from functools import cache

_BRACES = re.compile(r"\{([a-z_]+)\}")


def filled(text: str) -> str:
    """A help text with the names put in."""
    return _BRACES.sub(lambda match: _names().get(match[1], match[1].upper()), text) if _BRACES.search(text) else text


def worked(text: str) -> list[list[str]]:
    """The examples of a filled help text, as the arguments of `rbcalc`."""
    lines = (line.strip() for line in text.splitlines())
    return [shlex.split(line.partition("  #")[0])[1:] for line in lines if line.startswith("rbcalc ")]


@cache
def _names() -> dict[str, str]:
    """A council with two years, another with the later one, a partnership that can be billed, and a case."""
    from rbcalc.rulebook.cases import CaseReader, case_files
    from rbcalc.rulebook.rules import load

    rules = load()
    found: dict[str, str] = {}
    for name in rules.council_names:
        years = rules.council(name).years()
        if len(years) > 1 and "council" not in found:
            found |= {"council": name, "year": str(years[-1]), "earlier_year": str(years[-2])}
        elif years and found.get("year") in [str(year) for year in years]:
            found.setdefault("other_council", name)
    for name in rules.partnership_names:
        partnership = rules.partnership(name)
        year = partnership.default_year
        if partnership.standing == "live" and all(year in council.years() for council in partnership.councils(year)):
            found |= {"partnership": name, "partnership_year": str(year)}
            break
    root = rules.library.root
    for path in case_files([root]):
        examples = CaseReader(rules).read(path)
        if examples and "'" not in examples[0].name:
            found |= {"cases": rules.library.shown(path), "case": shlex.quote(examples[0].name)}
            break
    return found
