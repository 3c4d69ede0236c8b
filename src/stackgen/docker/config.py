"""An image's configuration, as ``docker image inspect`` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stackgen.docker.instructions import Pair

Place = tuple[str, ...]
"""Where a value of a configuration stands: ``("Env", "PATH")``, ``("ExposedPorts", "80/tcp")``, ``("User",)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A health check; times are nanoseconds, and 0 is the engine's default."""

    test: tuple[str, ...]
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What an image tells the engine about its containers. An empty value is one that is not set.

    `env` is in the image's order; what is a set or a map there (ports, volumes, labels) is sorted here.
    """

    user: str = ""
    exposed_ports: tuple[str, ...] = ()
    """``80/tcp``"""
    env: tuple[Pair, ...] = ()
    cmd: tuple[str, ...] | None = None
    healthcheck: Health | None = None
    volumes: tuple[str, ...] = ()
    working_dir: str = ""
    entrypoint: tuple[str, ...] | None = None
    on_build: tuple[str, ...] = ()
    labels: tuple[Pair, ...] = ()
    stop_signal: str = ""
    shell: tuple[str, ...] | None = None
    args_escaped: bool = False
    """Set by BuildKit wherever it sets a CMD."""

    def to_json(self) -> dict[str, object]:
        """Docker 28's keys, order and types: eight keys are always there, the others where they are set."""
        always: dict[str, object] = {
            "Cmd": list(self.cmd) if self.cmd else None,
            "Entrypoint": list(self.entrypoint) if self.entrypoint else None,
            "Env": [f"{name}={value}" for name, value in self.env] or None,
            "Labels": dict(self.labels) or None,
            "OnBuild": list(self.on_build) or None,
            "User": self.user,
            "Volumes": {path: {} for path in self.volumes} or None,
            "WorkingDir": self.working_dir,
        }
        where_set: dict[str, object] = {
            "ArgsEscaped": self.args_escaped,
            "ExposedPorts": {port: {} for port in self.exposed_ports},
            "Healthcheck": _health_to_json(self.healthcheck) if self.healthcheck else None,
            "Shell": list(self.shell or ()),
            "StopSignal": self.stop_signal,
        }
        return dict(sorted({**always, **{key: value for key, value in where_set.items() if value}}.items()))

    def values(self) -> dict[Place, object]:
        """Each value that is set, by its place: a variable, a label, a port, a volume and a trigger is one each."""
        found: dict[Place, object] = {}
        for key, value in self.to_json().items():
            if not value:
                continue
            if key == "Env":
                found |= {(key, name): text for name, text in self.env}
            elif key == "OnBuild":
                found |= {(key, str(number)): text for number, text in enumerate(self.on_build)}
            elif key in ("ExposedPorts", "Labels", "Volumes") and isinstance(value, dict):
                found |= {(key, name): inner for name, inner in value.items()}
            else:
                found[key,] = value
        return found

    @classmethod
    def from_values(cls, values: Mapping[Place, object]) -> Config:
        """The configuration of which these are the `values`."""
        config: dict[str, Any] = {}
        for (key, *names), value in values.items():
            if key == "Env":
                config.setdefault(key, []).append(f"{names[0]}={value}")
            elif key == "OnBuild":
                config.setdefault(key, []).append(value)
            elif names:
                config.setdefault(key, {})[names[0]] = value
            else:
                config[key] = value
        return cls.from_json(config)

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> Config:
        """The configuration in any engine's inspect output, or in an image's own JSON."""
        health = config.get("Healthcheck")
        return cls(
            user=config.get("User") or "",
            exposed_ports=tuple(sorted(config.get("ExposedPorts") or ())),
            env=tuple(_pair(entry) for entry in config.get("Env") or ()),
            cmd=tuple(config.get("Cmd") or ()) or None,
            healthcheck=_health_from_json(health) if health else None,
            volumes=tuple(sorted(config.get("Volumes") or ())),
            working_dir=config.get("WorkingDir") or "",
            entrypoint=tuple(config.get("Entrypoint") or ()) or None,
            on_build=tuple(config.get("OnBuild") or ()),
            labels=tuple(sorted((config.get("Labels") or {}).items())),
            stop_signal=config.get("StopSignal") or "",
            shell=tuple(config.get("Shell") or ()) or None,
            args_escaped=bool(config.get("ArgsEscaped")),
        )


SCRATCH = Config(working_dir="/")
"""What ``FROM scratch`` starts with: BuildKit's ``emptyImage``; the PATH is every image's."""


def _pair(entry: str) -> Pair:
    name, _, value = entry.partition("=")
    return name, value


def _health_to_json(health: Health) -> dict[str, object]:
    values = {
        "Interval": health.interval,
        "Retries": health.retries,
        "StartInterval": health.start_interval,
        "StartPeriod": health.start_period,
        "Test": list(health.test),
        "Timeout": health.timeout,
    }
    return {key: value for key, value in values.items() if value}


def _health_from_json(health: Mapping[str, Any]) -> Health:
    return Health(
        test=tuple(health.get("Test") or ()),
        interval=health.get("Interval") or 0,
        timeout=health.get("Timeout") or 0,
        start_period=health.get("StartPeriod") or 0,
        start_interval=health.get("StartInterval") or 0,
        retries=health.get("Retries") or 0,
    )
