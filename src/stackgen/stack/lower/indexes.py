"""Where pip and npm take packages from and which authorities they trust: each has a list of authorities of its own."""

from __future__ import annotations

from stackgen.diagnostics import Span
from stackgen.docker.instructions import Env
from stackgen.docker.syntax import escape_dollar, quote
from stackgen.stack.lower.emitter import Emitter
from stackgen.stack.lower.steps import Indexes, PipFile
from stackgen.stack.model import PackageGroup

PIP_CONFIG = "etc/pip.conf"
# What npm, and what stands in for it, takes from the environment (https://docs.npmjs.com/cli/using-npm/config).
NPM_REGISTRY = "npm_config_registry"
# What node trusts beside its own list (https://nodejs.org/api/cli.html#node_extra_ca_certsfile).
NODE_AUTHORITIES = "NODE_EXTRA_CA_CERTS"


def lower_indexes(emitter: Emitter, groups: list[PackageGroup]) -> Indexes:
    """Tell pip and npm of this image's mirror and authorities, where an ancestor has not; give what they know then."""
    image, above = emitter.image, emitter.above.indexes
    if image.distribution is None or emitter.family is None:
        return above
    index, registry = above.index, above.registry
    mirror = emitter.mirror
    # A root on the distribution's own hosts has `official` above it, too.
    if mirror is not None and mirror.name != emitter.above.mirror:
        index, registry = mirror.pip or index, mirror.npm or registry
    brings_npm = image.is_root and image.distribution.npm
    installed = {word.text for group in groups for word in group.packages}
    now = Indexes(
        index=index,
        registry=registry,
        bundle=emitter.family.certificates["bundle"] if image.certificates else above.bundle,
        npm=above.npm or brings_npm or not installed.isdisjoint(emitter.family.npm),
    )
    span = image.mirror.span if image.mirror else image.certificates[0].span if image.certificates else None
    _npm(emitter, now, span)
    _pip(emitter, now, span)
    return now


def _pip(emitter: Emitter, now: Indexes, span: Span | None) -> None:
    """Write /etc/pip.conf as a whole, unless the stack brings one of its own."""
    above = emitter.above.indexes
    files = emitter.image.section("files")
    own = files is not None and any(entry.target == f"/{PIP_CONFIG}" for entry in files.value)
    if not own and (now.index, now.bundle) != (above.index, above.bundle):
        emitter.file(f"rootfs/{PIP_CONFIG}", PipFile(now.index, now.bundle), 0o644, None)
        emitter.copy([PIP_CONFIG], span)


def _npm(emitter: Emitter, now: Indexes, span: Span | None) -> None:
    """Set what npm looks at, in the first image that has npm and wherever it changes; the stack's own `env` stays."""
    above = emitter.above.indexes
    env = emitter.image.section("env")
    own = {pair.name for pair in env.value} if env else set()
    wanted = {NPM_REGISTRY: (now.registry, above.registry), NODE_AUTHORITIES: (now.bundle, above.bundle)}
    pairs = [
        (name, quote(escape_dollar(value)))
        for name, (value, before) in wanted.items()
        if value and name not in own and now.npm and (value != before or not above.npm)
    ]
    if pairs:
        emitter.add(Env(pairs=tuple(pairs)), span)
