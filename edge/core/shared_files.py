"""Where the files beside the code lie: models, cards, units. The same in a wheel and in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def shared_folder(name: str) -> Path:
    """The folder ``models`` or ``systemd``: inside the installed package, or beside it in a checkout."""
    installed = _PACKAGE / "share" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
