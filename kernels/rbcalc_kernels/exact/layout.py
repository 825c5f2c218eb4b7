"""Which registers hold the facts of which entities, and which row of which register each of their rows belongs to.

Both makers of rows (the exact one for one root, the bulk one for many) read the program through this.
"""

from __future__ import annotations

from dataclasses import dataclass

from rbcalc_kernels.program.graph import Entity, Input, Program, Register

BUILT_INS = ("first_day", "last_day", "days")


@dataclass(frozen=True, slots=True)
class Layout:
    """A program's entities and registers, arranged for making rows.

    `root` is the entity whose register has a row for each thing that is worked out; where another gathers its rows, that one
    stands above it and is no part of what is arranged here.
    `anchors` gives the register that a register's rows belong to.  `spells` are the ordinary spell entities, each under
    the root; `below` gives all the entities below each entity but derived ones, parents before children.
    """

    program: Program
    root: Entity
    root_register: Register
    spells: tuple[str, ...]
    registers: dict[str, tuple[Register, ...]]
    inputs: dict[str, tuple[Input, ...]]
    anchors: dict[str, Register]
    below: dict[str, tuple[str, ...]]

    def children(self, entity: str) -> tuple[str, ...]:
        """The entities whose parent is `entity`, derived ones left out."""
        return tuple(name for name in self.below[entity] if self.program.entities[name].parent == entity)

    def may_lack(self, register: Register) -> bool:
        """Whether a spell may have no record of this register: it and all its facts are optional, or it leads."""
        return self.leads(register) or (register.optional and all(found.optional for found in self.inputs[register.name]))

    def leads(self, register: Register) -> bool:
        """Whether its entity has rows only on days on which this register has a record."""
        return self.program.entities[register.entity].gaps and self.registers[register.entity][0] is register

    def tells_apart(self, register: Register) -> bool:
        """Whether the key of this register tells apart rows of its entity that stand beside each other."""
        return self.program.entities[register.entity].beside and self.leads(register)

    def told_apart_by(self, entity: str) -> Register | None:
        """The register by whose key rows of an entity are told apart that stand beside each other; None where they do not."""
        described = self.program.entities[entity]
        if not described.beside:
            return None
        followed = next((timeline.entity for timeline in described.derived if self.program.entities[timeline.entity].beside), None)
        return self.told_apart_by(followed) if followed is not None else self.registers[entity][0]

    def top_down(self) -> list[Register]:
        """The registers, each after the one that its rows belong to."""
        order = [self.root_register]
        rest = [register for register in self.program.registers.values() if register.name in self.anchors]
        while rest:
            ready = [register for register in rest if self.anchors[register.name] in order]
            if not ready:
                raise ValueError("registers belong to one another in a circle")
            order += ready
            rest = [register for register in rest if register not in ready]
        return order

    def timed(self, spell: str) -> tuple[Register, ...]:
        """The dated registers of a spell entity and of all below it, in the order of their entities."""
        return tuple(register for entity in (spell, *self.below[spell]) for register in self.registers[entity] if register.dated)


def layout_of(program: Program) -> Layout:
    """Arrange a program.  Raises ValueError when it says something that rows cannot be made of."""
    roots = [entity for entity in program.entities.values() if entity.parent is None]
    if len(roots) != 1:
        raise ValueError(f"one entity must have no parent, not {len(roots)}")
    root = program.entities[program.root]
    entities = {name: found for name, found in program.entities.items() if not found.derived}
    registers = {name: tuple(register for register in program.registers.values() if register.entity == name) for name in entities}
    spells = tuple(name for name, found in entities.items() if found.spell)
    for name in spells:
        if entities[name].parent != root.name:
            raise ValueError(f"spells must stand under {root.name}; {name} does not")
    for name, held in registers.items():
        if len(held) > 1 and name not in spells:
            raise ValueError(f"{name} has {len(held)} registers; only spells may have more than one")
    if not registers[root.name]:
        raise ValueError(f"{root.name} has no register")
    root_register = registers[root.name][0]
    return Layout(
        program=program,
        root=root,
        root_register=root_register,
        spells=spells,
        registers=registers,
        inputs=_inputs(program, registers),
        anchors={
            register.name: _anchor(entities, registers, root_register, register)
            for register in program.registers.values()
            if register.entity != root.name
        },
        below={name: _below(entities, name) for name in entities},
    )


def _inputs(program: Program, registers: dict[str, tuple[Register, ...]]) -> dict[str, tuple[Input, ...]]:
    found: dict[str, list[Input]] = {name: [] for name in program.registers}
    for ref, described in program.inputs.items():
        if described.built_in:
            continue
        held = [register.name for register in registers[ref.entity]]
        register = described.table if described.table in held else held[0] if len(held) == 1 else None
        if register is None:
            raise ValueError(f"{ref} is read from {described.table or 'nowhere'}, which is no register of {ref.entity}")
        found[register].append(described)
    return {name: tuple(inputs) for name, inputs in found.items()}


def _below(entities: dict[str, Entity], name: str) -> tuple[str, ...]:
    found = [name]
    for above in found:
        found += [other.name for other in entities.values() if other.parent == above]
    return tuple(found[1:])


def _anchor(entities: dict[str, Entity], registers: dict[str, tuple[Register, ...]], root: Register, register: Register) -> Register:
    """The register that has the reference `by`: the parent's, or the root's for what stands under root or spell."""
    parent = entities[register.entity].parent
    if parent is None:
        raise ValueError(f"{register.name} belongs to no entity")
    for above in registers[parent] if register.by else ():
        if register.by == above.key or register.by in above.references:
            return above
    if entities[parent].spell and register.by and (register.by == root.key or register.by in root.references):
        return root
    raise ValueError(f"{register.name} has the reference {register.by}, which is none of {parent} or {root.name}")
