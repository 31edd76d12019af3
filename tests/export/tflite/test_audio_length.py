"""A model file refuses audio of another length than its signatures state."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from speechgru import modelfile

RESOLVERS = [OpResolverType.AUTO, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES]


def inputs_of(runner, length):
    state = {
        name: np.zeros(detail["shape"], np.float32)
        for name, detail in runner.get_input_details().items()
    }
    return state | {"audio": np.full((1, length), 0.01, np.float32)}


@pytest.mark.parametrize("resolver", RESOLVERS)
@pytest.mark.parametrize("model", ["medium", "small", "exported"])
@pytest.mark.parametrize(
    ("signature", "length"), [("recognize", 16000), ("features", 16000), ("stream", 640)]
)
def test_audio_of_another_length_is_refused(model, signature, length, resolver, request):
    path = request.getfixturevalue("model_file") if model == "exported" else model
    flatbuffer = modelfile.read(path).flatbuffer
    for wrong in (2 * length, length + 1, length // 2):
        interpreter = Interpreter(model_content=flatbuffer, experimental_op_resolver_type=resolver)
        runner = interpreter.get_signature_runner(signature)
        with pytest.raises((RuntimeError, ValueError)):
            runner(**inputs_of(runner, wrong))
    runner = Interpreter(model_content=flatbuffer).get_signature_runner(signature)
    assert all(np.isfinite(value).all() for value in runner(**inputs_of(runner, length)).values())
