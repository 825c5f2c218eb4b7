"""The shape of rule files, as models: what keys there are and what each may hold.

Every text keeps its place in the file (`Text.scalar`), so that whatever is found wrong later can be underlined.  The same
models give the JSON Schema that editors use.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from rbcalc_kernels.source import Scalar, Span


class Text(str):
    """A text of a rule file that knows where it stands."""

    scalar: Scalar

    @classmethod
    def of(cls, scalar: Scalar) -> Text:
        """The text of a scalar node."""
        text = cls(scalar.text)
        text.scalar = scalar
        return text

    @property
    def span(self) -> Span:
        """Where the text stands."""
        return self.scalar.span

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept texts with a place, and nothing else."""
        return core_schema.is_instance_schema(cls, cls_repr="text")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """For editors a text is any plain value."""
        return {"type": ["string", "number", "boolean"]}


def _yes_no(value: object) -> object:
    if isinstance(value, Text) and value in {"yes", "no"}:
        return value == "yes"
    return value


Flag = Annotated[bool, BeforeValidator(_yes_no, json_schema_input_type=Literal["yes", "no"]), Field(strict=True)]


class _Document(BaseModel):
    # Validators are made when a file is first read: files that are kept as they were read need none.
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=False, defer_build=True)


class SourceDoc(_Document):
    """Where a figure or a rule is printed."""

    law: Text | None = Field(None, description="the Act or instrument: SI 2012/2885")
    document: Text | None = Field(None, description="the scheme, page or report")
    paragraph: Text | None = Field(None, description="the section, regulation or paragraph")
    page: Text | None = None
    url: Text | None = None
    resolution: Text | None = Field(None, description="the minute of the decision")
    note: Text | None = None


class _Sourced(_Document):
    source: SourceDoc | None = None
    status: Text | None = Field(None, description="confirmed or provisional")
    note: Text | None = None


class ListDoc(_Document):
    """A named list."""

    title: Text | None = None
    members: list[Text] | None = None
    local: Flag = Field(False, description="yes: each council gives the members")


class TimelineDoc(_Document):
    """One of the timelines that a derived entity is cut from."""

    of: Text
    effective: Text | None = Field(None, description="the rule that gives the date from which a row has effect")
    needed: Flag = Field(False, description="yes: no row on days on which this timeline has none")


class EntityDoc(_Document):
    """A kind of row."""

    title: Text | None = None
    parent: Text | None = None
    by: Text | None = Field(None, description="the reference by which its rows gather those of the entity below; it has no register")
    begins: Text | None = Field(
        None, description="monday: the days worked out begin with the Monday on or before the first day of the year"
    )
    spell: Flag = False
    gaps: Flag = Field(False, description="yes: rows only on days on which its first register has a record")
    beside: list[Text] = Field(
        [], description="registers of roots below which records of its first register with different keys stand beside each other"
    )
    ordered: Flag = False
    most: Text | None = Field(None, description="the most rows that may belong to one row above; others are rejected")
    members: Text | None = Field(None, description="the name of its rows in aggregates")
    timelines: list[TimelineDoc] | None = None


class RegisterDoc(_Document):
    """A table of the caseload."""

    title: Text | None = None
    of: Text
    key: Text | None = None
    by: Text | None = None
    references: list[Text] = []
    dated: Flag = False
    order_by: Text | None = None
    optional: Flag = False
    instead: list[Text] = Field([], description="registers of roots, of other subjects, to whose rows a row may belong instead")


class InputDoc(_Document):
    """A fact of the caseload."""

    title: Text | None = None
    of: Text
    unit: Text
    range: Text | None = Field(None, description="lowest to highest: £0 to £1000000")
    step: Text | None = None
    optional: Flag = False
    register_: Text = Field(alias="register")
    column: Text | None = None
    source: SourceDoc | None = None
    note: Text | None = None


class DatedDoc(_Sourced):
    """A value, or the rows of a table, from a day on."""

    from_: Text | None = Field(None, alias="from")
    to: Text | None = None
    value: Text | None = None
    rows: dict[Text, Any] | None = None


class ParameterDoc(_Sourced):
    """A dated figure."""

    title: Text | None = None
    unit: Text
    step: Text | None = None
    local: Flag = False
    option: Flag = False
    from_: Text | None = Field(None, alias="from")
    value: Text | None = None
    values: list[DatedDoc] | None = None


class TableDoc(_Sourced):
    """A decision table, a table of amounts, or a table worked out from others."""

    title: Text | None = None
    unit: Text
    step: Text | None = None
    over: dict[Text, Text]
    local: Flag = False
    option: Flag = False
    sparse: Flag = False
    from_: Text | None = Field(None, alias="from")
    rows: dict[Text, Any] | None = None
    values: list[DatedDoc] | None = None
    round: Text | None = None
    is_: Text | None = Field(None, alias="is")


