"""The Edge TPU's delegate by way of a real shared library that stands in for it, in the real runtime."""

from pathlib import Path

import numpy as np
import pytest

from edge.core.errors import ConfigError, MissingLibraryError, ModelError
from edge.infer.delegate import find_edgetpus, open_edgetpu
from edge.infer.interpreter import open_interpreter
from edge.infer.runtime import Runtime, load_runtime
from tests.accelerator import build_library, compile_library
from tests.contracts.interpreter import InterpreterContract, random_input
from tests.infer.default_model import default_model
from tests.infer.test_interpreter import custom_model


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> str:
    return str(build_library(tmp_path_factory.mktemp("delegate")))


def runtime_with(**options: str) -> Runtime:
    """The real runtime, whose delegate is told how to behave."""
    real = load_runtime()
    return Runtime(
        real.name,
        real.version,
        real.interpreter_class,
        lambda library, given: real.load_delegate(library, {**given, **options}),
    )


class TestWithADelegate(InterpreterContract):
    @pytest.fixture
    def layout(self):
        return default_model().layout

    @pytest.fixture
    def interpreter(self, library):
        runtime = runtime_with()
        return open_interpreter(default_model(), runtime, threads=1, delegate=open_edgetpu(runtime, "usb", library))


def test_the_delegate_really_runs_and_gives_the_numbers_of_the_cpu(library):
    # It fails from the second run on, so the first went through it.
    runtime = runtime_with(fail="invoke", after="1")
    picture = random_input(default_model().layout, seed=1)
    accelerated = open_interpreter(default_model(), runtime, threads=1, delegate=open_edgetpu(runtime, "", library))

    outputs = accelerated.invoke(picture)

    expected = open_interpreter(default_model(), runtime, threads=1).invoke(picture)
    for mine, theirs in zip(outputs, expected, strict=True):
        # XNNPACK runs what the delegate leaves, in other groups: a step of rounding may differ.
        np.testing.assert_allclose(mine.values.astype(int), theirs.values.astype(int), atol=1)
    with pytest.raises(ModelError, match=r"the run failed \(.*transfer error"):
        accelerated.invoke(picture)


def test_a_lost_device_stays_lost_and_its_message_does_not_grow(library):
    runtime = runtime_with(fail="invoke")
    picture = random_input(default_model().layout, seed=1)
    interpreter = open_interpreter(
        default_model(), runtime, threads=1, delegate=open_edgetpu(runtime, "usb:0", library)
    )

    messages = set()
    for _ in range(5):
        with pytest.raises(ModelError) as caught:
            interpreter.invoke(picture)
        messages.add(str(caught.value))

    assert len(messages) == 1
    assert "transfer error (usb:0)" in messages.pop()


def test_a_model_for_the_edge_tpu_loads_with_it_and_not_without(library, tmp_path):
    model = custom_model(tmp_path / "model.tflite", "edgetpu-custom-op")
    runtime = runtime_with(claim="custom")

    outputs = open_interpreter(model, runtime, threads=1, delegate=open_edgetpu(runtime, "", library)).invoke(
        random_input(model.layout, seed=1)
    )

    assert outputs[0].values.shape == (1, 4)
    with pytest.raises(ModelError, match="compiled for the Edge TPU"):
        open_interpreter(model, runtime, threads=1)


def test_a_delegate_that_takes_nothing_of_an_edgetpu_model_is_explained(library, tmp_path):
    model = custom_model(tmp_path / "model.tflite", "edgetpu-custom-op")
    runtime = runtime_with(claim="none")

    with pytest.raises(MissingLibraryError, match="refuses the model"):
        open_interpreter(model, runtime, threads=1, delegate=open_edgetpu(runtime, "", library))


def test_a_library_that_refuses_the_model_is_explained(library):
    runtime = runtime_with(fail="prepare")
    delegate = open_edgetpu(runtime, "", library)

    with pytest.raises(MissingLibraryError, match=r"refuses the model.*install matching versions"):
        open_interpreter(default_model(), runtime, threads=1, delegate=delegate)


def test_a_missing_library_is_explained():
    with pytest.raises(MissingLibraryError, match=r"libnowhere.so.1 can't be loaded .*install the package"):
        open_edgetpu(load_runtime(), "", "libnowhere.so.1")


def test_a_file_that_is_no_library_is_explained(tmp_path):
    path = tmp_path / "libedgetpu.so.1"
    path.write_text("nothing")

    with pytest.raises(MissingLibraryError, match="can't be loaded"):
        open_edgetpu(load_runtime(), "", str(path))


def test_a_library_of_another_kind_is_explained(tmp_path, library):
    source = tmp_path / "other.c"
    source.write_text("int nothing_here;\n")
    compile_library(source, tmp_path / "libother.so")

    with pytest.raises(MissingLibraryError, match="is not an Edge TPU library"):
        open_edgetpu(load_runtime(), "", str(tmp_path / "libother.so"))


@pytest.mark.parametrize(("device", "name"), [("", "Edge TPU"), ("usb:1", 'Edge TPU "usb:1"')])
def test_no_device_is_explained(library, tmp_path, device, name):
    with pytest.raises(MissingLibraryError, match=f"finds no {name}; no such device is attached: plug it in"):
        open_edgetpu(runtime_with(fail="create"), device, library, system=tmp_path)


def test_the_words_of_the_library_are_passed_on(library, tmp_path):
    with pytest.raises(MissingLibraryError, match="and says: no Edge TPU device found"):
        open_edgetpu(runtime_with(fail="create_with_words"), "", library, system=tmp_path)


def test_a_stick_that_is_there_but_refuses_points_at_permissions_and_versions(library, tmp_path):
    plug_in(tmp_path, "1-2", vendor="1a6e", product="089a")

    with pytest.raises(MissingLibraryError, match=r"USB stick at 1-2 \(not initialised yet\).*group plugdev"):
        open_edgetpu(runtime_with(fail="create"), "", library, system=tmp_path)


def test_a_library_that_breaks_otherwise_is_explained(library):
    def broken(*_):
        raise RuntimeError("Internal: Unsupported data type in custom op handler: 0")

    with pytest.raises(MissingLibraryError, match="does not work with the runtime litert 9"):
        open_edgetpu(Runtime("litert", "9", object, broken), "", library)


@pytest.mark.parametrize("device", ["tpu", "usb:", "usb:a", "usb:0\n", "usb:100", "pci: 1", "/dev/apex_0"])
def test_a_device_that_is_written_wrongly_is_refused(device):
    with pytest.raises(ConfigError, match="expected"):
        open_edgetpu(load_runtime(), device)


def test_devices_are_found_by_their_usb_numbers_and_nodes(tmp_path):
    plug_in(tmp_path, "1-1", vendor="18d1", product="9302")
    plug_in(tmp_path, "1-3", vendor="046d", product="c077")
    (tmp_path / "sys/bus/usb/devices/usb1").mkdir()
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/apex_0").touch()

    assert find_edgetpus(tmp_path) == ["a USB stick at 1-1 (running)", "PCI device " + str(tmp_path / "dev/apex_0")]


def plug_in(system: Path, port: str, *, vendor: str, product: str) -> None:
    folder = system / "sys/bus/usb/devices" / port
    folder.mkdir(parents=True)
    (folder / "idVendor").write_text(vendor + "\n")
    (folder / "idProduct").write_text(product + "\n")
