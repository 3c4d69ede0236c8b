"""The ARGs that stand outside every build stage: those before the first FROM, and BuildKit's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stackgen.docker.instructions import Arg
from stackgen.docker.shell import expand_word

_NOTHING: Mapping[str, str] = {}


def global_args(
    args: Iterable[Arg],
    *,
    given: Mapping[str, str] = _NOTHING,
    build_args: Mapping[str, str] = _NOTHING,
    escape: str = "\\",
) -> dict[str, str]:
    """What the ARGs before the first FROM come to; `given` is what is there without them, `platform_args`.

    https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact
    """
    scope = dict(given)
    for arg in args:
        for name, default in arg.pairs:
            if name in build_args:
                scope[name] = build_args[name]
            elif default is not None:
                scope[name] = expand_word(default, scope, escape=escape)
    return scope


def platform_args(target: str = "linux/amd64", *, build: str | None = None, stage: str = "default") -> dict[str, str]:
    """The ARGs that BuildKit knows by itself, for a build on the platform `build` for `target`.

    https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
    """
    args = {"TARGETSTAGE": stage}
    for prefix, platform in (("BUILD", build or target), ("TARGET", target)):
        system, architecture, variant, *_ = [*platform.split("/"), "", ""]
        args |= {
            f"{prefix}PLATFORM": platform,
            f"{prefix}OS": system,
            f"{prefix}OSVERSION": "",
            f"{prefix}ARCH": architecture,
            f"{prefix}VARIANT": variant,
        }
    return args
