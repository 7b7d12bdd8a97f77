"""From the samples of an utterance, as they come in, to what a GMM reads: normalized features, with their neighbours or
derivatives, and transformed.

Source: online2/online-feature-pipeline.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.pitch import PitchExtractor, PitchOptions
from kaldi_bridge.features.pitch_processing import PitchFeatureOptions, PitchProcessingOptions
from kaldi_bridge.features.splicing import add_deltas, splice
from kaldi_bridge.online.features import OnlinePitch, PitchSetup, feature_options
from kaldi_bridge.options import option, read_options
from kaldi_bridge.transforms.cmvn import parse_skip_dims
from kaldi_bridge.transforms.global_cmvn import read_stats
from kaldi_bridge.transforms.linear import read_transform, transform
from kaldi_bridge.transforms.online_cmvn import OnlineCmvn, OnlineCmvnOptions


@dataclass
class DeltaOptions:
    """Kaldi's DeltaFeaturesOptions."""

    delta_order: int = option(2, "Order of delta computation")
    delta_window: int = option(2, "Parameter controlling window for delta computation (actual window is 2n + 1)")


@dataclass
class SpliceOptions:
    """Kaldi's OnlineSpliceOptions."""

    left_context: int = option(4, "Left-context for frame splicing prior to LDA")
    right_context: int = option(4, "Right-context for frame splicing prior to LDA")


@dataclass
class GmmFeatureOptions:
    """Kaldi's OnlineFeaturePipelineCommandLineConfig."""

    feature_type: str = option("mfcc", "Base feature type [mfcc, plp, fbank]")
    mfcc_config: str = option("", "File of options of MFCC features (e.g. conf/mfcc.conf)")
    plp_config: str = option("", "File of options of PLP features (e.g. conf/plp.conf)")
    fbank_config: str = option("", "File of options of filterbank features (e.g. conf/fbank.conf)")
    add_pitch: bool = option(False, "Append pitch features to the normalized base features")
    pitch_config: str = option("", "With --add-pitch: file of options of pitch (e.g. conf/pitch.conf)")
    pitch_process_config: str = option("", "With --add-pitch: file of options of its processing")
    cmvn_config: str = option("", "File of options of online CMVN (e.g. conf/online_cmvn.conf)")
    global_cmvn_stats: str = option("", "File of global statistics for CMVN, of matrix-sum scp:cmvn.scp; required")
    add_deltas: bool = option(False, "Append delta features.")
    delta_config: str = option("", "With --add-deltas: file of options of deltas")
    splice_feats: bool = option(False, "Splice features with left and right context.")
    splice_config: str = option("", "With --splice-feats: file of options of splicing")
    lda_matrix: str = option("", "File of a transform of spliced features, LDA or LDA and MLLT")


class GmmFeatureSetup:
    """How features are made; shared by all utterances. Raises KaldiError for options that do not go together, and files
    that cannot be read or do not fit."""

    def __init__(self, options: GmmFeatureOptions) -> None:
        if options.add_deltas and options.splice_feats:
            raise KaldiError("You cannot supply both --add-deltas and --splice-feats options")
        if not options.global_cmvn_stats:
            raise KaldiError("--global-cmvn-stats option is required.")
        for name, needed in (("pitch", "add_pitch"), ("delta", "add_deltas"), ("splice", "splice_feats")):
            if getattr(options, f"{name}_config") and not getattr(options, needed):
                raise KaldiError(f"--{name}-config has no effect without --{needed.replace('_', '-')}")
        self._options = options
        self.extractor = FeatureExtractor(feature_options(options))
        self.cmvn = read_options(options.cmvn_config, OnlineCmvnOptions) if options.cmvn_config else OnlineCmvnOptions()
        stats, dim = read_stats(options.global_cmvn_stats), self.extractor.dim
        self.stats = np.hstack([stats[:, :dim], stats[:, -1:]]) if options.add_pitch else stats
        self.pitch = self._pitch() if options.add_pitch else None
        self.deltas = read_options(options.delta_config, DeltaOptions) if options.delta_config else DeltaOptions()
        self.splicing = read_options(options.splice_config, SpliceOptions) if options.splice_config else SpliceOptions()
        self.lda = read_transform(options.lda_matrix) if options.lda_matrix else None

    def _pitch(self) -> PitchSetup:
        files = self._options.pitch_config, self._options.pitch_process_config
        pitch = read_options(files[0], PitchOptions) if files[0] else PitchOptions()
        processing = read_options(files[1], PitchProcessingOptions) if files[1] else PitchProcessingOptions()
        options = PitchFeatureOptions(**vars(pitch), **vars(processing))
        return PitchSetup(PitchExtractor(options), options, CRandom(1))

    @property
    def frame_shift(self) -> float:
        """In seconds."""
        return self.extractor.options.frame_shift / 1000

    @property
    def context(self) -> tuple[int, int]:
        """Frames before and behind each that it depends on."""
        if self._options.splice_feats:
            return self.splicing.left_context, self.splicing.right_context
        reach = self.deltas.delta_order * self.deltas.delta_window if self._options.add_deltas else 0
        return reach, reach

    def transformed(self, feats: np.ndarray) -> np.ndarray:
        """Normalized features [frames, dim] with their neighbours, or derivatives, after LDA. Raises KaldiError."""
        if self._options.splice_feats:
            feats = splice(feats, *self.context)
        elif self._options.add_deltas:
            feats = add_deltas(feats, self.deltas.delta_order, self.deltas.delta_window)
        return feats if self.lda is None else transform(feats, self.lda)


class GmmFeatures:
    """One utterance of samples at ``sample_frequency`` in Hz.

    Attributes:
        num_ready: frames that are known by now.
    """

    def __init__(self, setup: GmmFeatureSetup, sample_frequency: float) -> None:
        """Raises KaldiError where the options do not allow to resample."""
        self._setup = setup
        self._stream = setup.extractor.stream(sample_frequency)
        self._cmvn = OnlineCmvn(setup.cmvn, setup.stats, parse_skip_dims(setup.cmvn.skip_dims))
        self._pitch = OnlinePitch(setup.pitch, sample_frequency) if setup.pitch is not None else None
        self._base = np.zeros((0, setup.extractor.dim), np.float32)
        self._normalized = self._base
        self.num_ready = 0

    def extend(self, samples: np.ndarray, last: bool) -> None:
        """Takes the next samples. Raises KaldiError where features and statistics have different dimensions."""
        new = self._stream.extend(samples, last)
        self._base = np.concatenate([self._base, new])
        self._normalized = np.concatenate([self._normalized, self._cmvn.extend(new)])
        ready = len(self._base)
        if self._pitch is not None:
            self._pitch.accept(samples, last)
            ready = min(ready, self._pitch.num_ready)
        self.num_ready = ready if last else max(0, ready - self._setup.context[1])

    def frames(self, begin: int, end: int) -> np.ndarray:
        """float32 [end - begin, dim], of frames that are ready."""
        left, right = self._setup.context
        first, stop = max(0, begin - left), min(end + right, len(self._normalized))
        if self._pitch is not None:
            stop = min(stop, self._pitch.num_ready)
        feats = self._normalized[first:stop]
        if self._pitch is not None and len(feats):
            feats = np.hstack([feats, self._pitch.frames(first, stop)])
        if not len(feats):
            return feats
        return self._setup.transformed(feats)[begin - first : end - first]

    def freeze_normalization(self) -> None:
        """From now on all frames, past ones too, are normalized by what is known now."""
        self._cmvn.freeze()
        self._normalized = self._cmvn.normalized_as_frozen(self._base)
