"""Tests of training/loop/devices.py."""

import dataclasses
import json
import re
from types import SimpleNamespace

import pytest
import tensorflow as tf

from speechgru.errors import SpeechGRUError
from training.loop import devices
from training.loop.devices import (
    Device,
    DeviceError,
    check_batch_size,
    choose_device,
    choose_strategy,
    describe_device,
    is_chief,
    loss_hint,
    pays_to_compile,
)
from training.recipes.recipe import Recipe, RecipeError

CPU = Device("CPU", is_gpu=False)
GPU = Device("NVIDIA H100 80GB HBM3", is_gpu=True)
EXPLANATION = "this machine has a GPU, but"


@pytest.fixture
def no_gpu(monkeypatch):
    """A TensorFlow that sees no GPU, on a machine that has one."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    monkeypatch.setattr(devices, "explain_missing_gpu", lambda: EXPLANATION)


class FakeGPUs:
    """TensorFlow's settings of two GPUs; no setting can be changed once it has `started`."""

    def __init__(self, started):
        self.started = started
        self.visible = ["gpu 0", "gpu 1"]
        self.growing = []

    def list_physical_devices(self, kind):
        return ["gpu 0", "gpu 1"]

    def get_visible_devices(self, kind):
        return self.visible

    def set_visible_devices(self, visible, kind):
        if self.started and visible != self.visible:
            raise RuntimeError("Visible devices cannot be modified after being initialized")
        self.visible = visible

    def set_memory_growth(self, gpu, enable):
        if self.started:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        self.growing.append(gpu)

    def get_device_details(self, gpu):
        return {"device_name": GPU.name, "compute_capability": (9, 0)}


@pytest.fixture
def gpus(request, monkeypatch):
    fake = FakeGPUs(started=request.param)
    for name in ("list_physical_devices", "get_visible_devices", "set_visible_devices"):
        monkeypatch.setattr(tf.config, name, getattr(fake, name))
    for name in ("set_memory_growth", "get_device_details"):
        monkeypatch.setattr(tf.config.experimental, name, getattr(fake, name))
    return fake


started = pytest.mark.parametrize("gpus", [True], indirect=True, ids=["started"])
not_started = pytest.mark.parametrize("gpus", [False], indirect=True, ids=["not started"])


def device_of_an_operator(device):
    with tf.Graph().as_default(), device.scope():
        return tf.constant(1).device


def test_a_gpu_that_is_not_there_is_an_error(no_gpu):
    with pytest.raises(DeviceError, match=f"--device gpu: expected a GPU.*: {EXPLANATION}"):
        choose_device("gpu")
    assert issubclass(DeviceError, SpeechGRUError)


def test_a_gpu_that_tensorflow_does_not_see_is_one_line(no_gpu, capsys):
    assert not choose_device("auto").is_gpu
    assert capsys.readouterr().err == f"warning: {EXPLANATION}; training on the CPU\n"
    choose_device("cpu")
    assert not capsys.readouterr().err


def test_a_machine_without_a_gpu_is_not_mentioned(no_gpu, monkeypatch, capsys):
    monkeypatch.setattr(devices, "explain_missing_gpu", lambda: None)
    device = choose_device("auto")
    assert not capsys.readouterr().err
    assert re.fullmatch(r"CPU \(\d+ cores?\)", device.name)
    with pytest.raises(DeviceError, match=r"found none$"):
        choose_device("gpu")


@not_started
@pytest.mark.parametrize("name", ["auto", "gpu"])
def test_gpus_give_their_memory_as_it_is_needed(gpus, name):
    assert choose_device(name) == GPU
    assert gpus.growing == ["gpu 0", "gpu 1"]
    assert device_of_an_operator(GPU) == ""


@started
@pytest.mark.parametrize("name", ["auto", "gpu"])
def test_gpus_that_are_in_use_already_are_used_as_they_are(gpus, name):
    assert choose_device(name) == GPU


