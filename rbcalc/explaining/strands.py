"""What stands beside each other on one account (claims of several people), taken one by one."""

from __future__ import annotations

from collections.abc import Mapping

from rbcalc.errors import UsageError
from rbcalc_kernels.exact.layout import layout_of
from rbcalc_kernels.exact.spells import OPEN
from rbcalc_kernels.program.graph import Program, Register, Value
from rbcalc_kernels.source import suggest

Records = Mapping[str, list[dict[str, Value | None]]]


def strands(program: Program, records: Records, day: int | None = None) -> dict[str, Records]:
    """An account's records with what stands beside each other taken one by one, by its key; nothing where there is one alone.

    What has no record in the year is left out, or with a `day` what has none on it.
    """
    register = _register(program)
    if register is None:
        return {}
    first, last = (program.first_day, program.last_day) if day is None else (day, day)
    held = records.get(register.name, [])
    keys = dict.fromkeys(str(record.get(register.key) or "") for record in held if _begins(record) <= last and _ends(record) >= first)
    if len(keys) < 2:
        return {}
    return {key: {**records, register.name: [record for record in held if str(record.get(register.key) or "") == key]} for key in keys}


def chosen(program: Program, records: Records, key: str | None) -> Records:
    """An account's records with what has this key alone of what stands beside each other; all of them for None.

    Raises UsageError when the account has nothing with this key.
    """
    register = _register(program)
    if key is None:
        return records
    held = [] if register is None else records.get(register.name, [])
    names = list(dict.fromkeys(str(record.get(register.key) or "") for record in held)) if register is not None else []
    if register is None or key not in names:
        raise UsageError("RC046", f"the account has no {key}{suggest(key, names)}", hint=f"it has {', '.join(names) or 'none'}")
    return {**records, register.name: [record for record in held if str(record.get(register.key) or "") == key]}


def which(program: Program, found: Mapping[str, Records]) -> UsageError:
    """What to say where one of several must be named."""
    register = _register(program)
    word = register.key.replace("_", " ") if register is not None else "record"
    return UsageError(
        "RC046",
        f"the account has several {register.name if register is not None else 'records'}",
        hint=f"name one {word} with --claim: {', '.join(found)}",
    )


def named(program: Program, key: str) -> str:
    """What has a key, in words: claim C1."""
    register = _register(program)
    return f"{register.key.replace('_', ' ')} {key}" if register is not None else key


def _register(program: Program) -> Register | None:
    layout = layout_of(program)
    return next((register for register in program.registers.values() if layout.tells_apart(register)), None)


def _begins(record: Mapping[str, Value | None]) -> int:
    found = record.get("from")
    return -OPEN if found is None else int(found)


def _ends(record: Mapping[str, Value | None]) -> int:
    found = record.get("to")
    return OPEN if found is None else int(found)
