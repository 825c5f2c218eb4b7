"""A sheet on which somebody signs for a year's figures, and a detached record of what exactly was signed."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rbcalc.errors import DataError
from rbcalc.schemes.rate_card import LOCAL, Papers, changes, rate_card

_ADOPTED = re.compile(r"^adopted:\s*(\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Item:
    """A figure to be signed for; `old` is what held in the year it is compared with."""

    title: str
    keys: tuple[str, ...]
    old: str
    new: str
    source: str
    status: str


def adoption(papers: Papers) -> list[str]:
    """What the council's and the preceptors' files say about their adoption, each statement once."""
    found: dict[str, None] = {}
    for _, file in papers.documents():
        if file.kind in ("council", "precept") and file.adopted is not None:
            says = file.adopted
            found[
                str(says)
                if isinstance(says, str)
                else f"adopted by {says.by} on {says.on}" + (f", minute {says.minute}" if says.minute else "")
            ] = None
    return list(found)


def items(new: Papers, old: Papers | None = None) -> list[Item]:
    """What is signed for: every figure decided locally, and whatever else changed since the year compared with."""
    different = {(change.name, change.keys): change for change in changes(old, new)} if old is not None else {}
    made: dict[tuple[str, tuple[str, ...], str], Item] = {}
    for figure in rate_card(new):
        change = different.pop((figure.name, figure.keys), None)
        if figure.group == LOCAL or change is not None:
            before = "" if old is None else change.old if change is not None else figure.words
            now = f"{figure.words} from {figure.since}" if figure.since else figure.words
            made[figure.name, figure.keys, figure.since] = Item(figure.title, figure.keys, before, now, figure.source, figure.status)
    rest = [Item(change.title, change.keys, change.old, change.new, change.source, change.status) for change in different.values()]
    return [*made.values(), *rest]


def record(papers: Papers, council: str, year: str, signed: list[Item]) -> dict[str, Any]:
    """The detached record: what was signed, and the hash of the linked rules, which any change of any rule voids."""
    return {
        "record": "sign-off",
        "council": council,
        "year": year,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "rules": papers.program.digest,
        "files": {file: _sha256(text) for file, text in sorted(papers.program.sources.items())},
        "items": [
            {"title": item.title, "keys": list(item.keys), "old": item.old, "new": item.new, "source": item.source, "status": item.status}
            for item in signed
        ],
        "signed_by": "",
        "signed_on": "",
    }


def read_record(path: Path) -> dict[str, Any]:
    """A record from its file.  Raises DataError when it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError("RC050", "the file is no record of a sign-off", str(path), "give the file that --record wrote") from error
    if not isinstance(found, dict) or found.get("record") != "sign-off" or not {"council", "year", "rules", "files"} <= set(found):
        raise DataError("RC050", "the file is no record of a sign-off", str(path), "give the file that --record wrote")
    return found


def voided(signed: dict[str, Any], papers: Papers) -> list[str]:
    """Why a record no longer holds; nothing when it does."""
    if signed["rules"] == papers.program.digest:
        return []
    then, now = signed["files"], {file: _sha256(text) for file, text in papers.program.sources.items()}
    found = [f"{file} was changed" for file in sorted(then) if file in now and then[file] != now[file]]
    found += [f"{file} is no longer used" for file in sorted(set(then) - set(now))]
    found += [f"{file} was added" for file in sorted(set(now) - set(then))]
    return found or ["the rule language itself has changed"]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


__all__ = ["Item", "adoption", "items", "read_record", "record", "voided"]
