"""From the samples of an utterance, as they come in, to what a network reads: features, normalized, and i-vectors.

Source: online2/online-nnet2-feature-pipeline.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import AnyOptions, FbankOptions, MfccOptions, PlpOptions
from kaldi_bridge.features.pitch import PitchExtractor
from kaldi_bridge.features.pitch_processing import PitchFeatureOptions, ProcessedPitch
from kaldi_bridge.ivectors.online import IvectorSpeaker, OnlineIvectors
from kaldi_bridge.ivectors.options import IvectorOptions, IvectorSetup
from kaldi_bridge.options import read_options
from kaldi_bridge.transforms.cmvn import parse_skip_dims
from kaldi_bridge.transforms.global_cmvn import read_stats
from kaldi_bridge.transforms.online_cmvn import OnlineCmvn, OnlineCmvnOptions


@dataclass
class OnlineFeatureOptions:
    """Kaldi's OnlineNnet2FeaturePipelineConfig."""

    feature_type: str = option("mfcc", "Base feature type [mfcc, plp, fbank]")
    mfcc_config: str = option("", "File of options of MFCC features (e.g. conf/mfcc.conf)")
    plp_config: str = option("", "File of options of PLP features (e.g. conf/plp.conf)")
    fbank_config: str = option("", "File of options of filterbank features (e.g. conf/fbank.conf)")
    cmvn_config: str = option("", "File of options of online CMVN of the network's features; without it there is none")
    global_cmvn_stats: str = option("", "With --cmvn-config: file of global statistics")
    add_pitch: bool = option(False, "Append pitch features to the base features, but not for i-vectors")
    online_pitch_config: str = option(
        "", "With --add-pitch: file of options of pitch and of its processing (e.g. conf/online_pitch.conf)"
    )
    ivector_extraction_config: str = option("", "File of options of i-vector extraction; without it there is none")


class OnlineFeatureSetup:
    """How features are made; shared by all utterances.

    Args:
        features: the base features.
        cmvn: online CMVN of the network's features, and the statistics to begin with, float64 [2, dim + 1].
        ivectors: where the network takes some.
        pitch: where it is appended to the base features.

    Raises:
        KaldiError: options out of range.
    """

    def __init__(
        self,
        features: AnyOptions,
        cmvn: tuple[OnlineCmvnOptions, np.ndarray] | None = None,
        ivectors: IvectorSetup | None = None,
        pitch: PitchSetup | None = None,
    ) -> None:
        self.extractor = FeatureExtractor(features)
        self.cmvn, self.ivectors, self.pitch = cmvn, ivectors, pitch

    @classmethod
    def of_files(cls, options: OnlineFeatureOptions, online: bool = True) -> OnlineFeatureSetup:
        """By the files that the options name.

        ``online`` false: i-vectors are to be made of the whole utterance from its beginning on. Raises KaldiError.
        """
        ivectors = None
        if options.ivector_extraction_config:
            settings = read_options(options.ivector_extraction_config, IvectorOptions)
            if not online:
                settings.use_most_recent_ivector = settings.greedy_ivector_extractor = True
            ivectors = IvectorSetup(settings)
        return cls(feature_options(options), cmvn_setup(options), ivectors, pitch_setup(options))

    @property
    def dim(self) -> int:
        """Of the network's features."""
        return self.extractor.dim + (self.pitch.options.dim if self.pitch is not None else 0)

    @property
    def frame_shift(self) -> float:
        """In seconds."""
        return self.extractor.options.frame_shift / 1000


KINDS: dict[str, Callable[..., AnyOptions]] = {"mfcc": MfccOptions, "plp": PlpOptions, "fbank": FbankOptions}


class BaseFeatureOptions(Protocol):
    """Which base features there are: of both kinds of options of online features."""

    feature_type: str
    mfcc_config: str
    plp_config: str
    fbank_config: str


def feature_options(options: BaseFeatureOptions) -> AnyOptions:
    """Those of the base features. Raises KaldiError for kinds that there are not."""
    configs = {"mfcc": options.mfcc_config, "plp": options.plp_config, "fbank": options.fbank_config}
    kind = options.feature_type
    if kind not in configs:
        raise KaldiError(f"Invalid feature type: {kind}. Supported feature types: mfcc, plp, fbank.")
    config = configs.pop(kind)
    for name, other in configs.items():
        if other:
            raise KaldiError(f"--{name}-config has no effect with --feature-type={kind}")
    return read_options(config, KINDS[kind]) if config else KINDS[kind]()


def cmvn_setup(options: OnlineFeatureOptions) -> tuple[OnlineCmvnOptions, np.ndarray] | None:
    """The options and the global statistics of CMVN. Raises KaldiError where one of the two is not given."""
    if not options.cmvn_config:
        return None
    cmvn = read_options(options.cmvn_config, OnlineCmvnOptions)
    if not options.global_cmvn_stats:
        raise KaldiError("--global-cmvn-stats option is required when --cmvn-config is specified.")
    return cmvn, read_stats(options.global_cmvn_stats)


