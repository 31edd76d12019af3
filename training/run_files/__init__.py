"""The files of a run: its folder, checkpoints, saved models and what is read from earlier runs."""
