#!/usr/bin/env python3
"""What must happen between two runs of a model, and nothing else: the ceiling of the whole path's ratio.

Blocks in turns, in one process with nothing of edge in it: bare runs, and runs with the least that looking at pictures
takes: a picture copied into the input, the outputs copied out, a thread woken that would read them.

    python tools/bench/between.py MODEL.tflite [--blocks 12] [--threads 1]
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

_BLOCK_S = 0.4
_SLOTS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--blocks", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    interpreter = Interpreter(model_path=options.model, num_threads=options.threads)
    interpreter.allocate_tensors()
    look = make_look(interpreter)
    ratios, between_ms = [], []
    for _ in range(options.blocks):
        bare_ms, look_ms = block_ms(interpreter.invoke), block_ms(look)
        ratios.append(bare_ms / look_ms)
        between_ms.append(look_ms - bare_ms)
    print(f"of the bare rate {statistics.median(ratios):.3f}, {statistics.median(between_ms):.2f} ms between two runs")


def make_look(interpreter: Any) -> Callable[[], None]:
    entry = interpreter.get_input_details()[0]
    view = interpreter.tensor(entry["index"])
    numbers = [output["index"] for output in interpreter.get_output_details()]
    pictures = [np.full(entry["shape"], number, entry["dtype"]) for number in range(_SLOTS)]
    unread, turn = threading.Lock(), 0
    unread.acquire()

    def read() -> None:
        while True:
            unread.acquire()

    threading.Thread(target=read, daemon=True).start()

    def look() -> None:
        nonlocal turn
        turn = (turn + 1) % _SLOTS
        np.copyto(view(), pictures[turn])
        if unread.locked():
            unread.release()
        interpreter.invoke()
        [interpreter.get_tensor(number) for number in numbers]

    return look


def block_ms(run: Callable[[], object]) -> float:
    """Milliseconds of one, over a block."""
    run()
    count, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < _BLOCK_S:
        run()
        count += 1
    return passed * 1e3 / count


if __name__ == "__main__":
    main()
