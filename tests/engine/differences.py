"""What builders make different things of: one row each of the table in docs/inheritance.md, and one test each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

BUILDERS = ("BuildKit", "BuildKit of 20.10", "classic builder", "buildah")
REFUSED = "refused"
BUILT = "built"
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """Dockerfiles, each on the one before it, and what each of the builders makes of the last."""

    dockerfiles: tuple[str, ...]
    place: tuple[str, ...]
    """Where in the configuration to look; () is whether it is built at all."""
    results: tuple[str, str, str, str]
    """JSON, or REFUSED, BUILT or NOTHING; in the order of BUILDERS."""

    @property
    def by_builder(self) -> Mapping[str, str]:
        """The results by the builder's name."""
        return dict(zip(BUILDERS, self.results, strict=True))

    def row(self, name: str) -> str:
        """The row of the table."""
        dockerfile = "<br>".join(" ⏎ ".join(f"`{line}`" for line in text.split("\n")) for text in self.dockerfiles)
        cells = [each if each in (REFUSED, BUILT, NOTHING) else f"`{each}`" for each in self.results]
        return f"| {name} | {' | '.join([dockerfile, *cells])} |"


def shown(config: Mapping[str, object], place: tuple[str, ...]) -> str:
    """What stands at a place, as a result is written; PATH, which is everywhere the same, is left out of Env."""
    if not place:
        return BUILT
    value: object = config
    for name in place:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, list) and place == ("Env",):
        value = [variable for variable in value if not variable.startswith("PATH=")]
    if isinstance(value, Mapping) and place == ("ExposedPorts",):
        value = sorted(value)
    if value is None or value in ({}, []):
        return NOTHING
    # Which version it is says nothing of how it builds.
    return re.sub(r'(?<="io.buildah.version": ")[^"]+', "…", json.dumps(value, ensure_ascii=False))


