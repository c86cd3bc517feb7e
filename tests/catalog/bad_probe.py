"""A stand-in for the probe that fails in the way its file's name says."""

import os
import signal
import sys

if __name__ == "__main__":
    name = os.path.basename(sys.argv[1])  # noqa: PTH119
    if name == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if name == "hang":
        signal.pause()
    if name == "error":
        sys.exit("Traceback\nValueError: the last line")
    if name == "told":
        sys.stdout.write('noise\n{"error": "Node 3 failed", "kind": "ModelError"}\n')
        sys.exit(78)
    if name == "missing":
        sys.stdout.write('{"error": "no runtime", "kind": "MissingLibraryError"}\n')
        sys.exit(78)
