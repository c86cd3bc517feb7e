"""Nodes back to YAML text, as they were written: bare words stay bare, quoted texts stay quoted."""

from __future__ import annotations

from typing import Any

import yaml

from edge.config.nodes import Mapping, Node, Scalar

_STRING = "tag:yaml.org,2002:str"
_RESOLVER: Any = yaml.resolver.Resolver()
_WIDE = 4096  # no line is folded: a certificate's name or an address stays in one piece


def yaml_text(node: Node) -> str:
    """One YAML document that reads as the node does."""
    return str(yaml.serialize(_as_yaml(node), Dumper=yaml.SafeDumper, allow_unicode=True, width=_WIDE))


def _as_yaml(node: Node) -> Any:
    if isinstance(node, Scalar):
        if node.quoted:
            return yaml.ScalarNode(_STRING, node.text, style='"')
        return yaml.ScalarNode(_RESOLVER.resolve(yaml.ScalarNode, node.text, (True, False)), node.text)
    if isinstance(node, Mapping):
        pairs = [(_as_yaml(key), _as_yaml(value)) for key, value in node.entries]
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=False)
    items = [_as_yaml(item) for item in node.items]
    return yaml.SequenceNode("tag:yaml.org,2002:seq", items, flow_style=True)
