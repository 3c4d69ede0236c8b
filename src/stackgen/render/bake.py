"""docker-bake.json: a target for each image, its parent's reference mapped to the parent's target, so that a chain
builds without a registry (https://docs.docker.com/build/bake/reference/).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from stackgen.render.compose import context_name

Part = Mapping[str, Any]


def target(name: str) -> str:
    """Give an image's name as a target's: bake takes no dots."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)


def bake_json(parts: Mapping[str, Part]) -> str:
    """Give docker-bake.json for images by name."""
    targets: dict[str, Any] = {}
    for name, part in sorted(parts.items()):
        body: dict[str, Any] = {"context": name, "tags": list(part["references"])}
        if part["platforms"]:
            body["platforms"] = part["platforms"]
        if part["parent"] in parts:
            body["contexts"] = {context_name(part["parent_reference"]): f"target:{target(part['parent'])}"}
        targets[target(name)] = body
    document = {"group": {"default": {"targets": list(targets)}}, "target": targets}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
