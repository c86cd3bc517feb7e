"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal
from uuid import uuid4

import click

from edge.core.errors import ConfigError, UsageError

DEFAULT_MODEL = "edge-default"

# Beyond four threads small int8 networks gain little; the Raspberry Pi has four cores.
_MOST_THREADS = 4


def default_threads() -> int:
    """The cores this process may use, up to four."""
    return min(len(os.sched_getaffinity(0)), _MOST_THREADS)


model_option = click.option(
    "--model", default=DEFAULT_MODEL, show_default=True, help="A card's name (edge models list) or a .tflite file."
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=default_threads,
    show_default="the cores of this machine, up to 4",
    help="Threads for the model.",
)


boxes_option = click.option(
    "--boxes",
    type=click.Choice(["graph", "raw"]),
    default="graph",
    show_default=True,
    help="raw: read an SSD before the post-processing in its graph, which keeps few boxes.",
)


def _check_tiles(ctx: click.Context, parameter: click.Parameter, text: str) -> str:  # noqa: ARG001
    from edge.infer.tiling import parse_grid  # with numpy and OpenCV; most commands here begin without

    try:
        parse_grid(text)
    except ConfigError as error:
        raise click.BadParameter(str(error).removeprefix("tiles: ")) from error
    return text


tiles_option = click.option(
    "--tiles",
    callback=_check_tiles,
    default="1x1",
    show_default=True,
    metavar="COLUMNSxROWS",
    help="Look at so many overlapping parts as well as at the whole picture.",
)


def path_kind(path: Path) -> Literal["file", "folder", "nothing"]:
    """What a path leads to.

    Raises
    ------
    UsageError
        If the system does not say: no permission, or no possible name.
    """
    try:
        if path.is_dir():
            return "folder"
        return "file" if path.exists() else "nothing"
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror})") from error


def prepare_folder(folder: Path, option: str) -> None:
    """Make a folder for results and see that it can be written to, before the long work begins.

    Raises
    ------
    UsageError
        If it can't.
    """
    probe = folder / f".edge-{uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"{option} {folder}: expected a folder that can be written to ({error.strerror}); give another one"
        ) from error