# What a builder takes and makes something else of; it is foretold by builders.py.
MADE_OTHERWISE = {
    "ArgsEscaped": Difference(("CMD a",), ("ArgsEscaped",), ("true", "true", NOTHING, NOTHING)),
    "times of an inherited health check": Difference(
        ("HEALTHCHECK --interval=9s CMD a", "HEALTHCHECK NONE"),
        ("Healthcheck", "Interval"),
        (NOTHING, NOTHING, "9000000000", NOTHING),
    ),
    "an ARG below an ENV": Difference(
        ("ENV A=env\nARG A=arg\nLABEL a=$A",), ("Labels", "a"), ('"arg"', '"arg"', '"env"', '"env"')
    ),
    "ARGs in one instruction": Difference(("ARG A=1 B=$A\nLABEL b=$B",), ("Labels", "b"), ('"1"', '""', '""', '""')),
    "ARGs of the platform": Difference(
        ("ARG TARGETOS\nLABEL a=$TARGETOS",), ("Labels", "a"), ('"linux"', '"linux"', '""', '"linux"')
    ),
    "place of a variable": Difference(
        ("ENV A=1 B=2", "ENV A=3"),
        ("Env",),
        ('["A=3", "B=2"]', '["A=3", "B=2"]', '["A=3", "B=2"]', '["B=2", "A=3"]'),
    ),
    "SHELL and shell forms": Difference(
        ('SHELL ["/x"]\nCMD a',),
        ("Cmd",),
        ('["/x", "a"]', '["/x", "a"]', '["/x", "a"]', '["/bin/sh", "-c", "a"]'),
    ),
    "ranges of ports": Difference(
        ("EXPOSE 80-81",),
        ("ExposedPorts",),
        ('["80/tcp", "81/tcp"]', '["80/tcp", "81/tcp"]', '["80/tcp", "81/tcp"]', '["80-81/tcp"]'),
    ),
    "ports of the host": Difference(
        ("EXPOSE 8080:82",), ("ExposedPorts",), ('["82/tcp"]', '["82/tcp"]', '["82/tcp"]', '["8080:82/tcp"]')
    ),
    "blanks round a volume": Difference(
        ('ENV A="/v "\nVOLUME $A',), ("Volumes",), ('{"/v ": {}}', '{"/v ": {}}', '{"/v ": {}}', '{"/v": {}}')
    ),
    "a label of its own": Difference(
        ("ENV A=1",), ("Labels",), (NOTHING, NOTHING, NOTHING, '{"io.buildah.version": "…"}')
    ),
    "WORKDIR of scratch": Difference(("FROM scratch\nENV A=1",), ("WorkingDir",), ('"/"', '"/"', '""', '""')),
}
# What a builder cannot be given, or reads in ways that are not worth foretelling; such chains are not drawn for it.
NOT_GIVEN = {
    "here-documents": Difference(("COPY <<E /x\na\nE",), (), (BUILT, REFUSED, REFUSED, REFUSED)),
    "COPY --chmod": Difference(("COPY --chmod=600 Dockerfile /x",), (), (BUILT, BUILT, REFUSED, BUILT)),
    "--start-interval": Difference(
        ("HEALTHCHECK --start-interval=1s CMD a",),
        ("Healthcheck", "StartInterval"),
        ("1000000000", REFUSED, REFUSED, REFUSED),
    ),
    "a time of 0": Difference(("HEALTHCHECK --timeout=0s CMD a",), (), (BUILT, REFUSED, REFUSED, REFUSED)),
    "0 retries": Difference(("HEALTHCHECK --retries=0 CMD a",), (), (BUILT, REFUSED, REFUSED, REFUSED)),
    "patterns": Difference(
        ("ENV A=abc\nLABEL a=${A#ab} b=${A%c} c=${A/b/x}",),
        ("Labels",),
        ('{"a": "c", "b": "ab", "c": "axc"}', REFUSED, REFUSED, REFUSED),
    ),
    "operators without a colon": Difference(
        ("LABEL a=${NO-x}${PATH+y}",), ("Labels", "a"), ('"xy"', REFUSED, REFUSED, REFUSED)
    ),
    "demands": Difference(("ENV A=x\nLABEL a=${A:?no}",), ("Labels", "a"), ('"x"', '"x"', '"x"', REFUSED)),
    "names that no shell sets": Difference(("LABEL a=$$",), ("Labels", "a"), ('""', '""', '""', '"$$"')),
    "an expansion within a port": Difference(
        ("EXPOSE 6${NO:-2}1",), ("ExposedPorts",), ('["21/tcp"]', '["621/tcp"]', '["621/tcp"]', '["621/tcp"]')
    ),
    "a protocol in capitals": Difference(
        ("EXPOSE 80/TCP",), ("ExposedPorts",), ('["80/tcp"]', '["80/tcp"]', '["80/tcp"]', '["80/TCP"]')
    ),
    "an EXPOSE of nothing": Difference(("EXPOSE $NO",), (), (BUILT, BUILT, BUILT, REFUSED)),
    "a WORKDIR of nothing": Difference(
        ("WORKDIR /a/../b", "WORKDIR $NO"), ("WorkingDir",), ('"/a/../b"', '"/b"', REFUSED, '"/b"')
    ),
    "text behind an array": Difference(
        ('CMD ["a"] b',), ("Cmd",), ('["/bin/sh", "-c", "[\\"a\\"] b"]', '["a"]', '["a"]', '["a"]')
    ),
    "a shell form without a text": Difference(
        ("ENTRYPOINT",),
        ("Entrypoint",),
        ('["/bin/sh", "-c", ""]', '["/bin/sh", "-c", ""]', NOTHING, NOTHING),
    ),
    "two backslashes at the end": Difference(
        ("ENV A=1\\\\\nENV B=2",),
        ("Env",),
        ('["A=1\\\\", "B=2"]', '["A=1\\\\", "B=2"]', '["A=1\\\\", "B=2"]', '["A=1ENV", "B=2"]'),
    ),
}
DIFFERENCES = {**MADE_OTHERWISE, **NOT_GIVEN}

# How what is not given looks in a Dockerfile.
LOOKS = {
    name: re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for name, pattern in {
        "here-documents": r"^\s*(onbuild\s+)?(copy|add)\b.*<<",
        "COPY --chmod": r"^\s*(onbuild\s+)?(copy|add)\b.*--chmod",
        "--start-interval": r"--start-interval",
        "a time of 0": r"--(interval|timeout|start-period)=\+?0s?(?!\S)",
        "0 retries": r"--retries=0",
        "patterns": r"\$\{\w+[#%/]",
        "operators without a colon": r"\$\{\w+[-+?]",
        "demands": r"\$\{\w+:?\?",
        "names that no shell sets": r"\$[$!@#?*-]",
        "an expansion within a port": r"6\$\{",
        "a protocol in capitals": r"/TCP",
        "an EXPOSE of nothing": r"expose\b[\s\S]*\$(NO|P|\{P\})(?!\w)",
        "a WORKDIR of nothing": r"workdir\s+(\$NO|\$\{NO\}|'')",
        "text behind an array": r"\]\s+x",
        "a shell form without a text": r"^\s*(onbuild\s+)?(cmd|entrypoint)\s*(\\|$)",
        "two backslashes at the end": r"\\\\[ \t]*\r?$",
    }.items()
}
