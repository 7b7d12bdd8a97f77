"""Options of online i-vector extraction, and what is in the files that they name (online2/online-ivector-feature.h)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.online_splicing import SpliceOptions
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.matrix_io import read_matrix
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.ivectors.extractor import IvectorExtractor, read_extractor
from kaldi_bridge.options import read_options
from kaldi_bridge.transforms.online_cmvn import OnlineCmvnOptions


@dataclass
class IvectorOptions:
    """Kaldi's OnlineIvectorExtractionConfig."""

    lda_matrix: str = option("", "Filename of the LDA+MLLT matrix of spliced features, e.g. final.mat")
    global_cmvn_stats: str = option("", "(Extended) filename for global CMVN stats, e.g. global_cmvn.stats")
    cmvn_config: str = option("", "File of options of online CMVN (those of apply-cmvn-online)")
    online_cmvn_iextractor: bool = option(
        False, "Give the extractor, and not only the UBM, features that are normalized"
    )
    splice_config: str = option("", "File with the options --left-context and --right-context")
    diag_ubm: str = option("", "Filename of the diagonal UBM of which posteriors are computed, e.g. final.dubm")
    ivector_extractor: str = option("", "Filename of the i-vector extractor, e.g. final.ie")
    ivector_period: int = option(10, "Frames from one i-vector to the next")
    num_gselect: int = option(5, "Most Gaussians that a frame belongs to")
    min_post: float = option(0.025, "Least posterior with which a frame belongs to a Gaussian")
    posterior_scale: float = option(0.1, "Scale of the posteriors: the inverse of a scale of the prior")
    max_count: float = option(
        0.0, "If not 0: count, in frames times --posterior-scale, above which statistics are scaled down"
    )
    use_most_recent_ivector: bool = option(
        True, "Use the newest i-vector for every frame, instead of the one of its time"
    )
    greedy_ivector_extractor: bool = option(False, "Read ahead as many frames as there are")
    max_remembered_frames: float = option(1000.0, "As how many frames, at most, a speaker's earlier utterances count")


class IvectorSetup:
    """What the options name, read and checked; shared by all utterances.

    Attributes:
        lda: float32 [rows, columns]. global_stats: float64 [2, dim + 1].
    Raises:
        KaldiError: an option is missing or out of range, or files do not fit together.
    """

    def __init__(self, options: IvectorOptions) -> None:
        self.options = options
        for name in (
            "lda_matrix", "global_cmvn_stats", "cmvn_config", "splice_config", "diag_ubm", "ivector_extractor",
        ):  # fmt: skip
            if not getattr(options, name):
                raise KaldiError(
                    f"--{name.replace('_', '-')} option must be set "
                    "(note: this may be needed in the file supplied to --ivector-extraction-config)"
                )
        if options.greedy_ivector_extractor and not options.use_most_recent_ivector:
            log.warning("--greedy-ivector-extractor=true implies --use-most-recent-ivector=true")
            options.use_most_recent_ivector = True
        self._check_ranges()
        self.cmvn_options = read_options(options.cmvn_config, OnlineCmvnOptions)
        self.splice_options = read_options(options.splice_config, SpliceOptions)
        self.lda = _matrix(options.lda_matrix, np.float32)
        self.global_stats = _matrix(options.global_cmvn_stats, np.float64)
        with open_input(options.diag_ubm) as stream:
            self.ubm = Mixtures.read_single(stream, read_header(stream))
        self.extractor: IvectorExtractor = read_extractor(options.ivector_extractor)
        self._check_dimensions()

    @property
    def feature_dim(self) -> int:
        return self.global_stats.shape[1] - 1

    def _check_ranges(self) -> None:
        options = self.options
        for fine, name in (
            (options.ivector_period > 0, "ivector_period"),
            (options.num_gselect > 0, "num_gselect"),
            (0 <= options.min_post < 0.5, "min_post"),
            (0 < options.posterior_scale <= 1, "posterior_scale"),
            (options.max_count >= 0, "max_count"),
            (options.max_remembered_frames >= 0, "max_remembered_frames"),
        ):
            if not fine:
                raise KaldiError(f"--{name.replace('_', '-')}={getattr(options, name):g} is out of range")

    def _check_dimensions(self) -> None:
        spliced = (self.splice_options.left_context + 1 + self.splice_options.right_context) * self.feature_dim
        if len(self.global_stats) != 2:
            raise KaldiError(f"{self.options.global_cmvn_stats}: statistics have two rows")
        if self.lda.shape[1] not in (spliced, spliced + 1):
            raise KaldiError(
                f"{self.options.lda_matrix} has {self.lda.shape[1]} columns, but spliced features {spliced} dimensions"
            )
        if not len(self.lda) == self.ubm.dim == self.extractor.feature_dim:
            raise KaldiError(
                f"the LDA matrix makes features of dimension {len(self.lda)}, the UBM is for {self.ubm.dim}, "
                f"the extractor for {self.extractor.feature_dim}"
            )
        if self.ubm.num_gaussians != self.extractor.num_gaussians:
            raise KaldiError(
                f"the UBM has {self.ubm.num_gaussians} Gaussians, the extractor {self.extractor.num_gaussians}"
            )


def _matrix(rxfilename: str, dtype: type) -> np.ndarray:
    with open_input(rxfilename) as stream:
        return read_matrix(stream, read_header(stream), dtype)
