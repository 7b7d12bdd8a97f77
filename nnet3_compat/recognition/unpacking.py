"""A model as it is handed on, laid out as Kaldi's training scripts keep one: what training goes on from.

    final.mdl, tree, phones.txt      the tree is found in the graph where the model comes without it
    frame_subsampling_factor
    cmvn_opts, online_cmvn, global_cmvn.stats    normalization; the last two where it is online
    conf/mfcc.conf (or fbank, plp)   how features are made, where that is known
    extractor/                       of i-vectors, where the network takes some and the model brings one:
                                     final.ie, final.dubm, final.mat, global_cmvn.stats, splice_opts, online_cmvn.conf,
                                     online_cmvn_iextractor, and ivector_opts, options of extract_ivectors.sh
    den.fst, normalization.fst       the denominator graph of LF-MMI, where the model brings it
    input.json                       what it was trained on, where that is recorded
    graph, vosk                      links to the graph directory, and to the folder for Vosk, where it is one

The model is a folder for Vosk, a directory of Kaldi's for online decoding, one that training has left, or a .mdl in
one of these.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.data_dirs.feature_options import FeatureOptions
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.graphs.tree_of_graph import tree_of_graph
from kaldi_bridge.hmm.tree import read_tree
from kaldi_bridge.io.text_files import write_text
from kaldi_bridge.io.whole_folder import whole_folder
from kaldi_bridge.ivectors.options import IvectorSetup
from kaldi_bridge.lattices.graph_files import graph_of_all_words
from kaldi_bridge.model_dirs.model_input import ModelInput
from kaldi_bridge.online.features import OnlineFeatureSetup
from kaldi_bridge.options import specs_of
from kaldi_bridge.transforms.global_cmvn import write_global_stats
from kaldi_bridge.tree_building.files import write_object
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import read_model, write_model
from nnet3_compat.recognition.model import open_folder
from nnet3_compat.recognition.model_folder import ModelFolder
from nnet3_compat.recognition.vosk_folder import is_vosk_folder

KEPT = (
    "tree", "phones.txt", "frame_subsampling_factor", "cmvn_opts", "online_cmvn", "global_cmvn.stats", "den.fst",
    "normalization.fst", "input.json",
)  # fmt: skip
NO_NORMALIZATION = "--norm-means=false --norm-vars=false"


@dataclass
class UnpackOptions:
    """What a model's folder does not have itself."""

    graph: str = option("", "Directory of the graph that the model is decoded with, for a folder that has none inside")
    tree: str = option("", "The model's tree, for a folder that has none; default: found in the graph")


def unpack_model(source: str, target: str, options: UnpackOptions) -> None:
    """Writes the folder ``target``, which appears whole.

    Raises:
        KaldiError: files are missing, cannot be read or do not fit together, or the model is no nnet3 network.
    """
    folder, model_file = _place(Path(source))
    with whole_folder(target) as made:
        if model_file is None:
            _unpack_folder(open_folder(folder, options.graph), options, made)
            if is_vosk_folder(folder):
                (made / "vosk").symlink_to(folder.resolve())
        else:
            _unpack_directory(folder, model_file, options, made)
    log.info(f"Unpacked {source} to {target}")


def _place(source: Path) -> tuple[Path, Path | None]:
    """The folder, and the model in it where it is one that training has left."""
    if not source.is_dir():
        if not source.is_file():
            raise KaldiError(f"{source}: no such file or folder")
        for folder in (source.parent, source.parent.parent):
            if is_vosk_folder(folder) and source.name == "final.mdl":
                return folder, None
        return source.parent, source
    if is_vosk_folder(source) or (source / "conf/online.conf").is_file() or not (source / "final.mdl").is_file():
        return source, None
    return source, source / "final.mdl"


def _unpack_directory(folder: Path, model_file: Path, options: UnpackOptions, made: Path) -> None:
    model = _read(model_file)
    shutil.copyfile(model_file, made / "final.mdl")
    for name in KEPT:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, made / name)
    if options.tree or not (made / "tree").is_file():
        graph = Path(options.graph) if options.graph else None
        _put_tree(Path(options.tree) if options.tree else folder / "tree", graph, model, made)
    if not (made / "cmvn_opts").is_file():
        log.warning(f"no such file {folder / 'cmvn_opts'}: features are not normalized")
        write_text(made / "cmvn_opts", f"{NO_NORMALIZATION}\n")
    if not (made / "frame_subsampling_factor").is_file():
        write_text(made / "frame_subsampling_factor", "1\n")
    told = FeatureOptions.of_directory(folder)
    record = ModelInput.read(folder)
    if told is None and record is not None and record.features:
        text = "".join(f"--{name}={_shown(value)}\n" for name, value in record.options.items() if value != "")
        told = FeatureOptions(record.features, text)
    if told is not None:
        told.write(made)
    if options.graph:
        _link_graph(Path(options.graph), made)


