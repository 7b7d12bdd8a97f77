"""Kaldi's directories for online decoding (steps/online/nnet3/prepare_online_decoding.sh), with the graph beside.

    final.mdl, frame_subsampling_factor, conf/online.conf and the files that it names
    graph/ or another folder of that kind inside, or --graph: HCLG.fst, words.txt, phones/

The configuration names files by absolute paths: those of a directory that was moved are looked for inside of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import is_number, strip
from kaldi_bridge.io.text_files import read_text
from kaldi_bridge.ivectors.options import IvectorOptions, IvectorSetup
from kaldi_bridge.online.features import (
    OnlineFeatureOptions,
    OnlineFeatureSetup,
    cmvn_setup,
    feature_options,
    pitch_setup,
)
from kaldi_bridge.online.silence_weighting import SilenceWeightingOptions
from kaldi_bridge.options import read_options
from nnet3_compat.recognition.model_folder import DecodingOptions, GraphFiles, require

FILES = (
    "mfcc_config", "plp_config", "fbank_config", "cmvn_config", "global_cmvn_stats", "online_pitch_config",
    "ivector_extraction_config",
)  # fmt: skip
IVECTOR_FILES = (
    "lda_matrix", "global_cmvn_stats", "cmvn_config", "splice_config", "diag_ubm", "ivector_extractor",
)  # fmt: skip


@dataclass
class OnlineConf(OnlineFeatureOptions, SilenceWeightingOptions, DecodingOptions):
    """What conf/online.conf may say; the defaults are those of steps/online/nnet3/decode.sh."""

    frames_per_chunk: int = option(20, "Frames (of input) of which the outputs are computed together")
    beam: float = option(15.0, "Decoding beam")
    max_active: int = option(7000, "Most active states")
    lattice_beam: float = option(6.0, "Lattice generation beam")
    acoustic_scale: float = option(0.0, "0: 1.0 for chain models, whose outputs are every third frame, else 0.1")


class KaldiFolder:
    """A ModelFolder. Raises KaldiError where files are missing or options make no sense."""

    def __init__(self, folder: Path, graph: str) -> None:
        self._folder, self.model, self.tree = folder, folder / "final.mdl", folder / "tree"
        conf, factor = folder / "conf/online.conf", folder / "frame_subsampling_factor"
        require(folder, self.model, conf)
        options = read_options(str(conf), OnlineConf)
        if factor.is_file():
            text = strip(read_text(factor))
            if not is_number(text):
                raise KaldiError(f"{factor}: {text!r} is no number")
            options.frame_subsampling_factor = int(text)
        if not options.acoustic_scale:
            options.acoustic_scale = 1.0 if options.frame_subsampling_factor > 1 else 0.1
        self.decoding: DecodingOptions = options
        self.weighting: SilenceWeightingOptions = options
        self._features: OnlineFeatureOptions = options
        self.graph = _graph_files(Path(graph) if graph else self._graph_inside())
        self._take_silence_phones()

    def feature_setup(self, takes_ivectors: bool) -> OnlineFeatureSetup:
        options = self._features
        self._find(options, FILES)
        features = feature_options(options)
        features.allow_downsample = True
        ivectors = None
        if takes_ivectors:
            if not options.ivector_extraction_config:
                raise KaldiError(f"{self._folder}: the network takes i-vectors, of which conf/online.conf says nothing")
            settings = read_options(options.ivector_extraction_config, IvectorOptions)
            self._find(settings, IVECTOR_FILES)
            ivectors = IvectorSetup(settings)
        return OnlineFeatureSetup(features, cmvn_setup(options), ivectors, pitch_setup(options))

    def _find(self, options: object, names: tuple[str, ...]) -> None:
        """Puts paths inside of the folder in the place of those that are no longer there."""
        for name in names:
            given = getattr(options, name)
            if not given or Path(given).is_file():
                continue
            parts = Path(given).parts
            tails = (self._folder.joinpath(*parts[begin:]) for begin in range(1, len(parts)))
            found = next((tail for tail in tails if tail.is_file()), None)
            if found is None:
                raise KaldiError(f"{self._folder}: there is no {given}, which its configuration names")
            setattr(options, name, str(found))

    def _graph_inside(self) -> Path:
        found = sorted({path.parent for name in ("HCLG.fst", "HCLr.fst") for path in self._folder.glob(f"*/{name}")})
        if len(found) != 1:
            names = ", ".join(path.name for path in found) or "no folder with HCLG.fst, nor with HCLr.fst"
            raise KaldiError(f"{self._folder} has {names}: say which graph to take (--graph)")
        return found[0]

    def _take_silence_phones(self) -> None:
        """From the graph, where the configuration has none."""
        file = self.graph.directory / "phones/silence.csl"
        if self.decoding.silence_phones:
            return
        if file.is_file():
            self.decoding.silence_phones = strip(read_text(file))
        else:
            log.warning(f"Neither --endpoint.silence-phones nor {file}: speech ends by its length only")


def _graph_files(folder: Path) -> GraphFiles:
    return GraphFiles(
        folder,
        folder / "phones.txt",
        folder / "phones/word_boundary.int",
        folder / "phones/align_lexicon.int",
    )
