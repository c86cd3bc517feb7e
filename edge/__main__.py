"""``python -m edge`` is the same as ``edge``."""

from edge.core.fitness import refuse_unfit_system

refuse_unfit_system()  # before anything is imported that an old Python can't read

from edge.cli import main  # noqa: E402

main()