@not_started
def test_gpus_are_hidden_from_a_run_on_the_cpu(gpus, capsys):
    device = choose_device("cpu")
    assert (gpus.visible, device.is_gpu) == ([], False)
    assert device_of_an_operator(device) == ""
    assert not choose_device("auto").is_gpu  # hidden GPUs are not used
    assert "this process has hidden its GPUs" in capsys.readouterr().err


@started
def test_operators_are_placed_on_the_cpu_where_gpus_cannot_be_hidden(gpus):
    device = choose_device("cpu")
    assert (gpus.visible, device.is_gpu) == (["gpu 0", "gpu 1"], False)
    assert device_of_an_operator(device) == "/device:CPU:0"


@pytest.mark.parametrize(
    ("device", "expected"),
    [(CPU, ["/CPU:0"]), (GPU, None)],  # None: all GPUs
)
def test_a_mirrored_run_on_the_cpu_uses_no_gpu(device, expected, monkeypatch):
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda devices: ("mirrored", devices))
    assert choose_strategy("mirrored", device) == ("mirrored", expected)


def test_a_mirrored_run_needs_no_gpu():
    assert choose_strategy("mirrored", CPU).num_replicas_in_sync == 1
    assert choose_strategy("none", CPU).num_replicas_in_sync == 1


def test_the_log_names_the_device():
    one, two = (SimpleNamespace(num_replicas_in_sync=count) for count in (1, 2))
    assert describe_device(CPU, one) == "device: CPU"
    assert describe_device(GPU, two) == f"device: {GPU.name}; batches are split over 2"


def test_a_loss_that_is_not_finite_has_a_hint_for_the_device():
    assert loss_hint(CPU) == "try a lower `learning_rate`"
    assert loss_hint(GPU).startswith("try a lower `learning_rate`; if")
    assert "`--device cpu --epochs 1`" in loss_hint(GPU)


def test_several_workers_need_a_new_process(monkeypatch):
    tf.constant(1)  # TensorFlow starts
    cluster = {"cluster": {"worker": ["127.0.0.1:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(DeviceError, match="expected a new process"):
        choose_strategy("multiworker", CPU)


@pytest.mark.parametrize(
    "config", ["", "{", "[]", json.dumps({"cluster": {}}), json.dumps({"cluster": {"ps": ["a:1"]}})]
)
def test_a_cluster_that_cannot_be_used_is_one_line(config, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(DeviceError, match="expected TF_CONFIG") as caught:
        choose_strategy("multiworker", CPU)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("task_type", "task_id", "cluster", "expected"),
    [
        ("", None, {}, True),
        ("chief", 0, {"chief": ["a"], "worker": ["b"]}, True),
        ("worker", 0, {"chief": ["a"], "worker": ["b"]}, False),
        ("worker", 0, {"worker": ["a", "b"]}, True),
        ("worker", 1, {"worker": ["a", "b"]}, False),
    ],
)
def test_one_worker_writes_the_files(task_type, task_id, cluster, expected):
    spec = SimpleNamespace(as_dict=lambda: cluster)
    resolver = SimpleNamespace(task_type=task_type, task_id=task_id, cluster_spec=lambda: spec)
    assert is_chief(SimpleNamespace(cluster_resolver=resolver)) == expected
    assert is_chief(SimpleNamespace(cluster_resolver=None))


def test_a_batch_must_split_equally_over_the_devices():
    recipe = dataclasses.replace(Recipe(), batch_size=32)
    check_batch_size(recipe, SimpleNamespace(num_replicas_in_sync=2))
    with pytest.raises(RecipeError, match="`batch_size`: expected a multiple of the 3 devices"):
        check_batch_size(recipe, SimpleNamespace(num_replicas_in_sync=3))


@pytest.mark.parametrize(
    ("device", "replicas", "epochs", "expected"),
    [(GPU, 1, 30, True), (GPU, 1, 5, False), (GPU, 2, 30, False), (CPU, 1, 30, False)],
)
def test_xla_compiles_the_steps_of_long_runs_on_one_gpu(device, replicas, epochs, expected):
    recipe = dataclasses.replace(Recipe(), epochs=epochs, steps=100)
    strategy = SimpleNamespace(num_replicas_in_sync=replicas)
    assert pays_to_compile(device, strategy, recipe) == expected
