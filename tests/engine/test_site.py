"""The site and its database, run by Compose from the rendered compose.yaml on Debian 12."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .commands import Rendered, execute, run

pytestmark = pytest.mark.engine

# Whoever writes it into SQL, PHP or a shell without care is found out.
PASSWORD = """p'a\\ss "w$o%d#\u00e9;"""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A Compose project of the rendered file."""

    folder: Path
    project: str
    override: Path

    def compose(self, *arguments: str, timeout: float = 120) -> str:
        """What docker compose writes to stdout."""
        command = ["docker", "compose", "-p", self.project, "-f", "compose.yaml", "-f", str(self.override)]
        return run(*command, *arguments, cwd=self.folder, env={"DB_PASSWORD": PASSWORD}, timeout=timeout)

    def page(self, path: str, form: dict[str, str] | None = None) -> tuple[str, str]:
        """Address and text of the page that a browser ends up at."""
        address = self.compose("port", "wordpress", "80").strip()
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            with urllib.request.urlopen(f"http://{address}{path}", data, timeout=30) as answer:
                return answer.url, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.url, error.read().decode()

    def page_with(self, path: str, text: str, seconds: float = 60) -> tuple[str, str]:
        """The page as soon as it holds the text; the containers' logs if it never does."""
        end = time.monotonic() + seconds
        seen: object = None
        while time.monotonic() < end:
            try:
                seen = self.page(path)
                if text in seen[1]:
                    return seen
            except (OSError, http.client.HTTPException) as error:
                seen = error
            time.sleep(0.5)
        logs = self.compose("logs", "--tail", "50")
        raise AssertionError(f"{text!r} is not on {path}, but: {seen}\n{logs}")


@pytest.fixture
def site(chain: Rendered, tmp_path: Path) -> Iterator[Site]:
    """The site, up; a port that is free in place of its own."""
    override = tmp_path / "port.yaml"
    override.write_text('services: {wordpress: {ports: !override ["127.0.0.1::80"]}}\n', encoding="utf-8")
    site = Site(folder=chain.folder, project=f"stackgen-test-{os.getpid()}", override=override)
    try:
        site.compose("up", "--detach", "--no-build", timeout=180)
        yield site
    finally:
        site.compose("down", "--volumes", "--timeout", "5")


def test_wordpress_installs_itself_into_the_database(site: Site) -> None:
    """A visitor meets the installation form, fills it in, and finds the site under the title given."""
    site.page_with("/wp-admin/install.php?step=1", 'name="weblog_title"')
    address, _ = site.page("/")
    assert urllib.parse.urlsplit(address).path == "/wp-admin/install.php"
    _, form = site.page("/wp-admin/install.php?step=1")
    for field in ("weblog_title", "user_name", "admin_password", "admin_email"):
        assert f'name="{field}"' in form

    _, answer = site.page(
        "/wp-admin/install.php?step=2",
        {
            "weblog_title": "Chained images",
            "user_name": "editor",
            "admin_password": "correct horse",
            "admin_password2": "correct horse",
            "pw_weak": "on",
            "admin_email": "editor@example.org",
        },
    )
    assert "Success!" in answer
    _, front = site.page("/")
    assert "<title>Chained images</title>" in front


def test_containers_stop_when_asked(site: Site) -> None:
    """Each process 1 heeds the stop signal: none is killed, and all are gone in ten seconds."""
    site.page_with("/wp-admin/install.php?step=1", 'name="weblog_title"')
    started = time.monotonic()
    site.compose("stop")
    elapsed = time.monotonic() - started
    containers = site.compose("ps", "--all", "--quiet").split()
    states = [container["State"] for container in json.loads(run("docker", "inspect", *containers))]
    assert len(states) == 2
    assert [state["ExitCode"] for state in states] == [0, 0]
    assert elapsed < 10

    started = time.monotonic()
    site.compose("down")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("name", "given", "missing"),
    [
        ("mysql", {"DB_USER": "admin"}, "DB_PASS"),
        ("wordpress", {"WORDPRESS_DB_HOST": "mysql"}, "WORDPRESS_DB_PASSWORD"),
        ("wordpress", {"WORDPRESS_DB_PASSWORD": "secret"}, "WORDPRESS_DB_HOST"),
    ],
)
def test_nothing_starts_on_a_default_password(chain: Rendered, name: str, given: dict[str, str], missing: str) -> None:
    """A container that lacks what it needs refuses to start, and names the variable."""
    environment = [f"--env={variable}={value}" for variable, value in given.items()]
    command = ("docker", "run", "--rm", "--network=none", *environment, chain.images[name])
    finished = execute(*command, timeout=30)
    assert finished.returncode not in (0, 125)
    assert missing in finished.stderr


def test_compose_asks_for_the_password(chain: Rendered) -> None:
    """Compose refuses to go on without the one password, and names its variable."""
    command = ("docker", "compose", "-f", "compose.yaml", "config", "--quiet")
    finished = execute(*command, cwd=chain.folder, env={"DB_PASSWORD": ""})
    assert finished.returncode != 0
    assert "DB_PASSWORD" in finished.stderr
