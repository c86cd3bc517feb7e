"""Training itself: from a set of pictures to weights, in a folder that a killed run goes on in."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edge.core.errors import ConfigError, EdgeError
from tools.training import curve, state
from tools.training.augment import Augmenter, Settings
from tools.training.batches import Batch, Batches, read_images, stream
from tools.training.classes import parse_classes
from tools.training.csp import CspDetector
from tools.training.dataset import Sample, read_training_samples, split_samples
from tools.training.distil import Seen, distillation_loss
from tools.training.looking import look_at_all, torch_run
from tools.training.loss import detection_loss
from tools.training.ncnn_file import fill_csp, read_convolutions
from tools.training.network import make_cells
from tools.training.plan import Plan
from tools.training.precision import average_precision
from tools.training.settle import settle, settle_with_relu6
from tools.training.state import State
from tools.training.stopping import Signals, StopWatch
from tools.training.yolox import Yolox

_LONGEST = 640
_SETTLING = 4  # batches that normalisation is put back from
_CLIP = 10.0  # of the gradient's length
Say = Callable[[str], None]


class UnfinishedError(EdgeError):
    """Stopped before its end, with everything kept: the same command goes on."""

    exit_code = 75


@dataclass(frozen=True, slots=True)
class Means:
    """What a run is given on this machine; on the CPU none of it but the threads changes a bit of what comes out.

    workers : None = with a GPU all cores but one; without one none, as the network's threads need every core: beside
        a worker two of them took 28 ms a picture instead of 4, waiting for each other
    minutes : stop after this time, to be continued; None = to the end
    save_s : between checkpoints; threads : 0 = torch's own choice
    """

    workers: int | None = None
    minutes: float | None = None
    save_s: float = 60.0
    threads: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    samples: Sequence[Sample]
    images: Sequence[NDArray[np.uint8]]


def fit(data: Path, plan: Plan, out: Path, means: Means, *, start: Path | None = None, say: Say = print) -> Path:
    """Train, or go on training, in the folder ``out``; returns the weights' file.

    Raises
    ------
    ConfigError
        For a set that can't be trained on, or a folder that holds a run with another plan.
    UnfinishedError
        When time is up or a signal asked to stop.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    _prepare_torch(means, device)
    batches = Batches(_augmenter(data, plan, say), size=plan.batch, seed=plan.seed, with_clean=bool(plan.teacher))
    run = _open_run(plan, out, batches, device, start=start, say=say)
    held = _held_out(data, plan)
    _train(run, plan, batches, held, out, means, device=device, say=say)
    state.save_weights(run, plan, out / "weights.pt")
    say(f"{out / 'weights.pt'}: {run.step * plan.batch:,} pictures in {run.seconds / 60:.1f} minutes")
    return out / "weights.pt"


def _prepare_torch(means: Means, device: torch.device) -> None:
    if means.threads:
        torch.set_num_threads(means.threads)
    torch.backends.cudnn.benchmark = device.type == "cuda"
    torch.set_float32_matmul_precision("high")


def _open_run(plan: Plan, out: Path, batches: Batches, device: torch.device, *, start: Path | None, say: Say) -> State:
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        run = state.load(plan, checkpoint, device)
        say(f"{out}: goes on at {run.step * plan.batch:,} of {plan.pictures:,} pictures")
    else:
        run = state.begin(plan, device)
        if start is not None:
            new = _start_from(run, plan, start, batches, device)
            say(f"starts from {start}; new: {', '.join(new) or 'nothing'}")
    plan.write(out / "plan.json")
    return run


def _start_from(run: State, plan: Plan, start: Path, batches: Batches, device: torch.device) -> list[str]:
    """Another run's weights, those in an exported file, or YOLOX-nano's; returns the names of what stays new."""
    if start.suffix not in {".tflite", ".param"}:
        return state.start_from(run, plan, start)
    pictures = [_as_real(batches[number].pictures, device) for number in range(_SETTLING)]
    if start.suffix == ".tflite":
        from tools.training import unpack  # needs the runtime's package, which a bare GPU machine has not

        new = unpack.fill(run.network, unpack.read_weights(start), origin=start)
        settle(run.network, pictures)
    elif isinstance(run.network, CspDetector):
        new = fill_csp(run.network, read_convolutions(start), origin=start)
        settle_with_relu6(run.network, pictures)
    else:
        raise ConfigError(f"{start}: goes into --network yolox-nano alone")
    run.average.load_state_dict(run.network.state_dict())
    return new


def _held_out(data: Path, plan: Plan) -> HeldOut:
    _, held = split_samples(read_training_samples(data, parse_classes(plan.classes)), percent=plan.held_out)
    return HeldOut(held, read_images(held, longest=_LONGEST))


def _augmenter(data: Path, plan: Plan, say: Say) -> Augmenter:
    classes, weights = parse_classes(plan.classes), plan.source_weights()
    samples, held = split_samples(read_training_samples(data, classes), percent=plan.held_out)
    chances = np.array([weights.get(one.source, 1.0) for one in samples])
    if not chances.sum():
        raise ConfigError(f"{data}: no picture is left to train on (held out: {len(held)}; --weights)")
    images = read_images(samples, longest=_LONGEST)
    augmenter = Augmenter(samples, images, chances, Settings(plan.size, plan.mosaic, plan.paste))
    boxes = sum(int((~one.ignored).sum()) for one in samples)
    say(f"{len(samples)} pictures to train on, {len(held)} held out, {boxes} boxes, {augmenter.cutouts} cut-outs")
    return augmenter


