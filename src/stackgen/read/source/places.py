"""The parser's marks as lines and columns."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

# What libyaml, of YAML 1.1, takes for line ends too; YAML 1.2 and editors do not.
_OTHER_BREAKS = re.compile("\r(?!\n)|[\x85\u2028\u2029]")


def places(text: str) -> Callable[[Any], tuple[int, int]]:
    """Give what tells the line and column of one of the parser's marks, as an editor counts them."""
    if not _OTHER_BREAKS.search(text):
        return lambda mark: (mark.line + 1, mark.column + 1)
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def at(mark: Any) -> tuple[int, int]:
        line = bisect_right(starts, mark.index)
        return line, mark.index - starts[line - 1] + 1

    return at
