"""The source floor: from the bytes of a rules file to nodes of text that know their place, or a report.

Nothing below this floor knows about rules, and nothing above it reads YAML.
"""

from .codes import CODES
from .diagnostics import Diagnostic, Findings, RulesError, Severity, Span, render, suggest
from .reader import Mapping_, Node, Scalar, Sequence_, read

__all__ = [
    "CODES",
    "Diagnostic",
    "Findings",
    "Mapping_",
    "Node",
    "RulesError",
    "Scalar",
    "Sequence_",
    "Severity",
    "Span",
    "read",
    "render",
    "suggest",
]
