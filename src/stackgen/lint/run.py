"""Runs every rule over the images of a run."""

from __future__ import annotations

from stackgen.diagnostics import Findings
from stackgen.docker import inherit
from stackgen.lint import (
    doubled_dest,
    entrypoint_and_cmd,
    mutable_tag,
    onbuild,
    overwritten_file,
    ports,
    program_left_behind,
    reference,
    relative_workdir,
    run_needs_root,
    secret_in_instruction,
    shell_form,
    supervisor_dropped,
    supervisor_not_root,
    unused,
    write_under_volume,
)
from stackgen.lint.rule import ImageRule, Subject, Whole, WholeRule, say_for
from stackgen.read.inputs import Inputs
from stackgen.stack.compile import Compiled

IMAGE_RULES: tuple[ImageRule, ...] = (
    doubled_dest.RULE,
    entrypoint_and_cmd.IGNORES,
    entrypoint_and_cmd.RESETS,
    mutable_tag.RULE,
    onbuild.ALL,
    onbuild.CONTEXT,
    ports.EXPOSED,
    ports.PROGRAMS,
    program_left_behind.RULE,
    reference.RULE,
    relative_workdir.RULE,
    run_needs_root.RULE,
    secret_in_instruction.RULE,
    shell_form.RULE,
    supervisor_dropped.RULE,
    supervisor_not_root.RULE,
    write_under_volume.RULE,
)
WHOLE_RULES: tuple[WholeRule, ...] = (
    overwritten_file.RULE,
    ports.HOST,
    unused.VARIABLES,
    unused.FILES,
    unused.BRANCHES,
)


def lint(images: tuple[Compiled, ...], complete: frozenset[str], inputs: Inputs, findings: Findings) -> None:
    """Apply every rule; `complete` are the folders of which every stack, and whoever stands on it, is among the images.

    Where there are errors, an image that is missing here may use what nobody else does.
    """
    broken = bool(findings.errors)
    subjects: dict[str, Subject] = {}
    for each in images:
        parent = subjects.get(each.unit.parent or "")
        if each.unit.parent is None or parent is not None:
            before = inherit.finish(inherit.begin(each.base))
            subjects[each.unit.key] = Subject(compiled=each, before=before, parent=parent)
    for rule in IMAGE_RULES:
        say = say_for(rule.code, rule.severity, findings)
        for subject in subjects.values():
            # What is only odd may come of what had to be left out.
            if rule.severity == "error" or not broken or subject.sound:
                rule.check(subject, say)
    whole = Whole(subjects=subjects, complete=frozenset() if broken else complete, inputs=inputs)
    for whole_rule in WHOLE_RULES:
        whole_rule.check(whole, say_for(whole_rule.code, whole_rule.severity, findings))
