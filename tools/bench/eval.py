#!/usr/bin/env python3
"""Runs ``edge eval`` on several models and prints the table of docs/measurements.md: measured against reference.

python tools/bench/eval.py ../shared
python tools/bench/eval.py ../shared --models yolov8n_full_integer_416 --out table.md
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

HEAD = ("model", "mAP", "reference", "difference", "AP50", "reference", "difference", "seconds")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder with models/ and data/coco-dev/")
    parser.add_argument("--models", nargs="*", help="names in reference-metrics.yaml; all by default")
    parser.add_argument("--tolerance", type=float, default=0.005, help="of mAP and AP50; beyond it the exit code is 1")
    parser.add_argument("--out", type=Path, help="write the table into this file too")
    options = parser.parse_args()

    pictures = options.data / "data" / "coco-dev"
    reference = yaml.safe_load((pictures / "reference-metrics.yaml").read_text(encoding="utf-8"))["models"]
    rows, worst = [], 0.0
    for name in options.models or reference:
        result = measure(options.data / "models" / f"{name}.tflite", pictures)
        expected = reference[name]["all80"]
        differences = result["map"] - expected["mAP"], result["ap50"] - expected["AP50"]
        worst = max(worst, *map(abs, differences))
        rows.append(
            (
                name,
                f"{result['map']:.4f}",
                f"{expected['mAP']:.4f}",
                f"{differences[0]:+.4f}",
                f"{result['ap50']:.4f}",
                f"{expected['AP50']:.4f}",
                f"{differences[1]:+.4f}",
                f"{result['seconds']:.1f}",
            )
        )
        print("| " + " | ".join(rows[-1]) + " |", file=sys.stderr)
    table = "\n".join("| " + " | ".join(row) + " |" for row in (HEAD, ["---"] * len(HEAD), *rows)) + "\n"
    print(table, end="")
    if options.out:
        options.out.write_text(table, encoding="utf-8")
    return int(worst > options.tolerance)


def measure(model: Path, pictures: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "edge", "eval", "--model", model, "--images", pictures / "images",
         "--annotations", pictures / "instances.json", "--json"],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    result: dict[str, Any] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    sys.exit(main())
