"""The four images on one root of each package manager, as they are written: a folder each, without the manifest."""

from __future__ import annotations

from pathlib import Path

from tests.helpers import ROOT, files_of, run

HERE = Path(__file__).parent
# The options that each root is rendered with.
ROOTS = {
    "centos7": (),
    "rocky9": ("--base", "rocky9"),
    "debian12": ("--base", "debian12"),
    "alpine": ("--base", "alpine"),
}


def render(root: str, output: Path) -> dict[str, bytes]:
    """Give what the four images render to on a root, by path in the output folder."""
    ran = run(["render", "stacks/wordpress.yml", *ROOTS[root], "-o", output], ROOT)
    assert ran.code == 0, ran.stderr
    return files_of(output)
