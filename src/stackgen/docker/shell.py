"""BuildKit's shell lexer: what the quotes, escapes and ``$`` of a Dockerfile word come to.

The model is BuildKit's ``frontend/dockerfile/shell/lex.go``; the functions stand in its order, so that the
two can be read side by side. It is not a shell: patterns know ``*`` and ``?`` alone, ``//`` reads its
replacement as a template of Go's regexp package, and an unset name is an empty string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

from stackgen.docker.errors import ExpansionError

GO_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go calls a space. Python's ``str.isspace`` also counts U+001C to U+001F."""

_BOM = "\ufeff"
_SPECIAL_NAMES = "@*#?-$!0"
_NO_ENV: Mapping[str, str] = {}


def expand_word(word: str, env: Mapping[str, str], *, escape: str = "\\") -> str:
    """One word to one value: quotes taken off, names expanded; blanks stay."""
    if "$" not in word and '"' not in word and "'" not in word and escape not in word:
        return word.removeprefix(_BOM)
    return _lex(word, env, escape=escape)[0]


def expand_words(word: str, env: Mapping[str, str], *, escape: str = "\\") -> list[str]:
    """One word to any number of values: split at blanks that are not quoted, after expansion (EXPOSE)."""
    return _lex(word, env, escape=escape)[1]


def expand_document(text: str, env: Mapping[str, str]) -> str:
    """What COPY writes of a heredoc: names expanded, quotes left, and the escape character always a backslash."""
    return _lex(text, env, quotes=False)[0] if "$" in text or "\\" in text else text


def raw_words(line: str) -> list[str]:
    """A line's words with quotes and escapes left in, nothing expanded: where heredocs are looked for."""
    return _lex(line, _NO_ENV, raw_quotes=True, raw_escapes=True, keep_unset=True)[1]


def unquoted_words(text: str, *, raw_quotes: bool) -> list[str]:
    """The words of a heredoc's name, with or without its quotes."""
    return _lex(text, _NO_ENV, raw_quotes=raw_quotes, keep_unset=True)[1]


def is_name_character(character: str) -> bool:
    """Whether `character` goes on a name after ``$``: Go's letters and digits, and the underscore."""
    return character.isalpha() or character.isdecimal() or character == "_"


def _lex(
    word: str,
    env: Mapping[str, str],
    *,
    escape: str = "\\",
    raw_quotes: bool = False,
    raw_escapes: bool = False,
    keep_unset: bool = False,
    quotes: bool = True,
) -> tuple[str, list[str]]:
    # Go's text scanner drops a byte order mark that comes first.
    lexer = _Lexer(word.removeprefix(_BOM), env, escape, raw_quotes, raw_escapes, keep_unset, quotes)
    try:
        return lexer.until("", raw_escapes)
    except ExpansionError as error:
        raise ExpansionError(f"cannot expand {word!r}: {error}") from None


@dataclass(slots=True)
class _Lexer:
    text: str
    env: Mapping[str, str]
    escape: str
    raw_quotes: bool
    raw_escapes: bool
    keep_unset: bool
    quotes: bool
    at: int = 0
    word: str = ""

    def peek(self) -> str:
        """The next character, or nothing at the end."""
        return self.text[self.at : self.at + 1]

    def next(self) -> str:
        character = self.peek()
        self.at += 1
        return character

    def until(self, stop: str, raw_escapes: bool) -> tuple[str, list[str]]:
        """The text up to `stop` (or the end, where `stop` is empty), as one value and as words."""
        outer, self.raw_escapes = self.raw_escapes, raw_escapes
        try:
            return self._until(stop)
        finally:
            self.raw_escapes = outer

    def _until(self, stop: str) -> tuple[str, list[str]]:
        result: list[str] = []
        words: list[str] = []
        # BuildKit has one buffer for the word at hand, here and within ${…}. So where words are split, an expansion
        # with an operator swallows what stands before it in its word: EXPOSE 6${NO:-5}1 is 51.
        self.word = ""
        while character := self.peek():
            if character == stop:
                self.next()
                return "".join(result), self.end_word(words)
            if character == "'" and self.quotes:
                piece = self.add(self.single_quoted())
            elif character == '"' and self.quotes:
                piece = self.add(self.double_quoted())
            elif character == "$":
                piece = self.add_words(self.dollar(), words)
            elif character == self.escape:
                self.next()
                piece = self.add((character if self.raw_escapes else "") + self.next())
            else:
                piece = self.add_words(self.next(), words)
            result.append(piece)
        if stop:
            raise ExpansionError(f"the end comes before the closing {stop}")
        return "".join(result), self.end_word(words)

    def add(self, text: str) -> str:
        """Puts `text` on the word at hand, blanks too."""
        self.word += text
        return text

    def add_words(self, text: str, words: list[str]) -> str:
        """The same, but a blank ends the word."""
        for character in text:
            if character in GO_SPACE:
                self.end_word(words)
            else:
                self.word += character
        return text

    def end_word(self, words: list[str]) -> list[str]:
        """Adds the word at hand to `words`; one that is empty, even a quoted one, is none."""
        if self.word:
            words.append(self.word)
            self.word = ""
        return words

    def single_quoted(self) -> str:
        start = self.at
        end = self.text.find("'", start + 1)
        if end < 0:
            raise ExpansionError("a single quote is not closed")
        self.at = end + 1
        return self.text[start : end + 1] if self.raw_quotes else self.text[start + 1 : end]

    def double_quoted(self) -> str:
        opening = self.next()
        quote = opening if self.raw_quotes else ""
        result = [quote]
        while character := self.peek():
            if character == '"':
                self.next()
                result.append(quote)
                return "".join(result)
            if character == "$":
                result.append(self.dollar())
                continue
            self.next()
            if character == self.escape:
                if self.raw_escapes:
                    result.append(character)
                # Before anything else the escape character stands for itself.
                if self.peek() in ('"', "$", self.escape):
                    character = self.next()
            result.append(character)
        raise ExpansionError("a double quote is not closed")

    def dollar(self) -> str:
        self.next()
        if self.peek() != "{":
            return self._value(name, f"${name}") if (name := self.name()) else "$"
        self.next()
        if self.peek() in ("", "{", "}", ":"):
            raise ExpansionError("bad substitution after ${")
        name = self.name()
        operator = self.next()
        if operator == "}":
            return self._value(name, f"${{{name}}}")
        if operator == "/":
            return self.replacement(name)
        empty_is_unset = operator == ":"
        if empty_is_unset:
            operator = self.next()
        if not operator or operator not in ("+-?" if empty_is_unset else "+-?#%"):
            colon = ":" if empty_is_unset else ""
            raise ExpansionError(f"unknown operator {colon}{operator} in ${{{name}…}}")
        word, _ = self.until("}", operator in ("#", "%"))
        value = self.env.get(name)
        if value is None and self.keep_unset:
            return f"${{{name}{':' if empty_is_unset else ''}{operator}{word}}}"
        return _operate(name, value, operator, word, empty_is_unset)

    def replacement(self, name: str) -> str:
        """``${name/pattern/replacement}``, and with ``//`` each match of the pattern."""
        everywhere = self.peek() == "/"
        if everywhere:
            self.next()
        pattern, _ = self.until("/", True)
        replacement, _ = self.until("}", True)
        value = self.env.get(name)
        if value is None and self.keep_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        regex = re.compile(_regex(pattern, greedy=True))
        if everywhere:
            return _replace_all(regex, value or "", replacement)
        return regex.sub(lambda _: replacement, value or "", count=1)

    def name(self) -> str:
        start = self.at
        first = self.peek()
        if first.isdecimal():
            while self.peek().isdecimal():
                self.next()
        elif first and first in _SPECIAL_NAMES:
            self.next()
        else:
            while (character := self.peek()) and is_name_character(character):
                self.next()
        return self.text[start : self.at]

    def _value(self, name: str, written: str) -> str:
        value = self.env.get(name)
        return (written if self.keep_unset else "") if value is None else value


