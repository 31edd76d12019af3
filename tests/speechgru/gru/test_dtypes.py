"""Outputs and gradients of the GRU in every dtype, on a CPU and on a GPU, against float64."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("keras", reason="the GRU needs Keras: install the extra train")

import tensorflow as tf

from tests.speechgru.gru.accuracy import LIMITS, relative_errors

ROOT = Path(__file__).resolve().parents[3]
DTYPES = [numbers for numbers in LIMITS if numbers != "TF32"]
HAS_GPU = bool(tf.config.list_physical_devices("GPU"))
GPU = [pytest.mark.gpu, pytest.mark.skipif(not HAS_GPU, reason="there is no GPU")]
PLACES = [
    pytest.param("/CPU:0", False, id="loop, CPU"),
    pytest.param("/GPU:0", False, marks=GPU, id="loop, GPU"),
    pytest.param("/GPU:0", True, marks=GPU, id="cuDNN"),
]


def assert_accurate(errors, limit):
    assert all(error < limit for error in errors.values()), errors  # NaN fails, too


@pytest.mark.parametrize(("device", "use_cudnn"), PLACES)
@pytest.mark.parametrize("update_gate", ["keep", "write"])
@pytest.mark.parametrize("numbers", DTYPES)
def test_outputs_and_gradients_are_those_of_float64(numbers, update_gate, device, use_cudnn):
    errors = relative_errors(numbers, update_gate, device, use_cudnn)
    assert_accurate(errors, LIMITS[numbers])


TF32_PLACES = [PLACES[0], PLACES[2]]
IN_A_NEW_PROCESS = """
import json, os, sys
assert "NVIDIA_TF32_OVERRIDE" not in os.environ
from tests.speechgru.gru.accuracy import relative_errors
print(json.dumps(relative_errors(*json.loads(sys.argv[1]))))
"""


@pytest.mark.parametrize(("device", "use_cudnn"), TF32_PLACES)
@pytest.mark.parametrize("update_gate", ["write"])
def test_tf32_as_tensorflow_has_it_by_default(update_gate, device, use_cudnn):
    """conftest.py switches TF32 off for this process."""
    environment = {k: v for k, v in os.environ.items() if k != "NVIDIA_TF32_OVERRIDE"}
    arguments = json.dumps(["TF32", update_gate, device, use_cudnn])
    done = subprocess.run(
        [sys.executable, "-c", IN_A_NEW_PROCESS, arguments],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    assert_accurate(json.loads(done.stdout), LIMITS["TF32"])
