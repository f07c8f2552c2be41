"""YAML as DVC and people both understand it: each key once, numbers in decimals, and no larger than params are.

PyYAML reads YAML 1.1, DVC YAML 1.2: to one of them 010 is 8, to the other 10. What the two, or two readers of the file,
would take differently is refused here.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from efficientad.errors import ParamsError

DEEPEST = 20  # sections in sections
MOST_NODES = 100_000  # values, those that aliases repeat among them
MOST_BYTES = 4_000_000
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")  # what 64 bits hold


def read_yaml(path: Path, times: int = 1) -> dict[str, Any]:
    """Return the mapping in a YAML file, of plain values; ParamsError, of one line, where it holds anything else.

    times: how much larger than params the file may be.
    """
    try:
        size, most = path.stat().st_size, times * MOST_BYTES
        if size > most:
            raise ParamsError(f"expected at most {most:,} bytes of YAML in {path}, got {size:,}; look what it is")
        loader = _Loader(path.read_text(encoding="utf-8"), times * MOST_NODES)
        try:
            tree = loader.get_single_data()
        finally:
            loader.dispose()
    except OSError as error:
        raise ParamsError(f"expected a file that can be read at {path}: {error}; check it") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the latter two of \U in quotes, and of bytes
        raise ParamsError(f"expected YAML in UTF-8 in {path}: {' '.join(str(error).split())}; correct it") from error
    if not isinstance(tree, dict):
        raise ParamsError(f"expected sections in {path}, got {type(tree).__name__}")
    return tree


class _Loader(yaml.SafeLoader):
    """The safe loader, which builds plain values alone, with the bounds and rules of this file."""

    def __init__(self, text: str, most_nodes: int) -> None:
        super().__init__(text)
        self.depth, self.count, self.most_nodes = 0, 0, most_nodes
        self.sizes: dict[yaml.Node, int] = {}  # nodes in each node that is complete

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node, counted with what an alias repeats."""
        is_alias = self.check_event(yaml.AliasEvent)
        mark, before = self.peek_event().start_mark, self.count  # type: ignore[no-untyped-call]
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"more than {DEEPEST} levels of sections", problem_mark=mark)
        node = super().compose_node(parent, index)
        assert node is not None
        self.depth -= 1
        if not is_alias:
            self.count += 1
            self.sizes[node] = self.count - before
        elif node not in self.sizes:
            raise yaml.MarkedYAMLError(problem="an alias inside of what it repeats", problem_mark=mark)
        else:
            self.count += self.sizes[node]
        if self.count > self.most_nodes:
            raise yaml.MarkedYAMLError(problem=f"more than {self.most_nodes:,} values", problem_mark=mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compose a mapping; of a key that stands there twice no reader knows which value is meant."""
        node = super().compose_mapping_node(anchor)
        assert node is not None
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key that is not plain text", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value} twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Build a value; a date or number that is none is an error of the file."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, LookupError, AttributeError) as error:  # what PyYAML trips over
            raise yaml.MarkedYAMLError(
                problem=f"a value that is none: {error}", problem_mark=node.start_mark
            ) from error

    def construct_decimal(self, node: yaml.ScalarNode) -> int:
        """Build a whole number, written in one of the ways that all versions of YAML agree on."""
        if not _DECIMAL.fullmatch(node.value):
            raise ValueError("a whole number is written in decimals, at most 19, without leading zeros")
        return int(node.value)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_decimal)
