"""The training loop: options, devices, networks, the training step, epochs, the report."""