def _unpack_folder(folder: ModelFolder, options: UnpackOptions, made: Path) -> None:
    model = _read(folder.model)
    setup = folder.feature_setup(model.nnet.input_dim("ivector") > 0)
    if setup.pitch is not None:
        raise KaldiError(f"{folder.model}: models with pitch features cannot be unpacked")
    if setup.dim != model.nnet.input_dim():
        raise KaldiError(
            f"{folder.model}: features of dimension {setup.dim} are configured, the network takes "
            f"{model.nnet.input_dim()}"
        )
    write_model(str(made / "final.mdl"), model)
    _put_tree(Path(options.tree) if options.tree else folder.tree, folder.graph.directory, model, made)
    if folder.graph.phones.is_file():
        shutil.copyfile(folder.graph.phones, made / "phones.txt")
    write_text(made / "frame_subsampling_factor", f"{folder.decoding.frame_subsampling_factor}\n")
    _put_normalization(setup, made)
    features = setup.extractor.options
    features.allow_upsample = True  # as where it recognizes (acoustic_model.py)
    FeatureOptions(type(features).__name__.removesuffix("Options").lower(), _option_lines(features)).write(made)
    if setup.ivectors is not None:
        _put_extractor(setup.ivectors, made / "extractor")
    _link_graph(folder.graph.directory, made)


def _read(path: Path) -> AmNnet:
    model = read_model(str(path))
    if model.num_pdfs != model.transition_model.num_pdfs:
        raise KaldiError(
            f"{path}: the network has {model.num_pdfs} outputs, the transition model "
            f"{model.transition_model.num_pdfs} pdfs"
        )
    return model


def _put_tree(tree: Path, graph: Path | None, model: AmNnet, made: Path) -> None:
    if tree.is_file():
        if read_tree(str(tree)).num_pdfs != model.transition_model.num_pdfs:
            raise KaldiError(f"{tree} is the tree of another model: it has another number of pdfs")
        shutil.copyfile(tree, made / "tree")
        return
    if graph is None:
        raise KaldiError(f"there is no {tree}: give --tree, or --graph, in which it can be found")
    fst, _ = graph_of_all_words(graph)
    try:
        found = tree_of_graph(fst, model.transition_model)
    except KaldiError as error:
        raise KaldiError(f"there is no {tree} (--tree), and none was found in {graph}: {error}") from None
    write_object(str(made / "tree"), found)
    log.info(f"The model has no tree: one that agrees with {graph} is taken")


def _link_graph(graph: Path, made: Path) -> None:
    if (graph / "HCLG.fst").is_file() or (graph / "HCLr.fst").is_file():
        (made / "graph").symlink_to(graph.resolve())


def _put_normalization(setup: OnlineFeatureSetup, made: Path) -> None:
    if setup.cmvn is None:
        write_text(made / "cmvn_opts", f"{NO_NORMALIZATION}\n")
        return
    options, stats = setup.cmvn
    write_text(made / "cmvn_opts", " ".join(_option_words(options)) + "\n")
    write_text(made / "online_cmvn", "")
    write_global_stats(str(made / "global_cmvn.stats"), stats)


def _put_extractor(setup: IvectorSetup, folder: Path) -> None:
    folder.mkdir()
    options = setup.options
    for name, file in (
        (options.ivector_extractor, "final.ie"), (options.diag_ubm, "final.dubm"), (options.lda_matrix, "final.mat"),
        (options.global_cmvn_stats, "global_cmvn.stats"),
    ):  # fmt: skip
        shutil.copyfile(name, folder / file)
    splice = setup.splice_options
    write_text(folder / "splice_opts", f"--left-context={splice.left_context} --right-context={splice.right_context}\n")
    write_text(folder / "online_cmvn.conf", _option_lines(setup.cmvn_options))
    if options.online_cmvn_iextractor:
        write_text(folder / "online_cmvn_iextractor", "")
    told = ("ivector_period", "num_gselect", "min_post", "posterior_scale", "max_count")
    settings = " ".join(f"--{name.replace('_', '-')}={getattr(options, name):g}" for name in told)
    write_text(folder / "ivector_opts", f"{settings}\n")


def _option_words(options: Any) -> Iterator[str]:
    """Those that are not as by default."""
    for spec in specs_of(options):
        value = getattr(options, spec.attribute)
        if value != spec.default:
            yield f"--{spec.name}={_shown(value)}"


def _option_lines(options: Any) -> str:
    return "".join(f"{word}\n" for word in _option_words(options))


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
