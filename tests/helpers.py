"""Small trees of files, and the command line as a user calls it."""

from __future__ import annotations

import contextlib
import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from stackgen import api
from stackgen.cli import cli
from stackgen.stack.project import Options

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ".stackgen.json"


def tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write small files below a folder, a text without the indentation of the test it stands in; give the folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
    return root


@dataclass(frozen=True, slots=True)
class Ran:
    """What a call of the command line did: its exit code and what it printed."""

    code: int
    stdout: str
    stderr: str


def run(args: Sequence[str | Path], cwd: Path) -> Ran:
    """Call `stackgen` with arguments, in a folder; an exception that the user would see is the test's."""
    with contextlib.chdir(cwd):
        result = CliRunner().invoke(cli, [str(arg) for arg in args], prog_name="stackgen", catch_exceptions=False)
    return Ran(result.exit_code, result.stdout, result.stderr)


def files_of(folder: Path) -> dict[str, bytes]:
    """Give every file of an output folder but the manifest, by its path there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def modes_of(folder: Path) -> dict[str, str]:
    """Give the mode of everything below a folder, and of the folder itself as `.`, as one types it."""
    paths = [folder, *sorted(folder.rglob("*"))]
    return {path.relative_to(folder).as_posix(): f"{path.stat().st_mode & 0o7777:04o}" for path in paths}


def dockerfile(root: Path, stack: str = "app.yml", options: Options = api.DEFAULTS) -> str:
    """Give the Dockerfile that a stack of a tree renders to."""
    plan = api.render([stack], options, cwd=root).unwrap()
    image = next(image for image in plan.images if image.stack == stack)
    return next(file.content for file in image.files if file.path == "Dockerfile").decode()


def rendered(root: Path, *paths: str, options: Options = api.DEFAULTS) -> dict[str, bytes]:
    """Give every file that stacks of a tree render to, by its path in the output folder."""
    plan = api.render(list(paths or ("app.yml",)), options, cwd=root).unwrap()
    parts = {image.name: image.part for image in plan.images}
    files = {f"{image.name}/{file.path}": file.content for image in plan.images for file in image.files}
    return files | {file.path: file.content for file in plan.shared(parts)}


def config(root: Path, stack: str = "app.yml", options: Options = api.DEFAULTS) -> dict[str, object]:
    """Give the effective configuration of a stack's image, as `docker image inspect` will."""
    (inspection,) = api.inspect([stack], options, cwd=root).unwrap()
    found: dict[str, object] = inspection.to_json()["Config"]
    return found


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    """Run with another umask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
