"""Programs that are configured, in an image that does not start the supervisor."""

from __future__ import annotations

from stackgen.lint.rule import ImageRule, Say, Subject


def _starts_it(subject: Subject) -> bool:
    """Whether supervisord is what is started, or is named in a script of the project's that is."""
    config = subject.compiled.config
    for word in (*(config.entrypoint or ()), *(config.cmd or ())):
        if "supervisord" in word:
            return True
        script = subject.file_at(word) if word.startswith("/") else None
        if script is not None and isinstance(script.content, bytes) and b"supervisord" in script.content:
            return True
    return False


def _check(subject: Subject, say: Say) -> None:
    """Told where the entrypoint goes away, or where programs are added to an image that has lost it above."""
    programs = subject.compiled.programs
    span = subject.span("entrypoint", "programs")
    if span is None or not programs or _starts_it(subject):
        return
    names = ", ".join(sorted(programs))
    say(
        f"nothing starts supervisord here, so these programs never run: {names}",
        span,
        'end the entrypoint with it, [/init.sh, supervisord, -n, -c, "{{ supervisor.config }}"], or turn them off, '
        f"programs: {{{min(programs)}: !reset null}}",
    )


RULE = ImageRule(code="supervisor-dropped", severity="warning", check=_check)
