"""A data folder -> a task: training rows, validation rows, noises, sampling."""

from training.data.task import Task, make_task

__all__ = ["Task", "make_task"]
