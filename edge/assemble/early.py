"""What is begun first of all, so that cameras and model are ready when the service is."""

from __future__ import annotations

import gc
import os

CAPTURE = "edge.assemble.capture"
INFER = "edge.assemble.infer"


def begin() -> None:
    """Begin the processes of a camera and of the model; for a process of our own that has done nothing yet.

    They share numpy and whatever else is imported here; their own libraries they import while this process reads its
    configuration.
    """
    gc.disable()
    # Nothing here multiplies matrices worth a second thread; and a process with threads is not to be forked.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import numpy as np  # noqa: F401

    from edge.service import capture_letters, infer_letters  # noqa: F401
    from edge.service.child import begin_early

    begin_early(INFER, CAPTURE)
