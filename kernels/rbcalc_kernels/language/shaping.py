"""From the nodes of a file to the model of its kind, each mistake told where it stands; and the models as a JSON Schema."""

from __future__ import annotations

from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from rbcalc_kernels.language.documents import MODELS, AuthorityFile, CasesFile, Document, PartnershipFile, ProfileFile, RuleFile, Text
from rbcalc_kernels.source import Findings, Mapping_, Node, Scalar, Sequence_, suggest

Shape = TypeVar("Shape", bound=BaseModel)

MOST_REPORTED = 200
"""More mistakes of shape than this in one file are no help to anybody."""


def plain(node: Node) -> Any:
    """A node as dicts, lists and placed texts."""
    if isinstance(node, Scalar):
        return Text.of(node)
    if isinstance(node, Sequence_):
        return [plain(item) for item in node.items]
    return {Text.of(key): plain(value) for key, value in node.entries}


def document(node: Node, findings: Findings) -> Document | None:
    """The document that a file's node holds, or None with findings added."""
    if not isinstance(node, Mapping_):
        findings.error("RB033", "a rule file is a mapping of keys", node.span, help="begin with kind: and title:")
        return None
    kind = node.get("kind")
    if not isinstance(kind, Scalar) or kind.text not in MODELS:
        span = kind.span if kind is not None else node.span
        word = kind.text if isinstance(kind, Scalar) else ""
        findings.error(
            "RB034",
            f"no such kind of file: {word or 'none given'}",
            span,
            help=f"kind is one of {', '.join(MODELS)}{suggest(word, MODELS)}",
        )
        return None
    return shaped(node, kind.text, MODELS[kind.text], findings)


def shaped(node: Mapping_, kind: str, model: type[Shape], findings: Findings) -> Shape | None:
    """The mapping of a file of that kind as its model, or None with findings added."""
    values = plain(node)
    values["kind"] = kind
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False)[:MOST_REPORTED]:
            _report(problem, node, model, findings)
        return None


_SHAPES = {
    "a text": "write one value here, not a list and not a mapping",
    "yes or no": "write yes or no",
    "a mapping": "write keys with their values, as {title: ..., unit: ...}",
    "a list": "write a list, as [one, another]",
}


def _report(problem: Any, node: Node, model: type[BaseModel], findings: Findings) -> None:
    path = [step for step in problem["loc"] if step != "[key]"]
    place, span, walked = node, node.span, []
    for step in path:
        if isinstance(place, Mapping_) and str(step) in place:
            span = place.key_span(str(step))
            found = place.get(str(step))
            assert found is not None
            place = found
        elif isinstance(place, Sequence_) and isinstance(step, int) and step < len(place.items):
            place = place.items[step]
            span = place.span
        elif isinstance(step, str) and (step[:1].isupper() or step == "text"):
            continue  # the name of a model in a union, not a key
        else:
            break
        walked.append(step)
    last = str(path[-1]) if path else ""
    if problem["type"] == "extra_forbidden":
        known = _keys_at(model, walked[:-1])
        findings.error("RB035", f"unknown key '{last}'", span, help=f"known keys here: {', '.join(known)}{suggest(last, known)}")
    elif problem["type"] == "missing":
        findings.error("RB036", f"'{last}' is missing", span, help=f"add {last}:")
    else:
        expected = {
            "is_instance_of": "a text",
            "bool_type": "yes or no",
            "dict_type": "a mapping",
            "list_type": "a list",
            "model_type": "a mapping",
        }.get(problem["type"], problem["msg"])
        where = place.span if isinstance(place, Scalar) else span
        findings.error("RB037", f"expected {expected}", where, help=_SHAPES.get(expected, ""))


def _keys_at(model: type[BaseModel], path: list[Any]) -> list[str]:
    """The keys of the model that a path through `model` leads to; none when it does not lead to one."""
    current: Any = model
    for step in path:
        current = _stripped(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = {(f.alias or name): f.annotation for name, f in current.model_fields.items()}.get(str(step))
        else:
            current = get_args(current)[-1] if get_args(current) else None
    current = _stripped(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return sorted(f.alias or name for name, f in current.model_fields.items())
    return []


def _stripped(annotation: Any) -> Any:
    """An annotation without `| None` and without metadata."""
    while get_args(annotation) and get_origin(annotation) not in (dict, list):
        annotation = get_args(annotation)[0]
    return annotation


def json_schema() -> dict[str, Any]:
    """The JSON Schema of every kind of rule file, for editors."""
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

    models = (RuleFile, AuthorityFile, ProfileFile, PartnershipFile, CasesFile)
    definitions: dict[str, Any] = {}
    choices = []
    for model in models:
        schema = TypeAdapter(model).json_schema(by_alias=True, ref_template="#/$defs/{model}", schema_generator=GenerateJsonSchema)
        definitions.update(schema.pop("$defs", {}))
        definitions[model.__name__] = schema
        choices.append({"$ref": f"#/$defs/{model.__name__}"})
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "rbcalc rule files",
        "oneOf": choices,
        "$defs": definitions,
    }
