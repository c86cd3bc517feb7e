"""Says what a file that is not a .tflite seems to be, so that the refusal can name it."""

from __future__ import annotations

from edge.core.errors import ModelError

_IDENTIFIER = b"TFL3"
_IDENTIFIER_AT = 4
_SMALLEST = 32  # header, root table and one vtable cannot be shorter

# (bytes, where they stand, what that is, the way out); the first that fits is told.
_KNOWN = (
    (b"version https://git-lfs", 0, "a git-lfs pointer", "fetch the file itself with 'git lfs pull'"),
    (b"PK\x03\x04", 0, "a zip archive", "unpack it and give the .tflite inside"),
    (b"\x1f\x8b", 0, "a gzip archive", "unpack it and give the .tflite inside"),
    (b"\x89HDF", 0, "an HDF5 file (Keras weights)", "convert it with the TensorFlow Lite converter"),
    (b"RTNN", 0, "an NPU binary (RKNN)", "use the .tflite export of the same model"),
    (b"\x7fELF", 0, "a program or library (ELF)", "give a .tflite model"),
    (b"\x89PNG", 0, "a picture (PNG)", "give a .tflite model"),
    (b"\xff\xd8\xff", 0, "a picture (JPEG)", "give a .tflite model"),
    (b"ARM64", 0, "a compiled model", "use the .tflite export of the same model"),
)
_PAGES = (b"<!doctype", b"<html", b"<head")
_DOWNLOAD = "the download gave a page instead of the file; download the raw file"


def check_identifier(content: memoryview) -> None:
    """Pass a file that says it is a TFLite model.

    Raises
    ------
    ModelError
        Naming what the file seems to be.
    """
    if len(content) == 0:
        raise ModelError("the file is empty; copy or download it again")
    head = bytes(content[:512])
    found = describe(head)
    if found:
        raise ModelError(f"expected a TFLite model, found {found}")
    if len(content) < _SMALLEST or head[_IDENTIFIER_AT : _IDENTIFIER_AT + 4] != _IDENTIFIER:
        raise ModelError(
            f"expected a TFLite model (identifier TFL3 at byte 4), found {head[4:8]!r} in {len(content)} bytes; "
            "is it the right file, and whole?"
        )


def describe(head: bytes) -> str:
    """What a file with these first bytes seems to be, and the way out; "" for what is not known."""
    for mark, at, what, way_out in _KNOWN:
        if head[at : at + len(mark)] == mark:
            return f"{what}; {way_out}"
    start = head.lstrip().lower()
    if start.startswith(_PAGES):
        return f"a web page (HTML); {_DOWNLOAD}"
    if start.startswith((b"{", b"<?xml")):
        return f"text ({'JSON' if start[:1] == b'{' else 'XML'}); {_DOWNLOAD}"
    if head[:1] == b"\x08" and (b"onnx" in head.lower() or b"pytorch" in head.lower() or b"\x12" in head[2:4]):
        return "an ONNX model; convert it to .tflite (for example with onnx2tf)"
    return ""
