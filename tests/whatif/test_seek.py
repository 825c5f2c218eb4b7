"""Seeking: what is found meets the target, its neighbour does not, and the frontier is what brute force says it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rbcalc import Rules, UsageError
from rbcalc.comparing.study import BASELINE, Study
from rbcalc.papers.answer_files import write_frontier
from rbcalc.rulebook.dials import dial_of
from rbcalc.supposing import seek as _seek
from rbcalc.supposing.scenarios import opened, option_of
from rbcalc.supposing.seek import Sought, Target, frontier, limit_of, seek, target_of
from rbcalc.supposing.sweep import Bench, Limit, Point, grid, values_of
from whatif.conftest import STEVENAGE

SHARE, TAPER = dial_of("share_working_age"), dial_of("taper_working_age")
FINE = {SHARE: "40%:91.4%:0.2%"}
FEW = 256
"""Of more points than that not all are tried here, so that trying all, to hold a search against, is soon done."""
COARSE = {SHARE: "50%:95%:5%", TAPER: "20%:60%:10%"}
DISABLED = Limit(500, "disability_in_household", "yes")


def every(study: Study, vary: dict[Any, str], limits: Sequence[Limit] = ()) -> list[Point]:
    """All points there are."""
    points = grid(study.programs(study.baseline), vary)
    return Bench(study, study.baseline, list(vary), limits, values_of(points)).through(points)


def best_of(points: Sequence[Point], target: Target, limits: Sequence[Limit]) -> Point | None:
    """What a search should find, in plain words: of those that meet everything, the gentlest; for an exact cost, the nearest."""
    allowed = [
        point
        for point in points
        if not target.missed(point.cost) and all(worst <= limit.pence for worst, limit in zip(point.worst, limits, strict=True))
    ]
    spare = {id(point): abs(point.cost - target.pence) for point in allowed}
    if target.equal:
        return min(allowed, key=lambda p: (spare[id(p)], p.largest_loss, p.losing), default=None)
    return min(allowed, key=lambda p: (p.largest_loss, p.losing, spare[id(p)]), default=None)


@pytest.fixture(scope="module")
def base(small: Study) -> int:
    return int(small.outcomes[BASELINE][STEVENAGE].amount.sum())


# ---------------------------------------------------------------------------------------------------------- one figure


def test_the_neighbour_of_what_is_found_does_not_meet_the_target(small: Study, base: int) -> None:
    """Held on both sides: the point is within the cost, the next larger share is not."""
    target = Target(base * 9 // 10)
    found = seek(small, small.baseline, {SHARE: "20%:91.5%:0.5%"}, target)
    assert found.best is not None
    share = found.best.settings[SHARE]
    assert isinstance(share, Fraction)
    near = {Fraction(share) + step * Fraction(1, 200): None for step in (-1, 0, 1)}
    at, on, above = Bench(small, small.baseline, [SHARE], (), {SHARE: list(near)}).through([{SHARE: value} for value in near])
    assert at.cost < on.cost == found.best.cost <= target.pence < above.cost
    assert len(found.tried) == 144
    assert repr(found).startswith("Sought(cost at most £")
    assert "met; 144 points tried" in repr(found)


@pytest.mark.parametrize("share", [Fraction(95, 100), Fraction(80, 100)])
@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("limits", [(), (DISABLED,)], ids=["all", "limit"])
def test_narrowing_down_finds_what_trying_all_finds(
    small: Study, base: int, fine: dict[tuple[Limit, ...], list[Point]], share: Fraction, limits: tuple[Limit, ...], *, equal: bool
) -> None:
    target = Target(int(base * share), equal=equal, within=Fraction(1, 100))
    found = seek(small, small.baseline, FINE, target, limits)
    assert len(found.tried) < len(fine[limits]) / 2, "not all were tried"
    expected = best_of(fine[limits], target, limits)
    assert (found.best is None) == (expected is None)
    if expected is not None and found.best is not None:
        assert found.best.settings == expected.settings
        assert found.best == expected


@pytest.fixture(autouse=True)
def narrowed_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_seek, "EVERY", FEW)


@pytest.fixture(scope="module")
def fine(small: Study) -> dict[tuple[Limit, ...], list[Point]]:
    points = every(small, FINE, (DISABLED,))
    assert len(points) == 258 > FEW
    return {(DISABLED,): points, (): [replace(point, beyond=(), worst=()) for point in points]}


def test_limits_change_nothing_but_what_is_said_of_them(small: Study) -> None:
    free, limited = (every(small, {SHARE: "50%:90%:10%"}, limits) for limits in ((), (DISABLED,)))
    assert all(point.worst for point in limited)
    assert free == [replace(point, beyond=(), worst=()) for point in limited]


def test_a_figure_that_meets_nothing_or_everything(small: Study, base: int) -> None:
    nothing = seek(small, small.baseline, FINE, Target(1))
    assert nothing.best is None
    assert nothing.nearest.settings[SHARE] == Fraction(2, 5)
    assert nothing.notes[0] == "No point that was tried meets the target and the limits."
    assert nothing.notes[1] == f"Within the limits the nearest cost is £{nothing.nearest.cost / 100:,.2f}."
    all_of_it = seek(small, small.baseline, FINE, Target(base * 2))
    assert all_of_it.best is not None
    assert all_of_it.best.settings[SHARE] == Fraction(457, 500)


def test_what_can_be_had_where_limits_stand_against_the_target(small: Study, base: int) -> None:
    """The cost that keeps within the limits, and the loss that the cost brings: both are told, and both are true."""
    target = Target(base * 8 // 10)
    found = seek(small, small.baseline, {SHARE: "20%:91.5%:0.5%"}, target, [Limit(50)])
    assert found.best is None
    within = min(point.cost for point in found.tried if not any(point.beyond))
    gentlest = min(max(point.worst) for point in found.tried if point.cost <= target.pence)
    assert found.notes[1:] == (
        f"Within the limits the nearest cost is £{within / 100:,.2f}.",
        f"At that cost the largest weekly loss among those protected is at least £{float(gentlest) / 100:,.2f}.",
    )
    assert all(not any(point.beyond) for point in found.frontier)
    hopeless = seek(small, small.baseline, {SHARE: "20%:50%:5%"}, target, [Limit(0)])
    assert hopeless.notes[0] == "No point that was tried keeps within the limits; the frontier is that of all points."
    assert any(any(point.beyond) for point in hopeless.frontier)


# ------------------------------------------------------------------------------------------------------ several figures


def within_reach(points: Sequence[Point], base: int) -> Target:
    """Half of what can be saved while those with a disability are spared."""
    return Target((min(point.cost for point in points if point.worst[0] <= DISABLED.pence) + base) // 2)


def test_several_figures_are_all_tried_where_they_are_few(small: Study, base: int) -> None:
    limits = (DISABLED,)
    points = every(small, COARSE, limits)
    target = within_reach(points, base)
    found = seek(small, small.baseline, COARSE, target, limits)
    assert len(found.tried) == len(points) == 50
    assert found.best == best_of(points, target, limits)
    assert found.best is not None


def test_a_search_over_several_is_repeatable_and_as_good_as_all(small: Study) -> None:
    """With fewer tries than there are points: every point it tells is a true one, and no neighbour of the best is better."""
    vary = {SHARE: "20%:91.5%:5%", TAPER: "20%:60%:2%"}
    points = {tuple(point.settings.values()): point for point in every(small, vary)}
    target = Target(sorted(point.cost for point in points.values())[len(points) // 2], equal=True)
    found, again = (seek(small, small.baseline, vary, target, most=100) for _ in range(2))
    assert found.tried == again.tried
    assert len(found.tried) < len(points)
    assert all(points[tuple(point.settings.values())] == point for point in found.tried)
    assert found.best is not None
    share, taper = (found.best.settings[dial] for dial in (SHARE, TAPER))
    assert isinstance(share, Fraction)
    assert isinstance(taper, Fraction)
    spare = abs(found.best.cost - target.pence)
    near = [(share + a * Fraction(1, 20), taper + b * Fraction(1, 50)) for a, b in ((-1, 0), (1, 0), (0, -1), (0, 1))]
    assert all(abs(points[each].cost - target.pence) >= spare for each in near if each in points)


# -------------------------------------------------------------------------------------------------------- the frontier


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)), max_size=30))
def test_the_frontier_is_what_nothing_is_better_than(figures: list[tuple[int, int, int]]) -> None:
    points = [Point({}, cost=cost, largest_loss=Fraction(loss), losing=losing) for cost, loss, losing in figures]
    found = {(point.cost, int(point.largest_loss), point.losing) for point in frontier(points)}
    kept = {one for one in figures if not any(other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in figures)}
    assert found == kept
    assert len(frontier(points)) == len(found)
    assert [point.cost for point in frontier(points)] == sorted(cost for cost, _, _ in kept)


def test_each_point_of_the_frontier_is_a_scenario_that_reproduces_it(small: Study, rules: Rules, base: int, tmp_path: Path) -> None:
    target = within_reach(every(small, COARSE, (DISABLED,)), base)
    found = seek(small, small.baseline, COARSE, target, (DISABLED,))
    folder = write_frontier(found, tmp_path / "front")
    assert found.best is not None
    files = sorted(folder.glob("*.yaml"))
    assert 2 < len(files) <= _seek.SHOWN + 1, "spread over the frontier"
    costs = {point.cost for point in (found.best, *found.frontier)}
    assert (folder / "best.yaml") in files
    for path in (files[0], files[-2], folder / "best.yaml"):
        option = option_of(small.baseline, [opened(rules, path)])
        cost = int(small.tried(option)[STEVENAGE].amount.sum())
        assert cost in costs
    assert cost == found.best.cost
    table = (folder / "frontier.csv").read_text(encoding="utf-8").splitlines()
    assert table[0].startswith('"share_working_age","taper_working_age","cost","change"')
    assert len(table) == len(found.frontier) + 1
    assert found.table.num_rows == len(found.frontier)


# ------------------------------------------------------------------------------------------------------- how it is said


@pytest.mark.parametrize(("text", "pence", "equal"), [
    ("cost <= £9180000", 918_000_000, False),
    ("cost<=9180000", 918_000_000, False),
    ("cost <= £9,180,000", 918_000_000, False),
    ("cost <= £9,180,000.50", 918_000_050, False),
    ("cost <= £9.18m", 918_000_000, False),
    (" cost = £950k ", 95_000_000, True),
    ("cost = £0.01", 1, True),
])  # fmt: skip
def test_targets(small: Study, text: str, pence: int, *, equal: bool) -> None:
    found = target_of(text, small)
    assert (found.pence, found.equal) == (pence, equal)


def test_the_cost_of_the_baseline_as_a_target(small: Study, base: int) -> None:
    assert target_of("cost = baseline", small) == Target(base, equal=True)
    assert str(target_of("cost <= baseline", small)) == f"cost at most £{base / 100:,.2f}"
    assert "within 0.1 % of, £" in str(target_of("cost = baseline", small))


@pytest.mark.parametrize("text", ["", "cost", "cost < £5", "cost >= £5", "loss <= £5", "cost <= £9,18", "cost <= five", "cost <= -£5"])
def test_targets_that_are_none(small: Study, text: str) -> None:
    with pytest.raises(UsageError, match="RC062") as told:
        target_of(text, small)
    assert told.value.hint == "as 'cost <= £9180000', 'cost <= £9.18m' or 'cost = baseline'"


@pytest.mark.parametrize(("text", "limit"), [
    ("loss <= £5/week", Limit(500)),
    ("loss<=5/week", Limit(500)),
    ("loss <= £0.50/week where claim_scheme = working_age", Limit(50, "claim_scheme", "working_age")),
    ("loss <= £0/week where disability_in_household=yes", Limit(0, "disability_in_household", "yes")),
])  # fmt: skip
def test_limits(text: str, limit: Limit) -> None:
    assert limit_of(text) == limit
    assert limit_of(str(limit)) == limit


@pytest.mark.parametrize("text", ["", "loss", "loss <= £5", "loss <= £5/month", "loss < £5/week", "loss <= £5/week where x", "cost <= £5"])
def test_limits_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="no limit") as told:
        limit_of(text)
    assert told.value.hint == "as 'loss <= £5/week' or 'loss <= £0/week where GROUP = MEMBER'"


def test_an_empty_range_and_one_value(small: Study, base: int) -> None:
    one = seek(small, small.baseline, {SHARE: "50%"}, Target(base))
    assert isinstance(one, Sought)
    assert [point.settings for point in one.tried] == [{SHARE: Fraction(1, 2)}]
    with pytest.raises(UsageError, match="has no values"):
        seek(small, small.baseline, {SHARE: "50%:20%:1%"}, Target(base))
