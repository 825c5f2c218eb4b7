"""The algebra of units: what goes together, what comes of it, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from language.linking_toolbox import day, refused, value
from rbcalc_kernels.language.types import COUNT, DATE, DAYS, RATE, RATIO, UNITS, YES_NO, Choice, Number, Type
from rbcalc_kernels.language.units import CONVERSIONS, UnitError, added, divided, multiplied

P, PD, PW, PM, PY = (Number(unit) for unit in ("£", "£/day", "£/week", "£/month", "£/year"))
MONEY = (P, PD, PW, PM, PY)
LIST = Choice("band", ("A", "B"))
ALL: tuple[Type, ...] = (*(Number(unit) for unit in UNITS), DATE, YES_NO, LIST)


def outcome(combine: object, *types: object) -> Type | None:
    try:
        return combine(*types)  # type: ignore[operator, no-any-return]
    except UnitError:
        return None


PLAIN = (RATE, RATIO, COUNT)
ADDED = {(each, each): each for each in (*MONEY, *PLAIN, DAYS)} | {(DATE, DAYS): DATE, (DAYS, DATE): DATE}
SUBTRACTED = {(each, each): each for each in (*MONEY, *PLAIN, DAYS)} | {(DATE, DAYS): DATE, (DATE, DATE): DAYS}
MULTIPLIED: dict[tuple[Type, Type], Type] = dict.fromkeys(product(PLAIN, PLAIN), RATE) | {(COUNT, COUNT): COUNT}
for scalar, unit in product(PLAIN, (*MONEY, DAYS)):
    MULTIPLIED[scalar, unit] = MULTIPLIED[unit, scalar] = unit
for unit, total in ((PD, P), (PW, Number("£/week for days")), (PM, Number("£/month for days")), (PY, Number("£/year for days"))):
    MULTIPLIED[unit, DAYS] = MULTIPLIED[DAYS, unit] = total
DIVIDED: dict[tuple[Type, Type], Type] = {(each, each): RATE for each in (*MONEY, DAYS)}
DIVIDED |= {(unit, scalar): unit for unit in (*MONEY, DAYS) for scalar in PLAIN}
DIVIDED |= dict.fromkeys(product(PLAIN, PLAIN), RATE) | {(P, DAYS): PD}


@pytest.mark.parametrize(("left", "right"), list(product(ALL, ALL)), ids=str)
def test_every_pair_of_units(left: Type, right: Type) -> None:
    assert outcome(added, left, right, "+") == ADDED.get((left, right))
    assert outcome(added, left, right, "-") == SUBTRACTED.get((left, right))
    assert outcome(multiplied, left, right) == MULTIPLIED.get((left, right))
    assert outcome(divided, left, right) == DIVIDED.get((left, right))


def test_an_amount_for_days_becomes_pounds_only_over_days() -> None:
    spread = multiplied(PY, DAYS)
    assert divided(spread, DAYS) == P
    assert outcome(added, spread, spread, "+") is None
    assert outcome(multiplied, spread, DAYS) is None
    assert outcome(divided, spread, P) is None


@pytest.mark.parametrize(
    ("unit", "expression", "result"),
    [
        ("£/week", "rent * 20%", 20),
        ("£/week", "20% * rent", 20),
        ("£/week", "rent / 3", Fraction(100, 3)),
        ("rate", "rent / £400/week", Fraction(1, 4)),
        ("rate", "1 - 25%", Fraction(3, 4)),
        ("rate", "2 6/7%", Fraction(20, 700)),
        ("rate", "5/9", Fraction(5, 9)),
        ("rate", "1/3%", Fraction(1, 300)),
        ("rate", "82.5%", Fraction(33, 40)),
        ("ratio", "rent / £400/week", Fraction(1, 4)),
        ("ratio", "max(1, (5/2 as ratio) - 1)", Fraction(3, 2)),
        ("ratio", "if rent > £5/week then 4 else 5/2", 4),
        ("£/week", "rent / (5/2 as ratio)", 40),
        ("count", "floor(5/2 as ratio)", 2),
        ("ratio", "round(5/3 as ratio, 0.001, half down)", Fraction("1.667")),
        ("count", "2 * 3 - 7", -1),
        ("£", "£5.05 + 95p", 6),
        ("£", "£1/day * days", 365),
        ("£", "£365/year * days / days_in_year", 365),
        ("£/day", "round(£730 / days, £0.01, half up)", 2),
        ("days", "2 weeks + 1 day", 15),
        ("days", "2025-05-01 - 2025-04-01", 30),
        ("date", "2025-04-01 + 30 days", day("2025-05-01")),
        ("date", "14 days + 2025-04-01", day("2025-04-15")),
        ("£/month", "rent * 52 / 12 as £/month", Fraction(1300, 3)),
        ("count", "days as count", 365),
        ("days", "7 as days", 7),
        ("£/day", "per_day(rent)", Fraction(100, 7)),
        ("£/day", "per_day(£730/year)", 2),
        ("£/week", "per_week(£2/day)", 14),
        ("£/week", "per_week(£365/year)", 7),
        ("£/week", "per_week(£52/month)", 12),
        ("£/month", "per_month(£120/year)", 10),
        ("£/year", "per_year(£10/month)", 120),
        ("£/year", "per_year(£7/week)", 365),
        ("£/year", "per_year(£1/day)", 365),
        ("£/week", "max(rent, £0)", 100),
        ("£/week", "-rent", -100),
        ("£/week", "0 * rent", 0),
        ("£/week", "floor(rent / 3, £1)", 33),
        ("£/week", "ceil(rent / 3, £5)", 35),
        ("£/week", "round(rent / 3, £0.01, half down)", Fraction("33.33")),
        ("count", "floor(7/2)", 3),
        ("count", "ceil(7/2)", 4),
        ("yes/no", "rent > £0 and not rent = £5/week", True),
        ("yes/no", "2 < 2.5", True),
        ("£/week", "if yes then rent else £0", 100),
    ],
)
def test_what_goes_together(tmp_path: Path, unit: str, expression: str, result: object) -> None:
    assert value(tmp_path, unit, expression) == result


@pytest.mark.parametrize(
    ("unit", "expression", "code"),
    [
        ("£/week", "rent + £5", "RB045"),
        ("£/week", "rent + 5", "RB045"),
        ("£/week", "rent + 20%", "RB045"),
        ("£/week", "rent * rent", "RB045"),
        ("£/week", "2 / rent", "RB045"),
        ("£", "rent * days", "RB040"),
        ("£", "£52/year", "RB040"),
        ("£/week", "rent / days", "RB045"),
        ("rate", "rent / £400/week + (rent / £400/week as ratio)", "RB045"),
        ("date", "2025-04-01 + 1", "RB045"),
        ("date", "2025-04-01 + 2025-04-01", "RB045"),
        ("date", "2025-04-01 * 2", "RB045"),
        ("days", "14", "RB040"),
        ("count", "2.5", ""),
        ("count", "14 days", "RB040"),
        ("count", "yes", "RB040"),
        ("yes/no", "1", "RB040"),
        ("yes/no", "not 1", "RB040"),
        ("yes/no", "band = first_known(use, home)", "RB039"),
        ("yes/no", "band < A", "RB046"),
        ("yes/no", "yes > no", "RB046"),
        ("yes/no", "rent = 5", "RB046"),
        ("yes/no", "rent in [A]", "RB046"),
        ("yes/no", "band in [A, Z]", "RB039"),
        ("£/week", "rent as days", "RB040"),
        ("£", "days as £", "RB040"),
        ("£/day", "per_day(£7/day)", "RB040"),
        ("£/month", "per_month(rent)", "RB040"),
        ("£/day", "per_day(3)", "RB040"),
        ("£/week", "floor(rent)", "RB049"),
        ("£/week", "round(rent, £0, up)", "RB049"),
        ("£/week", "round(rent, £1, sideways)", "RB049"),
        ("£/week", "min(rent)", "RB049"),
        ("£/week", "min(rent, £5)", "RB046"),
        ("£/week", "if yes then rent else £5", "RB046"),
        ("£/week", "rent / 0", "RB043"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, unit: str, expression: str, code: str) -> None:
    if code:
        assert refused(tmp_path, unit, expression) == [code]
    else:
        assert value(tmp_path, unit, expression) == Fraction(5, 2), "a literal is a plain number"


@pytest.mark.parametrize(("name", "given"), [(name, unit) for name, units in CONVERSIONS.items() for unit in units])
def test_a_conversion_and_its_way_back_agree_where_both_exist(tmp_path: Path, name: str, given: str) -> None:
    back = "per_" + given.removeprefix("£/")
    wanted = "£/" + name.removeprefix("per_")
    if wanted in CONVERSIONS[back]:
        assert value(tmp_path, given, f"{back}({name}(£100/{given.removeprefix('£/')}))") == 100


def test_help_names_the_conversion(tmp_path: Path) -> None:
    from language.linking_toolbox import BASE, report, rule, write

    write(tmp_path, {"base.yaml": BASE + rule("answer", "period", "£/year", "per_year(rent) + rent")})
    assert "help: write per_year(...) round the £/week amount" in report(tmp_path)
