"""Whether the labels in a configuration are the model's."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from edge.config.problems import Problem, join_key
from edge.config.values import Camera, Config
from edge.core.likeness import like

_DEFAULT = "default"  # in thresholds and sizes: all other labels


def check_labels(config: Config, labels: Collection[str]) -> list[Problem]:
    """A problem for each label that the model does not know, with its line and the nearest one it does."""
    known = set(labels)
    problems = []
    for name, camera in config.cameras.items():
        for key, label in _used(camera, join_key("cameras", name)):
            if label not in known:
                line = config.origin.lines.get(key.partition("[")[0])
                problems.append(Problem(key, _unknown(label, labels), line))
    return problems


def _used(camera: Camera, key: str) -> Iterator[tuple[str, str]]:
    for label in camera.thresholds:
        if label != _DEFAULT:
            yield join_key(f"{key}.thresholds", label), label
    for label in camera.sizes:
        if label != _DEFAULT:
            yield join_key(f"{key}.sizes", label), label
    for i, label in enumerate(camera.labels or ()):
        yield f"{key}.labels[{i}]", label
    # The default for redaction is a wish, not the user's word: a model without persons is fine.
    if camera.snapshots.redact != type(camera.snapshots)().redact:
        for i, label in enumerate(camera.snapshots.redact):
            yield f"{key}.snapshots.redact[{i}]", label
    for name, rule in camera.rules.items():
        if rule.label is not None:
            yield join_key(join_key(f"{key}.rules", name), "label"), rule.label


def _unknown(label: str, labels: Collection[str]) -> str:
    by_lower = {known.lower(): known for known in labels}
    near = like(label.lower(), by_lower)
    if near:
        return f"the model has no label {label!r}; did you mean {by_lower[near[0]]!r}?"
    some = ", ".join(list(labels)[:8])
    more = f" and {len(labels) - 8} more (`edge models inspect` tells all)" if len(labels) > 8 else ""
    return f"the model has no label {label!r}; it has {some}{more}"
