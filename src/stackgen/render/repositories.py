"""Files that say where packages come from: the families' repository files and pip's configuration."""

from __future__ import annotations

from stackgen.know.templates import Templates
from stackgen.stack.lower.steps import PipFile, RepositoryFile


def repository_file(file: RepositoryFile, templates: Templates) -> str:
    """Give a repository file in its family's format."""
    return templates.render(
        f"families/{file.family.name}/{file.family.repository_template}",
        mirror=file.mirror,
        repositories=file.repositories,
        distribution=file.distribution,
    )


def pip_conf(file: PipFile, templates: Templates) -> str:
    """Give /etc/pip.conf (https://pip.pypa.io/en/stable/topics/configuration/)."""
    return templates.render("families/pip.conf.j2", index=file.index, bundle=file.bundle)
