"""docker-bake.json: a target for each image, its parent's reference mapped to the parent's target, so that a chain
builds without a registry (https://docs.docker.com/build/bake/reference/).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from stackgen.render.compose import HOME, context_name, from_home

Part = Mapping[str, Any]


def target(name: str) -> str:
    """Give an image's name as a target's: bake takes no dots."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)


def bake_json(parts: Mapping[str, Part]) -> str:
    """Give docker-bake.json for images by name."""
    targets: dict[str, Any] = {}
    home = False
    for name, part in sorted(parts.items()):
        body: dict[str, Any] = {"context": name, "tags": list(part["references"])}
        if part["platforms"]:
            body["platforms"] = part["platforms"]
        if part.get("secrets"):
            body["secret"] = [_secret(each) for each in part["secrets"]]
            home = home or any(HOME in each for each in body["secret"])
        if part["parent"] in parts:
            body["contexts"] = {context_name(part["parent_reference"]): f"target:{target(part['parent'])}"}
        targets[target(name)] = body
    # Without a default of its own a variable is what the environment says.
    variables: dict[str, Any] = {"variable": {"HOME": {}}} if home else {}
    document = {**variables, "group": {"default": {"targets": list(targets)}}, "target": targets}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _secret(said: Mapping[str, Any]) -> str:
    where = f"type=env,env={said['env']}" if said["env"] else f"type=file,src={from_home(said['file'])}"
    return f"id={said['id']},{where}"
