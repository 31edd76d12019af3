"""Saving and loading a model with the GRU, and its configuration."""

import inspect
import subprocess
import sys

import pytest

pytest.importorskip("keras", reason="the GRU needs Keras: install the extra train")

import keras
import numpy as np

from speechgru import GRU
from tests.speechgru.gru.reference import (
    FEATURES,
    STEPS,
    UNITS,
)


def test_saved_models_reload_in_a_fresh_process(tmp_path, sequences):
    np.save(tmp_path / "in.npy", sequences)
    models = {}
    for update_gate in ("keep", "write"):
        inputs = keras.Input((STEPS, FEATURES))
        models[update_gate] = keras.Model(inputs, GRU(UNITS, update_gate=update_gate)(inputs))
        models[update_gate].save(tmp_path / f"{update_gate}.keras")
    code = (
        "import keras, numpy as np, speechgru\n"
        "for update_gate in ('keep', 'write'):\n"
        "    model = keras.saving.load_model(f'{update_gate}.keras')\n"
        "    np.save(f'{update_gate}.npy', model(np.load('in.npy')))\n"
        "    print(model.layers[-1].update_gate)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["keep", "write"]
    for update_gate, model in models.items():
        found = np.load(tmp_path / f"{update_gate}.npy")
        np.testing.assert_allclose(found, model(sequences), atol=1e-6)


def test_every_argument_survives_the_configuration():
    layer = GRU(
        UNITS,
        update_gate="write",
        reset_after=False,
        return_sequences=True,
        use_bias=False,
        activation="relu",
        recurrent_initializer="zeros",
        name="mine",
    )
    again = GRU.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.name, again.cell.update_gate, again.cell.use_bias) == ("mine", "write", False)


# What the first version, in which `GRU` and `GRUCell` took keyword arguments only, wrote for
# Bidirectional(GRU(4, update_gate="write", reset_after=False, dropout=0.2, seed=1)).
SAVED_BY_THE_FIRST_VERSION = {
    "module": "speechgru.gru",
    "class_name": "GRU",
    "registered_name": "speechgru>GRU",
    "config": {
        "name": "forward_gru",
        "trainable": True,
        "dtype": {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": {"name": "float32"},
            "registered_name": None,
        },
        "return_sequences": True,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "unroll": False,
        "zero_output_for_mask": True,
        "activity_regularizer": None,
        "units": 4,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": True,
        "kernel_initializer": {
            "module": "keras.initializers",
            "class_name": "GlorotUniform",
            "config": {"seed": None, "input_axes": None, "output_axes": None},
            "registered_name": None,
        },
        "recurrent_initializer": {
            "module": "keras.initializers",
            "class_name": "Orthogonal",
            "config": {"seed": None, "gain": 1.0},
            "registered_name": None,
        },
        "bias_initializer": {
            "module": "keras.initializers",
            "class_name": "Zeros",
            "config": {},
            "registered_name": None,
        },
        "kernel_regularizer": None,
        "recurrent_regularizer": None,
        "bias_regularizer": None,
        "kernel_constraint": None,
        "recurrent_constraint": None,
        "bias_constraint": None,
        "dropout": 0.2,
        "recurrent_dropout": 0.0,
        "reset_after": False,
        "seed": 1,
        "update_gate": "write",
        "implementation": 2,
        "return_gates": False,
        "use_cudnn": "auto",
    },
    "build_config": {"input_shape": [None, None, 5]},
}


def test_a_layer_saved_by_the_first_version_loads():
    layer = keras.saving.deserialize_keras_object(SAVED_BY_THE_FIRST_VERSION)
    assert isinstance(layer, GRU)
    assert layer.built
    config = layer.get_config()
    assert config == {**config, **SAVED_BY_THE_FIRST_VERSION["config"]}


def test_a_configuration_has_every_argument():
    arguments = set(inspect.signature(GRU.__init__).parameters) - {"self", "kwargs"}
    assert arguments <= set(GRU(UNITS).get_config())
