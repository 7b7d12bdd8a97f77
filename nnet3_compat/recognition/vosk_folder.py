"""Folders for Vosk: where its files are, and what its library sets itself (vosk-api's model.cc, as of 0.3.45).

    with folders                                    flat
    am/final.mdl, am/global_cmvn.stats              final.mdl, global_cmvn.stats
    conf/model.conf, conf/mfcc.conf or fbank.conf   mfcc.conf or fbank.conf (pitch.conf, too)
    graph/HCLG.fst, words.txt                       HCLG.fst, words.txt
    graph/phones/word_boundary.int                  word_boundary.int
    ivector/                                        ivector/

The flat one has no model.conf: Vosk has its options built in.
"""

from __future__ import annotations

from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.options import FbankOptions, MfccOptions
from kaldi_bridge.ivectors.options import IvectorOptions, IvectorSetup
from kaldi_bridge.online.features import OnlineFeatureSetup, PitchSetup
from kaldi_bridge.online.silence_weighting import SilenceWeightingOptions
from kaldi_bridge.options import read_options
from kaldi_bridge.transforms.global_cmvn import read_stats
from kaldi_bridge.transforms.online_cmvn import OnlineCmvnOptions
from nnet3_compat.recognition.model_folder import DecodingOptions, GraphFiles, require

SILENCE_WEIGHT = 1e-3
MAX_COUNT = 100.0
FLAT_OPTIONS = {
    "max_active": 7000, "beam": 13.0, "lattice_beam": 6.0, "acoustic_scale": 1.0, "frame_subsampling_factor": 3,
    "silence_phones": "1:2:3:4:5:6:7:8:9:10",
}  # fmt: skip


def is_vosk_folder(folder: Path) -> bool:
    """As Vosk decides it."""
    nested = (folder / "am/final.mdl").is_file() and (folder / "conf/model.conf").is_file()
    return nested or ((folder / "final.mdl").is_file() and (folder / "mfcc.conf").is_file())


class VoskFolder:
    """A ModelFolder. Raises KaldiError where files are missing or options make no sense."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        nested = (folder / "am/final.mdl").is_file()
        am, conf, graph = (folder / name if nested else folder for name in ("am", "conf", "graph"))
        phones = graph / "phones" if nested else graph
        self.model, self.tree = am / "final.mdl", am / "tree"
        self._stats, self._conf = am / "global_cmvn.stats", conf
        self.graph = GraphFiles(
            graph,
            graph / "phones.txt",
            phones / "word_boundary.int",
            phones / "align_lexicon.int",
        )
        require(folder, self.model)
        if nested:
            self.decoding = read_options(str(conf / "model.conf"), DecodingOptions)
        else:
            self.decoding = DecodingOptions(**FLAT_OPTIONS)  # type: ignore[arg-type]
        self.weighting = SilenceWeightingOptions(self.decoding.silence_phones, SILENCE_WEIGHT)

    def feature_setup(self, takes_ivectors: bool) -> OnlineFeatureSetup:
        features = self._features()
        features.allow_downsample = True
        cmvn = (OnlineCmvnOptions(), read_stats(str(self._stats))) if self._stats.is_file() else None
        pitch = PitchSetup.of_file(str(self._conf / "pitch.conf")) if (self._conf / "pitch.conf").is_file() else None
        return OnlineFeatureSetup(features, cmvn, self._ivectors() if takes_ivectors else None, pitch)

    def _features(self) -> MfccOptions | FbankOptions:
        mfcc, fbank = self._conf / "mfcc.conf", self._conf / "fbank.conf"
        if not mfcc.is_file() and fbank.is_file():
            return read_options(str(fbank), FbankOptions)
        require(self._folder, mfcc)
        return read_options(str(mfcc), MfccOptions)

    def _ivectors(self) -> IvectorSetup:
        folder = self._folder / "ivector"
        files = {
            "splice_config": "splice.conf", "cmvn_config": "online_cmvn.conf", "lda_matrix": "final.mat",
            "global_cmvn_stats": "global_cmvn.stats", "diag_ubm": "final.dubm", "ivector_extractor": "final.ie",
        }  # fmt: skip
        for name in files.values():
            if not (folder / name).is_file():
                raise KaldiError(
                    f"{self._folder}: the network takes i-vectors, but there is no such file {folder / name}"
                )
        named = {option: str(folder / name) for option, name in files.items()}
        return IvectorSetup(IvectorOptions(**named, max_count=MAX_COUNT))  # type: ignore[arg-type]
