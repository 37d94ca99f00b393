"""YAML as configs need it: words, numbers, lists and mappings, bounded before anything is built.

A file of a kilobyte may name itself a billion times through anchors, or nest deeper than any
reader can follow. Both are seen in the stream of events, which costs no more than the file's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from pipeline.errors import InputError

MAX_DEPTH = 20
"""Mappings and lists within one another; the deepest config has seven."""

MAX_REPEATED = 100_000
"""Nodes and characters that aliases may repeat."""

MAX_DIGITS = 40
"""Characters of a number; more are read as one that no message could print."""

NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters, which an escape may name, but for the tab and the end of a line."""

MERGE = "tag:yaml.org,2002:merge"
TIMESTAMP = "tag:yaml.org,2002:timestamp"

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """Reads a date as the text that it is: no config holds one."""

    yaml_implicit_resolvers = {  # noqa: RUF012, as PyYAML declares it
        first: [pair for pair in pairs if pair[0] != TIMESTAMP]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def parse_yaml(text: str) -> Any:
    """Return what a YAML document holds.

    Raises `InputError` if it is no YAML, nests deeper than `MAX_DEPTH`, repeats more than
    `MAX_REPEATED` by aliases, holds a tag, a control character or a number longer than
    `MAX_DIGITS`, or states a key twice; the message names the line and no value.
    """
    try:
        _Bounds().require(yaml.parse(text, Loader=_Loader))
        return _build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"line {mark.line + 1}: " if mark else ""
        fault = ", ".join(str(each) for each in (error.context, error.problem) if each)
        message = f"not valid YAML: {at}{fault:.200}"
        raise InputError(message) from error
    except yaml.YAMLError as error:
        message = f"not valid YAML: {' '.join(str(error).split()):.200}"
        raise InputError(message) from error


def _build(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _require_sound(loader, node, set())
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _require_sound(loader: Any, node: yaml.Node, seen: set[int]) -> None:
    """Raise `InputError` for a number that is none, or a key that a mapping states twice."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        _require_distinct_keys(loader, node)
        for _, value in node.value:
            _require_sound(loader, value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _require_sound(loader, each, seen)
    else:
        _scalar(loader, node)


def _require_distinct_keys(loader: Any, node: yaml.MappingNode) -> None:
    lines: dict[Any, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            message = f"line {line}: a word or a number expected as a key, got a list or a mapping"
            raise InputError(message)
        name = "<<" if key.tag == MERGE else _scalar(loader, key)
        if name in lines:
            message = f"line {line}: key '{name!s:.80}' is stated already in line {lines[name]}"
            raise InputError(message)
        lines[name] = line


def _scalar(loader: Any, node: yaml.Node) -> Any:
    line = node.start_mark.line + 1
    if node.tag in NUMBERS and len(node.value) > MAX_DIGITS:
        message = f"line {line}: a number of at most {MAX_DIGITS} characters expected"
        raise InputError(message)
    if UNPRINTABLE.search(node.value):
        message = f"line {line}: text without control characters expected"
        raise InputError(message)
    try:
        return loader.construct_object(node)
    except ValueError as error:
        message = f"line {line}: a number expected, got what only looks like it"
        raise InputError(message) from error


@dataclass
class _Node:
    """A list or mapping that is open, or what an anchor stands for once it is closed."""

    anchor: str | None = None
    size: int = 1
    depth: int = 1


class _Bounds:
    """Counts what a stream of events would build, aliases written out."""

    def __init__(self) -> None:
        self.open: list[_Node] = []
        self.anchors: dict[str, _Node | None] = {}
        self.repeated = 0

    def require(self, events: Iterable[yaml.Event]) -> None:
        """Raise `InputError` at the first event that leads out of bounds."""
        for event in events:
            if isinstance(event, yaml.AliasEvent):
                self._repeat(event)
            elif isinstance(event, yaml.CollectionStartEvent | yaml.ScalarEvent):
                self._add(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close(self.open.pop())

    def _add(self, event: yaml.CollectionStartEvent | yaml.ScalarEvent) -> None:
        if event.tag is not None:
            message = f"line {_line(event)}: a plain value expected, got a tag"
            raise InputError(message)
        if isinstance(event, yaml.ScalarEvent):
            self._close(_Node(event.anchor, size=1 + len(event.value), depth=0))
            return
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.open.append(_Node(event.anchor))
        self._require_depth(0, event)

    def _repeat(self, event: yaml.AliasEvent) -> None:
        # An anchor that is unknown is for the parser to refuse.
        node = self.anchors.get(str(event.anchor), _Node(size=0, depth=0))
        line = _line(event)
        if node is None:
            message = f"line {line}: an alias expected outside of what it stands for"
            raise InputError(message)
        self.repeated += node.size
        if self.repeated > MAX_REPEATED:
            message = f"line {line}: aliases expected to repeat at most {MAX_REPEATED:,} values"
            raise InputError(message)
        self._require_depth(node.depth, event)
        self._grow(node)

    def _close(self, node: _Node) -> None:
        if node.anchor is not None:
            self.anchors[node.anchor] = node
        self._grow(node)

    def _grow(self, node: _Node) -> None:
        """Count a node to the one that it stands in."""
        if self.open:
            around = self.open[-1]
            around.size += node.size
            around.depth = max(around.depth, 1 + node.depth)

    def _require_depth(self, below: int, event: yaml.Event) -> None:
        if len(self.open) + below > MAX_DEPTH:
            message = (
                f"line {_line(event)}: at most {MAX_DEPTH} lists and mappings within one another "
                "expected"
            )
            raise InputError(message)


def _line(event: yaml.Event) -> int:
    return 0 if event.start_mark is None else event.start_mark.line + 1
