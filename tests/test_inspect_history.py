"""What `docker history` will show of an image, before it is built."""

from __future__ import annotations

import json
from pathlib import Path

from stackgen.report.text import width
from tests.helpers import tree

from .test_inspect import lines_of, origins, shown


def test_the_history_before_a_build(tmp_path: Path) -> None:
    """Each instruction of each ancestor is there, the newest first, with who says it; a trigger runs in the child."""
    files = {
        "base.yml": """\
            from: debian:12-slim
            args: {V: 1}
            env: {A: b}
            files: [{content: x, dest: /etc/x}]
            run: [make]
            workdir: /srv
            onbuild:
              - RUN trigger
            """,
        "app.yml": "extends: base\nlabels: {vendor: us}\ncmd: [serve, it]\n",
    }
    labels = "LABEL org.opencontainers.image.title={0} org.opencontainers.image.base.name={1}"
    assert lines_of(tree(tmp_path, files)) == [
        ('CMD ["serve" "it"]', False, "app", "app.yml:3"),
        (labels.format("app", "base:latest") + " vendor=us", False, "app", "app.yml:2"),
        ("RUN /bin/sh -c trigger # buildkit", True, "app", "base.yml:8"),
        (labels.format("base", "debian:12-slim"), False, "base", "base.yml:0"),
        ("RUN |1 V=1 /bin/sh -c make # buildkit", True, "base", "base.yml:5"),
        ("WORKDIR /srv", True, "base", "base.yml:6"),
        ("COPY rootfs/etc/x /etc/ # buildkit", True, "base", "base.yml:4"),
        ("ENV A=b", False, "base", "base.yml:3"),
        ("ARG V=1", False, "base", "base.yml:2"),
    ]


def test_the_history_as_a_table(tmp_path: Path) -> None:
    """Layers are counted from the outside image upward; a text that is too long is cut, not wrapped."""
    long = "x" * 200
    files = {"app.yml": f"from: debian:12-slim\nrun: [one, 'two {long}']\nlabels: {{A: 漢字{long}}}\n"}
    lines = shown(tree(tmp_path, files), "app.yml", "--history").splitlines()
    assert max(map(width, lines)) <= 100
    assert [line.split()[:4] for line in lines[3:5]] == [
        ["LAYER", "IMAGE", "FROM", "CREATED"],
        ["app", "app.yml:3", "LABEL", "org.opencontainers.image.title=app"],
    ]
    assert lines[5].split()[:3] == ["2", "app", "app.yml:2"]
    assert lines[5].endswith("…")
    assert lines[6].split() == ["1", "app", "app.yml:2", "RUN", "/bin/sh", "-c", "one", "#", "buildkit"]
    assert "debian:12-slim" in lines[7]


def test_the_history_as_json(tmp_path: Path) -> None:
    """The texts are whole, in the order of `docker history`, each with its origin."""
    root = tree(tmp_path, {"app.yml": "from: scratch\ncmd: [/app]\nlabels: {org.opencontainers.image.title: x}\n"})
    assert json.loads(shown(root, "app.yml", "--history", "--format", "json")) == [
        {
            "Name": "app:latest",
            "History": [
                {
                    "CreatedBy": 'CMD ["/app"]',
                    "EmptyLayer": True,
                    "Image": "app",
                    "Origin": {"Image": "app", "File": "app.yml", "Line": 2},
                },
                {
                    "CreatedBy": "LABEL org.opencontainers.image.title=x",
                    "EmptyLayer": True,
                    "Image": "app",
                    "Origin": {"Image": "app", "File": "app.yml", "Line": 3},
                },
            ],
        }
    ]


def test_a_long_chain_is_inspected(tmp_path: Path) -> None:
    """A chain of many images is no recursion, and its first image's values are still the first one's."""
    files = {f"i{number}.yml": f"extends: i{number - 1}\n" for number in range(1, 1200)}
    root = tree(tmp_path, {"i0.yml": "from: debian:12-slim\nenv: {A: b}\n", **files})
    assert origins(root, "i1199.yml")["Env A"] == "i0 i0.yml:2"


def test_paths_are_shown_as_seen_from_here(tmp_path: Path) -> None:
    """A place can be opened from where the user stands."""
    root = tree(tmp_path, {"stacks/app.yml": "from: debian:12-slim\nenv: {A: b}\n", "here/x": ""})
    table = shown(root / "here", "../stacks/app.yml")
    assert "../stacks/app.yml:2" in table
