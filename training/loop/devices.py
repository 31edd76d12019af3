"""Which processors a run uses, and how it is spread over several of them."""

from typing import Any

import tensorflow as tf


class DeviceError(ValueError):
    """A device or a cluster that was asked for and is not there."""


def choose_device(device: str) -> bool:
    """Make the device visible, before anything runs on one; returns whether it is a GPU.

    Args:
        device: "auto" (a GPU where there is one), "cpu" or "gpu". A GPU's memory is taken as it
            is needed.

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
    """Whether the GPUs compute in bfloat16 (Ampere and later), which needs no loss scaling."""
    devices = tf.config.list_physical_devices("GPU") if gpu else []
    capabilities = [
        tf.config.experimental.get_device_details(d).get("compute_capability", (0, 0))
        for d in devices
    ]
    return bool(capabilities) and min(capabilities) >= (8, 0)


def choose_strategy(name: str) -> Any:
    """TensorFlow's own way of spreading a batch.

    Args:
        name: "none" (one device), "mirrored" (all GPUs of this machine) or "multiworker" (every
            machine that the environment variable TF_CONFIG names).

    Returns:
        A ``tf.distribute.Strategy``.

    Raises:
        DeviceError: TF_CONFIG does not name a cluster that can be used.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multiworker":
        try:
            resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
            if not resolver.cluster_spec().as_dict().get("worker"):
                raise ValueError("it names no workers")
            workers = resolver.cluster_spec().num_tasks("worker")
            print(f"worker {resolver.task_id}: waiting for all {workers} workers", flush=True)
            return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
        except (ValueError, KeyError, TypeError, tf.errors.OpError) as error:
            raise DeviceError(
                "--strategy multiworker: expected TF_CONFIG with this cluster's workers and this "
                f"one's number, found {error}"
            ) from error
    return tf.distribute.get_strategy()


def is_chief(strategy: Any) -> bool:
    """Whether this process writes the run's files: the only one, or the first worker."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    return resolver.task_type == "chief" or (
        resolver.task_type == "worker"
        and resolver.task_id == 0
        and "chief" not in resolver.cluster_spec().as_dict()
    )
