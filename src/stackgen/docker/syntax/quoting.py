"""A value of the stack language to a word of a Dockerfile.

In the stack language ``$`` means what it means in a Dockerfile, ``\\$`` is a dollar, and all else is
literal: quotes, blanks, ``#`` and every other backslash. In a Dockerfile word quotes and backslashes have a
meaning of their own, so they are escaped here, and `shell.expand_word` is the inverse:
``expand_word(quote(v), {})`` is `v` for a `v` without dollars. Inside ``${NAME:-…}`` the same holds for the
text after the operator, where ``\\}`` is a brace. A pattern of ``${NAME#…}`` or ``${NAME/…/…}`` keeps the
backslashes that Docker's patterns have.
"""

from __future__ import annotations

import re

from stackgen.docker.errors import Unsayable
from stackgen.docker.shell import GO_SPACE, is_name_character

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_IN_PATTERNS = "*?[\\"
_SPECIAL_NAMES = "@*#?-$!0123456789"


def quote(value: str) -> str:
    """`value` as a double-quoted word, as ENV, LABEL and ARG take it."""
    return f'"{_escaped(check(value))}"'


def quote_key(value: str) -> str:
    """A label's key or a variable's name as a word, quoted where it must be."""
    if _PLAIN_NAME.match(value):
        return value
    if not value:
        raise Unsayable("a name cannot be empty")
    if "=" in value:
        raise Unsayable(f"the name {value!r} has a =, where a Dockerfile ends a name")
    return quote(value)


def quote_path(value: str) -> str:
    """`value` as a word of COPY, WORKDIR, USER, VOLUME or EXPOSE, quoted only where it must be.

    A blank within it needs no quotes: WORKDIR and USER take the rest of the line, and `to_text` writes
    COPY, ADD and VOLUME in their JSON form.
    """
    check(value)
    must_be_quoted = (
        not value
        or any(character in value for character in "\"'")
        or "\\" in value.replace("\\$", "")
        or value[0] in GO_SPACE + "[#\ufeff"
        or value[-1] in GO_SPACE
        or value.startswith("--")
        or "<<" in value
    )
    return quote(value) if must_be_quoted else _escaped(value)


def literal_source(path: str) -> str:
    """The word of COPY or ADD that means the one file of that name: ``a[1] $b.txt`` is ``[a]\\[1\\] \\$b.txt``.

    A source is expanded, and then it is a pattern, for two readers with ways of their own. The one that picks what is
    sent to the engine takes an escape anywhere, no class of ``*`` or ``?``, trims blanks and obeys a ``!`` in front;
    the one that copies takes no escape before a first class, ``*`` or ``?``. Escapes behind a class of one character
    that needs none are what both read alike.

    What cannot be said: a control character, text that is not Unicode, and at the top of the context a name made of
    ``*`` and ``?`` only. ADD still unpacks an archive, and fetches what looks like a URL or a git repository.
    """
    if _CONTROL.search(check(path)):
        raise Unsayable(
            "BuildKit sends the names of what it copies as a header, where control characters are not allowed"
        )
    word = re.sub(r"[\\\"'$]", r"\\\g<0>", _literal_pattern(path))
    # An escape in front keeps `<<name` from being a heredoc and `--name` from being a flag.
    return "\\" + word if re.match(r"\d*<<|--", word) else word


def escape_dollar(text: str) -> str:
    """`text` with every dollar literal, in the stack language's way."""
    return text.replace("$", "\\$")


