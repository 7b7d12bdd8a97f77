"""From the samples of an utterance, as they come in, to what a network reads: features, normalized, and i-vectors.

(online2/online-nnet2-feature-pipeline.h; without PLP and pitch.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import FbankOptions, MfccOptions
from kaldi_bridge.ivectors.online import IvectorSpeaker, OnlineIvectors
from kaldi_bridge.ivectors.options import IvectorOptions, IvectorSetup
from kaldi_bridge.options import read_options
from kaldi_bridge.transforms.cmvn import parse_skip_dims
from kaldi_bridge.transforms.global_cmvn import read_stats
from kaldi_bridge.transforms.online_cmvn import OnlineCmvn, OnlineCmvnOptions


@dataclass
class OnlineFeatureOptions:
    """Kaldi's OnlineNnet2FeaturePipelineConfig."""

    feature_type: str = option("mfcc", "Base feature type [mfcc, fbank]")
    mfcc_config: str = option("", "File of options of MFCC features (e.g. conf/mfcc.conf)")
    fbank_config: str = option("", "File of options of filterbank features (e.g. conf/fbank.conf)")
    cmvn_config: str = option("", "File of options of online CMVN of the network's features; without it there is none")
    global_cmvn_stats: str = option("", "With --cmvn-config: file of global statistics")
    add_pitch: bool = option(False, "Must be false: there are no pitch features here")
    ivector_extraction_config: str = option("", "File of options of i-vector extraction; without it there is none")


class OnlineFeatureSetup:
    """What the options name, read and checked; shared by all utterances.

    Raises:
        KaldiError: options out of range, or what is not there: PLP, pitch.
    """

    def __init__(self, options: OnlineFeatureOptions, online: bool = True) -> None:
        """``online`` false: i-vectors are to be made of the whole utterance from its beginning on."""
        self.extractor = FeatureExtractor(_feature_options(options))
        self.cmvn_options: OnlineCmvnOptions | None = None
        if options.cmvn_config:
            self.cmvn_options = read_options(options.cmvn_config, OnlineCmvnOptions)
            if not options.global_cmvn_stats:
                raise KaldiError("--global-cmvn-stats option is required when --cmvn-config is specified.")
            self.global_stats = read_stats(options.global_cmvn_stats)
        self.ivectors: IvectorSetup | None = None
        if options.ivector_extraction_config:
            settings = read_options(options.ivector_extraction_config, IvectorOptions)
            if not online:
                settings.use_most_recent_ivector = settings.greedy_ivector_extractor = True
            self.ivectors = IvectorSetup(settings)

    @property
    def frame_shift(self) -> float:
        """In seconds."""
        return self.extractor.options.frame_shift / 1000


def _feature_options(options: OnlineFeatureOptions) -> MfccOptions | FbankOptions:
    if options.add_pitch:
        raise KaldiError("--add-pitch=true: there are no pitch features here; Kaldi's own program has them")
    configs = {"mfcc": options.mfcc_config, "fbank": options.fbank_config}
    if options.feature_type not in configs:
        raise KaldiError(f"Invalid feature type: {options.feature_type}. Supported feature types: mfcc, fbank.")
    config = configs.pop(options.feature_type)
    for name, other in configs.items():
        if other:
            raise KaldiError(f"--{name}-config has no effect with --feature-type={options.feature_type}")
    if options.feature_type == "mfcc":
        return read_options(config, MfccOptions) if config else MfccOptions()
    return read_options(config, FbankOptions) if config else FbankOptions()


class OnlineSpeaker:
    """What is known of a speaker from earlier utterances."""

    def __init__(self, setup: OnlineFeatureSetup) -> None:
        self.cmvn: OnlineCmvn | None = None
        if setup.cmvn_options is not None:
            skip_dims = parse_skip_dims(setup.cmvn_options.skip_dims)
            self.cmvn = OnlineCmvn(setup.cmvn_options, setup.global_stats, skip_dims)
        self.ivectors = IvectorSpeaker(setup.ivectors) if setup.ivectors is not None else None


class OnlineFeatures:
    """One utterance.

    Args:
        sample_frequency: of its samples, in Hz.

    Attributes:
        ivectors: those of the utterance; None when the setup has no extractor.

    Raises:
        KaldiError: features are made at another rate, and the options do not allow to resample.
    """

    def __init__(self, setup: OnlineFeatureSetup, speaker: OnlineSpeaker, sample_frequency: float) -> None:
        self._stream, self._speaker = setup.extractor.stream(sample_frequency), speaker
        self.ivectors: OnlineIvectors | None = None
        if setup.ivectors is not None and speaker.ivectors is not None:
            self.ivectors = OnlineIvectors(setup.ivectors, speaker.ivectors)
            self._no_ivector = np.zeros(setup.ivectors.extractor.dim, np.float32)

    def extend(self, samples: np.ndarray, last: bool) -> np.ndarray:
        """The network's next features [frames, dim], of the next samples."""
        feats = self._stream.extend(samples, last)
        if self.ivectors is not None:
            self.ivectors.extend(feats, last)
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
