"""What a model's maker wrote into the file beside the graph: labels, task, normalisation.

Three forms: files in a zip appended to the model (TFLite Metadata), the Ultralytics text in that zip, and the
TFLITE_METADATA buffer inside the model.
"""

from __future__ import annotations

import ast
import io
import json
import zipfile
import zlib
from dataclasses import dataclass

from edge.catalog.flatbuffer import Table, root_table
from edge.catalog.labels import parse_labels
from edge.catalog.model_file import ModelFile
from edge.core.errors import ModelError

_MAX_FILES = 64
_MAX_TEXT = 4 * 1024 * 1024  # unpacked; the largest label list in use (ImageNet-21k) has 400 kB
_NORMALIZATION_OPTIONS = 1  # ProcessUnitOptions in metadata_schema.fbs


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the file says about itself; None or empty where it is silent.

    task : Ultralytics' word (detect, segment, pose, obb, classify)
    mean, std : what TFLite Metadata states for the input, one number or one per channel
    """

    labels: tuple[str, ...] = ()
    labels_from: str = ""
    task: str = ""
    strides: int = 0
    end2end: bool = False
    author: str = ""
    licence: str = ""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    @property
    def is_ultralytics(self) -> bool:
        return bool(self.task)


def read_metadata(model: ModelFile) -> Metadata:
    """All that the file says. Damaged metadata is no reason to refuse a sound model: it is left out."""
    files = read_attachments(model.content)
    # Ultralytics calls its text temp_meta.txt, meta.txt or metadata.json: what counts is what it holds.
    mappings = {name: mapping for name, text in files.items() if (mapping := _literal(text))}
    told = next((mapping for mapping in mappings.values() if mapping.keys() & {"names", "task"}), {})
    names = _names(told.get("names"))
    label_file = _label_file([name for name, text in files.items() if name.endswith(".txt") and not _is_mapping(text)])
    mean, std = _normalisation(model)
    labels = names or (parse_labels(files[label_file]) if label_file else ())
    return Metadata(
        labels=labels,
        labels_from=("the metadata in the file" if names else label_file + " in the file") if labels else "",
        task=_word(told.get("task")),
        strides=_whole(told.get("stride")),
        end2end=told.get("end2end") is True,
        author=_word(told.get("author")),
        licence=_word(told.get("license")),
        mean=mean,
        std=std,
    )


def read_attachments(content: memoryview) -> dict[str, str]:
    """The text files in the zip at the end, by name; {} without one, or with one that is damaged or a bomb."""
    if b"PK\x05\x06" not in bytes(content[-66000:]):  # the end record, with the longest possible comment
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()[:_MAX_FILES]
            wanted = [
                e for e in entries if e.filename.endswith((".txt", ".json", ".yaml")) and e.file_size <= _MAX_TEXT
            ]
            return {entry.filename.rsplit("/", 1)[-1]: _unpack(archive, entry) for entry in wanted}
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return {}


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    with archive.open(entry) as source:
        return source.read(_MAX_TEXT).decode("utf-8", errors="replace")  # the stated size may lie: read no more


def _label_file(texts: list[str]) -> str:
    """The one that looks like labels: labelmap.txt, labels.txt, *label*.txt, else the only text file."""
    by_name = sorted((name for name in texts if "label" in name.lower()), key=len)
    if by_name:
        return by_name[0]
    return texts[0] if len(texts) == 1 else ""


def _literal(text: str) -> dict[str, object]:
    """The mapping that Ultralytics writes: JSON or Python's literal form."""
    if not _is_mapping(text):
        return {}
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(value, dict):
            return {str(key): item for key, item in value.items()}
    return {}


def _is_mapping(text: str) -> bool:
    return text.lstrip().startswith("{")


def _names(value: object) -> tuple[str, ...]:
    """Ultralytics' names: {0: "person", ...} (keys may be text) or a list."""
    if isinstance(value, dict):
        try:
            by_index = {int(key): name for key, name in value.items()}
        except (TypeError, ValueError):
            return ()
        if not by_index or sorted(by_index) != list(range(len(by_index))):
            return ()
        return tuple(_label(by_index[index]) for index in range(len(by_index)))
    return tuple(_label(name) for name in value) if isinstance(value, list) else ()


def _label(name: object) -> str:
    """One line of text that can be encoded: JSON may hold half a surrogate pair, and line breaks."""
    return " ".join(str(name).encode("utf-8", "replace").decode().split())


def _word(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) and 0 < value < 1024 else 0


def _normalisation(model: ModelFile) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """NormalizationOptions of the first input: (mean, std), or two empty tuples."""
    content = model.metadata.get("TFLITE_METADATA")
    if content is None or len(content) < 8:
        return (), ()
    try:
        for unit in _input_process_units(root_table(content)):
            options = unit.table(1)
            if unit.number(0, "B") == _NORMALIZATION_OPTIONS and options is not None:
                return _sound(options.reals(0, limit=16), options.reals(1, limit=16))
    except ModelError:
        return (), ()
    return (), ()


def _input_process_units(metadata: Table) -> list[Table]:
    # ModelMetadata.subgraph_metadata (3) . input_tensor_metadata (2) . process_units (4)
    graphs = metadata.tables(3, limit=16)
    inputs = graphs[0].tables(2, limit=16) if graphs else []
    return inputs[0].tables(4, limit=64) if inputs else []


def _sound(mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    fits = len(mean) == len(std) and len(mean) in {1, 3}
    within = fits and all(abs(m) <= 1000 for m in mean) and all(0 < abs(s) <= 1000 for s in std)
    return (mean, std) if within else ((), ())