def _operate(name: str, value: str | None, operator: str, word: str, empty_is_unset: bool) -> str:
    given = value is not None and not (empty_is_unset and value == "")
    match operator:
        case "-":
            return value or "" if given else word
        case "+":
            return word if given else ""
        case "?":
            if not given:
                fault = "is not set" if value is None else "is empty"
                raise ExpansionError(f"{name}: {word or fault}")
            return value or ""
        case "#":
            return _trim_prefix(value or "", *_greed(word, operator))
        case _:
            # A regular expression finds the shortest match from the left alone, so both are turned round.
            pattern, greedy = _greed(word, operator)
            return _trim_prefix((value or "")[::-1], _reversed_pattern(pattern), greedy)[::-1]


def _greed(word: str, operator: str) -> tuple[str, bool]:
    return (word[1:], True) if word.startswith(operator) else (word, False)


def _trim_prefix(value: str, pattern: str, greedy: bool) -> str:
    match = re.match(_regex(pattern, greedy=greedy), value)
    return value[match.end() :] if match else value


def _regex(pattern: str, *, greedy: bool) -> str:
    """A pattern of ``${…}`` as a regular expression; ``\\`` may stand before ``* ? \\ } /`` only."""
    result: list[str] = []
    characters = iter(pattern.removeprefix(_BOM))
    for character in characters:
        if character == "*":
            result.append(".*" if greedy else ".*?")
        elif character == "?":
            result.append(".")
        elif character == "\\":
            escaped = next(characters, "")
            if not escaped or escaped not in "*?\\}/":
                raise ExpansionError(f"\\{escaped} is no escape in the pattern {pattern!r}")
            result.append(re.escape(escaped))
        else:
            result.append(re.escape(character))
    return "".join(result)


def _reversed_pattern(pattern: str) -> str:
    """`pattern` from its end, each escape kept before the character that it escapes."""
    return "".join(reversed(re.findall(r"\\.|.", pattern, re.DOTALL)))


def _replace_all(regex: re.Pattern[str], value: str, template: str) -> str:
    """Go's ``Regexp.ReplaceAllString``, which takes no empty match just behind another match."""
    result: list[str] = []
    end = at = 0
    while at <= len(value) and (match := regex.search(value, at)):
        result.append(value[end : match.start()])
        if match.end() > end or match.start() == 0:
            result.append(_fill(template, match[0]))
        end = match.end()
        at = max(at + 1, end)
    return "".join(result) + value[end:]


def _fill(template: str, match: str) -> str:
    """Go's ``Regexp.Expand`` where there are no groups: ``$0`` is the match, any other name is nothing."""
    result = ""
    while "$" in template:
        before, _, rest = template.partition("$")
        result += before
        braced = rest.startswith("{")
        name = "".join(takewhile(is_name_character, rest[braced:]))
        after = rest[braced + len(name) :]
        if rest.startswith("$"):
            result, template = result + "$", rest[1:]
        elif not name or (braced and not after.startswith("}")):
            result, template = result + "$", rest
        else:
            result, template = result + (match if name == "0" else ""), after[braced:]
    return result + template
