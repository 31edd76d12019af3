"""Evaluation of whole recordings, as `recognize` answers those that are longer than its window.

`evaluation.evaluate_recordings` makes recordings with and without a command (`sounds`), scores each
once, applies the rule of `speechgru.recording` to the scores, perhaps with chosen `constants`, and
returns what the `report` shows.
"""
