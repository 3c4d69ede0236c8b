"""supervisord started as another user than root, with a configuration that asks for root: it does not start."""

from __future__ import annotations

from stackgen.lint.rule import ImageRule, Say, Subject
from stackgen.stack.lower.emitter import ROOT_USERS
from stackgen.stack.lower.steps import SupervisorFile


def _asks_for_root(subject: Subject) -> bool:
    """Whether the nearest configuration is stackgen's own and has `user = root`, as it has unless a stack says else."""
    for compiled in (subject.compiled, *subject.ancestors()):
        for file in compiled.lowered.files:
            if isinstance(file.content, SupervisorFile):
                return file.content.supervisor.options.get("user", "root") in ROOT_USERS
    return False


def _check(subject: Subject, say: Say) -> None:
    """Told where the USER is said, or where the supervisor comes to an image that has such a USER."""
    config = subject.compiled.config
    started = (*(config.entrypoint or ()), *(config.cmd or ()))
    span = subject.span("user", "supervisor")
    if span is None or config.user in ROOT_USERS or not any("supervisord" in word for word in started):
        return
    if _asks_for_root(subject):
        name = config.user
        say(
            f"supervisord is started as {name}, and its configuration asks for root: it refuses to start",
            span,
            f"leave the image root, and say the user of each program: programs: {{NAME: {{user: {name}}}}}; or say "
            f"supervisor: {{options: {{user: {name}, pidfile: /tmp/supervisord.pid}}}}",
        )


RULE = ImageRule(code="supervisor-not-root", severity="warning", check=_check)
