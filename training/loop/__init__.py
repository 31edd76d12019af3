"""The training loop: networks, the training step, epochs, checkpoints, the run's report."""