@dataclass
class PitchSetup:
    """What pitch features are made with: ``random`` is what their noise is drawn from."""

    extractor: PitchExtractor
    options: PitchFeatureOptions
    random: CRandom

    @classmethod
    def of_file(cls, config: str) -> PitchSetup:
        """``config``: a file of options; empty: Kaldi's defaults. Raises KaldiError."""
        options = read_options(config, PitchFeatureOptions) if config else PitchFeatureOptions()
        return cls(PitchExtractor(options), options, CRandom(1))


def pitch_setup(options: OnlineFeatureOptions) -> PitchSetup | None:
    """None where there is no pitch. Raises KaldiError for a file that cannot be read."""
    config = options.online_pitch_config
    if not options.add_pitch:
        if config:
            log.warning("--online-pitch-config option has no effect since you did not supply --add-pitch option.")
        return None
    return PitchSetup.of_file(config)


class OnlineSpeaker:
    """What is known of a speaker from earlier utterances."""

    def __init__(self, setup: OnlineFeatureSetup) -> None:
        self.cmvn: OnlineCmvn | None = None
        if setup.cmvn is not None:
            options, global_stats = setup.cmvn
            self.cmvn = OnlineCmvn(options, global_stats, parse_skip_dims(options.skip_dims))
        self.ivectors = IvectorSpeaker(setup.ivectors) if setup.ivectors is not None else None


class OnlineFeatures:
    """One utterance.

    Args:
        sample_frequency: of its samples, in Hz.

    Attributes:
        ivectors: those of the utterance; None when the setup has no extractor.

    Raises:
        KaldiError: features are made at another rate, and the options do not allow to resample; pitch never does.
    """

    def __init__(self, setup: OnlineFeatureSetup, speaker: OnlineSpeaker, sample_frequency: float) -> None:
        self._stream, self._speaker = setup.extractor.stream(sample_frequency), speaker
        self._pitch = OnlinePitch(setup.pitch, sample_frequency) if setup.pitch is not None else None
        self.ivectors: OnlineIvectors | None = None
        if setup.ivectors is not None and speaker.ivectors is not None:
            self.ivectors = OnlineIvectors(setup.ivectors, speaker.ivectors)
            self._no_ivector = np.zeros(setup.ivectors.extractor.dim, np.float32)

    def extend(self, samples: np.ndarray, last: bool) -> np.ndarray:
        """The network's next features [frames, dim], of the next samples."""
        feats = self._stream.extend(samples, last)
        if self.ivectors is not None:
            self.ivectors.extend(feats, last)
        if self._pitch is not None:
            feats = self._pitch.appended(feats, samples, last)
        return feats if self._speaker.cmvn is None else self._speaker.cmvn.extend(feats)

    def newest_ivector(self) -> np.ndarray:
        """Of the last frame that there can be one for, float32 [dim]; zeros before the first one."""
        assert self.ivectors is not None
        return self.ivectors.at(self.ivectors.num_ready - 1) if self.ivectors.num_ready else self._no_ivector

    def end(self) -> None:
        """Leaves what was learnt of the speaker with it."""
        if self.ivectors is not None:
            self.ivectors.end()
        if self._speaker.cmvn is not None:
            self._speaker.cmvn.end()


class OnlinePitch:
    """Pitch of an utterance, and the other features that wait for it."""

    def __init__(self, setup: PitchSetup, sample_frequency: float) -> None:
        wanted = setup.options.sample_frequency
        if sample_frequency != wanted:
            raise KaldiError(
                f"Sampling frequency mismatch, expected {wanted:g} for pitch, got {sample_frequency:g}: "
                "set --sample-frequency in the file of --online-pitch-config"
            )
        self._stream = setup.extractor.stream()
        self._features = ProcessedPitch(setup.options, self._stream, setup.random)
        self._waiting: np.ndarray | None = None
        self._made = 0

    @property
    def num_ready(self) -> int:
        """Frames that pitch is known for by now."""
        return self._features.num_ready

    def accept(self, samples: np.ndarray, last: bool) -> None:
        """Takes the next samples."""
        self._stream.accept(samples)
        if last:
            self._stream.finish()

    def frames(self, begin: int, end: int) -> np.ndarray:
        """float32 [end - begin, dim], as pitch is known now: what follows may change it."""
        return self._features.frames(begin, end)

    def appended(self, feats: np.ndarray, samples: np.ndarray, last: bool) -> np.ndarray:
        """The features that pitch is known for by now, with it, of the next ones and the next samples."""
        self.accept(samples, last)
        waiting = feats if self._waiting is None else np.concatenate([self._waiting, feats])
        count = min(max(self.num_ready - self._made, 0), len(waiting))
        pitch = self.frames(self._made, self._made + count)
        self._waiting, self._made = waiting[count:], self._made + count
        return np.hstack([waiting[:count], pitch])
