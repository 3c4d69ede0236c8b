"""supervisord's files: options as its parser reads them (http://supervisord.org/configuration.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stackgen.know.templates import Templates
from stackgen.stack.lower.steps import ProgramFile, SupervisorFile


class Unsayable(ValueError):
    """A value that supervisord's configuration cannot hold."""


# `-n` keeps it in the foreground; what it says itself goes to the container's own output.
_OWN: Mapping[str, object] = {
    "user": "root",
    "nodaemon": True,
    "logfile": "/dev/null",
    "logfile_maxbytes": "0",
    "pidfile": "/run/supervisord.pid",
}
_TO_STDOUT: Mapping[str, object] = {
    "stdout_logfile": "/dev/fd/1",
    "stdout_logfile_maxbytes": "0",
    "redirect_stderr": True,
}
_TO_FILES: Mapping[str, object] = {
    "stdout_logfile": "/var/log/supervisor/{name}.log",
    "stderr_logfile": "/var/log/supervisor/{name}-error.log",
}
# Options in which supervisord expands %(…)s itself, so that a literal % is doubled: all but these.
_LITERAL_PERCENT = frozenset({"autorestart", "exitcodes", "stopsignal"})


def supervisord_conf(file: SupervisorFile, templates: Templates) -> str:
    """Give supervisord.conf. Raises Unsayable."""
    supervisor = file.supervisor
    own = dict(_OWN)
    if supervisor.logs == "files":
        own |= {"logfile": "/var/log/supervisor/supervisord.log", "logfile_maxbytes": "50MB"}
    options = {name: value(name, each) for name, each in {**own, **supervisor.options}.items()}
    return templates.render("supervisord/supervisord.conf.j2", options=options, include=supervisor.include)


def program_conf(file: ProgramFile, templates: Templates) -> str:
    """Give one program's file. Raises Unsayable."""
    program = file.program
    if program is None:
        return templates.render("supervisord/program.conf.j2", off=True, name=file.name)
    said = program.options
    options: dict[str, object] = {}
    if "command" in said:
        options["command"] = said["command"]
    if program.kind == "program":
        options["autorestart"] = True
        logs = _TO_FILES if file.logs == "files" else _TO_STDOUT
        options |= _logs(logs, said, program.name)
    options |= said
    return templates.render(
        "supervisord/program.conf.j2",
        off=False,
        kind=program.kind,
        name=program.name,
        options={name: value(name, each) for name, each in options.items()},
    )


def _logs(defaults: Mapping[str, object], said: Mapping[str, Any], name: str) -> dict[str, object]:
    """Give where a program writes to; a size limit of our own does not outlive our own file."""
    chosen = {key: each.replace("{name}", name) if isinstance(each, str) else each for key, each in defaults.items()}
    if "stdout_logfile" in said:
        chosen.pop("stdout_logfile_maxbytes", None)
    if "stderr_logfile" in said:
        chosen.pop("redirect_stderr", None)
    return chosen


def value(name: str, said: Any) -> str:
    """Give an option's value as supervisord reads it back. Raises Unsayable."""
    if isinstance(said, bool):
        return "true" if said else "false"
    if isinstance(said, Mapping):
        return environment(said)
    if isinstance(said, list | tuple):
        return ",".join(value(name, each) for each in said)
    text = str(said)
    if "\n" in text or "\r" in text:
        raise Unsayable("an option of supervisord stands on one line")
    if text != text.strip():
        raise Unsayable("supervisord drops blanks at the ends of a value")
    text = text if name in _LITERAL_PERCENT else escape_percent(text)
    return hide_comments(text) if name == "command" else _without_comments(text)


def escape_percent(text: str) -> str:
    """Double each %, but for supervisord's own %(…)s."""
    return re.sub(
        r"%(?!\((?:ENV_\w+|program_name|process_num|group_name|here|host_node_name|numprocs)\)[-#0-9]*[sd])",
        "%%",
        text,
    )


def hide_comments(command: str) -> str:
    """Keep a ` ;` or ` #` within a command from beginning a comment.

    supervisord's parser cuts a value at a blank followed by one of the two, quotes or not. The command is split as
    a shell's words, where an empty quotation changes nothing: `a ; b` becomes `a "";" b`, inside quotes `a ""; b`.
    """
    made: list[str] = []
    quote = ""
    index = 0
    while index < len(command):
        character = command[index]
        if character in ";#" and (not index or command[index - 1].isspace()):
            made.append(f"{quote}{quote}" if quote else '""')
        if character == "\\" and quote != "'" and index + 1 < len(command):
            made.append(character)
            index += 1
            character = command[index]
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        made.append(character)
        index += 1
    return "".join(made)


def _without_comments(text: str) -> str:
    if re.search(r"(^|\s)[;#]", text):
        raise Unsayable("supervisord takes a ; or # after a blank for a comment")
    return text


def environment(variables: Mapping[str, str | None]) -> str:
    """Give KEY="value",… as supervisord splits it. Raises Unsayable.

    A value stands in one kind of quotes without an escape for it, and supervisord strips quotes of either kind from
    both ends of it.
    """
    parts: list[str] = []
    for name, text in variables.items():
        text = "" if text is None else str(text)
        quote = "'" if '"' in text else '"'
        if quote in text:
            raise Unsayable(f"environment `{name}` holds both kinds of quotes")
        if text.strip("'\"") != text:
            raise Unsayable(f"environment `{name}` begins or ends with a quote, which supervisord strips")
        if "\n" in text or "\r" in text:
            raise Unsayable(f"environment `{name}` has several lines")
        parts.append(f"{name}={quote}{escape_percent(_without_comments(text))}{quote}")
    return ",".join(parts)
