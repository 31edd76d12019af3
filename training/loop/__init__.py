"""Training: options, networks, the training step, epochs, checkpoints, the run's folder."""
