from __future__ import annotations

import os

import pytest

from edge.infer.quiet import quiet_runtime


def test_chatter_of_native_code_is_kept_back_and_trouble_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_runtime():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        os.write(2, b"ERROR: failed to prepare\n")

    assert capfd.readouterr().err == "ERROR: failed to prepare\n"


def test_an_error_inside_leaves_standard_error_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), quiet_runtime():
        raise ValueError("broken")
    os.write(2, b"still here\n")

    assert capfd.readouterr().err == "still here\n"
