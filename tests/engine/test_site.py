"""The site and its database, run by Compose from the rendered compose.yaml on Debian 12."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from .commands import Rendered, execute, run, stackgen

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

    def logs(self, service: str) -> str:
        """What `docker logs` shows of a service's container, both of its streams."""
        finished = execute("docker", "logs", self.compose("ps", "--quiet", service).strip())
        assert finished.returncode == 0
        return finished.stdout + finished.stderr

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


@contextmanager
def up(chain: Rendered, folder: Path, name: str) -> Iterator[Site]:
    """The site, up; a port that is free in place of its own, and stays, as WordPress calls itself by it."""
    override = folder / "port.yaml"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = f"127.0.0.1:{free.getsockname()[1]}:80"
    override.write_text(f"services: {{wordpress: {{ports: !override ['{port}']}}}}\n", encoding="utf-8")
    site = Site(folder=chain.folder, project=f"stackgen-test-{os.getpid()}-{name}", override=override)
    try:
        site.compose("up", "--detach", "--no-build", timeout=180)
        yield site
    finally:
        site.compose("down", "--volumes", "--timeout", "5")


@pytest.fixture
def site(chain: Rendered, tmp_path: Path) -> Iterator[Site]:
    """A site of a test's own."""
    with up(chain, tmp_path, "own") as site:
        yield site


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A site that a visitor has set up, and the pages that he saw on the way."""

    site: Site
    first: str
    form: str
    answer: str


TITLE = "Chained images"


@pytest.fixture(scope="module")
def installed(chain: Rendered, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A site, set up over HTTP by posting the form of its installation."""
    with up(chain, tmp_path_factory.mktemp("site"), "installed") as site:
        _, form = site.page_with("/wp-admin/install.php?step=1", 'name="weblog_title"')
        first, _ = site.page("/")
        filled_in = {
            "weblog_title": TITLE,
            "user_name": "editor",
            "admin_password": "correct horse",
            "admin_password2": "correct horse",
            "pw_weak": "on",
            "admin_email": "editor@example.org",
        }
        _, answer = site.page("/wp-admin/install.php?step=2", filled_in)
        yield Installed(site=site, first=first, form=form, answer=answer)


def test_wordpress_installs_itself_into_the_database(installed: Installed) -> None:
    """A visitor meets the installation form, fills it in, and finds the site under the title given."""
    assert urllib.parse.urlsplit(installed.first).path == "/wp-admin/install.php"
    for field in ("weblog_title", "user_name", "admin_password", "admin_email"):
        assert f'name="{field}"' in installed.form
    assert "Success!" in installed.answer
    _, front = installed.site.page("/")
    assert f"<title>{TITLE}</title>" in front


def test_logs_are_what_docker_shows(installed: Installed) -> None:
    """What nginx, PHP, supervisord and MariaDB have to say is in `docker logs`, each request and error once."""
    site = installed.site
    script = "<?php error_log('said by php ' . $_GET['n']); echo 'done';"
    site.compose("exec", "-T", "wordpress", "sh", "-c", f"printf %s {shlex.quote(script)} > /app/said.php")
    assert site.page("/said.php?n=17")[1] == "done"
    logs = {name: site.logs(name) for name in ("wordpress", "mysql")}
    assert len(re.findall(r'"GET /said\.php\?n=17 HTTP/1\.1" 200 ', logs["wordpress"])) == 1
    assert len(re.findall(r"said by php 17", logs["wordpress"])) == 1
    assert "spawned: 'nginx'" in logs["wordpress"]
    assert "ready for connections" in logs["mysql"]
    # The password is in none of them.
    assert not [name for name, text in logs.items() if PASSWORD in text]


def test_supervisord_runs_what_inspect_says(installed: Installed) -> None:
    """The programs in the running container are those that `inspect` names before anything is built."""
    inspected = stackgen("inspect", "stacks/wordpress.yml", "--base", "debian12", "--format", "json")
    (told,) = json.loads(inspected)
    config = told["Config"]["Entrypoint"][-1]
    status = installed.site.compose("exec", "-T", "wordpress", "supervisorctl", "-c", config, "status")
    assert {line.split()[0]: line.split()[1] for line in status.splitlines()} == dict.fromkeys(
        told["Programs"], "RUNNING"
    )


def test_data_outlives_the_containers(installed: Installed) -> None:
    """New containers have the site, its users, the uploads and the keys of the old ones: all of it is in volumes."""
    site = installed.site
    content = "/app/wp-content/uploads/kept.txt"
    site.compose("exec", "-T", "--user", "www-data", "wordpress", "sh", "-c", f"echo kept > {content}")
    keys = ("exec", "-T", "wordpress", "sha256sum", "/etc/wordpress/keys/keys.php")
    before, containers = site.compose(*keys), site.compose("ps", "--quiet").split()
    site.compose("up", "--detach", "--no-build", "--force-recreate", timeout=180)
    assert len(containers) == 2
    assert not set(containers) & set(site.compose("ps", "--quiet").split())
    site.page_with("/", f"<title>{TITLE}</title>")
    assert site.page("/wp-content/uploads/kept.txt")[1] == "kept\n"
    assert site.compose(*keys) == before
    login = {"log": "editor", "pwd": "correct horse", "wp-submit": "Log In"}
    _, denied = site.page("/wp-login.php", {**login, "pwd": "wrong"})
    assert "is incorrect" in denied
    # In, to where only who is in may go; and back, for want of cookies.
    assert "reauth=1" in site.page("/wp-login.php", login)[0]
    assert "already installed" in site.page("/wp-admin/install.php")[1].lower()


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
