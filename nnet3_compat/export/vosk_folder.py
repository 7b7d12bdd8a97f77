"""A model directory and a graph as a folder that ``vosk.Model()`` opens.

    am/final.mdl                     the nnet3 model
    am/global_cmvn.stats             where features are to be normalized: Vosk does it online, means only
    conf/mfcc.conf, model.conf       features; search, as decode.sh has it
    graph/HCLG.fst, words.txt, phones/word_boundary.int
    ivector/                         where the network takes i-vectors

Vosk knows no speakers. A model that was trained on features normalized online, as Vosk does it, runs as it is. One that
was trained on features normalized per speaker gets statistics of all its training data: as a start for Vosk's online
normalization of the mean, or for good, within the network; variances are always normalized within the network.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.data_dirs.feature_options import FeatureOptions
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import strip, words
from kaldi_bridge.io.text_files import read_text, write_text
from kaldi_bridge.io.whole_folder import whole_folder
from kaldi_bridge.model_dirs.model_input import Offer, check_input
from kaldi_bridge.transforms.cmvn import scale_and_offset
from kaldi_bridge.transforms.global_cmvn import read_global_stats, write_global_stats
from nnet3_compat.model.input_transform import transform_input
from nnet3_compat.model.model_file import read_model, write_model
from nnet3_compat.structure.nnet import Nnet

SEARCH = {"min-active": "200", "max-active": "7000", "beam": "15.0", "lattice-beam": "8.0", "acoustic-scale": "1.0"}
IVECTOR_FILES = ("final.ie", "final.dubm", "final.mat", "global_cmvn.stats")
SPLICE = ("splice.conf", "splice_opts")


@dataclass
class VoskOptions:
    """What a Vosk folder is made of, beside the model."""

    graph: str = option("", "Vosk: directory with HCLG.fst, words.txt and phones/ (required)")
    mfcc_config: str = option("", "Vosk: options of compute-mfcc-feats that the features were made with (required)")
    ivector_extractor: str = option("", "Vosk: directory with final.ie, where the network takes i-vectors")
    cmvn_stats: str = option(
        "", "Vosk: normalization statistics to start from, of training data or of a speaker: matrix, or data directory"
    )
    fixed_cmvn: bool = option(False, "Vosk: normalize by just these statistics, instead of starting from them")


def write_vosk_folder(model_in: str, folder: str, options: VoskOptions) -> None:
    """``model_in``: a final.mdl with cmvn_opts and frame_subsampling_factor beside it. The folder appears whole.

    Raises:
        KaldiError: the folder is there already, a file is missing, or the model is none that Vosk can run.
    """
    for name in ("graph", "mfcc_config"):
        if not getattr(options, name):
            raise KaldiError(f"--vosk=true needs --{name.replace('_', '-')}")
    with whole_folder(folder) as made:
        for part in ("am", "conf", "graph/phones"):
            (made / part).mkdir(parents=True)
        _write(made, Path(model_in), options)
    log.info(f"Wrote {model_in} as a folder for Vosk to {folder}")


def _write(made: Path, model_in: Path, options: VoskOptions) -> None:
    model = read_model(str(model_in))
    dim = _mfcc_dim(options.mfcc_config)
    if dim != model.nnet.input_dim():
        raise KaldiError(f"{options.mfcc_config} makes {dim} features, the network takes {model.nnet.input_dim()}")
    offer = Offer(options.mfcc_config, FeatureOptions.of_file("mfcc", Path(options.mfcc_config)), dim)
    found = check_input(model_in.parent, offer)
    for warning in found.warnings:
        log.warning(warning)
    if found.problems:
        raise KaldiError("; ".join(found.problems))
    _normalize(made, model_in.parent, model.nnet, options)
    model.set_nnet(model.nnet)
    write_model(str(made / "am/final.mdl"), model)
    shutil.copyfile(options.mfcc_config, made / "conf/mfcc.conf")
    graph = Path(options.graph)
    for name in ("HCLG.fst", "words.txt"):
        shutil.copyfile(graph / name, made / "graph" / name)
    if (graph / "phones/word_boundary.int").is_file():  # only for times of words
        shutil.copyfile(graph / "phones/word_boundary.int", made / "graph/phones/word_boundary.int")
    factor = model_in.parent / "frame_subsampling_factor"
    lines = {**SEARCH, "frame-subsampling-factor": strip(read_text(factor)) if factor.is_file() else "1"}
    lines["endpoint.silence-phones"] = strip(read_text(graph / "phones/silence.csl"))
    write_text(made / "conf/model.conf", "".join(f"--{name}={value}\n" for name, value in lines.items()))
    if model.nnet.input_dim("ivector") > 0:
        _write_ivector(made / "ivector", options.ivector_extractor)


def _normalize(made: Path, model_dir: Path, nnet: Nnet, options: VoskOptions) -> None:
    """By what the model's cmvn_opts say."""
    file = model_dir / "cmvn_opts"
    given = words(read_text(file)) if file.is_file() else ["--norm-means=false"]
    if not file.is_file():
        log.warning(f"no such file {file}: the features are not to be normalized")
    if (model_dir / "online_cmvn").is_file():
        if given:
            raise KaldiError(f"{file}: Vosk has Kaldi's default options of online normalization only")
        stats = read_global_stats(options.cmvn_stats or str(model_dir / "global_cmvn.stats"))
        write_global_stats(str(made / "am/global_cmvn.stats"), stats)
        return
    means, variances = ("--norm-means=false" not in given), "--norm-vars=true" in given
    if not means:
        return
    if not options.cmvn_stats:
        raise KaldiError(
            f"the model was trained with normalized features ({file}): give --cmvn-stats, of its training data"
        )
    stats = read_global_stats(options.cmvn_stats)
    scale, offset = scale_and_offset(stats, variances)
    if options.fixed_cmvn:
        transform_input(nnet, scale, offset)
        return
    if variances:
        transform_input(nnet, scale, np.zeros_like(offset))
    write_global_stats(str(made / "am/global_cmvn.stats"), stats)


def _write_ivector(folder: Path, extractor: str) -> None:
    if not extractor:
        raise KaldiError("the network takes i-vectors: give --ivector-extractor")
    folder.mkdir()
    for name in IVECTOR_FILES:
        shutil.copyfile(Path(extractor) / name, folder / name)
    found = next((Path(extractor, name) for name in SPLICE if Path(extractor, name).is_file()), None)
    if found is None:
        raise KaldiError(f"no such file {extractor}/{SPLICE[0]} or {SPLICE[1]}")
    write_text(folder / "splice.conf", "".join(f"{word}\n" for word in words(read_text(found))))
    online = Path(extractor) / "online_cmvn.conf"
    write_text(folder / "online_cmvn.conf", read_text(online) if online.is_file() else "")


def _mfcc_dim(config: str) -> int:
    """The number of cepstra that an option file asks for."""
    dim = 13
    for line in read_text(config).split("\n"):
        name, _, value = strip(line.partition("#")[0]).partition("=")
        if name.replace("_", "-") == "--num-ceps":
            dim = int(value)
    return dim
