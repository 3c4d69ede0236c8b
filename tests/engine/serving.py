"""A folder, served on this machine, if asked by https and for a password; and keys that sign what lies in it."""

from __future__ import annotations

import base64
import functools
import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .commands import execute, run


class _Silent(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, what lies under `locked` to whom gives the password alone, and says nothing."""

    def __init__(self, *arguments: Any, locked: str, password: str, **named: Any) -> None:
        self.locked = locked
        self.credentials = "Basic " + base64.b64encode(password.encode()).decode()
        super().__init__(*arguments, **named)

    def do_GET(self) -> None:
        """Answer, or ask for the password."""
        if self.locked and self.path.startswith(self.locked) and self.headers["Authorization"] != self.credentials:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="corp"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@contextmanager
def served(folder: Path, *, authority: Authority | None = None, locked: str = "", password: str = "") -> Iterator[str]:
    """The address of a folder, as long as it is served; it ends with a slash."""
    handler = functools.partial(_Silent, directory=str(folder), locked=locked, password=password)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if authority is not None:
            server.socket = authority.context().wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"{'https://localhost' if authority else 'http://127.0.0.1'}:{server.server_port}/"
        server.shutdown()


class Authority:
    """A certificate authority that nobody knows, and the certificate for `localhost` that it signed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.certificate = folder / "ca.pem"
        self._server = folder / "server.pem"
        self._key = folder / "server.key"
        new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365")
        run(*new, "-subj", "/CN=corp", "-keyout", folder / "ca.key", "-out", self.certificate)
        run(
            *(*new, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-addext", "basicConstraints=critical,CA:false", "-CA", self.certificate, "-CAkey", folder / "ca.key"),
            *("-keyout", self._key, "-out", self._server),
        )

    def context(self) -> ssl.SSLContext:
        """What a server needs to be believed by who trusts the authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._server, self._key)
        return context


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
