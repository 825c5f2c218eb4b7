"""How many dwellings of a sample are in which situation: published counts first, stated shares where nothing is published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rbcalc.errors import UsageError
from rbcalc.sampling.groups import Published, grouped_counts, shared_out
from rbcalc.sampling.plan import Plan, Situation
from rbcalc.sampling.values import Stream, largest_remainder

Cells = dict[str, list[int]]
"""By situation: how many dwellings, by member of the list that the sizes are published by."""


@dataclass(slots=True)
class Sizes:
    """The dwellings of a council: how many by member, in which situation, and where each count came from."""

    by_member: list[int]
    cells: Cells = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    groups: dict[str, tuple[int, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    of_all: str = ""  # where the number of all came from

    @property
    def total(self) -> int:
        """All dwellings."""
        return sum(self.by_member)


def published_total(plan: Plan, profile: Mapping[str, Any]) -> int:
    """The number of dwellings that a council has by its profile, 0 when nothing is published."""
    return _total(plan, profile)[0]


def _total(plan: Plan, profile: Mapping[str, Any]) -> tuple[int, str]:
    """The number of dwellings that a council has by its profile, and where it stands.

    A total without a date is the council's own table and holds for every year.  Where sizes are ranges, which no council
    publishes, it is a dated one, or otherwise a stated share of something else that is published.
    """
    size = plan.document["size"]
    path = str(size.get("total", ""))
    top, _, rest = path.partition(".")
    for entry in profile.get(top, ()):
        if _year_of(entry) is None and rest in entry:
            return int(entry[rest]), path
    if not plan.ranges:
        return sum(_shape(plan, profile, plan.year.begins)), str(size["shape"])
    found, when = _nearest(profile, path, plan.year.begins)
    if found is not None:
        return int(found), f"{path} of {when}"
    other = size.get("otherwise")
    found, when = _nearest(profile, str(other["of"]), plan.year.begins) if other is not None else (None, 0)
    if not isinstance(found, Mapping):
        return 0, ""
    share = Fraction(str(other["share"]).removesuffix("%")) / 100
    number = int(sum(int(row) for row in found.values()) * share + Fraction(1, 2))
    return number, f"{other['share']} of {other['of']} of {when}, not published"


def sizes(
    plan: Plan,
    profile: Mapping[str, Any],
    council: str,
    seed: int,
    wanted: int | None,
    changing: Fraction | None,
    busy: bool = False,
) -> Sizes:
    """The dwellings to make for a council; `wanted` replaces the published total, `changing` the share that changes in the year.

    With `busy` the situations of groups have the shares that they state for a busy year.
    """
    shape = _shape(plan, profile, plan.year.begins)
    if not any(shape):
        raise UsageError("RC044", f"no sizes are published for {council}", hint=f"its profile.yaml must give the {plan.things}")
    total, of_all = _total(plan, profile) if wanted is None else (wanted, "asked for")
    made = Sizes(largest_remainder(tuple(shape), total), of_all=of_all, notes=list(plan.remarks))
    fewest = int(plan.document["size"]["fewest"])
    streams = f"{seed}/{council}/{plan.subject + '/' if plan.subject else ''}counts"
    shares = grouped(plan, profile, made, total, streams, busy)
    for name, situation in plan.situations.items():
        if situation.of and name not in shares:
            made.cells[name], made.origin[name] = [0] * len(made.by_member), "left out"
        elif not situation.rest:
            row, origin = shares[name] if name in shares else _counted(plan, profile, situation, made, total)
            if row is None:
                number, origin = int(situation.share * total + Fraction(1, 2)), "share"
                row = _spread(situation, plan, made.by_member, number, Stream(f"{streams}/{name}"))
            if sum(row) < situation.least and total:
                least = situation.least if total >= fewest else _fewer(situation.least, total, fewest, Stream(f"{streams}/{name}/least"))
                if sum(row) < least:
                    row, origin = _spread(situation, plan, made.by_member, least, Stream(f"{streams}/{name}")), "least"
            made.cells[name], made.origin[name] = row, origin
    _take_out(plan, made)
    if changing is not None:
        _rescale(plan, made, int(changing * total), streams)
    _fit(made)
    _rest(plan, made, streams)
    return made


def grouped(
    plan: Plan, profile: Mapping[str, Any], made: Sizes, total: int, streams: str, busy: bool
) -> dict[str, tuple[list[int] | None, str]]:
    """The dwellings of the situations that are of a group: how many by member, and where the count came from."""

    def look(path: str) -> Published:
        found, when, base = published(plan, profile, path)
        return Published(found, f"{path} of {when}", Fraction(total, base) if base else Fraction(0))

    counts = grouped_counts(plan, look, total)
    members = plan.members
    found: dict[str, tuple[list[int] | None, str]] = {}
    made.notes += counts.notes
    made.groups = {name: (number, counts.origin[name]) for name, number in counts.numbers.items()}
    for group, numbers, origin in shared_out(plan, profile, counts, streams, busy, total >= int(plan.document["size"]["fewest"])):
        weights = [int(weight * size) for weight, size in zip(counts.weights[group](members), made.by_member, strict=True)]
        for name, number in numbers.items():
            room = weights if any(weights) else made.by_member
            found[name] = _spread(plan.situations[name], plan, room, number, Stream(f"{streams}/{name}")), origin
    made.notes += counts.left_out
    return found


def _shape(plan: Plan, profile: Mapping[str, Any], year: int) -> list[int]:
    """The published dwellings by member, nearest to a year; where sizes are ranges, all of them by the shares of these."""
    if plan.ranges:
        return largest_remainder(tuple(held.share for held in plan.ranges.values()), published_total(plan, profile))
    found = _nearest(profile, str(plan.document["size"]["shape"]), year)
    if not isinstance(found[0], Mapping):
        return []
    return [int(found[0].get(member, 0)) for member in plan.members]


def _year_of(entry: Mapping[str, Any]) -> int | None:
    match = re.match(r"[0-9]{4}", str(entry.get("at", entry.get("year", ""))))
    return int(match[0]) if match is not None else None


def _nearest(profile: Mapping[str, Any], path: str, year: int) -> tuple[Any, int]:
    """What a path of keys leads to in the dated entry nearest to a year, and the entry's year; None when nowhere."""
    top, *rest = path.split(".")
    best: tuple[Any, int] = None, year
    above: Any
    found: Any
    entries = profile.get(top, ())
    for entry in entries if isinstance(entries, list) else ():
        above, found = entry, entry
        for key in rest:
            above, found = found, found.get(key) if isinstance(found, Mapping) else None
        if found is None and len(rest) > 1 and isinstance(above, Mapping) and above is not entry:
            found = "0"  # a return leaves out what it counts none of
        when = _year_of(entry)
        if found is not None and when is not None and (best[0] is None or abs(when - year) <= abs(best[1] - year)):
            best = found, when
    return best


