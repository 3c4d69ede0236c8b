"""What can go wrong between a value, a Dockerfile and an image. Each says why in one sentence."""

from __future__ import annotations


class Unsayable(ValueError):
    """A value that no Dockerfile can hold."""

    @property
    def reason(self) -> str:
        """Why not, as a sentence without a full stop."""
        return str(self.args[0])


class DockerfileError(ValueError):
    """A Dockerfile that BuildKit would not parse."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        """`message` is one sentence; `line` and `column` count from 1."""
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class RefusedError(ValueError):
    """What parses, and is refused when BuildKit comes to it: a port 99999, a signal SIGFOO."""


class ExpansionError(RefusedError):
    """A word with a quote or a ``${`` left open, an unknown operator, or a ``${NAME:?message}`` not met."""


class NoAnswerError(Exception):
    """An engine that cannot be asked what an image brings, or that does not have it."""

    def __init__(self, message: str, help: str) -> None:
        """`message` is one sentence, `help` what to type."""
        super().__init__(message)
        self.help = help
