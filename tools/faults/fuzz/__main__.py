"""Feed what reads other people's bytes with inputs nobody would send.

    python -m tools.faults.fuzz [TARGET...] --inputs 1000000 [--seed 1] [--minutes 8] [--keep FOLDER]
    python -m tools.faults.fuzz configuration --guided --inputs 200000   # by coverage, with atheris; keeps its corpus

0 inputs may crash or confuse the service, and none may take it longer than a second. Targets whose bytes are read by
native code (pictures, runs) live in a process of their own in the product, which may crash: their crashes are counted.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from hashlib import sha256
from pathlib import Path

from tools.faults.fuzz.children import CHILDREN
from tools.faults.fuzz.commands import COMMANDS
from tools.faults.fuzz.configuration import CONFIGURATION
from tools.faults.fuzz.corpus import corpus_of
from tools.faults.fuzz.labels import LABELS
from tools.faults.fuzz.models import MODELS, RUNS
from tools.faults.fuzz.notify import NOTIFY
from tools.faults.fuzz.packets import PACKETS
from tools.faults.fuzz.pictures import PICTURES
from tools.faults.fuzz.running import Tally, play
from tools.faults.fuzz.target import Target

TARGETS = {
    each.name: each for each in (CONFIGURATION, LABELS, COMMANDS, NOTIFY, PACKETS, CHILDREN, MODELS, PICTURES, RUNS)
}


def main() -> int:
    options = _options()
    targets = [TARGETS[name] for name in options.targets or TARGETS]
    if options.guided:
        from tools.faults.fuzz.guided import guide

        return guide(targets[0], inputs=options.inputs, seed=options.seed)
    print(
        f"seed {options.seed}\n| target | inputs | findings | crashes | slowest | seconds |\n|" + " --- |" * 6,
        flush=True,
    )
    findings = 0
    for target in targets:
        began_s = time.monotonic()
        until_s = began_s + options.minutes * 60
        tally = play(target, corpus_of(target), inputs=options.inputs, seed=options.seed, until_s=until_s)
        findings += len(tally.findings)
        _tell(target, tally, time.monotonic() - began_s)
        _keep(target, tally, options.keep)
    return 1 if findings else 0


def _tell(target: Target, tally: Tally, seconds: float) -> None:
    crashes = f"{tally.crashes} (children)" if target.is_native else f"{tally.crashes}"
    print(
        f"| {target.name} | {tally.inputs:,} | {len(tally.findings)} | {crashes} | {tally.slowest_s:.2f} s "
        f"| {seconds:.0f} |",
        flush=True,
    )


def _keep(target: Target, tally: Tally, folder: Path) -> None:
    for kind, (words, content) in tally.findings.items():
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{target.name}-{sha256(content).hexdigest()[:12]}"
        file.write_bytes(content)
        print(f"    {kind}\n    {words!r}\n    in {file}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=1e9, help="for each target at most")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))  # noqa: S311
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="where findings are written")
    parser.add_argument("--guided", action="store_true", help="one target, guided by coverage (needs atheris)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