def check(value: str, *, newline_too: bool = True) -> str:
    """`value`, if a word can hold it at all."""
    if newline_too and "\n" in value:
        raise Unsayable("a line of a Dockerfile ends at a newline, and no escape stands for one")
    if "\0" in value:
        raise Unsayable("no process can be given a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unsayable("a lone surrogate is no character, and UTF-8 cannot hold it") from None
    return value


def _literal_pattern(path: str) -> str:
    """`path` as a pattern that BuildKit's sender and its copier both match with that name alone."""
    first = next((at for at, character in enumerate(path) if character in _IN_PATTERNS), -1)
    at_the_ends = {at for at in (0, len(path) - 1) if path and path[at] in GO_SPACE}
    if path.startswith(("!", "\ufeff")):
        at_the_ends.add(0)
    if first < 0 and not at_the_ends:
        return path
    classes = at_the_ends | ({_class_at(path, first)} if first >= 0 else set())
    return "".join(
        f"[{_in_pattern(character)}]" if at in classes else _in_pattern(character) for at, character in enumerate(path)
    )


def _in_pattern(character: str) -> str:
    return "\\" + character if character in _IN_PATTERNS + "]^" else character


def _class_at(path: str, first: int) -> int:
    """Where to put the class that makes the copier read the escape at `first`: in its component or in one before it."""
    start = path.rfind("/", 0, first) + 1
    end = path.index("/", first) if "/" in path[first:] else len(path)
    places: list[int] = [*range(start, end), *range(start)]
    for unwanted in (_IN_PATTERNS + "]^/.-", "*?/.-"):
        fitting = [at for at in places if path[at] not in unwanted]
        if fitting:
            return fitting[0]
    raise Unsayable(f"a COPY cannot name the one file {path!r}, and no other, at the top of its context")


def _escaped(value: str) -> str:
    if "$" not in value:
        return value.replace("\\", "\\\\").replace('"', '\\"')
    return _Value(value).text("")


class _Value:
    """Reads a value of the stack language and writes it as the inside of a double-quoted word."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.at = 0

    def text(self, stop: str) -> str:
        """Literal text and expansions, up to the brace that closes the ``${NAME:-`` around it, or the end."""
        result: list[str] = []
        # Within an expansion BuildKit's lexer takes single quotes off as well.
        escaped = "\\\"'" if stop else '\\"'
        while self.at < len(self.value):
            character = self.value[self.at]
            if stop and character == stop:
                return "".join(result)
            if character == "$":
                result.append(self.expansion())
                continue
            self.at += 1
            if character == "\\" and (following := self.value[self.at : self.at + 1]) and following in "$" + stop:
                self.at += 1
                result.append("\\" + following)
            else:
                result.append("\\" + character if character in escaped else character)
        if stop:
            raise Unsayable(f"a ${{ is not closed in {self.value!r}")
        return "".join(result)

    def expansion(self) -> str:
        if not self.value.startswith("${", self.at):
            return self.take(1) + self.name()
        opening = self.take(2)
        name = self.name()
        operator = self.take(2 if self.value.startswith(":", self.at) else 1)
        if operator == "}" and name:
            return opening + name + operator
        if operator.startswith(":") and not name:
            raise Unsayable(f"an expansion without a name in {self.value!r}")
        if operator in ("-", "+", "?", ":-", ":+", ":?"):
            return opening + name + operator + self.text("}") + self.take(1)
        if operator in ("#", "%"):
            return opening + name + operator + self.pattern("}")
        if operator == "/":
            every = self.take(1) if self.value.startswith("/", self.at) else ""
            # With // BuildKit reads the replacement as a template of Go's, which says $ as $$.
            return opening + name + operator + every + self.pattern("/") + self.replacement("$$" if every else "$")
        raise Unsayable(f"Docker knows no expansion {opening}{name}{operator}… in {self.value!r}")

    def name(self) -> str:
        start = self.at
        first = self.value[start : start + 1]
        if first.isdecimal():
            while self.value[self.at : self.at + 1].isdecimal():
                self.at += 1
        elif first and first in _SPECIAL_NAMES:
            self.at += 1
        else:
            while self.at < len(self.value) and is_name_character(self.value[self.at]):
                self.at += 1
        return self.value[start : self.at]

    def take(self, count: int) -> str:
        taken = self.value[self.at : self.at + count]
        self.at += count
        return taken

    def pattern(self, stop: str) -> str:
        """Docker's pattern, escapes and all, and the character that ends it."""
        result: list[str] = []
        while (character := self.take(1)) != stop:
            if not character:
                raise Unsayable(f"a ${{ is not closed in {self.value!r}")
            if character == "$":
                self.at -= 1
                result.append(self.expansion())
            elif character == "\\" and (following := self.take(1)):
                result.append("'$'" if following == "$" else character + self.unquoted(following))
            else:
                result.append(self.unquoted(character))
        return "".join(result) + stop

    def replacement(self, dollar: str) -> str:
        """The text that is put in a match's place, and the brace; `dollar` is how it says a dollar.

        BuildKit keeps every backslash here, so nothing but single quotes takes a character's meaning away.
        """
        result: list[str] = []
        while (character := self.take(1)) != "}":
            if not character:
                raise Unsayable(f"a ${{ is not closed in {self.value!r}")
            if character == "$":
                self.at -= 1
                result.append(self.expansion())
            elif character == "\\":
                literal = self.take(1) if self.value[self.at : self.at + 1] in ("$", "}") else character
                result.append(f"'{dollar if literal == '$' else literal}'")
            else:
                result.append(self.unquoted(character))
        return "".join(result) + "}"

    def unquoted(self, character: str) -> str:
        if character in "\"'":
            raise Unsayable(f"a quote within a pattern or replacement of ${{…}}: {self.value!r}")
        return character
