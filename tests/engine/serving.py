"""A folder, served on this machine; and keys that sign what lies in it."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .commands import execute, run


class _Silent(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, as long as it is served; it ends with a slash."""
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Key:
    """A key without a passphrase, made for a test, in a keyring of its own."""

    def __init__(self, home: Path, name: str) -> None:
        self.home = home
        self.name = name
        home.mkdir(mode=0o700, parents=True)
        self.gpg("--quick-generate-key", name, "rsa2048", "sign", "never")

    def gpg(self, *arguments: str | Path) -> str:
        """What gpg says, with this keyring."""
        always = ("gpg", "--homedir", self.home, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "")
        return run(*always, *arguments)

    def public(self) -> str:
        """The public key, for text files."""
        return self.gpg("--armor", "--export")

    def close(self) -> None:
        """Ends gpg's agent, which would stay otherwise."""
        execute("gpgconf", "--homedir", self.home, "--kill", "all")
