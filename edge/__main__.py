"""``python -m edge`` is the same as ``edge``."""

from edge.cli import main

main()
