"""`users`: users and groups, added as root by the family's own commands."""

from __future__ import annotations

from dataclasses import asdict

from stackgen.diagnostics import Related, Span
from stackgen.stack.lower.emitter import Emitter
from stackgen.stack.lower.packages import groups_of, lower_packages, needs_distribution
from stackgen.stack.model import AddedUser


def lower_users(emitter: Emitter, users: tuple[AddedUser, ...], span: Span) -> None:
    """Add users in one RUN, by commands that are installed where an image may lack them.

    Findings: needs-distro, doubled-user.
    """
    known = needs_distribution(emitter, "users", span)
    if known is None or not _check_users(emitter, users):
        return
    distribution, family = known
    commands = [name for name in distribution.user_packages or family.user_packages if name not in emitter.packages]
    if commands:
        lower_packages(emitter, list(groups_of(commands, span, "")), span)
    template = f"families/{family.users_template}"
    if emitter.run(template, span, users=[asdict(user) for user in users], nologin=family.nologin):
        emitter.users |= {user.name: user.span for user in users}


def _check_users(emitter: Emitter, users: tuple[AddedUser, ...]) -> bool:
    """Whether no user is added twice, here or by an image above: the second useradd would fail."""
    first = dict(emitter.users)
    sound = True
    for user in users:
        other = first.setdefault(user.name, user.span)
        if other is not user.span:
            sound = False
            emitter.findings.error(
                "doubled-user",
                f'the user "{user.name}" is added twice',
                user.span,
                help="remove one of the two",
                related=[Related("first added here", other)],
            )
    return sound
