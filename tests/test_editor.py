"""What an editor makes of our schema: the YAML language server, as VS Code and others run it, on a stack.

It is npm's `yaml-language-server`, kept in the user's cache folder. Where node or npm's registry is not to be had these
tests are left out, unless STACKGEN_REQUIRE_EDITOR is set.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stackgen.read import shape
from tests.helpers import ROOT, run

pytestmark = [pytest.mark.editor, pytest.mark.xdist_group("editor")]

PACKAGE = "yaml-language-server"
VERSION = "2.0.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stackgen-tests" / f"{PACKAGE}-{VERSION}"
# A server that hangs is ended, so that the tests are.
PATIENCE = 120.0


def left_out(why: str) -> None:
    """Leave the tests out, with a line that says so; where they are required, fail."""
    if os.environ.get("STACKGEN_REQUIRE_EDITOR"):
        pytest.fail(why)
    pytest.skip(f"no editor: {why}")


def installed() -> Path:
    """Give the server's program, installed where it is not there yet."""
    program = CACHE / "node_modules" / PACKAGE / "bin" / PACKAGE
    if shutil.which("node") is None or shutil.which("npm") is None:
        left_out("node and npm are not there")
    if not program.is_file():
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as place:
            command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", place]
            done = subprocess.run([*command, f"{PACKAGE}@{VERSION}"], capture_output=True, text=True, check=False)
            if done.returncode:
                left_out(f"npm install {PACKAGE} fails: {done.stderr.strip().splitlines()[-1:]}")
            shutil.rmtree(CACHE, ignore_errors=True)
            Path(place).rename(CACHE)
            Path(place).mkdir()
    return program


class Editor:
    """Talks to the server over its pipes: https://microsoft.github.io/language-server-protocol/."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        command = ["node", str(installed()), "--stdio"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
        self.guard = threading.Timer(PATIENCE, self.process.kill)
        self.guard.start()
        self.complaints: dict[str, list[Any]] = {}
        capabilities = {
            "textDocument": {
                "hover": {"contentFormat": ["markdown"]},
                "completion": {"completionItem": {"documentationFormat": ["markdown"], "snippetSupport": True}},
            }
        }
        root = {"rootUri": folder.as_uri(), "workspaceFolders": [{"uri": folder.as_uri(), "name": "shop"}]}
        self.ask("initialize", {"processId": None, "capabilities": capabilities, **root})
        self.send({"method": "initialized", "params": {}})

    def close(self) -> None:
        self.guard.cancel()
        self.process.kill()
        self.process.communicate()

    def send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Give the next message; a question of the server's is answered."""
        assert self.process.stdout
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the server has ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "method" in message and "id" in message:
            asked = message["params"].get("items", []) if message.get("params") else []
            settings = {"customTags": ["!reset", "!override sequence", "!override mapping", "!unsafe"]}
            answers = [settings if item.get("section") == "yaml" else {} for item in asked]
            self.send({"id": message["id"], "result": answers or None})
        elif message.get("method") == "textDocument/publishDiagnostics":
            self.complaints[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        self.count += 1
        number = self.count
        self.send({"id": number, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("id") == number and "method" not in message:
                return message["result"]

    def open(self, text: str) -> str:
        """Open a stack that names our schema; give its address."""
        self.count += 1
        uri = (self.folder / f"app{self.count}.yml").as_uri()
        text = f"# yaml-language-server: $schema={(self.folder / 'stack.schema.json').as_uri()}\n{text}"
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        return uri

    def at(self, uri: str, line: int, character: int) -> dict[str, Any]:
        return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}

    def hover(self, text: str, line: int, character: int) -> str:
        """Give what is shown over a place; lines and columns count from 0, below the line that names the schema."""
        return str(self.ask("textDocument/hover", self.at(self.open(text), line + 1, character))["contents"]["value"])

    def complete(self, text: str, line: int, character: int) -> dict[str, str]:
        """Give what is offered at a place, each with what explains it."""
        offered = self.ask("textDocument/completion", self.at(self.open(text), line + 1, character))
        return {item["label"]: _text(item.get("documentation", "")) for item in offered["items"]}

    def complain(self, text: str) -> list[tuple[str, int, int, int]]:
        """Give what a stack is marked for: the message, the line, and from which column to which."""
        uri = self.open(text)
        while uri not in self.complaints:
            self.receive()
        return [
            (each["message"], each["range"]["start"]["line"] - 1, each["range"]["start"]["character"],
             each["range"]["end"]["character"])
            for each in self.complaints[uri]
        ]  # fmt: skip


def _text(documentation: Any) -> str:
    return str(documentation["value"] if isinstance(documentation, dict) else documentation)


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """A running language server, with our schema beside the stacks as `stackgen schema` prints it."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "stack.schema.json").write_text(run(["schema"], ROOT).stdout, "utf-8")
    server = Editor(folder)
    yield server
    server.close()


STACK = shape.load("stack")


def test_every_key_is_offered_and_explained(editor: Editor) -> None:
    """At the top of a stack an editor offers each key of the language, with the sentence that we have for it."""
    offered = editor.complete("from: debian:12-slim\n\n", 1, 0)
    missing = {key for key, inner in STACK["properties"].items() if key != "from"} - set(offered)
    assert not missing
    for key, inner in STACK["properties"].items():
        if key in offered and inner.get("description"):
            assert inner["description"].split("`")[0].strip() in offered[key].replace("\\", "")


def test_keys_inside_of_a_key(editor: Editor) -> None:
    """Inside of a key its own keys are offered, and where a value is one of some, these."""
    assert {"test", "interval", "retries"} <= set(editor.complete("from: x\nhealthcheck:\n  \n", 2, 2))
    assert {"package", "pip"} <= set(editor.complete("from: x\nsupervisor:\n  install: \n", 2, 11))


def test_hover_explains(editor: Editor) -> None:
    """Over a key an editor shows our description of it, with marks for code as such, and an example."""
    shown = editor.hover("from: debian:12-slim\npackages: [curl]\n", 1, 2)
    assert "System packages, by the names that the distribution's package manager knows" in shown
    assert "`add` adds" in shown
    assert "Example" in shown
    assert "image outside" in editor.hover("from: debian:12-slim\n", 0, 2)


def test_an_unknown_key_is_marked(editor: Editor) -> None:
    """A misspelt key is marked where it stands, while it is typed."""
    complaints = editor.complain("from: debian:12-slim\npackges: [curl]\n")
    assert [(line, start, end) for _, line, start, end in complaints] == [(1, 0, 7)]
    assert "packges" in complaints[0][0]


@pytest.mark.parametrize("name", ["centos7", "debian12", "mysql", "php-fpm", "wordpress"])
def test_our_stacks_are_not_marked(name: str, editor: Editor) -> None:
    """A stack that stackgen takes has no mark in an editor: expressions, modes and bare numbers are no faults there."""
    assert editor.complain((ROOT / f"stacks/{name}.yml").read_text("utf-8")) == []


def test_wrong_values_are_marked(editor: Editor) -> None:
    """A value that stackgen refuses is marked too, where its form alone says so."""
    complaints = editor.complain("from: debian:12-slim\nexpose: [http]\nenv: [A]\n")
    assert {line for _, line, _, _ in complaints} == {1, 2}
