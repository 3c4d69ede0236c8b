"""What compiling works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stackgen.diagnostics import Findings
from stackgen.docker.config import Config
from stackgen.know.catalog import Catalog
from stackgen.know.templates import Templates
from stackgen.stack.lower.steps import Lowered
from stackgen.stack.project import Options, Project

# Prints one image's Dockerfile; given only where a user's templates replace ours.
Printer = Callable[[Lowered], str]
# Gives the configuration of an outside image by its reference, or raises NoAnswerError; given only where the caller
# wants an engine to be asked.
Ask = Callable[[str], Config]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What compiling works with, the same for every image of a run."""

    project: Project
    options: Options
    catalog: Catalog
    templates: Templates
    findings: Findings
    printer: Printer | None = None
    ask: Ask | None = None
