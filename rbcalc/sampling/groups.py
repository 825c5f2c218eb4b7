"""Groups of a sample's dwellings, such as those with a claim: a published number, shared out among situations by stated shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from fractions import Fraction
from typing import Any

from rbcalc.sampling.plan import Group, Plan
from rbcalc.sampling.values import Stream, largest_remainder

LEAVES_OUT = "sample_leaves_out"


@dataclass(frozen=True, slots=True)
class Published:
    """What a path of keys leads to in a profile, where it stands, and the dwellings wanted for one of its own."""

    found: Any
    place: str
    ratio: Fraction


@dataclass(slots=True)
class Counts:
    """How many dwellings each group has, where the count came from, and how it lies over the members of the published list."""

    numbers: dict[str, int] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    weights: dict[str, Callable[[Sequence[str]], list[Fraction]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def grouped_counts(plan: Plan, look: Callable[[str], Published], total: int) -> Counts:
    """The number of dwellings of every group: published, or a stated share, or what its neighbours leave."""
    made = Counts()
    council = {rule.name for rule in plan.program.rules if rule.origin != "statute"}
    for name, group in plan.groups.items():
        above = made.numbers[group.of] if group.of else total
        number, origin = _number(group, look, above)
        if group.rest:
            beside = sum(made.numbers[other] for other, held in plan.groups.items() if held.of == group.of and other in made.numbers)
            number, origin = max(0, above - beside), "rest"
        if group.needs and group.needs not in council:
            number, origin = 0, "left out"
            made.notes.append(group.otherwise or f"no {name.replace('_', ' ')}")
        made.numbers[name], made.origin[name] = min(number, above), origin
        made.weights[name] = made.weights[group.of] if group.of else _weights(group, look, str(plan.document["size"]["shape"]))
    return made


def _number(group: Group, look: Callable[[str], Published], above: int) -> tuple[int, str]:
    for path, times in group.counts:
        told = look(path)
        if told.found is not None and told.ratio:
            rows = told.found.values() if isinstance(told.found, Mapping) else [told.found]
            keys = list(told.found) if isinstance(told.found, Mapping) else [""]
            whole = sum((Fraction(str(row)) for key, row in zip(keys, rows, strict=True) if str(key) != "total"), Fraction(0))
            return int(whole * told.ratio * times + Fraction(1, 2)), told.place + (f", times {times}" if times != 1 else "")
    return int(group.share * above + Fraction(1, 2)), "share"


def _weights(group: Group, look: Callable[[str], Published], size: str) -> Callable[[Sequence[str]], list[Fraction]]:
    """For each member of the list the share of its dwellings that belong to the group, or something in proportion."""
    counted, all_ = look(group.shape).found if group.shape else None, look(size).found

    def by_member(members: Sequence[str]) -> list[Fraction]:
        if isinstance(counted, Mapping) and isinstance(all_, Mapping):
            pairs = [(Fraction(str(counted.get(member, 0))), int(str(all_.get(member, 0)))) for member in members]
            return [number / size * 10_000 if size else Fraction(0) for number, size in pairs]
        return [group.weights.get(member, Fraction(1)) * 10_000 for member in members]

    return by_member


def shared_out(
    plan: Plan, profile: Mapping[str, Any], counts: Counts, streams: str, busy: bool, every: bool
) -> Iterator[tuple[str, dict[str, int], str]]:
    """For each group its situations' numbers, in proportion to their shares; those that a council leaves out have none.

    With `every` each has at least as many as it says, at the cost of the greatest.
    """
    without = _left_out(plan, profile, counts)
    for group in plan.groups:
        names = [name for name, situation in plan.situations.items() if situation.of == group and name not in without]
        if not names or not counts.numbers[group]:
            continue
        weights = _busy(plan, names) if busy else [plan.situations[name].share for name in names]
        numbers = largest_remainder(tuple(weights), counts.numbers[group], Stream(f"{streams}/{group}"))
        if every:
            numbers = _at_least(numbers, [plan.situations[name].least for name in names])
        yield group, dict(zip(names, numbers, strict=True)), f"share of {group} ({counts.origin[group]})"


def _at_least(numbers: list[int], least: list[int]) -> list[int]:
    """The numbers with none below its least, and what is added taken from the others in proportion to what they can spare."""
    spare = [max(0, number - few) for number, few in zip(numbers, least, strict=True)]
    lacking = sum(max(0, few - number) for number, few in zip(numbers, least, strict=True))
    taken = largest_remainder(tuple(spare), min(lacking, sum(spare)))
    return [max(number, few) - less for number, few, less in zip(numbers, least, taken, strict=True)]


def _busy(plan: Plan, names: Sequence[str]) -> list[Fraction]:
    """The shares of a busy year: those that are stated for it, and the others in proportion to what is left."""
    held = [plan.situations[name] for name in names]
    stated = sum((situation.busy for situation in held if situation.busy is not None), Fraction(0))
    others = sum((situation.share for situation in held if situation.busy is None), Fraction(0))
    left = max(Fraction(0), 1 - stated) / others if others else Fraction(0)
    return [situation.share * left if situation.busy is None else situation.busy for situation in held]


def _left_out(plan: Plan, profile: Mapping[str, Any], counts: Counts) -> set[str]:
    """The situations that a council's profile leaves out in the plan's year: those of its patterns, `but` for some."""
    year = str(plan.year)
    found: set[str] = set()
    for entry in profile.get(LEAVES_OUT, ()):
        if str(entry.get("from", year)) <= year <= str(entry.get("to", year)):
            patterns, kept = ([str(pattern) for pattern in entry.get(key, ())] for key in ("situations", "but"))
            found |= {
                name
                for name in plan.situations
                if any(fnmatch(name, pattern) for pattern in patterns) and not any(fnmatch(name, pattern) for pattern in kept)
            }
            but = f" but {', '.join(kept)}" if kept else ""
            counts.left_out.append(f"{', '.join(patterns)}{but} left out: {entry['because']}")
    return found
