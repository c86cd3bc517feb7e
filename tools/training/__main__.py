"""``python -m tools.training COMMAND``: the commands of tools/train."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

# Before torch is loaded: threads that wait must sleep, or they take the cores from those that make batches.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from edge.core.errors import EdgeError
from tools.training.plan import Plan

# The default detector's classes: what a fixed camera is asked about.
CLASSES = "person,vehicle=car+motorcycle+bus+truck"


Commands = argparse._SubParsersAction  # the standard library has no public name for it


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except EdgeError as error:
        print(f"tools/train: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Ends the program with code 2 where they are not understood."""
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/train", description="Train, label, export and describe a detector.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_teach(commands)
    _add_pack(commands)
    _add_fit(commands)
    _add_export(commands)
    _add_describe(commands)
    smoke = commands.add_parser("smoke", help="label, train, kill, go on, export and describe a toy in two minutes")
    smoke.add_argument("--keep", type=Path, help="folder for what comes out; else nothing stays")
    smoke.set_defaults(run=_smoke)
    return parser


def _add_teach(commands: Commands) -> None:
    command = commands.add_parser("teach", help="label pictures with a larger, freely licensed detector")
    command.add_argument(
        "--data", type=Path, required=True, help="folder with images/, and instances.json if it has labels"
    )
    command.add_argument("--teacher", required=True, help="a card's name, a .tflite file, YOLOX-nano's .param")
    command.add_argument("--licence", help="of the teacher's weights, where the file does not say it")
    command.add_argument("--tiles", default="2x2", help="looked at besides the whole picture [2x2]")
    command.add_argument("--classes", default=CLASSES, help=f"what to label [{CLASSES}]")
    command.add_argument("--fill", action="store_true", help="people's labels have gaps: fill those, too")
    command.add_argument("--out", type=Path, help="the file to write [instances.json of the folder]")
    command.set_defaults(run=_run("teach"))


def _add_pack(commands: Commands) -> None:
    command = commands.add_parser("pack", help="several sets into one small folder")
    command.add_argument("--data", type=Path, nargs="+", required=True, help="folders of sets")
    command.add_argument("--out", type=Path, required=True, help="new folder")
    command.add_argument("--longest", type=int, default=416, help="side of the packed pictures [416]")
    command.add_argument("--quality", type=int, default=88, help="of the JPEGs [88]")
    command.add_argument("--limit-mb", type=float, default=60.0, help="refuse a larger folder [60]")
    command.add_argument(
        "--never", type=Path, nargs="*", default=[], help="folders of test sets, refused by number and looks"
    )
    command.set_defaults(run=_run("pack"))


def _add_export(commands: Commands) -> None:
    command = commands.add_parser("export", help="weights to an int8 .tflite file, and how well they agree")
    command.add_argument("--weights", type=Path, required=True, help="weights.pt of a run")
    command.add_argument("--data", type=Path, required=True, help="the set it was trained on: ranges and agreement")
    command.add_argument("--out", type=Path, required=True, help="the .tflite file")
    command.add_argument("--size", type=int, help="side of the picture, if other than trained at")
    command.add_argument("--author", default="trained with tools/train", help="written into the file")
    command.add_argument("--licence", default="", help="of the weights, written into the file")
    command.set_defaults(run=_run("export"))


