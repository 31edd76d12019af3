"""Tests of training/loop/missing_gpu.py, on a folder that stands for the machine's root."""

import ctypes
import platform

import pytest
import tensorflow as tf

from training.loop.missing_gpu import explain_missing_gpu, installed_gpus

INFORMATION = """Model: \t\t NVIDIA H100 80GB HBM3
IRQ:   \t\t 62
GPU UUID: \t GPU-8932f937-d72c-4106-c12f-20bd9faed9f6
"""


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A Linux machine with two GPUs, a TensorFlow with CUDA and all its libraries."""
    for number in (1, 2):
        write(tmp_path / f"proc/driver/nvidia/gpus/0000:0{number}:00.0/information", INFORMATION)
    for name in ("nvidiactl", "nvidia0", "nvidia1"):
        write(tmp_path / "dev" / name)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: True)
    build = {"cuda_version": "12.5.1", "cudnn_version": "9"}
    monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: build)
    monkeypatch.setattr(tf, "__file__", str(tmp_path / "packages/tensorflow/__init__.py"))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: None)
    return tmp_path


def test_gpus_are_named_by_their_driver(machine):
    assert installed_gpus(machine) == ["NVIDIA H100 80GB HBM3"] * 2


def test_a_gpu_without_a_readable_name_counts(tmp_path):
    write(tmp_path / "proc/driver/nvidia/gpus/0/information", "Model:\nIRQ: 62\n")
    (tmp_path / "proc/driver/nvidia/gpus/1/information").mkdir(parents=True)  # cannot be read
    assert installed_gpus(tmp_path) == ["an NVIDIA GPU"] * 2


@pytest.mark.parametrize("path", ["dev/nvidia0", "usr/lib/wsl/lib/libcuda.so.1"])
def test_a_gpu_is_found_by_its_device_or_by_the_library_of_wsl(path, tmp_path):
    write(tmp_path / path)
    assert installed_gpus(tmp_path) == ["an NVIDIA GPU"]


@pytest.mark.parametrize("path", ["dev/nvidiactl", "dev/dxg", "proc/driver/nvidia/version"])
def test_a_driver_without_a_gpu_and_other_makers_gpus_need_no_explanation(path, tmp_path):
    write(tmp_path / path)
    assert explain_missing_gpu(tmp_path) is None


def test_a_machine_without_a_gpu_needs_no_explanation(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert explain_missing_gpu(tmp_path) is None


@pytest.mark.parametrize("value", ["", "-1", " -1,0"])
def test_a_hidden_gpu_is_explained(value, machine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    explanation = explain_missing_gpu(machine)
    assert explanation == (
        "this machine has NVIDIA H100 80GB HBM3, but TensorFlow sees no GPU: "
        f"CUDA_VISIBLE_DEVICES={value!r} hides it; unset this variable"
    )


def test_a_number_that_no_gpu_has_is_explained(machine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert "CUDA_VISIBLE_DEVICES='7' may name no GPU" in explain_missing_gpu(machine)


def test_a_tensorflow_without_cuda_is_explained(machine, monkeypatch):
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: False)
    explanation = explain_missing_gpu(machine)
    assert f"TensorFlow {tf.__version__} is built without CUDA" in explanation
    assert "pip install 'tensorflow[and-cuda]'" in explanation


def test_a_container_without_the_gpus_devices_is_explained(machine):
    for file in (machine / "dev").iterdir():
        file.unlink()
    assert "docker run --gpus all" in explain_missing_gpu(machine)


def test_missing_libraries_are_named(machine, monkeypatch):
    def load(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", load)
    write(machine / "packages/nvidia/cublas/lib/libcublas.so.12")
    explanation = explain_missing_gpu(machine)
    assert explanation.endswith(
        ": libcudart.so.12, libcudnn.so.9 not found; pip install 'tensorflow[and-cuda]'"
    )


def test_a_tensorflow_that_does_not_tell_its_cuda_version_lacks_no_library(machine, monkeypatch):
    monkeypatch.setattr(tf.sysconfig, "get_build_info", dict)
    assert "nvidia-smi" in explain_missing_gpu(machine)


def test_native_windows_is_explained(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path / "Windows"))
    assert explain_missing_gpu(tmp_path) is None
    write(tmp_path / "Windows" / "System32" / "nvcuda.dll")
    assert "only in WSL2" in explain_missing_gpu(tmp_path)
