"""`python -m tests.golden [NAME…]`: writes the expected outputs anew, after a change that is meant.

What it did is for git to show.
A NAME is a case, or a root such as `centos7`; without one, all.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests import golden
from tests.cases import cases
from tests.helpers import files_of


def put(folder: Path, files: dict[str, bytes]) -> bool:
    """Let a folder hold these files and no others; say whether that changed it."""
    if folder.is_dir() and files_of(folder) == files:
        return False
    if folder.is_dir():
        shutil.rmtree(folder)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return True


def main(names: list[str]) -> None:
    """Write the expected outputs of all that is named."""
    good, bad = cases("good"), cases("bad")
    unknown = set(names) - {case.folder.name for case in good + bad} - set(golden.ROOTS)
    if unknown:
        sys.exit(f"no case and no root is called {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        for root in golden.ROOTS:
            if (not names or root in names) and put(golden.HERE / root, golden.render(root, place / root)):
                print(f"golden/{root}")
        for case in good:
            wanted = not names or case.folder.name in names
            if wanted and put(case.folder / "expected", case.rendered(place / "good" / case.folder.name)):
                print(f"good/{case.folder.name}")
        for case in bad:
            if names and case.folder.name not in names:
                continue
            ran = case.printed(place / "bad" / case.folder.name)
            expected = case.folder / "expected.txt"
            if ran.code not in (1, 2):
                print(f"bad/{case.folder.name} is good: exit code {ran.code}", file=sys.stderr)
            elif not expected.is_file() or expected.read_text("utf-8") != ran.stderr:
                expected.write_text(ran.stderr, "utf-8")
                print(f"bad/{case.folder.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
