"""Rows that stand beside each other: what may be declared so, and under which roots."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from language.linking_toolbox import Records, findings, linked, records_of, write
from language.test_probes import FOLDER
from rbcalc.rulebook.both import differences, encoded
from rbcalc_kernels.compiled.cutting import CutDates
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.program.graph import Program

RULES = (FOLDER / "claims_beside" / "rules.yaml").read_text(encoding="utf-8")
FACTS = {
    "accounts": [{"account": "X", "dwelling": "Y", "from": "2025-04-01"}],
    "dwellings": [{"dwelling": "Y", "from": "2000-01-01", "council_tax": "£1460"}],
    "claims": [{"claim": claim, "account": "X", "from": "2020-01-01", "share": "50%"} for claim in "AB"],
}


def written(folder: Path, old: str, new: str) -> Path:
    assert RULES.count(old) == 1
    return write(folder, {"rules.yaml": RULES.replace(old, new)})


@pytest.mark.parametrize(
    ("old", "new", "code", "said", "remedy"),
    [
        ("gaps: yes, beside", "beside", "RB086", "rows of assessment cannot stand beside each other", "gaps: yes"),
        (
            "by: account, key: claim, dated: yes, optional: yes}\n  earners: {title: People in the claim, of: earner, by: claim",
            "by: account, dated: yes, optional: yes}\n  earners: {title: People in the claim, of: earner, by: account",
            "RB087",
            "by what are rows of assessment that stand beside each other told apart?",
            "add key:",
        ),
        (
            "entities:\n",
            (
                "entities:\n  grant: {title: Grant, parent: account, spell: yes, gaps: yes, beside: [accounts], members: grants}\n"
                "  both: {title: Both, parent: account, members: boths, timelines: [{of: grant}, {of: assessment}]}\n"
            ),
            "RB086",
            "rows of both would follow strands of grant and assessment",
            "of one kind",
        ),
    ],
)
def test_what_cannot_stand_beside_each_other(tmp_path: Path, old: str, new: str, code: str, said: str, remedy: str) -> None:
    extra = "registers:\n  grants: {title: Grants, of: grant, by: account, key: grant, dated: yes, optional: yes}\n"
    text = RULES.replace(old, new)
    text = text.replace("registers:\n", extra, 1) if "of: grant}" in new else text
    found = [each for each in findings(write(tmp_path, {"rules.yaml": text})) if each.code == code]
    assert RULES.count(old) == 1
    assert any(said in each.message and remedy in (each.help or "") for each in found), found


def test_under_a_root_that_is_not_named_one_has_a_record_at_a_time(tmp_path: Path) -> None:
    program = linked(written(tmp_path, "beside: [accounts]", "beside: [homes]")).program
    assert not any(entity.beside for entity in program.entities.values())
    with pytest.raises(CalculationFault) as caught:
        build(program, records_of(program, FACTS))
    assert (caught.value.reason, caught.value.register) == (Reason.OVERLAP, "claims")


def test_what_is_made_of_it_stands_beside_each_other_too(tmp_path: Path) -> None:
    program = linked(write(tmp_path, {"rules.yaml": RULES})).program
    assert {name for name, entity in program.entities.items() if entity.beside} == {"assessment", "award", "meeting"}
    root = build(program, records_of(program, FACTS))
    assert [(row.key, row.strand, row.previous) for row in root.children["assessment"]] == [("A", 0, None), ("B", 1, None)]


def test_an_account_with_more_awards_than_sums_are_proved_for_is_left_to_the_exact_evaluator_which_refuses_it(tmp_path: Path) -> None:
    program = linked(write(tmp_path, {"rules.yaml": RULES})).program
    days = [(date(2025, 4, 1) + timedelta(days=day)).isoformat() for day in range(300)]
    ends = [*((date.fromisoformat(after) - timedelta(days=1)).isoformat() for after in days[1:]), ""]
    dwellings = [
        {"dwelling": "Y", "from": first, **({"to": last} if last else {}), "council_tax": f"£{1000 + place}"}
        for place, (first, last) in enumerate(zip(days, ends, strict=True))
    ]
    claims = [{**claim, "in_payment": "yes"} for claim in FACTS["claims"]]
    crowded, fine = (records_of(program, {**FACTS, "dwellings": rows, "claims": claims}) for rows in (dwellings, FACTS["dwellings"]))
    with pytest.raises(CalculationFault) as caught:
        Evaluator(program).run(build(program, crowded))
    assert caught.value.reason is Reason.TOO_MANY
    assert differences(program, [crowded, fine], [None, _worked_out(program, fine)]) == [[], []]
    registers = encoded(program, [crowded, fine])
    outputs = [ref for ref in program.outputs if ref.entity == "account"]
    results = compile_program(program, outputs, engine="python").run(cut(program, registers, CutDates(program, engine="python"))[0])
    assert results.doubt.tolist() == [1, 0]


def _worked_out(program: Program, records: Records) -> Row:
    root = build(program, records)
    Evaluator(program).run(root)
    return root
