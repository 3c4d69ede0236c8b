"""Where templates/ and schemas/ lie: inside the installed package or, in a checkout, at its root."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_SHIPPED = _PACKAGE / "_shipped"
_ROOT = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent.parent

TEMPLATES = _ROOT / "templates"
SCHEMAS = _ROOT / "schemas"
