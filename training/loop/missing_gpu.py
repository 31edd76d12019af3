"""Explain why TensorFlow sees no GPU on a machine that has one from NVIDIA.

The reasons are those of https://www.tensorflow.org/install/pip and of the CUDA Programming Guide
(CUDA_VISIBLE_DEVICES). The GPU is found by the files of its driver; no program is started.
"""

import ctypes
import os
import platform
import re
from pathlib import Path

import tensorflow as tf

from training.output.messages import some


def explain_missing_gpu(root: Path = Path("/")) -> str | None:
    """Return in one line which GPU TensorFlow does not see, the likely reason and what to do.

    Call it only if TensorFlow lists no GPU.

    Args:
        root: the folder that holds ``dev``, ``proc`` and ``usr``. Default: the root folder.

    Returns:
        The explanation, or None if the machine has no NVIDIA GPU.
    """
    gpus = installed_gpus(root)
    if not gpus:
        return None
    names = some(sorted(set(gpus)))
    return f"this machine has {names}, but TensorFlow sees no GPU: {_likely_reason(root)}"


def installed_gpus(root: Path = Path("/")) -> list[str]:
    """Return the names of the NVIDIA GPUs that have a driver, as far as its files tell.

    Args:
        root: the folder that holds ``dev``, ``proc`` and ``usr``. Default: the root folder.
    """
    files = sorted(root.glob("proc/driver/nvidia/gpus/*/information"))
    if files:
        return [_model(file) for file in files]
    found = (
        any(root.glob("dev/nvidia[0-9]*"))
        or (root / "usr/lib/wsl/lib/libcuda.so.1").exists()  # Linux inside Windows (WSL2)
        or (_is_windows() and _windows_driver().exists())
    )
    return ["an NVIDIA GPU"] if found else []


def _model(information: Path) -> str:
    try:
        text = information.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^Model:[ \t]*(\S.*?)\s*$", text, re.MULTILINE)
    return found[1] if found else "an NVIDIA GPU"


def _is_windows() -> bool:
    return platform.system() == "Windows"


def _windows_driver() -> Path:
    return Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "nvcuda.dll"


def _likely_reason(root: Path) -> str:
    if _is_windows():
        return "since version 2.11 it supports GPUs on Windows only in WSL2"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.split(",")[0].strip() in ("", "-1"):
        return f"CUDA_VISIBLE_DEVICES={visible!r} hides it; unset this variable"
    if not tf.test.is_built_with_cuda():
        return (
            f"TensorFlow {tf.__version__} is built without CUDA; pip uninstall tensorflow-cpu, "
            "then pip install 'tensorflow[and-cuda]' (Linux on x86-64 only)"
        )
    if _lacks_device_files(root):
        return (
            "/dev/nvidiactl is missing; start a container with `docker run --gpus all` "
            "(NVIDIA Container Toolkit)"
        )
    missing = _missing_libraries()
    if missing:
        return f"{', '.join(missing)} not found; pip install 'tensorflow[and-cuda]'"
    if visible is not None:
        return f"CUDA_VISIBLE_DEVICES={visible!r} may name no GPU of this machine; unset it"
    return "check the driver with `nvidia-smi`; TF_CPP_MIN_LOG_LEVEL=0 shows TensorFlow's reasons"


def _lacks_device_files(root: Path) -> bool:
    """A container shows the host's /proc/driver, but the GPU's devices only if it may use them."""
    driver = (root / "proc/driver/nvidia").exists()
    return driver and not (root / "dev/nvidiactl").exists()


def _missing_libraries() -> list[str]:
    """Return which of the largest CUDA libraries that this TensorFlow opens are not found."""
    build = tf.sysconfig.get_build_info()
    cuda, cudnn = (build.get(key, "").split(".")[0] for key in ("cuda_version", "cudnn_version"))
    libraries = [("cudart", cuda), ("cublas", cuda), ("cudnn", cudnn)]
    names = [f"lib{name}.so.{version}" for name, version in libraries if version]
    return [name for name in names if not _is_installed(name)]


def _is_installed(library: str) -> bool:
    packages = Path(tf.__file__).parents[1]  # where pip puts the libraries of tensorflow[and-cuda]
    if any(packages.glob(f"nvidia/*/lib/{library}")):
        return True
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
