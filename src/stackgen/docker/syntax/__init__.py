"""Values to Dockerfile text and back."""

from __future__ import annotations

from stackgen.docker.errors import DockerfileError, Unsayable
from stackgen.docker.syntax.lines import ended
from stackgen.docker.syntax.parsing import Parsed, parse, parse_all, parse_instruction
from stackgen.docker.syntax.printing import as_trigger, to_text
from stackgen.docker.syntax.quoting import escape_dollar, literal_source, quote, quote_key, quote_path

__all__ = [
    "DockerfileError",
    "Parsed",
    "Unsayable",
    "as_trigger",
    "ended",
    "escape_dollar",
    "literal_source",
    "parse",
    "parse_all",
    "parse_instruction",
    "quote",
    "quote_key",
    "quote_path",
    "to_text",
]
