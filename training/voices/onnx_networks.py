"""Load the networks of the neural synthesisers, which are ONNX files."""

import importlib
import threading
from typing import Any

# Held while a network is loaded. kokoro's is loaded once for all threads. piper's takes its seed
# from a setting of the whole process.
LOADING = threading.Lock()


def load_network(model: bytes, seed: int | None = None) -> Any:
    """Return an ``onnxruntime.InferenceSession`` that uses one thread.

    Args:
        model: content of the ONNX file.
        seed: seed of the noise that the network draws; defaults to None, for one that draws none.
    """
    onnxruntime = importlib.import_module("onnxruntime")
    if seed is not None:
        onnxruntime.set_seed(seed)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
