"""The order of work: tasks cut into functions, with as few changes of entity as their needs allow."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

from rbcalc_kernels.compiled.groups import effective_dates
from rbcalc_kernels.compiled.lowering import Lowering, Task
from rbcalc_kernels.compiled.names import NUMBERED
from rbcalc_kernels.program.graph import Ref

STATEMENTS: Final = 75
"""About so many statements go into one function: of many more, fewer are worked out several rows at a time."""


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
    needed = _needed(jobs, outputs)
    waiting = {at: len(jobs[at].after) for at in needed}
    users: dict[int, list[int]] = {}
    for at in needed:
        for before in jobs[at].after:
            users.setdefault(before, []).append(at)
    keys = {at: jobs[at].key(lowering) for at in needed}
    ready: dict[tuple[str, str, str], list[int]] = {}
    for at in sorted(needed):
        if not waiting[at]:
            insort(ready.setdefault(keys[at], []), at)
    stages: list[Stage] = []
    members: set[int] = set()
    key: tuple[str, str, str] | None = None
    while ready:
        if key not in ready:
            key = max(ready, key=lambda candidate: _urgency(lowering, candidate, len(ready[candidate])))
        at = _next(members, jobs, ready[key])
        job = jobs[at]
        if not _fits(stages[-1] if stages else None, members, job, key):
            stages.append(Stage(key[0], key[1], derive=job.derive))
            members = set()
        if job.task is not None:
            stages[-1].tasks.append(job.task)
        members.add(at)
        ready[key].remove(at)
        if not ready[key]:
            del ready[key]
        for user in users.get(at, ()):
            waiting[user] -= 1
            if not waiting[user]:
                insort(ready.setdefault(keys[user], []), user)
    return [part for stage in stages for part in _divided(stage)]


def _urgency(lowering: Lowering, key: tuple[str, str, str], count: int) -> tuple[object, ...]:
    """What goes first of what can be done: made rows wait, sums come first, and the root and its spells are left for later.

    So two programs that have most of their rules in common take them in the same order.
    """
    entity = lowering.program.entities.get(key[1])
    above = entity is None or entity.parent is None or (entity.spell and not entity.derived and not entity.gaps)
    return (key[0] != "derive", key[0] == "aggregate", not above, count, key)


def _next(members: set[int], jobs: Sequence[_Job], ready: Sequence[int]) -> int:
    """The first of the jobs that needs no complete column of those in the stage; the first where all do."""
    return next((at for at in ready if members.isdisjoint(jobs[at].apart)), ready[0])


def _fits(stage: Stage | None, members: set[int], job: _Job, key: tuple[str, str, str]) -> bool:
    """Whether a job can join the stage."""
    if stage is None or job.task is None or stage.kind != key[0] or stage.space != key[1] or stage.derive:
        return False
    if stage.kind == "sequential" or not members.isdisjoint(job.apart):
        return False
    if stage.kind == "aggregate":
        return stage.tasks[0].child == job.task.child
    return True


def _divided(stage: Stage) -> Iterator[Stage]:
    """A stage as functions of a fair size each."""
    left = sum(len(task.lines) for task in stage.tasks)
    if stage.kind != "vector" or left <= STATEMENTS:
        yield stage
        return
    part, size = Stage(stage.kind, stage.space), 0
    for task in stage.tasks:
        full = size + len(task.lines) > STATEMENTS * 7 // 5 and size >= STATEMENTS // 4
        ends = size >= STATEMENTS * 3 // 5 and _closes(part.tasks[-1]) and size + left > STATEMENTS * 7 // 5
        if full or ends:
            yield part
            part, size = Stage(stage.kind, stage.space), 0
        part.tasks.append(task)
        size += len(task.lines)
        left -= len(task.lines)
    yield part


def _closes(task: Task) -> bool:
    """Whether a function may end with a task before it is full: so says the task's name, and no other task.

    A rule more or less then changes the functions near it, and further on they end where they would have ended.
    """
    return crc32(NUMBERED.sub("", task.refs[0].name).encode()) % 3 == 0