class LineDoc(_Document):
    """One line of a first-that-applies rule."""

    when: Text | None = None
    give: Text | None = None
    refuse: Text | None = Field(None, description="why nothing can be given: the account is rejected with this reason")
    otherwise: Text | None = None
    because: Text | None = None
    source: SourceDoc | None = None


class VersionDoc(_Sourced):
    """A rule from a day on."""

    from_: Text = Field(alias="from")
    round: Text | None = None
    is_: Text | None = Field(None, alias="is")
    first: list[LineDoc] | None = None


class RuleDoc(_Sourced):
    """A named value of an entity."""

    title: Text | None = None
    of: Text
    unit: Text
    round: Text | None = None
    local: Flag = False
    output: Flag = Field(False, description="yes: people ask for it, though no other rule reads it")
    from_: Text | None = Field(None, alias="from")
    is_: Text | None = Field(None, alias="is")
    first: list[LineDoc] | None = None
    versions: list[VersionDoc] | None = None
    reason: Text | None = Field(None, description="why a council or a scenario replaces the rule")


class SetDoc(_Sourced):
    """A figure or a table that a file sets."""

    from_: Text | None = Field(None, alias="from")
    to: Text | None = None
    value: Text | None = None
    rows: dict[Text, Any] | None = None
    values: list[DatedDoc] | None = None
    reason: Text | None = None


class DropDoc(_Document):
    """A rule that a file takes away."""

    reason: Text


class ReportDoc(_Document):
    """Totals of a run."""

    title: Text
    of: Text
    by: list[Text] = Field([], description="facts or rules that are members of a list")
    sum: list[Text] = Field(description="figures to add up")
    split: Text | None = Field(None, description="a table over whose first axis the sums are divided in proportion")
    down: Flag = Field(False, description="printed with a line for each sum, as for months")
    headings: dict[Text, Text] = Field({}, description="what a key, a sum or the number of rows (rows) is called where it is printed")


class CountedDoc(_Document):
    """A fact of a statement: the sum of some lines of a report."""

    report: Text
    sum: Text = Field(description="one of the report's sums, or rows")
    where: dict[Text, Text | list[Text]] = Field({}, description="for some of the report's keys, the member or members that count")


class StatementDoc(_Sourced):
    """What a council makes of its totals: rules whose facts are sums of reports."""

    title: Text
    rules: Text = Field(description="dotted name of the file of its rules, whose root is the council")
    figures: dict[Text, CountedDoc] = Field(description="by fact, the sum that it is")


class ComparisonDoc(_Sourced):
    """Amounts held against those of the year before."""

    title: Text
    table: Text
    less: Text = Field(description="which of last year's amounts are taken away: a yes/no table over the first axis twice")
    base: Text = Field(description="over which of last year's amounts the difference is put: a table of the same form")
    decimals: Text


class CharacteristicDoc(_Document):
    """A protected characteristic, and the value that holds it."""

    title: Text
    held: Text | None = Field(None, description="one of by:; left out where the caseload does not hold it")


class ImpactDoc(_Document):
    """What is compared when rules change: an amount of each root row for the year, and who gains and loses by it."""

    title: Text
    of: Text
    amount: Text = Field(description="the amount for the year that is compared")
    owed: Flag = Field(False, description="yes: the amount is to be paid, so that more of it is a loss")
    days: Text = Field(description="for how many days the amount is, to put a change to the week; none: not known to the council")
    by: list[Text] = Field(description="facts or rules, as name or entity.name: members of a list, or yes/no")
    split: Text | None = Field(None, description="the report that divides the amount over those who bear it")
    characteristics: list[CharacteristicDoc] = []
    note: Text | None = Field(None, description="whom the figures cover, told beside them; without it what is said of claims")


class ReconciledDoc(_Document):
    """A figure that is held against the one that the live system has, and what may explain a difference."""

    title: Text
    of: Text
    is_: Text = Field(alias="is", description="the amount for the year that is compared")
    blank: Text | None = Field(None, description="what an empty cell of the live system's extract says; without it the account is rejected")
    optional: Flag = Field(False, description="yes: the live system's extract may lack the column")
    roundings: list[Text] = Field([], description="rules that the live system may round otherwise, as entity.name")
    facts: list[Text] = Field([], description="facts that may be recorded otherwise, as register.column")
    records: list[Text] = Field([], description="dated registers whose records may begin or end on another day, be missing or too many")


class StepDoc(_Document):
    """A step of the way to a figure: the values that it ends with."""

    title: Text
    values: list[Text] = Field(
        description="rules and facts, as name or entity.name; what they rest on belongs to the step, up to those of another"
    )


