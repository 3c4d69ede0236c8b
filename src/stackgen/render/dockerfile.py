"""An image's Dockerfile."""

from __future__ import annotations

from stackgen.know.templates import Templates
from stackgen.stack.lower.steps import Lowered
from stackgen.stack.project import Options, Project

# Instructions that say how the container runs; they stand together, without empty lines between.
CONTAINER = ("volumes", "expose", "stopsignal", "healthcheck", "user", "entrypoint", "cmd", "onbuild")


def print_dockerfile(lowered: Lowered, templates: Templates, options: Options, project: Project) -> str:
    """Give an image's Dockerfile as text. Raises TemplateFault where a user's template fails."""
    image = lowered.image
    return templates.render(
        "dockerfile/Dockerfile.j2",
        image={
            "name": image.name,
            "reference": image.reference,
            "parent": image.parent,
            "path": image.path,
            "description": image.description or "",
        },
        stages=lowered.stages,
        steps=lowered.steps,
        container=CONTAINER,
        options=options.as_typed(),
        syntax=project.syntax,
    )
