"""Which categories of a data set become which class of the detector."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """The detector's classes in their order, and the data set's categories that each stands for.

    Example
    -------
    ``person,vehicle=car+bus`` -> labels ("person", "vehicle"), members (("person",), ("car", "bus")).
    """

    labels: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def text(self) -> str:
        return ",".join(f"{label}={'+'.join(names)}" for label, names in zip(self.labels, self.members, strict=True))

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """As a model card has them: only where a label stands for something else than its own name."""
        pairs = zip(self.labels, self.members, strict=True)
        return {label: names for label, names in pairs if names != (label,)}

    def by_category(self) -> dict[str, int]:
        return {name: number for number, names in enumerate(self.members) for name in names}


def parse_classes(text: str) -> ClassPlan:
    """Raises UsageError."""
    labels, members = [], []
    for part in text.split(","):
        label, equals, names = part.strip().partition("=")
        found = tuple(name.strip() for name in names.split("+")) if equals else (label.strip(),)
        if not label.strip() or not all(found):
            raise UsageError(f"--classes: expected label or label=category+category, found {part!r}")
        labels.append(label.strip())
        members.append(found)
    flat = [name for names in members for name in names]
    twice = sorted(
        {name for name in flat if flat.count(name) > 1} | {name for name in labels if labels.count(name) > 1}
    )
    if twice:
        raise UsageError(f"--classes: {', '.join(twice)} stands twice; each category belongs to one class")
    return ClassPlan(tuple(labels), tuple(members))
