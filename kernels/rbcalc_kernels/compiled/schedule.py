"""The order of work: tasks cut into functions, with as few changes of entity as their needs allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from rbcalc_kernels.compiled.groups import effective_dates
from rbcalc_kernels.compiled.lowering import Lowering, Task
from rbcalc_kernels.program.graph import Ref

STATEMENTS: Final = 50
"""About so many statements go into one function: more stop being worked out several rows at a time."""


@dataclass(slots=True)
class Stage:
    """Tasks that one function does, or (with `derive`) an entity whose rows are made now."""

    kind: str
    space: str
    tasks: list[Task] = field(default_factory=list)
    derive: str = ""


@dataclass(slots=True)
class _Job:
    """A task or a derivation with the places of those that it needs."""

    task: Task | None
    derive: str
    after: set[int] = field(default_factory=set)
    apart: set[int] = field(default_factory=set)  # of those, the ones whose columns must be complete

    def key(self, lowering: Lowering) -> tuple[str, str, str]:
        """Jobs of one key can stand in one function."""
        if self.task is None:
            return ("derive", self.derive, "")
        task = self.task
        return (task.kind if task.kind in ("vector", "sequential") else "aggregate", lowering.space(task.entity), task.child)


def _jobs(lowering: Lowering) -> list[_Job]:
    program = lowering.program
    derived = [name for name, entity in program.entities.items() if entity.derived]
    jobs = [_Job(None, name) for name in derived] + [_Job(task, "") for task in lowering.tasks]
    makers = {ref: at for at, job in enumerate(jobs) if job.task is not None for ref in job.task.refs}
    rows = {name: at for at, name in enumerate(derived)}
    for at, job in enumerate(jobs):
        if job.task is None:
            needs = {makers[ref] for ref in effective_dates(program, job.derive) if ref in makers}
            needs |= {rows[line.entity] for line in program.entities[job.derive].derived if line.entity in rows}
            job.after, job.apart = set(needs), needs
            continue
        task = job.task
        for leaf in task.reads:
            maker = makers.get(Ref(leaf.entity, leaf.name.removesuffix("?")))
            if leaf.kind not in ("column", "known", "previous") or maker is None or maker == at:
                continue
            job.after.add(maker)
            if leaf.steps or leaf.kind == "previous":
                job.apart.add(maker)
        over = {makers[ref] for ref in task.over if ref in makers}
        named = {task.entity, *program.ancestors(task.entity), *(leaf.entity for leaf in task.reads if leaf.entity)}
        if task.child:
            named |= {task.child, *program.ancestors(task.child)}
        over |= {rows[name] for name in named if name in rows}
        job.after |= over
        job.apart |= over
    return jobs


def _needed(jobs: Sequence[_Job], outputs: Sequence[Ref]) -> set[int]:
    wanted = set(outputs)
    entities = {ref.entity for ref in outputs}
    work = [at for at, job in enumerate(jobs) if job.derive in entities or (job.task is not None and not wanted.isdisjoint(job.task.refs))]
    found = set(work)
    while work:
        new = jobs[work.pop()].after - found
        found |= new
        work += new
    return found


def schedule(lowering: Lowering, outputs: Sequence[Ref]) -> list[Stage]:
    """The stages that work out the outputs, each after all that it needs."""
    jobs = _jobs(lowering)
    left = _needed(jobs, outputs)
    done: set[int] = set()
    stages: list[Stage] = []
    members: list[set[int]] = []
    key: tuple[str, str, str] | None = None
    while left:
        ready: dict[tuple[str, str, str], list[int]] = {}
        for at in sorted(left):
            if jobs[at].after <= done:
                ready.setdefault(jobs[at].key(lowering), []).append(at)
        if key not in ready:
            # Rows of derived entities wait: what can be done without them is done first.
            key = max(ready, key=lambda candidate: (candidate[0] != "derive", len(ready[candidate])))
        at = ready[key][0]
        job = jobs[at]
        if not _fits(stages[-1] if stages else None, members[-1] if members else set(), job, key):
            stages.append(Stage(key[0], key[1], derive=job.derive))
            members.append(set())
        if job.task is not None:
            stages[-1].tasks.append(job.task)
        members[-1].add(at)
        left.remove(at)
        done.add(at)
    return stages


def _fits(stage: Stage | None, members: set[int], job: _Job, key: tuple[str, str, str]) -> bool:
    """Whether a job can join the stage."""
    if stage is None or job.task is None or stage.kind != key[0] or stage.space != key[1] or stage.derive:
        return False
    if stage.kind == "sequential" or not members.isdisjoint(job.apart):
        return False
    if stage.kind == "aggregate":
        return stage.tasks[0].child == job.task.child
    size = sum(len(task.lines) for task in stage.tasks)
    return size + len(job.task.lines) <= STATEMENTS or size < STATEMENTS // 4
