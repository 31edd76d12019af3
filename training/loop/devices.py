"""Choose the processors of a run and how to split batches over them."""

from typing import Any

import tensorflow as tf

from speechgru.errors import SpeechGRUError
from training.recipes.recipe import Recipe, RecipeError


class DeviceError(SpeechGRUError, ValueError):
    """A device or a cluster that was asked for and is not there."""


def choose_device(device: str) -> bool:
    """Make a kind of device visible to TensorFlow, before anything runs on one.

    Args:
        device: "auto" (a GPU if there is one), "cpu" or "gpu". TensorFlow takes a GPU's memory as
            it needs it.

    Returns:
        Whether it is a GPU.

    Raises:
        DeviceError: "gpu", and there is none.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise DeviceError("--device gpu: expected a GPU that TensorFlow can use, found none")
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
        return False
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    return bool(gpus)


def has_bfloat16(gpu: bool) -> bool:
    """Return whether the GPUs compute in bfloat16 (Ampere and later), without loss scaling.

    Args:
        gpu: whether the run uses GPUs.
    """
    devices = tf.config.list_physical_devices("GPU") if gpu else []
    capabilities = [
        tf.config.experimental.get_device_details(d).get("compute_capability", (0, 0))
        for d in devices
    ]
    return bool(capabilities) and min(capabilities) >= (8, 0)


def choose_strategy(name: str) -> Any:
    """Return TensorFlow's strategy for splitting a batch over devices.

    Args:
        name: "none" (one device), "mirrored" (all GPUs of this machine) or "multiworker" (the
            machines in the environment variable TF_CONFIG).

    Returns:
        A ``tf.distribute.Strategy``.

    Raises:
        DeviceError: TF_CONFIG does not describe a cluster that can be used.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
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
