"""Which data set categories a model's labels stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.core.errors import ConfigError

# The label list that came with Darknet's COCO models says these four the British/VOC way
# (github:pjreddie/darknet, data/coco.names), and many a converted model has inherited them.
_OTHER_WORDS = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "sofa": "couch",
    "tvmonitor": "tv",
}


@dataclass(frozen=True, slots=True)
class ScoredClass:
    """One row of the evaluation: what the model calls it, and what the data set calls it.

    class_ids : the model's class ids with this label
    categories : the data set's names whose boxes count as this label
    """

    label: str
    class_ids: tuple[int, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassMatch:
    """The model's words and the data set's, side by side.

    unscored_labels : the model knows them, the set does not: they can't be measured, and don't count
    unknown_categories : the set has them, the model does not: they don't count
    """

    scored: tuple[ScoredClass, ...]
    unscored_labels: tuple[str, ...]
    unknown_categories: tuple[str, ...]


def match_classes(
    labels: Sequence[str], groups: Mapping[str, Sequence[str]] | None, categories: Sequence[str]
) -> ClassMatch:
    """Match by name; letter case, spaces, ``_`` and ``-`` do not matter.

    Parameters
    ----------
    labels : the model's, ``labels[class_id]``
    groups : label -> category names it stands for; a label without an entry stands for its own name
    categories : the data set's names

    Raises
    ------
    ConfigError
        If no label matches: the figure would be about nothing.
    """
    by_key: dict[str, list[str]] = {}
    for category in categories:
        by_key.setdefault(_key(category), []).append(category)
    ids: dict[str, list[int]] = {}
    for class_id, label in enumerate(labels):
        ids.setdefault(label, []).append(class_id)

    scored, unscored = [], []
    for label, class_ids in ids.items():
        words = (groups or {}).get(label) or (label,)
        meant = tuple(dict.fromkeys(name for word in words for name in by_key.get(_key(word), ())))
        if meant:
            scored.append(ScoredClass(label, tuple(class_ids), meant))
        else:
            unscored.append(label)
    if not scored:
        raise ConfigError(
            f"the model's labels ({_few(labels)}) and the annotations' categories ({_few(categories)}) have no name "
            "in common: nothing can be measured. Give the model the right label file, or its card `groups`"
        )
    known = {name for entry in scored for name in entry.categories}
    return ClassMatch(tuple(scored), tuple(unscored), tuple(name for name in categories if name not in known))


def _key(name: str) -> str:
    key = "".join(letter for letter in name.casefold() if letter.isalnum())
    return _OTHER_WORDS.get(key, key) or name


def _few(names: Sequence[str], count: int = 5) -> str:
    return ", ".join(names[:count]) + (", ..." if len(names) > count else "")
