"""Choose the processors of a run and how to split batches over them."""

import contextlib
import dataclasses
import os
from typing import Any

import tensorflow as tf

from speechgru.errors import SpeechGRUError
from training.loop.missing_gpu import explain_missing_gpu
from training.output.messages import warn
from training.recipes.recipe import Recipe, RecipeError

# Compiling takes as long as it saves in 4,000 steps of 128 clips; larger batches save more a step.
MIN_COMPILED_STEPS = 3000  # of a run


class DeviceError(SpeechGRUError, ValueError):
    """A device or a cluster that was asked for and is not there."""


@dataclasses.dataclass(frozen=True)
class Device:
    """The kind of processor that a run uses.

    Attributes:
        name: for the log, such as "NVIDIA H100 80GB HBM3" or "CPU (2 cores)".
        is_gpu: whether it is a GPU.
        placed: whether operators must be placed on the CPU one by one, because TensorFlow has
            started with a GPU that can no longer be hidden from it. Default False.
    """

    name: str
    is_gpu: bool
    placed: bool = False

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context in which the run must create its variables and call its functions.

        A ``tf.function`` that is called in it runs on the CPU as a whole.
        """
        return tf.device("/CPU:0") if self.placed else contextlib.nullcontext()


def choose_device(device: str) -> Device:
    """Make a kind of device visible to TensorFlow, if possible before anything runs on one.

    TensorFlow takes a GPU's memory as it needs it, unless it has started already. If there is an
    NVIDIA GPU that TensorFlow does not see, "auto" warns and takes the CPU.

    Args:
        device: "auto" (a GPU if there is one), "cpu" or "gpu".

    Raises:
        DeviceError: "gpu", and there is none that can be used.
    """
    if device == "cpu":
        return _cpu(placed=not _hide_gpus())
    gpus = tf.config.get_visible_devices("GPU")
    if not gpus:
        problem = _why_no_gpu()
        if device == "gpu":
            reason = f": {problem}" if problem else ""
            raise DeviceError(
                f"--device gpu: expected a GPU that TensorFlow can use, found none{reason}"
            )
        if problem:
            warn(f"{problem}; training on the CPU")
        return _cpu()
    for gpu in gpus:
        # TensorFlow may have started, or the program has set the memory itself.
        with contextlib.suppress(RuntimeError, ValueError):
            tf.config.experimental.set_memory_growth(gpu, True)
    details = tf.config.experimental.get_device_details(gpus[0])
    return Device(details.get("device_name", "GPU"), is_gpu=True)


def _hide_gpus() -> bool:
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:  # TensorFlow has started
        return False
    return True


def _why_no_gpu() -> str | None:
    if tf.config.list_physical_devices("GPU"):
        return "this process has hidden its GPUs from TensorFlow"
    return explain_missing_gpu()


def _cpu(placed: bool = False) -> Device:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return Device(f"CPU ({cores} core{'s' if cores > 1 else ''})", is_gpu=False, placed=placed)


def describe_device(device: Device, strategy: Any) -> str:
    """Return a line for the log: what a run is trained on.

    Args:
        device: what `choose_device` returned.
        strategy: what `choose_strategy` returned.
    """
    count = strategy.num_replicas_in_sync
    return f"device: {device.name}" + (f"; batches are split over {count}" if count > 1 else "")


def pays_to_compile(device: Device, strategy: Any, recipe: Recipe) -> bool:
    """Return whether XLA should compile the small operators of a run's steps.

    On an H100, a run's first step then took 21 s, and each step 5 ms less (docs/train.md). On a
    CPU the steps would not be faster.
    """
    is_long = recipe.epochs * recipe.steps >= MIN_COMPILED_STEPS
    return device.is_gpu and strategy.num_replicas_in_sync == 1 and is_long


def loss_hint(device: Device) -> str:
    """Return what to try if the loss is not finite on this device."""
    hint = "try a lower `learning_rate`"
    if not device.is_gpu:
        return hint
    return (
        f"{hint}; if the loss is finite with `--device cpu --epochs 1` and otherwise the same "
        "command, the GPU's arithmetic may be at fault"
    )


def choose_strategy(name: str, device: Device) -> Any:
    """Return TensorFlow's strategy for splitting a batch over devices.

    Args:
        name: "none" (one device), "mirrored" (all GPUs of this machine, or the CPU) or
            "multiworker" (the machines in the environment variable TF_CONFIG).
        device: what `choose_device` returned.

    Returns:
        A ``tf.distribute.Strategy``.

    Raises:
        DeviceError: TF_CONFIG does not describe a cluster that can be used, or TensorFlow has
            started in this process, which is too late for "multiworker".
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy(None if device.is_gpu else ["/CPU:0"])
    if name != "multiworker":
        return tf.distribute.get_strategy()
    try:
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        if not resolver.cluster_spec().as_dict().get("worker"):
            raise ValueError("no workers in it")
        workers = resolver.cluster_spec().num_tasks("worker")
        print(f"worker {resolver.task_id}: waiting for all {workers} workers", flush=True)
        return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except (ValueError, KeyError, TypeError, tf.errors.OpError) as error:
        raise DeviceError(
            "--strategy multiworker: expected TF_CONFIG with the workers and this worker's "
            f"number, found {error}"
        ) from error
    except RuntimeError as error:
        raise DeviceError(
            "--strategy multiworker: expected a new process, found TensorFlow started in this one"
        ) from error


def check_batch_size(recipe: Recipe, strategy: Any) -> None:
    """Check that a batch can be split equally over the devices.

    Raises:
        RecipeError: it cannot.
    """
    devices = strategy.num_replicas_in_sync
    if recipe.batch_size % devices:
        raise RecipeError(
            f"`batch_size`: expected a multiple of the {devices} devices, found {recipe.batch_size}"
        )


def is_chief(strategy: Any) -> bool:
    """Return whether this process writes the run's files: the only one, or the first worker."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    if resolver.task_type == "chief":
        return True
    has_chief = "chief" in resolver.cluster_spec().as_dict()
    return resolver.task_type == "worker" and resolver.task_id == 0 and not has_chief
