"""Perturbations by options, as training commands take them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from steps_pytorch.data.perturbation.base import FeaturePerturbation, Perturbation
from steps_pytorch.data.perturbation.feature_noise import FeatureDrop, FeatureNoise
from steps_pytorch.data.perturbation.noise import GaussianNoise, RecordedNoise
from steps_pytorch.data.perturbation.perturbed_share import PerturbedShare
from steps_pytorch.data.perturbation.reverberation import Reverberation
from steps_pytorch.data.perturbation.sounds import Sounds
from steps_pytorch.data.perturbation.spec_augment import SpecAugment
from steps_pytorch.data.perturbation.volume import Volume
from steps_pytorch.piecewise_linear import PiecewiseLinear

_NUMBER = r"-?[0-9]+(?:\.[0-9]*)?"
_RANGE = re.compile(rf"({_NUMBER})(?::({_NUMBER}))?\Z")
LONGEST_RESPONSE = 0.5  # seconds of an impulse response


@dataclass
class PerturbationOptions:
    """Perturbations of waveforms need features computed on the fly; those of features go with every source."""

    speeds: str = option("", "Speeds of utterances, one of which is drawn: 0.9,1.0,1.1; not for lattice supervision")
    reverberation: str = option("", "wav.scp or directory of room impulse responses")
    reverberation_share: float = option(0.5, "Share of the chunks that get reverberation")
    noise: str = option("", "wav.scp or directory of recorded noises")
    noise_snr: str = option("0:20", "Range of signal-to-noise ratios in dB, of a chunk to its noise")
    noise_share: float = option(0.5, "Share of the chunks that get a recorded noise")
    gaussian_snr: str = option("", "Range of signal-to-noise ratios of white noise in dB, 10:30")
    volume: str = option("", "Range of factors of the volume, 0.125:2")
    feature_noise: str = option("", "Standard deviation of Gaussian noise on normalized features, or its range, 0:0.5")
    feature_drop: str = option("", "Share of the numbers of normalized features that are 0 (salt and pepper), or range")
    time_masks: int = option(0, "SpecAugment: blocks of frames masked in a chunk")
    time_mask_width: int = option(20, "SpecAugment: most frames of a block")
    frequency_masks: int = option(0, "SpecAugment: blocks of channels masked in a chunk; of filterbanks, not of MFCC")
    frequency_mask_width: int = option(10, "SpecAugment: most channels of a block")

    perturbed_share: str = option(
        "1", "Share of the chunks that are perturbed at all, or how it changes in training: 0,0@0.20,1@0.50,0.5"
    )

    def of_waveforms(self, sample_frequency: float) -> list[Perturbation]:
        """In the order in which sound meets them. Raises KaldiError for what makes no sense or cannot be found."""
        made: list[Perturbation] = []
        if self.reverberation:
            longest = int(LONGEST_RESPONSE * sample_frequency)
            responses = Sounds(self.reverberation, sample_frequency, longest)
            made.append(Reverberation(responses, _share("--reverberation-share", self.reverberation_share)))
        if self.noise:
            sounds, snr = Sounds(self.noise, sample_frequency), _range("--noise-snr", self.noise_snr)
            made.append(RecordedNoise(sounds, snr, _share("--noise-share", self.noise_share)))
        if self.gaussian_snr:
            made.append(GaussianNoise(_range("--gaussian-snr", self.gaussian_snr)))
        if self.volume:
            limits = _range("--volume", self.volume)
            if limits[0] <= 0.0:
                raise KaldiError(f"--volume={self.volume} must be positive")
            made.append(Volume(limits))
        return made

    @property
    def needs_recordings(self) -> bool:
        return bool(self.speeds or self.reverberation or self.noise or self.gaussian_snr or self.volume)

    def of_features(self) -> list[FeaturePerturbation]:
        """Noise first, then masks. Raises KaldiError for what makes no sense."""
        made: list[FeaturePerturbation] = []
        if self.feature_noise:
            deviations = _range("--feature-noise", self.feature_noise)
            if deviations[0] < 0.0:
                raise KaldiError(f"--feature-noise={self.feature_noise} must not be negative")
            made.append(FeatureNoise(deviations))
        if self.feature_drop:
            shares = _range("--feature-drop", self.feature_drop)
            for share in shares:
                _share("--feature-drop", share)
            made.append(FeatureDrop(shares))
        if self.time_masks or self.frequency_masks:
            made.append(self._spec_augment())
        return made

    def _spec_augment(self) -> SpecAugment:
        if min(self.time_masks, self.time_mask_width, self.frequency_masks, self.frequency_mask_width) < 0:
            raise KaldiError("numbers and widths of masks must not be negative")
        return SpecAugment(
            time_masks=self.time_masks,
            time_width=self.time_mask_width,
            frequency_masks=self.frequency_masks,
            frequency_width=self.frequency_mask_width,
        )

    def share_perturbed(self, num_epochs: float) -> PerturbedShare:
        """Over a run of so many epochs."""
        text = self.perturbed_share
        line = text if "," in text else f"{text},{text}"
        return PerturbedShare(PiecewiseLinear.parse(line, f"--perturbed-share={text}"), num_epochs)

    def speed_factors(self) -> tuple[float, ...]:
        """() where speeds are left as they are."""
        try:
            speeds = tuple(float(word) for word in self.speeds.split(",") if self.speeds)
        except ValueError:
            speeds = (0.0,)
        if any(not 0.5 <= speed <= 2.0 for speed in speeds):
            raise KaldiError(f"--speeds={self.speeds}: expected numbers between 0.5 and 2, such as 0.9,1.0,1.1")
        return speeds


def _range(name: str, text: str) -> tuple[float, float]:
    match = _RANGE.match(text)
    low, high = (float(match[1]), float(match[2] or match[1])) if match else (1.0, 0.0)
    if low > high:
        raise KaldiError(f"{name}={text}: expected a number or a range, such as 0:20")
    return low, high


def _share(name: str, share: float) -> float:
    if not 0.0 <= share <= 1.0:
        raise KaldiError(f"{name}={share:g} must be between 0 and 1")
    return share
