"""The stream of training batches: batch number n of a run is always the same, whoever makes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from edge.core.errors import ConfigError
from tools.training.assign import Targets
from tools.training.augment import Augmenter, View
from tools.training.dataset import Sample

_READERS = 8


def read_images(samples: Sequence[Sample], *, longest: int) -> list[NDArray[np.uint8]]:
    """All pictures, RGB, made smaller where a side is longer than ``longest``; the samples' boxes are in file pixels.

    Raises ConfigError for one that is missing or no picture.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda one: _read(one, longest), samples))


def _read(sample: Sample, longest: int) -> NDArray[np.uint8]:
    image = cv2.imread(str(sample.path))
    if image is None:
        raise ConfigError(f"{sample.path}: expected a picture, found none that can be read")
    if max(image.shape[:2]) > longest:
        raise ConfigError(
            f"{sample.path}: {image.shape[1]} x {image.shape[0]} pixels, more than {longest}; "
            "make the set smaller first: tools/train pack"
        )
    return np.ascontiguousarray(image[:, :, ::-1])


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """pictures (b, s, s, 3) uint8; the objects of all of them; clean: the undamaged ones, where a teacher asks."""

    pictures: Tensor
    targets: Targets
    clean: Tensor | None = None

    def pin_memory(self) -> Batch:
        targets = Targets(*(v.pin_memory() for v in _parts(self.targets)))
        return Batch(self.pictures.pin_memory(), targets, self.clean.pin_memory() if self.clean is not None else None)


def _parts(targets: Targets) -> tuple[Tensor, ...]:
    return targets.picture, targets.boxes, targets.classes, targets.ignored


class Batches(Dataset[Batch]):
    """Batch by number."""

    def __init__(self, augmenter: Augmenter, *, size: int, seed: int, with_clean: bool = False) -> None:
        self._augmenter, self._size, self._seed, self._with_clean = augmenter, size, seed, with_clean

    def __getitem__(self, number: int) -> Batch:
        first = number * self._size
        views = [self._augmenter.view(np.random.default_rng([self._seed, first + i])) for i in range(self._size)]
        return gather(views, with_clean=self._with_clean)


def gather(views: Sequence[View], *, with_clean: bool = False) -> Batch:
    counts = [len(view.boxes) for view in views]
    return Batch(
        torch.from_numpy(np.stack([view.image for view in views])),
        Targets(
            torch.repeat_interleave(torch.arange(len(views)), torch.tensor(counts)),
            torch.from_numpy(np.concatenate([view.boxes for view in views])),
            torch.from_numpy(np.concatenate([view.classes for view in views])),
            torch.from_numpy(np.concatenate([view.ignored for view in views])),
        ),
        torch.from_numpy(np.stack([view.clean for view in views])) if with_clean else None,
    )


def stream(batches: Batches, *, first: int, end: int, workers: int, pinned: bool) -> Iterator[Batch]:
    """Batches first..end-1 in order, made ahead by other processes; by this one where there are no workers."""
    ahead: dict[str, Any] = {"prefetch_factor": 4} if workers else {}
    loader: DataLoader[Batch] = DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, end),
        num_workers=workers,
        pin_memory=pinned,
        **ahead,
    )
    return iter(loader)
