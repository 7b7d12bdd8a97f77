"""Options of sampling."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option


@dataclass
class SamplerOptions:
    """How samples move, and when they stop."""

    sampler: str = option("sgld", "Langevin dynamics: sgld, adam or accelerated (steps as long as the energy gap asks)")
    step_size: float = option(1.0, "Factor of the energy's gradient")
    noise: float = option(0.01, "Standard deviation of the noise; sqrt(2 * step size) samples from exp(-energy)")
    min_steps: int = option(1, "Steps that are always taken")
    max_steps: int = option(50, "Steps after which sampling stops, whatever the energy")
    threshold: float = option(
        0.0, "Between min and max steps: stop when the samples' energy is less than that of data, plus this share of it"
    )
    replay_correction: float = option(0.0, "Divide step sizes by the number of steps a sample has taken, to this power")
    sample_l2: float = option(0.0, "Add this much times half the squared norm of a sample to its energy")
    clip: float = option(0.0, "Longest gradient of a sample's energy (accelerated: longest step); 0: any")
    overshoot: float = option(0.1, "accelerated: aim at an energy better than that of data by this share")
    epsilon: float = option(1e-4, "Smallest gradient (adam) and squared gradient norm (accelerated) to divide by")


@dataclass
class ReplayOptions:
    """Where samples start."""

    buffer_size: int = option(10000, "Samples that are kept, and moved on a few at a time")
    reinit_probability: float = option(0.05, "Share of samples that start anew instead")
    init: str = option("noise", "Samples start from noise, from data, or from a mixture of the two")
    init_value: float = option(1.0, "Noise to start from is uniform between minus and plus this")
    init_mixture_rate: float = option(
        0.0, "mixture: the data's weight is uniform up to 1 - exp(-rate * minibatches); 0: up to 1 at once"
    )
