"""Where the GRU's operators run: the choice of its implementation depends on it."""

import tensorflow as tf


def is_placed_on_cpu() -> bool:
    """Return whether a ``tf.device`` scope around the call places operators on a CPU.

    It adds no operator to a graph. Scopes around the functions that are traced count, too.
    """
    with tf.init_scope():  # in eager mode, within the innermost ``tf.device`` of the graphs
        name = tf.__internal__.eager_context.get_device_name()
    return bool(name) and tf.DeviceSpec.from_string(name).device_type == "CPU"


def runs_on_gpu() -> bool:
    """Return whether new operators run on a GPU, if they can."""
    return bool(tf.config.list_logical_devices("GPU")) and not is_placed_on_cpu()
