"""Some of a caseload's rows, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rbcalc.caseload.model import Caseload, EncodedRegister, Rows
from rbcalc.caseload.values import OPEN_END
from rbcalc_kernels.program.graph import Register

Mask = npt.NDArray[np.bool_]


def chosen(caseload: Caseload, described: Mapping[str, Register], masks: Mapping[str, Mask]) -> Caseload:
    """The rows for which a mask holds, of registers that have one, and of the others what still belongs to something.

    A row that belonged to the first of several rows with one reference goes to the first of them that is left.  `described`
    are the registers of the rules, which say by what reference rows belong.
    """
    parts: dict[str, EncodedRegister] = {}
    numbers: dict[str, dict[str, Rows]] = {}
    roots: npt.NDArray[Any] = np.arange(0)
    for name, register in caseload.registers.items():
        there = np.array(masks[name]) if name in masks else np.ones(register.count, bool)
        owners = None
        if name == caseload.root:
            rows = roots = np.flatnonzero(there)
        else:
            assert register.owner is not None
            above = numbers[caseload.above[name]]
            owners = above.get(described[name].by, above[""])
            rows = np.flatnonzero(there & (owners[register.owner] >= 0))
            rows = rows[np.argsort(owners[register.owner[rows]], kind="stable")]
        part = register.part(rows, owners)
        plain = np.full(register.count, -1, np.int32)
        plain[rows] = np.arange(rows.size, dtype=np.int32)
        numbers[name] = {"": plain}
        for key, group in register.same.items():
            first = np.full(register.count, -1, np.int32)
            first[group[rows][::-1]] = np.arange(rows.size, dtype=np.int32)[::-1]
            numbers[name][key] = first[group]
            part.same[key] = first[group[rows]]
        parts[name] = part
    references = caseload.references.take(pa.array(roots))
    return replace(caseload, references=references, council=caseload.council[roots], registers=parts)


def known_by(caseload: Caseload, described: Mapping[str, Register], day: int) -> Caseload:
    """What was known at the end of a day: nothing that begins later, and no end that lies ahead."""
    masks = {name: register.begins <= day for name, register in caseload.registers.items() if register.begins is not None}
    made = chosen(caseload, described, masks)
    for register in made.registers.values():
        if register.ends is not None:
            register.ends = np.where(register.ends > day, np.int32(OPEN_END), register.ends).astype(np.int32)
    return made