def _add_describe(commands: Commands) -> None:
    command = commands.add_parser("describe", help="threshold, model card, data card, failures")
    command.add_argument("--model", type=Path, required=True, help="the exported .tflite file")
    command.add_argument("--run", dest="run_folder", type=Path, required=True, help="folder of the run")
    command.add_argument("--data", type=Path, required=True, help="the set it was trained on")
    command.add_argument("--out", type=Path, required=True, help="folder for cards and pictures")
    command.add_argument(
        "--test", type=Path, nargs="*", default=[], help="test sets: figures alone, nothing is chosen on them"
    )
    command.add_argument("--threshold", type=float, help="instead of choosing one")
    command.add_argument("--false-boxes", type=float, default=0.1, help="per picture, held out, to choose it by [0.1]")
    command.add_argument("--name", help="of the model [the file's]")
    command.add_argument("--machine", default="an unnamed machine", help="that trained it")
    command.add_argument("--descent", default="", help="what its weights started from, and its licence")
    command.add_argument("--watts", type=float, help="that machine's power, for the energy")
    command.add_argument("--sources", type=Path, help="YAML: source: {origin, licence}, for the data card")
    command.add_argument("--limit", action="append", default=[], help="a known weakness, for both cards; repeatable")
    command.set_defaults(run=_run("describe"))


def _add_fit(commands: Commands) -> None:
    command = commands.add_parser("fit", help="train; the same command goes on after a stop")
    command.add_argument("--data", type=Path, required=True, help="folder with instances.json (COCO) and images/")
    command.add_argument("--out", type=Path, required=True, help="folder of the run: checkpoint, curve, weights")
    command.add_argument("--classes", default=CLASSES, help=f"label or label=category+category, ... [{CLASSES}]")
    _add_plan(command)
    command.add_argument(
        "--start",
        type=Path,
        help="to start from: weights.pt of another run, an exported .tflite file, YOLOX-nano's .param",
    )
    command.add_argument("--minutes", type=float, help="stop after this time with exit code 75; run again to go on")
    command.add_argument(
        "--workers", type=int, help="processes that make batches [with a GPU all cores but one, else 0]"
    )
    command.add_argument("--threads", type=int, default=0, help="of torch; 0 = its own choice [0]")
    command.add_argument("--save-s", type=float, default=60.0, help="seconds between checkpoints [60]")
    command.set_defaults(run=_fit)


def _add_plan(command: argparse.ArgumentParser) -> None:
    words = {
        "size": "side of the network's picture, pixels",
        "width": "multiplies the plain network's channels",
        "network": "plain, or yolox-nano to start from such weights (--start NAME.param)",
        "pictures": "to be seen in all",
        "batch": "pictures at a time",
        "rate": "highest learning rate",
        "backbone_rate": "multiplies the backbone's rate",
        "cool_down": "last part of the run over which the rate falls, 0 to 1",
        "decay": "weight decay",
        "by_place": "part of the run with cells assigned by place and size; then by task",
        "mosaic": "how often four pictures make one, 0 to 1",
        "paste": "how often outlined objects are pasted in, 0 to 1",
        "held_out": "per cent kept for curves and thresholds",
        "weights": "how often a source is taken: coco=2.5,intel=0.6",
        "teacher": "YOLOX-nano's .param file, to learn from cell by cell besides the labels",
        "rounded": "1 = maps rounded as int8 will have them, for the last part of a training",
        "checks": "evaluations on the held-out part",
        "seed": "the same seed gives the same run",
    }
    for one in fields(Plan):
        if one.name in words:
            kind = type(one.default)
            name = "--" + one.name.replace("_", "-")
            command.add_argument(name, type=kind, default=one.default, help=f"{words[one.name]} [{one.default}]")


def _fit(options: argparse.Namespace) -> int:
    from tools.training.fit import Means, fit

    plan = Plan(**{one.name: getattr(options, one.name) for one in fields(Plan)})
    means = Means(options.workers, options.minutes, options.save_s, options.threads)
    fit(options.data, plan, options.out, means, start=options.start)
    return 0


def _smoke(options: argparse.Namespace) -> int:
    from tools.training.smoke import smoke

    return smoke(options.keep)


def _run(name: str) -> Callable[[argparse.Namespace], int]:
    """The command of this name, loaded when it is asked for: some need torch, some do not."""

    def run(options: argparse.Namespace) -> int:
        from tools.training import commands

        return int(getattr(commands, name)(options))

    return run


if __name__ == "__main__":
    sys.exit(main())
