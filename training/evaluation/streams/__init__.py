"""Evaluation in streams: words one after another in noise, and hours without a command.

`evaluation.evaluate_streams` makes the streams of a `recipe` (`word_streams`, `negative_streams`),
scores each once (`scores`), applies the detection rule to the scores, perhaps with chosen
`thresholds`, and computes the `metrics` that the `report` shows.
"""
