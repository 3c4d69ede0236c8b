"""Another root: the four images on Debian 13, by `--base` alone, built from Debian's real packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from .commands import bake, engine_config, execute, run, stackgen, told_configs
from .conftest import absent

pytestmark = pytest.mark.engine

# In each image, a command that only works if what its stack asks for is there, and lies where the data say.
TRIALS = {
    "debian13": "supervisord --version",
    "mysql": "mariadbd --version | grep 11.8 && test -d /etc/mysql/mariadb.conf.d",
    "php-fpm": "nginx -t && php-fpm8.4 -t && php -m | grep -x mysqli",
    "wordpress": 'grep "^.wp_version = .6.8" /usr/share/wordpress/wp-includes/version.php && test -L /app/wp-login.php',
}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The four images, by the names of their folders."""
    if execute("docker", "image", "inspect", "debian:13-slim").returncode != 0:
        absent("no debian:13-slim; tests/engine/base.sh 13 makes it")
    folder: Path = tmp_path_factory.mktemp("debian13") / "build"
    stackgen("render", "stacks/wordpress.yml", "--base", "debian13", "-o", folder)
    return bake(folder, timeout=1800)


def test_what_the_packages_bring_lies_where_the_data_say(images: dict[str, str]) -> None:
    """Debian's real packages are installed by the names in the data, and the services take their configuration."""
    assert images.keys() == TRIALS.keys()
    for name, trial in TRIALS.items():
        run("docker", "run", "--rm", "--network=none", "--entrypoint", "/bin/sh", images[name], "-ec", trial)


def test_the_engine_agrees(images: dict[str, str]) -> None:
    """What stackgen says of the images that stand on another root is what the engine says."""
    told = told_configs("stacks/wordpress.yml", "--base", "debian13")
    for reference, config in told.items():
        found = engine_config(reference)
        assert {key: config[key] or None for key in config} == {key: found.get(key) or None for key in config}
