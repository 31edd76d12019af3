"""A data folder -> a task: training clips, validation clips, noises, batches."""

from training.data.task import Task, make_task

__all__ = ["Task", "make_task"]
