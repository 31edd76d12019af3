"""Random changes to the training clips, computed in the TensorFlow graph of a training step.

`pipeline.augment` changes the audio of a batch, in this order: `speed_and_shift`, `rooms`,
`noise_mixing`, `channel` (microphone, telephone) and the gain. `spec_augment` masks the spectrogram
that is computed from it, and `mixup` blends clips with each other. `settings.Augment` says how much
of each.
"""
