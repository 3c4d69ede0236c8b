"""The house: a room imports only from rooms above it, a file only from files above it in its room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.helpers import ROOT

PACKAGE = ROOT / "src/stackgen"

# Every module, each in an order in which it imports only from those above it. A new file gets its line here.
ROOMS: dict[str, str] = {
    "": "__init__ diagnostics codes resources",
    "read": """
        __init__ inputs
        source.nodes source.places source.problems source.building source.__init__
        shape schema traps
    """,
    "know": "__init__ templates own catalog",
    "docker": """
        __init__ errors instructions config durations ports references signals shell arguments
        syntax.words syntax.lines syntax.parsing syntax.quoting syntax.printing syntax.__init__
        inherit history
    """,
    "stack": """
        __init__ project model reading
        expressions.faults expressions.environment expressions.scope expressions.telling expressions.__init__
        documents load merge programs resolve
        lower.__init__ lower.steps lower.emitter lower.packages lower.indexes lower.downloads lower.files
        lower.repositories lower.users lower.commands lower.raw lower.instructions lower.image
        workshop ground causes reread compile provenance inspection
    """,
    "render": "__init__ repositories supervisord dockerfile compose bake plan",
    "lint": """
        __init__ rule commands ignore
        doubled_dest entrypoint_and_cmd mutable_tag onbuild overwritten_file ports program_left_behind reference
        relative_workdir run_needs_root secret_in_instruction shell_form supervisor_dropped supervisor_not_root
        unused write_under_volume
        run
    """,
    "write": "__init__ manifest emit fix",
    "api": "__init__",
    "report": "__init__ text github json sarif editor inspection patch",
    "outside": "__init__ scaffold engine",
    "cli": "common render validate inspect new distros mirrors schema __init__",
    "__main__": "__init__",
}
ORDER = [
    ".".join(["stackgen", *filter(None, [room]), *(part for part in file.split(".") if part != "__init__")])
    for room, files in ROOMS.items()
    for file in files.split()
]

# What only one place may do, and the names by which it is done.
ONLY = {
    "yaml": {"stackgen.read.source.building"},
    "jsonschema": {"stackgen.read.schema"},
    "jinja2": {"stackgen.know.templates", *(f"stackgen.stack.expressions.{part}" for part in ("environment", "scope"))},
    "cookiecutter": {"stackgen.outside.scaffold"},
    "subprocess": {"stackgen.outside.engine", "stackgen.outside.git"},
    # Nothing reads the clock or throws dice.
    "time": set[str](),
    "datetime": set[str](),
    "random": set[str](),
    "uuid": set[str](),
    "locale": set[str](),
    "logging": set[str](),
}
READS = {"read_bytes", "read_text", "open"}
WRITES = {
    "write_bytes",
    "write_text",
    "mkdir",
    "makedirs",
    "unlink",
    "rename",
    "replace_file",
    "rmdir",
    "rmtree",
    "chmod",
}


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


def imports(module: str) -> Iterator[tuple[str, int]]:
    """Give every module that a module imports, wherever in it, and the line."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in names if name in MODULES]
            # `from package import module` needs the package only for its modules.
            yield from ((name, node.lineno) for name in modules)
            if len(modules) < len(names):
                yield node.module, node.lineno


def calls(module: str) -> Iterator[tuple[str, int]]:
    """Give the name of everything that a module calls, without what it is called on, and the line."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id, node.lineno
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr, node.lineno


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_every_module_has_its_place() -> None:
    """The picture of the house names every file, and none that is not there."""
    assert sorted(ORDER) == sorted(MODULES)
    assert len(ORDER) == len(set(ORDER))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_up(module: str) -> None:
    """A module imports only from those above it, so that nothing goes in circles and a room can be read by itself."""
    place = ORDER.index(module)
    wrong = [
        f"{module}:{line} imports {found}"
        for found, line in imports(module)
        if found in MODULES and ORDER.index(found) > place
    ]
    assert not wrong


def test_docker_knows_no_stacks() -> None:
    """Docker's own rules could be a library: they import nothing from any other room."""
    found = {name for module in MODULES if room_of(module) == "docker" for name, _ in imports(module)}
    assert {name for name in found if name.startswith("stackgen")} <= {m for m in MODULES if room_of(m) == "docker"}


@pytest.mark.parametrize("library", ONLY)
def test_one_door_for_each_library(library: str) -> None:
    """Each library, and each thing of the world outside, is met in one place."""
    users = {module for module in MODULES for name, _ in imports(module) if name.split(".")[0] == library}
    assert users <= ONLY[library]


def test_only_the_command_line_prints() -> None:
    """Results are values: nothing but the command line prints, or knows click."""
    printing = {
        f"{module}:{line}"
        for module in MODULES
        if room_of(module) != "cli"
        for name, line in calls(module)
        if name in ("print", "echo", "secho")
    }
    clicks = {module for module in MODULES for name, _ in imports(module) if name.split(".")[0] in ("click", "rich")}
    assert not printing
    assert {room_of(module) for module in clicks} == {"cli"}


def test_only_one_room_writes() -> None:
    """Files are written in one room alone; what lies outside makes its own."""
    writing = {room_of(module) for module in MODULES for name, _ in calls(module) if name in WRITES}
    assert writing <= {"write", "outside"}


def test_only_one_file_reads_a_project() -> None:
    """A project's files are read in one place, which keeps them inside the project and records what was read."""
    reading = {module for module in MODULES for name, _ in calls(module) if name in READS}
    # Our own schemas are no files of a project; who writes a file may look at what is there.
    writers = {module for module in MODULES if room_of(module) == "write"}
    assert reading <= {"stackgen.read.inputs", "stackgen.read.shape", *writers}


def test_the_environment_is_read_by_the_command_line() -> None:
    """What is rendered does not depend on environment variables: only how things are printed does."""
    reading = {
        module
        for module in MODULES
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "getlogin", "gethostname")
    }
    assert {room_of(module) for module in reading} <= {"cli"}
