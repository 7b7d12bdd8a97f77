"""What a folder with a model, a graph and their configuration says, whoever laid it out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kaldi_bridge.command import without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.decoder import SearchOptions
from kaldi_bridge.online.endpointing import EndpointOptions, phone_set
from kaldi_bridge.online.features import OnlineFeatureSetup
from kaldi_bridge.online.silence_weighting import SilenceWeightingOptions
from nnet3_compat.utterances.computation_options import OptimizationOptions
from nnet3_compat.utterances.looped_options import LoopedOptions

_WHOLE = "Lattices are determinized as a whole, when they are asked for"


@dataclass
class DecodingOptions(LoopedOptions, OptimizationOptions, SearchOptions, EndpointOptions):
    """The options of Vosk's model.conf: LatticeIncrementalDecoderConfig and what goes with it."""

    determinize_max_delay: int = without_effect(60, _WHOLE)
    determinize_min_chunk_size: int = without_effect(20, _WHOLE)
    determinize_max_active: int = without_effect(200, _WHOLE)

    def check(self) -> None:
        """Raises KaldiError for values with which nothing can be recognized."""
        super().check()
        phone_set(self.silence_phones, "endpoint.silence-phones")
        if not self.determinize_lattice:
            raise KaldiError("--determinize-lattice=false: results are made of determinized lattices")


@dataclass
class GraphFiles:
    """``directory``: of HCLG.fst, or HCLr.fst and Gr.fst, and of words.txt. The other files may be missing."""

    directory: Path
    phones: Path
    word_boundary: Path
    align_lexicon: Path


class ModelFolder(Protocol):
    """A folder of one of the kinds that are known.

    ``tree``: a file that may be missing.
    ``feature_setup``: with i-vectors where the network ``takes_ivectors``; raises KaldiError for files that are missing
    or do not fit.
    """

    model: Path
    tree: Path
    graph: GraphFiles
    decoding: DecodingOptions
    weighting: SilenceWeightingOptions

    def feature_setup(self, takes_ivectors: bool) -> OnlineFeatureSetup: ...


def require(folder: Path, *files: Path) -> None:
    """Raises KaldiError naming the first of the files that is missing, or empty."""
    for file in files:
        if not file.is_file():
            raise KaldiError(f"{folder}: no such file {file}")
        if not file.stat().st_size:
            raise KaldiError(f"{folder}: {file} is empty")
