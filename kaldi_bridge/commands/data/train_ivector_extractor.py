"""nnet-pytorch-train-ivector-extractor: steps_pytorch/train_ivector_extractor.sh."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.online_splicing import SpliceOptions
from kaldi_bridge.gmm.mixture_files import read_mixture, write_mixture
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.matrix_io import read_matrix
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.text import is_number, words
from kaldi_bridge.io.text_files import read_text, write_text
from kaldi_bridge.ivectors.training import (
    BackgroundOptions,
    ExtractorOptions,
    ExtractorTraining,
    PcaOptions,
    background_model,
    principal_components,
)
from kaldi_bridge.ivectors.training_features import TrainingFeatures
from kaldi_bridge.options import UsageError, options_of, read_options
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX
from kaldi_bridge.transforms.online_cmvn import OnlineCmvnOptions

USAGE = """Train an i-vector extractor for online decoding: transform, background model and extractor in one.
Usage: nnet-pytorch-train-ivector-extractor [options] <data-dir> <num-gauss> <extractor-dir>
e.g.: steps_pytorch/train_ivector_extractor.sh --ivector-dim 100 data/train_hires 512 exp/nnet3/extractor
The data directory has features of high resolution and cmvn.scp. Leaves final.ie, final.dubm, final.mat,
global_cmvn.stats, splice_opts and online_cmvn.conf, as Kaldi's get_pca_transform.sh, train_diag_ubm.sh and
train_ivector_extractor.sh do, for extract_ivectors.sh. Sums are matrix products, on as many processors as
OMP_NUM_THREADS says."""
_WHY = "All is done in one process"


@dataclass
class Options(PcaOptions, BackgroundOptions, ExtractorOptions):
    """Options of this program."""

    stage: int = option(-4, "Where to go on: -2 at the extractor, with final.dubm; x at pass x, with x.ie")
    transform_dir: str = option("", "Directory with final.mat and splice_opts, of LDA+MLLT perhaps, in place of PCA")
    splice_opts: str = option("--left-context=3 --right-context=3", "Options of splice-feats, in front of PCA")
    online_cmvn_config: str = option("", "File of options of apply-cmvn-online, e.g. conf/online_cmvn.conf")
    nj: int = without_effect(10, _WHY)
    cmd: str = without_effect("", _WHY)
    num_threads: int = without_effect(4, _WHY)
    num_processes: int = without_effect(4, _WHY)


def train_ivector_extractor(options: Options, data: str, num_gauss: str, extractor_dir: str) -> None:
    if not is_number(num_gauss) or not int(num_gauss):
        raise KaldiError(f"Bad num-gauss {num_gauss}")
    directory = Path(extractor_dir)
    directory.mkdir(parents=True, exist_ok=True)
    begins = options.stage <= -3  # otherwise features are made as they were before
    splice_text, cmvn = options.splice_opts, OnlineCmvnOptions()
    cmvn_config = options.online_cmvn_config if begins else str(directory / "online_cmvn.conf")
    splice_dir = options.transform_dir if begins else extractor_dir
    if splice_dir:
        splice_text = read_text(f"{splice_dir}/splice_opts")
    try:
        splicing = options_of(words(splice_text), SpliceOptions)
    except UsageError as error:
        raise KaldiError(f"splice_opts: {error}") from None
    if cmvn_config:
        cmvn = read_options(cmvn_config, OnlineCmvnOptions)
    features = TrainingFeatures(data, cmvn, splicing)
    if begins:
        _write_settings(options, directory, " ".join(words(splice_text)), features.global_stats)
        features.matrix = _transform(options, features, directory)
        mixture = background_model(features, int(num_gauss), options, options.subsample)
        write_mixture(str(directory / "final.dubm"), mixture)
    else:
        features.matrix, mixture = _matrix(directory), read_mixture(str(directory / "final.dubm"))
    last = ExtractorTraining(features, mixture, options).run(directory, max(options.stage, 0))
    final = directory / "final.ie"
    final.unlink(missing_ok=True)
    final.symlink_to(last.name)
    log.info(f"Trained the extractor {final}")


def _write_settings(options: Options, directory: Path, splice_text: str, global_stats: np.ndarray) -> None:
    """What extraction needs to make the same features."""
    for old in (*directory.glob("*.ie"), directory / "final.dubm", directory / "final.ie.id"):
        old.unlink(missing_ok=True)
    write_text(str(directory / "splice_opts"), splice_text + "\n")
    with open_output(str(directory / "global_cmvn.stats")) as stream:
        DOUBLE_MATRIX.write(stream, False, global_stats)
    config = directory / "online_cmvn.conf"
    if not options.online_cmvn_config:
        write_text(str(config), "")
    elif not (config.exists() and os.path.samefile(options.online_cmvn_config, config)):
        shutil.copyfile(options.online_cmvn_config, config)
    marker = directory / "online_cmvn_iextractor"
    if options.online_cmvn_iextractor:
        marker.touch()
    else:
        marker.unlink(missing_ok=True)


def _transform(options: Options, features: TrainingFeatures, directory: Path) -> np.ndarray:
    given = options.transform_dir
    matrix = _matrix(Path(given)) if given else principal_components(features, options)
    with open_output(str(directory / "final.mat")) as stream:
        FLOAT_MATRIX.write(stream, True, matrix)
    return matrix


def _matrix(directory: Path) -> np.ndarray:
    with open_input(str(directory / "final.mat")) as stream:
        return read_matrix(stream, read_header(stream))


main = command(train_ivector_extractor, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
