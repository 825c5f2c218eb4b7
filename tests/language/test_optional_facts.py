"""Facts that may be absent are read only where it is certain that they are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.linking_toolbox import FACTS, day, refused, value

GIVEN = {"dwellings": {**FACTS["dwellings"], "rooms": "3", "use": "shop", "empty_since": "2025-01-15"}}


@pytest.mark.parametrize(
    ("unit", "expression", "absent", "given"),
    [
        ("yes/no", "known(rooms)", False, True),
        ("yes/no", "not known(rooms)", True, False),
        ("count", "first_known(rooms, 1)", 1, 3),
        ("count", "if known(rooms) then rooms else 1", 1, 3),
        ("count", "if not known(rooms) then 1 else rooms", 1, 3),
        ("yes/no", "known(rooms) and rooms > 2", False, True),
        ("yes/no", "not known(rooms) or rooms > 2", True, True),
        ("yes/no", "not (known(rooms) and rooms > 2)", True, False),
        ("yes/no", "known(rooms) and known(use) and (rooms > 2 or use = home)", False, True),
        ("yes/no", "known(use) and use in [home, shop]", False, True),
        ("count", "if known(rooms) and rooms > 2 then rooms else 0", 0, 3),
        ("count", "if not known(rooms) or rooms < 2 then 0 else rooms", 0, 3),
        ("count", "first_known(rooms, if known(use) then 1 else 2)", 2, 3),
        ("date", "first_known(empty_since, year_start)", day("2025-04-01"), day("2025-01-15")),
        ("yes/no", "known(empty_since) and reached(months_after(empty_since, 6))", False, False),
    ],
)
def test_reading_after_asking(tmp_path: Path, unit: str, expression: str, absent: object, given: object) -> None:
    assert value(tmp_path, unit, expression) == absent
    assert value(tmp_path, unit, expression, GIVEN) == given


@pytest.mark.parametrize(
    ("unit", "expression"),
    [
        ("count", "rooms"),
        ("yes/no", "rooms > 2 and known(rooms)"),
        ("yes/no", "known(rooms) or rooms > 2"),
        ("yes/no", "known(use) and rooms > 2"),
        ("count", "if known(rooms) then 1 else rooms"),
        ("count", "if known(rooms) or known(use) then rooms else 1"),
        ("yes/no", "(known(rooms) and yes) = (rooms > 2)"),
        ("count", "first_known(rent, 1)"),
        ("yes/no", "known(band)"),
        ("yes/no", "known(rooms + 1)"),
        ("count", "previous(rooms, first: 0)"),
        ("yes/no", "known(year_start)"),
        ("count", "first_known(rooms, rooms)"),
    ],
)
def test_reading_without_asking(tmp_path: Path, unit: str, expression: str) -> None:
    assert refused(tmp_path, unit, expression) == ["RB044"]


def test_a_line_above_that_asked_makes_certain(tmp_path: Path) -> None:
    from language.linking_toolbox import BASE, codes, write

    lines = "      - {when: not known(rooms), give: 0, because: none}\n"
    lines += "      - {when: rooms > 2, give: rooms, because: '{rooms}'}\n      - {otherwise: 1, because: few}\n"
    head = "  answer:\n    of: period\n    unit: count\n    output: yes\n    first:\n"
    write(tmp_path, {"base.yaml": BASE + head + lines})
    assert codes(tmp_path) == []
    write(tmp_path, {"base.yaml": BASE + head + lines.replace("not known(rooms)", "not known(use)")})
    assert set(codes(tmp_path)) == {"RB044"}


def test_members_ask_for_themselves(tmp_path: Path) -> None:
    assert value(tmp_path, "count", "count(residents where known(birth_date) and age(birth_date, year_start) >= 18)") == 0
    assert refused(tmp_path, "count", "count(residents where age(birth_date, year_start) >= 18)") == ["RB044"]
    people = {"people": [{"dwelling": "d", "from": "2000-01-01", "birth_date": born, "income": "£1/week", "student": "no"}
                         for born in ("2007-04-01", "2007-04-02")]}  # fmt: skip
    assert value(tmp_path, "count", "count(residents where known(birth_date) and age(birth_date, year_start) >= 18)", people) == 1
    assert value(tmp_path, "date", "max(residents.birth_date where known(birth_date), none: year_start)", people) == day("2007-04-02")
