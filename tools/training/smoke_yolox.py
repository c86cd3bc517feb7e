"""The smoke test of YOLOX-nano: its files, made here with weights by lot, are read, taught by and started from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edge.core.errors import EdgeError
from tools.training import export, state, unpack
from tools.training.backbones import Conv
from tools.training.classes import parse_classes
from tools.training.csp import HEAD, CspDetector
from tools.training.ncnn_file import read_convolutions
from tools.training.yolox import COCO, Yolox

_MEAN, _DEVIATION = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
_SAME = 2e-3  # half precision in the file
_ROUNDED = 0.05


def try_yolox(packed: Path, folder: Path, *, classes: str, call: Callable[..., None]) -> None:
    """Raises EdgeError where a step fails, or what is read is not what was written."""
    param = folder / "yolox-nano.param"
    stem = _write_files(param)
    _check_stem(param, stem, classes)
    call("teach", "--data", packed, "--teacher", param, "--licence", "Apache-2.0", "--classes", classes,
         "--out", folder / "taught.json")  # fmt: skip
    run = folder / "shaped"
    fit = ("fit", "--data", packed, "--out", run, "--classes", classes, "--size", "96", "--threads", "1", "--batch",
           "16", "--network", "yolox-nano", "--start", param, "--teacher", param, "--checks", "2")  # fmt: skip
    call(*fit, "--pictures", "64")
    model = folder / "shaped.tflite"
    call("export", "--weights", run / "weights.pt", "--data", packed, "--out", model)
    call("export", "--weights", run / "weights.pt", "--data", packed, "--out", folder / "odd.tflite", "--size", "100",
         expected=2)  # fmt: skip
    again = folder / "shaped-again"
    call("fit", "--data", packed, "--out", again, "--classes", classes, "--size", "96", "--threads", "1", "--pictures",
         "32", "--network", "yolox-nano", "--start", model, "--checks", "1")  # fmt: skip
    for other in (run / "weights.pt", model):  # of another network than the one that is asked for
        call("fit", "--data", packed, "--out", folder / "refused", "--classes", classes, "--size", "96", "--pictures",
             "32", "--start", other, expected=78)  # fmt: skip
    weights = state.load_weights(run / "weights.pt")
    _check_read_back(model, weights.network)
    print(f"shaped: {weights.seen} pictures, {len(export.shapes_of(export.build_graph(weights.network), 96))} values")


def _check_read_back(model: Path, network: nn.Module) -> None:
    """The first convolution, which the file has in another form, comes back as it was but for int8's rounding."""
    other = CspDetector(2)
    new = unpack.fill(other, unpack.read_weights(model), origin=model)
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        apart = float((other.eval().backbone.stem(picture) - network.eval().backbone.stem(picture)).abs().max())
    if new or apart > _ROUNDED:
        raise EdgeError(f"the exported file does not come back: new {new}, first map {apart:.3f} apart")


def _write_files(param: Path) -> tuple[Tensor, Tensor]:
    """ncnn's two files of a network with YOLOX-nano's layers. Returns its first convolution, of quarter pictures."""
    torch.manual_seed(0)
    network = CspDetector(len(COCO))
    for head in network.heads:
        head.presence = nn.Conv2d(HEAD, 1, 1)
    inner = {f"{name}.0" for name, module in network.named_modules() if isinstance(module, Conv)}
    lines, data, first = [], b"", (torch.empty(0), torch.empty(0))
    for name, module in network.named_modules():
        if not isinstance(module, Conv | nn.Conv2d) or name in inner:
            continue
        conv = module[0] if isinstance(module, Conv) else module
        weight = conv.weight.detach()
        if name == "backbone.stem":
            weight = torch.randn(len(weight), 12, 3, 3) * 0.1
        weight = weight.half().float()
        bias = torch.randn(len(weight)) * 0.1
        if name == "backbone.stem":
            first = weight, bias
        kind = "ConvolutionDepthWise" if conv.groups > 1 else "Convolution"
        lines.append(f"{kind} {name} 1 1 a b 0={len(weight)} 1={weight.shape[-1]} 5=1 6={weight.numel()}")
        half = np.asarray(weight.numpy(), "<f2").tobytes()
        data += (0x01306B47).to_bytes(4, "little") + half + bytes(-len(half) % 4) + np.asarray(bias, "<f4").tobytes()
    param.write_text("\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines]) + "\n", encoding="utf-8")
    param.with_suffix(".bin").write_bytes(data)
    return first


def _check_stem(param: Path, stem: tuple[Tensor, Tensor], classes: str) -> None:
    """YOLOX's own first step, on four quarters of a normalised picture, is one convolution of the picture here."""
    picture = torch.rand(1, 3, 64, 64)
    flat = (picture - _MEAN) / _DEVIATION
    quarters = torch.cat([flat[..., down::2, across::2] for across in (0, 1) for down in (0, 1)], 1)
    theirs = F.silu(F.conv2d(quarters, *stem, padding=1))
    teacher = Yolox(param, parse_classes(classes))
    with torch.no_grad():
        mine = teacher.network.backbone.stem(picture)
    apart = float((theirs - mine)[..., 1:-1, 1:-1].abs().max())  # at the border theirs is grey, and black here
    print(f"YOLOX-nano's files: {len(read_convolutions(param))} convolutions, its first map {apart:.5f} apart")
    if apart > _SAME:
        raise EdgeError("YOLOX-nano's weights compute something else here")
