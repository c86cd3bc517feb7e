"""Which TensorFlow Lite runtime this machine has: the only file that imports one."""

from __future__ import annotations

import importlib
import logging
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from types import ModuleType
from typing import Any, Literal

import numpy as np

from edge.core.errors import MissingLibraryError

logger = logging.getLogger(__name__)

RuntimeName = Literal["litert", "tflite"]


@dataclass(frozen=True)
class Runtime:
    """One library that runs .tflite files. Take both members from the same one: mixing them is untested.

    load_delegate : (library, options) -> a delegate for ``interpreter_class``
    reference_kernels : what ``interpreter_class`` calls its plain kernels, which are the same on every processor
    """

    name: RuntimeName
    version: str
    interpreter_class: Any
    load_delegate: Callable[..., Any]
    reference_kernels: Any = None

    def with_reference_kernels(self) -> Runtime:
        """The same library, running models as its authors define them: ten to forty times slower."""
        plain = partial(self.interpreter_class, experimental_op_resolver_type=self.reference_kernels)
        return replace(self, interpreter_class=plain)


def load_runtime(preference: Literal["auto", "litert", "tflite"] = "auto") -> Runtime:
    """LiteRT if it is there, else the older tflite_runtime; or the one that is asked for.

    Raises
    ------
    MissingLibraryError
        When it cannot be imported, with what to install.
    """
    loaders: dict[RuntimeName, Callable[[], Runtime]] = {"litert": _load_litert, "tflite": _load_tflite}
    wanted = [name for name in loaders if preference in ("auto", name)]
    failures: list[str] = []
    for name in wanted:
        try:
            return loaders[name]()
        except ImportError as error:
            failures.append(f"{name}: {error}")
        except (SystemError, AttributeError, OSError) as error:  # a wheel for another machine or numpy
            failures.append(f"{name}: broken installation, {error}")
    raise MissingLibraryError(
        f"no TensorFlow Lite runtime can be loaded (tried {'; '.join(failures)}). {_advice(preference)}"
    )


def explain_system_error(runtime: Runtime) -> str:
    """Why ``Interpreter()`` of this runtime may end in a SystemError, and what to do.

    tflite_runtime was built against numpy 1 and declares no upper bound: with numpy 2 the import succeeds and
    the first interpreter fails.
    """
    if runtime.name == "tflite" and int(np.__version__.split(".", maxsplit=1)[0]) >= 2:
        return (
            f"tflite_runtime {runtime.version} needs numpy 1.x, found numpy {np.__version__}: "
            "pip install 'numpy<2', or use the default runtime: pip install 'ai-edge-litert>=2.1.6,<3'"
        )
    return (
        f"the runtime {runtime.name} {runtime.version} does not work with numpy {np.__version__}: "
        "reinstall edge-detector, so that both fit"
    )


def _load_litert() -> Runtime:
    return _as_runtime("litert", importlib.import_module("ai_edge_litert.interpreter"), "ai-edge-litert")


def _load_tflite() -> Runtime:
    return _as_runtime("tflite", importlib.import_module("tflite_runtime.interpreter"), "tflite-runtime")


def _as_runtime(name: RuntimeName, module: ModuleType, package: str) -> Runtime:
    try:
        version = package_version(package)
    except PackageNotFoundError:  # a distribution's or a hand-made build
        version = "of unknown version"
    logger.debug("TensorFlow Lite runtime: %s %s", package, version)
    reference = module.OpResolverType.BUILTIN_REF
    return Runtime(name, version, module.Interpreter, module.load_delegate, reference)


def _advice(preference: str) -> str:
    machine = platform.machine()
    if machine in ("armv6l", "armv7l"):
        return f"This is a 32-bit system ({machine}), for which there are no builds: install a 64-bit one."
    if preference == "tflite":
        return "Install it with: pip install 'edge-detector[tflite]' (Python 3.11 alone), or set the runtime to auto."
    return "Install it with: pip install 'ai-edge-litert>=2.1.6,<3'"
