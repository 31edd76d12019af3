"""Evaluation of a trained model on clips that it was not trained on.

`evaluation.evaluate` loads the `clips`, applies the `conditions` (clean, noise, time shift), lets
the `model` predict, computes the `metrics` and writes the `report`.
"""
