"""What supervisord runs, the one thing that reaches across images: a child that names an inherited program merges with
it, evaluated anew, and writes its file again; `!reset` turns it off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, TypeAlias

from stackgen.diagnostics import Findings, Related, Span, did_you_mean, suggestion
from stackgen.read import shape, source
from stackgen.read.source import Node
from stackgen.stack.expressions import Fault, Scope, evaluate, evaluate_strictly
from stackgen.stack.merge import is_reset, merge, settle
from stackgen.stack.model import Program

Block = Literal["programs", "eventlisteners", "groups"]
Key: TypeAlias = tuple[Block, str]
BLOCKS: tuple[Block, ...] = ("programs", "eventlisteners", "groups")
SECTIONS: Mapping[Block, Literal["program", "eventlistener", "group"]] = {
    "programs": "program",
    "eventlisteners": "eventlistener",
    "groups": "group",
}


def schema_of(block: Block, name: str) -> shape.Schema:
    """Give the schema of one program's, listener's or group's options."""
    return shape.inside(shape.load("stack"), block, name)


def merge_programs(
    merged: source.Mapping, inherited: Mapping[Key, Node], scope: Scope
) -> tuple[dict[Key, Node], dict[Key, Span]]:
    """Give what an image says of programs, merged with what it inherits of the same name, and what it turns off."""
    own: dict[Key, Node] = {}
    turned_off: dict[Key, Span] = {}
    for block in BLOCKS:
        entries = merged.get(block)
        for name, span, node in entries.items() if isinstance(entries, source.Mapping) else ():
            key: Key = (block, name)
            if is_reset(node):
                turned_off[key] = span
            elif key in inherited:
                own[key] = merge(inherited[key], node, schema_of(block, name), lambda part: evaluate(part, scope))
            else:
                own[key] = node
    return own, turned_off


def with_programs(
    node: source.Mapping, own: Mapping[Key, Node], scope: Scope, merged: source.Mapping
) -> source.Mapping:
    """Give an image's node with its programs evaluated."""
    for block in BLOCKS:
        entries = merged.get(block)
        made = {
            name: evaluated
            for (kind, name), program in own.items()
            if kind == block
            and (settled := settle(program)) is not None
            and (evaluated := evaluate(settled, scope)) is not None
        }
        if made and isinstance(entries, source.Mapping):
            node = replace(
                node,
                values={**node.values, block: replace(entries, values=made, tag=None)},
                keys={**node.keys, block: merged.keys[block]},
            )
    return node


def read_programs(node: source.Mapping) -> dict[Key, Program]:
    """Give programs, event listeners and groups of a node that passed the schema."""
    found: dict[Key, Program] = {}
    for block in BLOCKS:
        entries = node.get(block)
        for name, span, value in entries.items() if isinstance(entries, source.Mapping) else ():
            options = shape.typed(value, schema_of(block, name))
            spans = value.keys if isinstance(value, source.Mapping) else {}
            found[block, name] = Program(SECTIONS[block], name, options, span, spans)
    return found


def left_behind(
    inherited: Mapping[Key, Node], before: Mapping[Key, Program], named: frozenset[Key], scope: Scope
) -> dict[Key, frozenset[str]]:
    """Give the inherited programs that would be written otherwise in this scope, and that the image does not name, each
    with the variables that it is made of.
    """
    found: dict[Key, frozenset[str]] = {}
    for key, raw in inherited.items():
        settled = settle(raw)
        if key in named or key not in before or settled is None:
            continue
        own = Scope(scope.variables, scope.facts, scope.findings)
        try:
            options = shape.typed(evaluate_strictly(settled, own), schema_of(*key))
        except Fault:
            continue
        if options != before[key].options:
            found[key] = frozenset(own.used)
    return found


def check_programs(effective: Mapping[Key, Program], turned_off: Mapping[Key, Span], findings: Findings) -> None:
    """Find what supervisord would not start with: a program without a command, a group of what is not there.

    Findings: missing-key, unknown-program.
    """
    names = [name for block, name in effective if block == "programs"]
    places = {name: program.span for (block, name), program in effective.items() if block == "programs"}
    for (block, name), program in effective.items():
        if block != "groups" and "command" not in program.options:
            close = did_you_mean(name, [other for other in names if other != name])
            findings.error(
                "missing-key",
                f"`{name}` needs `command`, and no image above runs a program of this name",
                program.span,
                help=f'did you mean "{close}"?' if close else "command: …",
                related=[Related(f'"{close}" is given here', places[close])] if close else (),
                topic=("no-program", name),
            )
        for member in program.options.get("programs", ()) if block == "groups" else ():
            if member not in names:
                off = turned_off.get(("programs", member))
                close = did_you_mean(member, names)
                related = [Related("it is turned off here", off)] if off else []
                related += [Related(f'"{close}" is given here', places[close])] if close and not off else []
                findings.error(
                    "unknown-program",
                    f'the group `{name}` has a program "{member}" that is not there',
                    program.spans.get("programs", program.span),
                    help=_regrouped(name, program, names)
                    if off
                    else suggestion(member, names, f"programs here: {', '.join(names) or 'none'}"),
                    related=related,
                    topic=("no-program", member),
                )


def _regrouped(name: str, program: Program, names: list[str]) -> str:
    left = ", ".join(member for member in program.options["programs"] if member in names)
    return f"say the group again where it is turned off: groups: {{{name}: {{programs: !override [{left}]}}}}"