def _counted(plan: Plan, profile: Mapping[str, Any], situation: Situation, made: Sizes, total: int) -> tuple[list[int] | None, str]:
    """The published count, scaled from the dwellings of its own year to those wanted."""
    for path in situation.counts:
        found, when, base = published(plan, profile, path)
        if found is None or not base:
            continue
        ratio = Fraction(total, base)
        if isinstance(found, Mapping):
            row = [int(Fraction(str(found.get(member, 0))) * ratio + Fraction(1, 2)) for member in plan.members]
        else:
            number = int(Fraction(str(found)) * ratio + Fraction(1, 2))
            row = _spread(situation, plan, made.by_member, number, Stream(f"published/{path}"))
        return row, f"{path} of {when}"
    return None, ""


def published(plan: Plan, profile: Mapping[str, Any], path: str) -> tuple[Any, int, int]:
    """What a path of keys leads to, its year, and the dwellings that there were; a count without a date holds for every year."""
    found, when = _nearest(profile, path, plan.year.begins)
    if found is not None:
        return found, when, sum(_shape(plan, profile, when))
    top, *rest = path.split(".")
    for entry in profile.get(top, ()):
        if _year_of(entry) is None and len(rest) == 1 and rest[0] in entry:
            return entry[rest[0]], plan.year.begins, published_total(plan, profile)
    return None, plan.year.begins, 0


def _spread(situation: Situation, plan: Plan, weights: Iterable[int], number: int, stream: Stream) -> list[int]:
    """A number divided over the members in proportion, with a start by lot, so that rare ones do not all fall to one."""
    members = plan.members
    room = [weight if not situation.only or member in situation.only else 0 for member, weight in zip(members, weights, strict=True)]
    whole = sum(room)
    if not whole or not number:
        return [0] * len(room)
    start = int(stream.below(whole, 1)[0])
    made, before, seen = [], 0, 0
    for weight in room:
        seen += weight
        reached = (seen * number + start) // whole
        made.append(reached - before)
        before = reached
    return made


def _fewer(least: int, total: int, fewest: int, stream: Stream) -> int:
    """The least number for a council that is too small for all of them."""
    return (least * total + int(stream.below(fewest, 1)[0])) // fewest


def _take_out(plan: Plan, made: Sizes) -> None:
    """Take those that are among others out of the published count of those others."""
    for name, row in made.cells.items():
        among = plan.situations[name].among
        if among and among in made.cells:
            of = made.cells[among]
            for place, number in enumerate(row):
                of[place] = max(0, of[place] - number)


def _rescale(plan: Plan, made: Sizes, wanted: int, streams: str) -> None:
    """Scale the situations in which something changes within the year, so that together they have the wanted number."""
    names = [name for name in made.cells if plan.situations[name].changing]
    fixed = [name for name in made.cells if not plan.situations[name].changing]
    room = [all_ - sum(made.cells[name][place] for name in fixed) for place, all_ in enumerate(made.by_member)]
    now = sum(sum(made.cells[name]) for name in names)
    for name in names:
        number = sum(made.cells[name]) * wanted // max(1, now)
        made.cells[name] = _spread(
            plan.situations[name], plan, [max(0, free) for free in room], number, Stream(f"{streams}/{name}/changing")
        )


def _fit(made: Sizes) -> None:
    """Where a member has more than its dwellings, move the greatest counts to members with room, or leave them out."""
    free = [all_ - sum(row[place] for row in made.cells.values()) for place, all_ in enumerate(made.by_member)]
    for place in range(len(free)):
        for row in sorted(made.cells.values(), key=lambda row: -row[place]):
            moved = min(row[place], max(0, -free[place]))
            row[place] -= moved
            free[place] += moved
            for other, spare in enumerate(free):
                taken = min(moved, max(0, spare)) if other != place else 0
                row[other] += taken
                free[other] -= taken
                moved -= taken


def _rest(plan: Plan, made: Sizes, streams: str) -> None:
    """Give what is left to the situations that take the rest, by their weights."""
    names = [name for name, situation in plan.situations.items() if situation.rest]
    if not names:
        raise UsageError("RC044", "no situation of the sample takes the rest of the dwellings", hint="give one of them `rest: 100%`")
    weights = tuple(plan.situations[name].rest for name in names)
    for name in names:
        made.cells[name], made.origin[name] = [0] * len(made.by_member), "rest"
    for place, all_ in enumerate(made.by_member):
        left = all_ - sum(row[place] for row in made.cells.values())
        for name, number in zip(names, largest_remainder(weights, left, Stream(f"{streams}/rest/{place}")), strict=True):
            made.cells[name][place] += number