class DifferenceDoc(_Document):
    """A figure whose difference between two years is divided: by the days, then step by step."""

    title: Text
    of: Text
    is_: Text = Field(alias="is", description="the amount for the year")
    days: Text = Field(description="what the part is called that comes of the days alone; it is the first")
    steps: list[StepDoc] = Field(description="in the order in which one year's is exchanged for the other's")


class AdoptionDoc(_Document):
    """Who decided the figures of a file, and from what they were transcribed."""

    by: Text
    on: Text
    minute: Text | None = None
    document: Text | None = None
    sha256: Text | None = None
    drafted_by: Text | None = None
    checked_by: Text | None = None
    readings: list[Text] = []


class CarryDoc(_Document):
    """Figures that go on, though nobody has published those that follow."""

    as_on: Text = Field(description="the day whose figures, tables and rules go on where nothing is stated for later")
    because: Text


class UprateDoc(_Document):
    """Figures that are put up, or down, by a share."""

    names: list[Text] = Field(description="parameters and tables")
    by: Text = Field(description="the share: 3.8%, or -2%")
    round: Text | None = Field(None, description="as in a rule: penny, half up")
    edges: Text | None = Field(None, description="yes: the edges of a table instead of what it gives")


class RuleFile(_Sourced):
    """A file of rules: statute, precept, council or scenario."""

    kind: Literal["statute", "precept", "council", "scenario"]
    title: Text
    extends: list[Text] = []
    from_: Text | None = Field(None, alias="from")
    to: Text | None = None
    adopted: Text | AdoptionDoc | None = None
    lists: dict[Text, ListDoc] = {}
    entities: dict[Text, EntityDoc] = {}
    registers: dict[Text, RegisterDoc] = {}
    inputs: dict[Text, InputDoc] = {}
    parameters: dict[Text, ParameterDoc] = {}
    tables: dict[Text, TableDoc] = {}
    rules: dict[Text, RuleDoc] = {}
    reports: dict[Text, ReportDoc] = {}
    comparisons: dict[Text, ComparisonDoc] = {}
    impacts: dict[Text, ImpactDoc] = {}
    reconciliation: dict[Text, ReconciledDoc] = {}
    differences: dict[Text, DifferenceDoc] = {}
    statements: dict[Text, StatementDoc] = {}
    set: dict[Text, SetDoc] = {}
    replace: dict[Text, RuleDoc] = {}
    drop: dict[Text, DropDoc] = {}
    cite: dict[Text, SourceDoc] = Field({}, description="statutes: where what another statute states stands in the law of this subject")
    only_for: list[Text] = Field([], description="scenarios: the councils that it is for; without it, all")
    without: list[Text] = Field([], description="scenarios: dotted names of files or folders that are left out")
    carry: CarryDoc | None = None
    uprate: list[UprateDoc] = []


class AuthorityFile(_Document):
    """Who a council is."""

    kind: Literal["authority"]
    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True, defer_build=True)
    name: Text
    title: Text


class ProfileFile(_Document):
    """Published sizes of a council's caseload."""

    kind: Literal["profile"]
    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True, defer_build=True)


class MemberDoc(_Document):
    """A council's time in a partnership."""

    council: Text
    from_: Text | None = Field(None, alias="from")
    to: Text | None = None
    note: Text | None = None


class PartnershipFile(_Document):
    """Councils that share a service."""

    kind: Literal["partnership"]
    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True, defer_build=True)
    name: Text
    title: Text
    standing: Literal["live", "explored", "ended"]
    default_year: Text
    members: list[MemberDoc]


class ExampleDoc(_Document):
    """One worked example."""

    name: Text
    source: SourceDoc | None = None
    council: Text | None = None
    year: Text | None = None
    note: Text | None = None
    set: dict[Text, SetDoc] = {}
    given: dict[Text, Any] = {}
    expect: dict[Text, Any] = {}


class CasesFile(_Document):
    """Worked examples."""

    kind: Literal["cases"]
    title: Text
    council: Text | None = None
    subject: Text | None = None
    extends: list[Text] = []
    year: Text
    source: SourceDoc | None = None
    note: Text | None = None
    lists: dict[Text, ListDoc] = {}
    set: dict[Text, SetDoc] = {}
    given: dict[Text, Any] = {}
    cases: list[ExampleDoc]


Document = RuleFile | AuthorityFile | ProfileFile | PartnershipFile | CasesFile

MODELS: dict[str, type[Document]] = {
    "statute": RuleFile,
    "precept": RuleFile,
    "council": RuleFile,
    "scenario": RuleFile,
    "authority": AuthorityFile,
    "profile": ProfileFile,
    "partnership": PartnershipFile,
    "cases": CasesFile,
}
