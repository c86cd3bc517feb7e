"""What `fit` needs: a lent GPU machine has PyTorch, NumPy and OpenCV, and no network to get more from."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
THERE = {"torch", "numpy", "cv2"}


def imported(name: str) -> set[str]:
    """What a module of ours imports when it is loaded; not what its functions import when they are called."""
    path = ROOT.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.exists():
        return set()
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module} | {f"{node.module}.{one.name}" for one in node.names}
    return found


def test_fit_needs_nothing_but_torch_numpy_and_opencv():
    seen: set[str] = set()
    waiting = ["tools.training.__main__", "tools.training.fit"]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            if name.split(".")[0] in {"tools", "edge"}:
                waiting += imported(name)

    others = {name.split(".")[0] for name in seen} - {"tools", "edge"}
    assert others >= THERE
    assert others - THERE <= set(sys.stdlib_module_names)
