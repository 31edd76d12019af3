"""Tests of training/loop/devices.py."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
import tensorflow as tf

from speechgru.errors import SpeechGRUError
from training.loop.devices import (
    DeviceError,
    check_batch_size,
    choose_device,
    choose_strategy,
    has_bfloat16,
    is_chief,
)
from training.recipes.recipe import Recipe, RecipeError


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(DeviceError, match="--device gpu: expected a GPU"):
        choose_device("gpu")
    assert not choose_device("auto")
    assert issubclass(DeviceError, SpeechGRUError)


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True)])
def test_bfloat16_needs_a_gpu_of_ampere_or_later(capability, expected, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
    details = {"compute_capability": capability}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)
    assert has_bfloat16(gpu=True) == expected
    assert not has_bfloat16(gpu=False)


@pytest.mark.parametrize(
    "config", ["", "{", "[]", json.dumps({"cluster": {}}), json.dumps({"cluster": {"ps": ["a:1"]}})]
)
def test_a_cluster_that_cannot_be_used_is_one_line(config, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(DeviceError, match="expected TF_CONFIG") as caught:
        choose_strategy("multiworker")
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
