"""Programs that are configured, in an image whose entrypoint does not start the supervisor."""

from __future__ import annotations

from stackgen.lint.rule import ImageRule, Say, Subject


def _check(subject: Subject, say: Say) -> None:
    compiled = subject.compiled
    span = subject.span("entrypoint")
    started = [*(compiled.config.entrypoint or ()), *(compiled.config.cmd or ())]
    if span is None or not compiled.programs or any("supervisord" in word for word in started):
        return
    names = ", ".join(sorted(compiled.programs))
    say(
        f"nothing starts supervisord here, so these programs never run: {names}",
        span,
        'end the entrypoint with it: [/init.sh, supervisord, -n, -c, "{{ supervisor.config }}"]; or turn them off: '
        "programs: {NAME: !reset}",
    )


RULE = ImageRule(code="supervisor-dropped", severity="warning", check=_check)
