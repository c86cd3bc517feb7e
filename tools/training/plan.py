"""What a training run does, written down beside it: the same plan gives the same detector."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from edge.core.errors import ConfigError, UsageError

NETWORKS = ("plain", "yolox-nano")
_WARM_STEPS = 150
# The averaged weights look back over this many pictures, whatever the batch.
_AVERAGE_PICTURES = 32_000
_LAST_RATE = 0.02  # of the first, at the end of the cosine


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    classes : as `tools.training.classes.parse_classes` takes them
    size : side of the network's picture, pixels; width : multiplies the network's channels
    pictures : in all, seen over the whole run (augmented views, not files)
    network : one of NETWORKS
    rate, decay : AdamW's learning rate at its highest, and weight decay
    backbone_rate : multiplies the backbone's rate: less than 1 where it starts from weights that are good already
    cool_down : the last part of the run, 0..1, over which the rate falls; it is flat before. A flat run can be ended
        well at any time: by a short one that starts from its weights and falls
    teacher : YOLOX-nano's .param file, whose maps, scores and boxes are learned besides the labels; "" = none
    rounded : 1 = maps are rounded as int8 will have them, for the last part of a training; 0 = not
    by_place : the first part of the run, 0..1, whose cells are assigned by place and size; then by task
    held_out : per cent of the recordings and pictures kept for curves and thresholds
    weights : how often pictures of a source are taken, 1 unless named: ``coco=2.5,intel=0.6``
    checks : evaluations on the held-out part, evenly over the run
    """

    classes: str
    size: int = 256
    width: float = 1.0
    network: str = "plain"
    pictures: int = 800_000
    batch: int = 32
    rate: float = 0.002
    backbone_rate: float = 1.0
    cool_down: float = 1.0
    decay: float = 0.03
    by_place: float = 0.6
    mosaic: float = 0.6
    paste: float = 0.5
    held_out: int = 12
    weights: str = ""
    teacher: str = ""
    rounded: int = 0
    checks: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size % 32 or not 64 <= self.size <= 640:
            raise UsageError(f"--size: expected a multiple of 32 from 64 to 640, found {self.size}")
        if self.batch < 1 or self.pictures < self.batch or self.checks < 1:
            raise UsageError("--pictures: expected at least one batch, --checks at least 1")
        if self.network not in NETWORKS:
            raise UsageError(f"--network: expected one of {', '.join(NETWORKS)}, found {self.network!r}")
        if self.rounded not in {0, 1}:
            raise UsageError(f"--rounded: expected 0 or 1, found {self.rounded}")
        if self.width != 1 and self.network != "plain":
            raise UsageError(f"--width: only --network plain comes in other widths, found {self.width:g}")
        if self.teacher and self.network != "yolox-nano":
            raise UsageError("--teacher: only --network yolox-nano has the maps to compare")
        if not 0 < self.cool_down <= 1:
            raise UsageError(f"--cool-down: expected more than 0, up to 1, found {self.cool_down}")
        if not 0 <= self.held_out < 100:
            raise UsageError(f"--held-out: expected 0 to 99 per cent, found {self.held_out}")
        self.source_weights()

    @property
    def steps(self) -> int:
        return self.pictures // self.batch

    @property
    def check_steps(self) -> frozenset[int]:
        """Steps after which the held-out part is looked at; the last step is one of them."""
        return frozenset(round(self.steps * (n + 1) / self.checks) for n in range(self.checks)) - {0}

    def rate_at(self, step: int) -> float:
        """A short warm-up, then flat, and at last a cosine down to a fiftieth."""
        part = max(0.0, 1 - (1 - step / self.steps) / self.cool_down)
        falling = 0.5 * (1 + math.cos(math.pi * part))
        return self.rate * min(1.0, (step + 1) / _WARM_STEPS) * (_LAST_RATE + (1 - _LAST_RATE) * falling)

    def average_decay(self, step: int) -> float:
        """How much of the averaged weights stays in one step; less at first, when the weights still are noise."""
        return min(math.exp(-self.batch / _AVERAGE_PICTURES), (1 + step) / (10 + step))

    def is_by_task(self, step: int) -> bool:
        return step >= self.by_place * self.steps

    def source_weights(self) -> dict[str, float]:
        try:
            pairs = [part.split("=") for part in self.weights.split(",") if part]
            found = {name.strip(): float(value) for name, value in pairs}
        except ValueError:
            raise UsageError(f"--weights: expected source=number,source=number, found {self.weights!r}") from None
        if any(value < 0 for value in found.values()):
            raise UsageError("--weights: expected numbers from 0 on")
        return found

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def read_plan(path: Path) -> Plan:
    """Raises ConfigError."""
    try:
        return plan_of(json.loads(path.read_text(encoding="utf-8")), path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; expected the folder of a run (tools/train fit --out)") from None
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: expected a run's plan; {error}") from error


def plan_of(kept: dict[str, Any], origin: Path) -> Plan:
    """A plan out of a file, what it does not name at its default. Raises ConfigError for another version's."""
    unknown = sorted(set(kept) - {one.name for one in fields(Plan)})
    if unknown:
        raise ConfigError(
            f"{origin}: of another version of tools/train (its plan has {', '.join(unknown)}); train anew"
        )
    return Plan(**kept)


def differences(old: Plan, new: Plan) -> list[str]:
    """What two plans do not have in common, as ``key: old -> new``."""
    pairs = [(one.name, getattr(old, one.name), getattr(new, one.name)) for one in fields(Plan)]
    return [f"{name}: {before} -> {after}" for name, before, after in pairs if before != after]
