"""What is begun first of all, so that cameras and model are ready when the service is."""

from __future__ import annotations

import gc
import os

CAPTURE = "edge.assemble.capture"
INFER = "edge.assemble.infer"
PUBLISH = "edge.assemble.publisher"


def begin(*, has_own_publisher: bool) -> None:
    """Begin the processes of the publisher, a camera and the model; for one of our own that has done nothing yet.

    They share whatever is imported here; their own libraries they import while this process reads its configuration.
    A publisher that began later would miss the first counts: the model is quicker.
    """
    gc.disable()
    from edge.service.entry import begin_early

    if has_own_publisher:
        from edge.service import letters  # noqa: F401

        begin_early(PUBLISH)  # first, as it needs no numpy
    # Nothing here multiplies matrices worth a second thread; and a process with threads is not to be forked.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import numpy as np  # noqa: F401

    from edge.service import capture_letters, infer_letters  # noqa: F401

    begin_early(INFER, CAPTURE)
