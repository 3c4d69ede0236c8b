"""New projects from templates/project/; the only import of cookiecutter."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from cookiecutter.exceptions import CookiecutterException  # type: ignore[import-untyped]
from cookiecutter.generate import generate_context, generate_files  # type: ignore[import-untyped]
from cookiecutter.prompt import prompt_for_config  # type: ignore[import-untyped]

from stackgen.resources import TEMPLATES


class ScaffoldError(Exception):
    """Nothing was made; `help` says what to do about it."""

    def __init__(self, message: str, help: str | None = None) -> None:
        self.help = help
        super().__init__(message)


def make_project(name: str, place: Path, files: Mapping[str, str]) -> Path:
    """Make the project `name` in a folder, whole or not at all; give its own folder.

    `files` are more files that it gets, by path. Raises ScaffoldError.
    """
    project = place / name
    if os.path.lexists(project):
        raise ScaffoldError(f"{project} is there already", "choose another name, or another folder with -o DIR")
    try:
        place.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{name}.", dir=place) as scratch:
            made = _generate(name, scratch)
            for path, text in files.items():
                target = made / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8", newline="\n")
            made.rename(project)
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else str(project)
        raise ScaffoldError(f"{where} cannot be written: {(error.strerror or 'failed').lower()}") from None
    except CookiecutterException as error:
        raise ScaffoldError(f"cookiecutter fails: {error}") from None
    return project


def _generate(name: str, folder: str) -> Path:
    """Run the steps of `cookiecutter.main.cookiecutter` that a template on disk needs.

    That function itself would read the user's ~/.cookiecutterrc and leave a replay file in the home directory.
    """
    template = TEMPLATES / "project"
    context = generate_context(str(template / "cookiecutter.json"), extra_context={"name": name})
    context["cookiecutter"].update(prompt_for_config(context, no_input=True))
    return Path(generate_files(str(template), context, output_dir=folder, accept_hooks=False))
