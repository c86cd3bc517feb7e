"""Reads the structure of a .tflite file: tensors, operators, signatures. Pure Python, nothing is executed.

Source: tflite/schema.fbs (version 3); the numbers in ``_read_*`` are its field numbers.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.catalog.flatbuffer import FlatbufferError, Table, root_table
from edge.catalog.foreign import check_identifier
from edge.catalog.operators import CUSTOM, operator_name
from edge.core.errors import ModelError

_MAX_RANK = 8
_MAX_QUANTISED_CHANNELS = 65536
_SCHEMA_VERSION = 3

_DTYPES = {
    0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 5: "string", 6: "bool", 7: "int16",
    8: "complex64", 9: "int8", 10: "float64", 11: "complex128", 12: "uint64", 13: "resource", 14: "variant",
    15: "uint32", 16: "uint16", 17: "int4", 18: "bfloat16",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What the file states about one tensor.

    shape : may be () where it is known only after a run; signature : the same with -1 where it is dynamic
    scales, zero_points : one per tensor or one per channel; () = real numbers
    buffer : number of the file's buffer that holds its values, 0 = none
    """

    index: int
    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    buffer: int
    is_constant: bool

    @property
    def scale(self) -> float:
        return self.scales[0] if len(self.scales) == 1 else 0.0

    @property
    def zero_point(self) -> int:
        return self.zero_points[0] if len(self.scales) == 1 and self.zero_points else 0

    @property
    def is_quantised(self) -> bool:
        """Whether one scale and zero point make its whole numbers real ones."""
        return self.scale > 0 and self.dtype in {"int8", "uint8", "int16", "uint16"}

    @property
    def limits(self) -> tuple[float, float] | None:
        """The smallest and largest real number that it can hold; None unless it is quantised."""
        if not self.is_quantised:
            return None
        whole = np.iinfo(self.dtype)
        low, high = int(whole.min) - self.zero_point, int(whole.max) - self.zero_point
        return low * self.scale, high * self.scale


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of the graph; tensors by index, -1 = left out."""

    name: str
    custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: bytes


@dataclass(frozen=True, slots=True, eq=False)
class ModelFile:
    """The first subgraph of a file, with all that recognition needs.

    signature : output name -> tensor index, of the first signature
    metadata : the file's named buffers
    buffers : contents of the constant tensors, by buffer number
    """

    content: memoryview
    sha256: str
    version: int
    description: str
    tensors: tuple[TensorInfo, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[Operator, ...]
    signature: Mapping[str, int]
    metadata: Mapping[str, memoryview]
    buffers: tuple[memoryview, ...]

    def constant(self, index: int) -> NDArray[Any] | None:
        """The stored numbers of a constant tensor; None where it has none, or they do not fill its shape."""
        tensor = self.tensors[index]
        if not tensor.is_constant or tensor.dtype not in {"float32", "uint8", "int8", "int16", "int32", "int64"}:
            return None
        dtype = np.dtype(tensor.dtype)
        data = self.buffers[tensor.buffer]
        count = 1
        for side in tensor.shape:
            count *= side
        if count * dtype.itemsize != len(data):
            return None
        return np.frombuffer(data, dtype).reshape(tensor.shape)

    def real_constant(self, index: int) -> NDArray[np.float32] | None:
        """The same as real numbers."""
        stored, tensor = self.constant(index), self.tensors[index]
        if stored is None:
            return None
        real = stored.astype(np.float32)
        return (real - np.float32(tensor.zero_point)) * np.float32(tensor.scale) if tensor.scale > 0 else real


def parse_model(content: bytes) -> ModelFile:
    """The structure in these bytes.

    Raises
    ------
    ModelError
        For anything that is not a whole, sound TFLite model.
    """
    data = memoryview(content)
    check_identifier(data)
    digest = hashlib.sha256(content).hexdigest()
    try:
        return _read_model(data, digest)
    except (struct.error, OverflowError, MemoryError, UnicodeError) as error:
        raise FlatbufferError(str(error)) from error


def _read_model(data: memoryview, digest: str) -> ModelFile:
    model = root_table(data)
    version = model.number(0, "I")
    if version != _SCHEMA_VERSION:
        raise ModelError(f"expected TFLite schema version {_SCHEMA_VERSION}, found {version}; damaged, or too old")
    graphs = model.tables(2)
    if not graphs:
        raise FlatbufferError("the file holds no graph")
    buffers = tuple(_read_buffer(table) for table in model.tables(4))
    tensors = tuple(_read_tensor(i, table, buffers) for i, table in enumerate(graphs[0].tables(0)))
    return ModelFile(
        content=data,
        sha256=digest,
        version=version,
        description=model.text(3),
        tensors=tensors,
        inputs=_checked(graphs[0].numbers(1, "i"), tensors, "the graph's inputs"),
        outputs=_checked(graphs[0].numbers(2, "i"), tensors, "the graph's outputs"),
        operators=_read_operators(graphs[0], model, tensors),
        signature=_read_signature(model, tensors),
        metadata=_read_metadata(model, buffers),
        buffers=buffers,
    )


def _checked(indices: tuple[int, ...], tensors: tuple[TensorInfo, ...], where: str) -> tuple[int, ...]:
    for index in indices:
        if not 0 <= index < len(tensors):
            raise FlatbufferError(f"{where} name tensor {index} of {len(tensors)}")
    return indices


def _read_buffer(table: Table) -> memoryview:
    # Fields 1 and 2 (offset, size) place the bytes behind the flatbuffer, for files beyond 2 GB: beyond our cap too.
    return table.raw(0)


def _read_tensor(index: int, table: Table, buffers: tuple[memoryview, ...]) -> TensorInfo:
    shape = table.numbers(0, "i", limit=_MAX_RANK)
    if any(side < 0 for side in shape):
        raise FlatbufferError(f"tensor {index} has the shape {list(shape)}")
    buffer = table.number(2, "I")
    if buffer >= max(1, len(buffers)):
        raise FlatbufferError(f"tensor {index} names buffer {buffer} of {len(buffers)}")
    quantisation = table.table(4)
    scales = quantisation.reals(2, limit=_MAX_QUANTISED_CHANNELS) if quantisation else ()
    zero_points = quantisation.numbers(3, "q", limit=_MAX_QUANTISED_CHANNELS) if quantisation else ()
    return TensorInfo(
        index=index,
        name=table.text(3),
        shape=shape,
        signature=table.numbers(7, "i", limit=_MAX_RANK) or shape,
        dtype=_DTYPES.get(table.number(1, "b"), f"type-{table.number(1, 'b')}"),
        scales=scales,
        zero_points=zero_points,
        buffer=buffer,
        is_constant=buffer > 0 and len(buffers[buffer]) > 0,
    )


def _read_operators(graph: Table, model: Table, tensors: tuple[TensorInfo, ...]) -> tuple[Operator, ...]:
    codes = [_operator_code(table) for table in model.tables(1)]
    found = []
    for table in graph.tables(3):
        number = table.number(0, "I")
        if number >= len(codes):
            raise FlatbufferError(f"an operator has the code {number} of {len(codes)}")
        name, custom = codes[number]
        inputs = tuple(i for i in table.numbers(1, "i") if i != -1)
        outputs = _checked(table.numbers(2, "i"), tensors, f"the outputs of {name}")
        found.append(Operator(name, custom, _checked(inputs, tensors, f"the inputs of {name}"), outputs,
                              bytes(table.raw(5)) if custom else b""))  # fmt: skip
    return tuple(found)


def _operator_code(table: Table) -> tuple[str, bool]:
    """Name, and whether it is a custom one. Old files have only the byte; both present: the larger counts."""
    code = max(table.number(0, "b"), table.number(3, "i"))
    return (table.text(1), True) if code == CUSTOM else (operator_name(code), False)


def _read_signature(model: Table, tensors: tuple[TensorInfo, ...]) -> Mapping[str, int]:
    for signature in model.tables(7, limit=1000):
        if signature.number(4, "I") == 0:
            named = {entry.text(0): entry.number(1, "I") for entry in signature.tables(1, limit=1000)}
            _checked(tuple(named.values()), tensors, "the signature's outputs")
            return named
    return {}


def _read_metadata(model: Table, buffers: tuple[memoryview, ...]) -> Mapping[str, memoryview]:
    entries = ((entry.text(0), entry.number(1, "I")) for entry in model.tables(6, limit=1000))
    return {name: buffers[number] for name, number in entries if number < len(buffers)}
