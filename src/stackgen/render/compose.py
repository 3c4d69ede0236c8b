"""compose.yaml: the services of all that an output folder holds (https://docs.docker.com/reference/compose-file/)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from stackgen.docker.references import DOCKER_HUB, split_host
from stackgen.know.templates import Templates
from stackgen.stack.compile import Compiled
from stackgen.stack.project import Project

Part = Mapping[str, Any]
# bake and Compose put in the variable of the person who builds; no path of a machine is in what is rendered.
HOME = "${HOME}"


def service_of(compiled: Compiled, names: Mapping[str, str], stack_folder: str) -> dict[str, Any] | None:
    """Give an image's service in Compose's words, or None for a base.

    Takes the service names by the stacks' paths, and the stack's folder as seen from the output folder, which
    relative paths start at.
    """
    if compiled.image.service is None:
        return None
    service = dict(compiled.image.service)
    depends = service.get("depends_on")
    if depends is not None:
        renamed = {stem: names[path] for stem, path in compiled.unit.depends_on.items() if path in names}
        service["depends_on"] = (
            {renamed.get(stem, stem): how for stem, how in depends.items()}
            if isinstance(depends, Mapping)
            else [renamed.get(stem, stem) for stem in depends]
        )
    if "volumes" in service:
        service["volumes"] = [_volume(each, stack_folder) for each in service["volumes"]]
    if "env_file" in service:
        service["env_file"] = _env_files(service["env_file"], stack_folder)
    return service


def _from_output(path: str, stack_folder: str) -> str:
    joined = posixpath.normpath(posixpath.join(stack_folder, path))
    return joined if joined.startswith("../") else f"./{joined}"


def _is_relative(path: str) -> bool:
    return path in (".", "..") or path.startswith(("./", "../"))


def _volume(volume: Any, stack_folder: str) -> Any:
    if isinstance(volume, str):
        host, colon, rest = volume.partition(":")
        return f"{_from_output(host, stack_folder)}:{rest}" if colon and _is_relative(host) else volume
    if isinstance(volume, Mapping) and isinstance(volume.get("source"), str) and _is_relative(volume["source"]):
        return {**volume, "source": _from_output(volume["source"], stack_folder)}
    return volume


def _env_files(files: Any, stack_folder: str) -> Any:
    def one(file: Any) -> Any:
        if isinstance(file, str):
            return file if file.startswith(("/", "$")) else _from_output(file, stack_folder)
        return {**file, "path": one(file["path"])} if isinstance(file, Mapping) and "path" in file else file

    return [one(each) for each in files] if isinstance(files, list) else one(files)


def named_volumes(service: Mapping[str, Any]) -> list[str]:
    """Give the named volumes that a service uses."""
    names: list[str] = []
    for volume in service.get("volumes", ()):
        if isinstance(volume, str):
            host, colon, _ = volume.partition(":")
            if colon and re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", host):
                names.append(host)
        elif volume.get("type") == "volume" and volume.get("source"):
            names.append(volume["source"])
    return names


def _networks(service: Mapping[str, Any]) -> list[str]:
    return [name for name in service.get("networks", ()) if name != "default"]


def project_name(parts: Mapping[str, Part], project: Project) -> str:
    """Give the Compose project's name: the project's, else the first service, by name, that nothing depends on."""
    services = {name: part["service"] for name, part in parts.items() if part["service"] is not None}
    needed = {name for service in services.values() for name in service.get("depends_on", ())}
    free = sorted(set(services) - needed) or sorted(services) or sorted(parts)
    plain = re.sub(r"[^a-z0-9_-]", "-", (project.name or free[0]).lower())
    return plain.lstrip("_-") or "stacks"


def compose_yaml(parts: Mapping[str, Part], project: Project, templates: Templates) -> str:
    """Give compose.yaml for images by name: each one's service, with a base as a service that is never started."""
    services: dict[str, Any] = {}
    volumes: dict[str, Any] = {}
    networks: dict[str, Any] = {}
    secrets: dict[str, Any] = {}
    for name, part in sorted(parts.items()):
        service = part["service"]
        body: dict[str, Any] = {"image": part["references"][0], "build": _build(name, part, parts)}
        services[name] = body | (service if service is not None else {"scale": 0})
        volumes |= dict.fromkeys(named_volumes(service or {}))
        networks |= dict.fromkeys(_networks(service or {}))
        secrets |= {each["id"]: _secret(each) for each in part.get("secrets", ())}
    own = project.compose
    return templates.render(
        "compose/compose.yaml.j2",
        name=project_name(parts, project),
        services=services,
        top={
            **{key: value for key, value in own.items() if key not in ("volumes", "networks", "secrets")},
            "volumes": _declared(volumes, own.get("volumes")),
            "networks": _declared(networks, own.get("networks")),
            "secrets": _declared(secrets, own.get("secrets")),
        },
    )


def _declared(used: Mapping[str, Any], said: Any) -> dict[str, Any]:
    return dict(sorted({**used, **(said or {})}.items()))


def _secret(said: Mapping[str, Any]) -> dict[str, str]:
    return {"environment": said["env"]} if said["env"] else {"file": from_home(said["file"])}


def from_home(path: str) -> str:
    """Give a path with `~/` as the variable that bake and Compose put in."""
    return f"{HOME}/{path.removeprefix('~/')}" if path.startswith("~/") else path


def context_name(reference: str) -> str:
    """Give an image's reference as BuildKit looks a build context up by it: shortened as the engine shows it, and
    without `:latest`; by any other name it would look in a registry.
    """
    host, rest = split_host(reference)
    short = rest.removeprefix("library/") if host in DOCKER_HUB else reference
    return short.removesuffix(":latest")


def _build(name: str, part: Part, parts: Mapping[str, Part]) -> dict[str, Any]:
    build: dict[str, Any] = {"context": name}
    if part["platforms"]:
        build["platforms"] = part["platforms"]
    if part.get("secrets"):
        build["secrets"] = [each["id"] for each in part["secrets"]]
    if part["parent"] in parts:
        build["additional_contexts"] = {context_name(part["parent_reference"]): f"service:{part['parent']}"}
    return build
