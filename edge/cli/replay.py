"""``edge replay``: a recording through the service's own pipeline, the same on every run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TextIO

import click
import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from edge.assemble.kernels import Computing, Kernels
from edge.assemble.replay import ReplayAssembly, VideoDecoder, assemble_replay, default_config
from edge.capture.exact_video import INSTALL, exact_decoder
from edge.cli.difference import Difference, Event, change_sentence, compare, is_alert, sentence
from edge.config.load import LOCAL_FILE, SYSTEM_FILE, load_config
from edge.config.values import Config
from edge.core.errors import UsageError

_STARTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]


@click.command()
@click.argument("clip")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="Default: /etc/edge/edge.yaml, else ./edge.yaml, else one camera with default settings.",
)
@click.option("--camera", help="Whose zones, lines and rules to use; by default the configuration's first camera.")
@click.option(
    "--events",
    "events_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the events there instead of standard output.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    help="Another configuration: tell what it would have told, and what no longer.",
)
@click.option(
    "--start",
    type=click.DateTime(_STARTS),
    help="When the recording began, at the place of the configuration, for rules with a schedule.",
)
@click.option(
    "--decoder",
    type=click.Choice([each.value for each in VideoDecoder]),
    help="What decodes a video: exact is the same on every processor and wants PyAV; opencv is what the service uses. "
    "Default: exact where it is installed.",
)
@click.option(
    "--kernels",
    type=click.Choice([each.value for each in Kernels]),
    help="What computes the model: exact is the same on every processor, and slow for some models; fast is what the "
    "service uses. Default: exact where the model has any.",
)
@click.option("--json", "as_json", is_flag=True, help="With --against: print the difference as one JSON object.")
def replay(
    *,
    clip: str,
    config_file: Path | None,
    camera: str | None,
    events_file: Path | None,
    against: Path | None,
    start: datetime | None,
    decoder: str | None,
    kernels: str | None,
    as_json: bool,
) -> int:
    """Run a recording through the pipeline: its events, one JSON object a line, byte for byte the same on every run.

    CLIP is a video, a picture, a folder of pictures, or synthetic:?seconds=10. Nothing is published, nothing is kept.

    With --against the exit code is 0 if both configurations tell the same, else 1.
    """
    if as_json and against is None:
        raise UsageError("--json is for the difference that --against makes; without it, events are JSON already")
    assemble = partial(
        assemble_replay,
        camera=camera,
        clip=clip,
        start=start,
        decoder=None if decoder is None else VideoDecoder(decoder),
        kernels=None if kernels is None else Kernels(kernels),
    )
    first = assemble(_config(config_file, clip))
    if first.computing.is_reference:
        _tell_kernels(first.computing)  # before it takes its time
    if start is None and first.has_schedules:
        click.echo(
            "edge replay: rules with a schedule are judged as if the recording began on 2026-01-01 at 00:00; "
            "--start says when it did",
            err=True,
        )
    if against is None:
        _tell_events(first, events_file)
        return 0
    second = assemble(load_config(against))
    before = _gather(first, events_file)
    after = _gather(second, None)
    _tell_means(first)
    if not second.computing.is_like(first.computing):
        _tell_kernels(second.computing, f"{against}: ")
    difference = compare(before, after)
    click.echo(_as_json(difference, before, after) if as_json else _as_text(difference, before, after))
    return 0 if difference.is_none else 1


def _config(file: Path | None, clip: str) -> Config:
    found = file or next((candidate for candidate in (SYSTEM_FILE, LOCAL_FILE) if candidate.is_file()), None)
    return default_config(clip) if found is None else load_config(found)


def _tell_events(assembly: ReplayAssembly, file: Path | None) -> None:
    if file is None:
        count = _write(assembly, sys.stdout)
    else:
        with _opened(file) as stream, _counted(assembly):
            count = _write(assembly, stream)
    click.echo(f"edge replay: {assembly.replay.frames} frames, {count} events", err=True)
    _tell_means(assembly)


def _tell_means(assembly: ReplayAssembly) -> None:
    """What pixels were looked at and what they became, so that nobody compares what differs by that alone."""
    if not assembly.computing.is_reference:
        _tell_kernels(assembly.computing)
    match assembly.decoder:
        case VideoDecoder.EXACT:
            click.echo(f"edge replay: decoded by {exact_decoder()}: the same pixels on every processor", err=True)
        case VideoDecoder.OPENCV:
            click.echo(
                "edge replay: decoded by OpenCV, as the service does: other processors get slightly other pixels; "
                f"for the same everywhere: {INSTALL}",
                err=True,
            )


def _tell_kernels(computing: Computing, whose: str = "") -> None:
    if computing.is_reference:
        text = (
            "computed by the runtime's reference kernels: slow, the same on every processor, and by a step in a score "
            "other than the service; --kernels fast takes the service's"
        )
    elif computing.doubt:
        text = f"computed as the service does, on other processors perhaps to other last digits: {computing.doubt}"
    else:
        text = "computed as the service does, for this model the same on every processor"
    click.echo(f"edge replay: {whose}{text}", err=True)


@contextmanager
def _counted(assembly: ReplayAssembly) -> Iterator[None]:
    """Shows on a terminal how far it has come; nothing in a pipe."""
    console = Console(stderr=True)
    with Live(
        console=Console(stderr=True, quiet=not console.is_terminal),
        get_renderable=lambda: Text(f"{assembly.replay.frames} frames"),
        transient=True,
    ):
        yield


def _write(assembly: ReplayAssembly, stream: TextIO) -> int:
    count = 0
    for message in assembly.events():
        stream.write(message.payload.decode() + "\n")
        count += 1
    return count


def _gather(assembly: ReplayAssembly, file: Path | None) -> list[Event]:
    with _counted(assembly):
        payloads = [message.payload for message in assembly.events()]
    if file is not None:
        with _opened(file) as stream:
            stream.writelines(payload.decode() + "\n" for payload in payloads)
    decode: Callable[[bytes], Event] = msgspec.json.Decoder(Event).decode
    return [decode(payload) for payload in payloads]


def _opened(file: Path) -> TextIO:
    try:
        return file.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--events {file}: can't be written ({error.strerror}); give another file") from error


def _as_text(difference: Difference, before: list[Event], after: list[Event]) -> str:
    if difference.is_none:
        return f"no difference: {len(before)} events, {_alerts(before)} alerts"
    lines = [f"- {sentence(event)}" for event in difference.gone]
    lines += [f"+ {sentence(event)}" for event in difference.new]
    lines += [f"~ {change_sentence(change)}" for change in difference.changed]
    lines.append(
        f"{len(difference.gone)} no longer (-), {len(difference.new)} new (+), "
        f"{len(difference.changed)} told otherwise (~), {difference.same} the same; "
        f"alerts: {_alerts(before)} before, {_alerts(after)} now"
    )
    return "\n".join(lines)


def _as_json(difference: Difference, before: list[Event], after: list[Event]) -> bytes:
    return msgspec.json.encode(
        {
            "same": difference.same,
            "gone": difference.gone,
            "new": difference.new,
            "changed": [
                {"before": change.before, "after": change.after, "facts": change.facts} for change in difference.changed
            ],
            "alerts": {"before": _alerts(before), "after": _alerts(after)},
        }
    )


def _alerts(events: list[Event]) -> int:
    return sum(is_alert(event) for event in events)