def _train(
    run: State, plan: Plan, batches: Batches, held: HeldOut, out: Path, means: Means, *, device: torch.device, say: Say
) -> None:
    cells = make_cells(plan.size, device)
    teacher = Yolox(Path(plan.teacher), parse_classes(plan.classes)).to(device) if plan.teacher else None
    clock, saved = StopWatch(means.minutes), time.monotonic()
    with Signals() as signals:
        pinned = device.type == "cuda"
        workers = means.workers if means.workers is not None else (os.cpu_count() or 2) - 1 if pinned else 0
        for batch in stream(batches, first=run.step, end=plan.steps, workers=workers, pinned=pinned):
            _step(run, plan, batch, cells, teacher, device)
            run.seconds += clock.lap()
            is_check = run.step in plan.check_steps
            if is_check:
                _refuse_divergence(run, out)
                _check(run, plan, held, out, device=device, say=say)
            is_over = signals.asked or clock.is_over
            if is_check or is_over or time.monotonic() - saved > means.save_s:
                _refuse_divergence(run, out)
                state.save(run, plan, out / "checkpoint.pt")
                saved = time.monotonic()
            if sys.stderr.isatty():
                _progress(run, plan, clock)
            if is_over and run.step < plan.steps:
                raise UnfinishedError(
                    f"{out}: stopped at {run.step * plan.batch:,} of {plan.pictures:,} pictures "
                    f"({clock.steps_per_s * plan.batch:.0f} a second of late); "
                    "the same command goes on"
                )
            clock.lap()


def _refuse_divergence(run: State, out: Path) -> None:
    """Before anything is written: what is kept stays good."""
    if not torch.isfinite(run.losses).all():
        raise EdgeError(f"{out}: the loss is no number any more; start again with a lower --rate and a new --out")


def _step(
    run: State,
    plan: Plan,
    batch: Batch,
    cells: tuple[torch.Tensor, torch.Tensor],
    teacher: Yolox | None,
    device: torch.device,
) -> None:
    """One batch through the network and back."""
    for group in run.optimiser.param_groups:
        group["lr"] = plan.rate_at(run.step) * group["share"]
    pictures = _as_real(batch.pictures, device)
    run.network.train()
    with torch.autocast(device.type, torch.bfloat16):
        levels = run.network.backbone(pictures)
        mine = Seen(levels, *run.network.answer(levels))
    targets = batch.targets.to(device)
    loss = detection_loss(mine.logits, mine.distances, *cells, targets, by_task=plan.is_by_task(run.step))
    total = loss.total
    if teacher is not None and batch.clean is not None:
        total = total + distillation_loss(mine, _ask(teacher, _as_real(batch.clean, device)), *cells)
    run.optimiser.zero_grad(set_to_none=True)
    total.backward()
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), _CLIP)
    run.optimiser.step()
    run.follow(plan.average_decay(run.step))
    run.step += 1
    run.losses += torch.stack([total, loss.scores, loss.boxes]).detach()
    run.counted += 1


@torch.no_grad()
def _ask(teacher: Yolox, pictures: torch.Tensor) -> Seen:
    """Of the pictures as they were before colours and faults: what is still to be seen in the damaged ones."""
    with torch.autocast(pictures.device.type, torch.bfloat16):
        levels = teacher.network.backbone(pictures)
        return Seen(levels, *teacher.answer(levels))


def _as_real(pictures: torch.Tensor, device: torch.device) -> torch.Tensor:
    """[b, 3, s, s] in 0..1, channels last in memory: twice as fast as the other order."""
    pictures = pictures.to(device, non_blocking=True).permute(0, 3, 1, 2).float().div_(255)
    return pictures.contiguous(memory_format=torch.channels_last)


def _check(run: State, plan: Plan, held: HeldOut, out: Path, *, device: torch.device, say: Say) -> None:
    """The averaged network on the held-out part; one more row of the curve."""
    labels = parse_classes(plan.classes).labels
    found = look_at_all(torch_run(run.average, plan.size, device), held.images, plan.size)
    figures = [average_precision(held.samples, found, class_id=number) for number in range(len(labels))]
    total, scores, boxes = (run.losses / max(run.counted, 1)).tolist()
    row: dict[str, Any] = {
        "pictures": run.step * plan.batch,
        "minutes": run.seconds / 60,
        "loss": total,
        "score_loss": scores,
        "box_loss": boxes,
        "ap": {label: one.ap for label, one in zip(labels, figures, strict=True)},
        "ap50": {label: one.ap50 for label, one in zip(labels, figures, strict=True)},
    }
    run.losses.zero_()
    run.counted = 0
    rows = run.curve = [*(run.curve or []), row]
    say(curve.as_line(rows, labels))
    (out / "curve.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    curve.draw(rows, labels, out / "curve.png")
    state.save_weights(run, plan, out / f"weights-{row['pictures']:09d}.pt")


def _progress(run: State, plan: Plan, clock: StopWatch) -> None:
    pace = clock.steps_per_s * plan.batch
    left = (plan.steps - run.step) * plan.batch / max(pace, 1e-6) / 60
    text = f"{run.step * plan.batch:,}/{plan.pictures:,} pictures  {pace:.0f}/s  {left:.0f} min left"
    print(f"\r{text:<78}", end="", file=sys.stderr, flush=True)
