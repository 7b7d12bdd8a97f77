"""Model directories of nnet_pytorch to ours, and back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.io.json_text import parse_json
from kaldi_bridge.io.text_files import read_text, write_text
from kaldi_bridge.model_dirs.model_input import ModelInput
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.model.model_file import Archive, read_any
from steps_pytorch.models.nnet_pytorch.checkpoint import write_checkpoint
from steps_pytorch.models.nnet_pytorch.configuration import NAME, Configuration
from steps_pytorch.models.nnet_pytorch.decoded import width_of
from steps_pytorch.models.nnet_pytorch.model import NnetPytorchModel, network_of, read_network

BESIDE = ("tree", "phones.txt")
NETWORK = "core.module.network."  # what the names of its parameters begin with in an archive


def import_checkpoint(
    checkpoint: Path, conf: Path, folder: Path, tree_dir: Path | None, feature_dim: int = 0, prior_name: str = "priors"
) -> None:
    """Writes what decode.sh wants: final.mdl, cmvn_opts, frame_subsampling_factor, input.json.

    Args:
        conf: the conf.<n>.json of the training.
        tree_dir: whose final.mdl has the transition model, and whose tree and phones.txt are copied; None: final.mdl
            becomes a plain TorchScript archive.
        feature_dim: of a WideResnet whose configuration does not say it; 0: not known.
        prior_name: the file of log-priors beside the configuration, for models trained with cross-entropy.

    Raises:
        KaldiError: a file cannot be read or written, or they do not fit each other.
    """
    configuration, network = read_network(checkpoint, conf)
    dim = network.feature_dim or feature_dim
    if not dim:
        raise KaldiError(f"{conf} does not say the dimension of features, and any would do: --feature-dim")
    if feature_dim not in (0, dim):
        raise KaldiError(f"{checkpoint} takes features of dimension {dim}, not --feature-dim={feature_dim}")
    transition_model = None if tree_dir is None else str(tree_dir / "final.mdl")
    priors = _priors(conf.parent / prior_name, configuration, network.num_pdfs)
    archive = NnetPytorchModel(network, configuration, dim).to_archive(transition_model, priors)
    folder.mkdir(parents=True, exist_ok=True)
    archive.save(str(folder / "final.mdl"))
    normalizes = configuration.norm_means or configuration.norm_vars
    cmvn_opts = f"--norm-means={_word(normalizes)} --norm-vars={_word(configuration.norm_vars)}"
    write_text(folder / "cmvn_opts", f"{cmvn_opts}\n")
    write_text(folder / "frame_subsampling_factor", f"{configuration.factor}\n")
    ModelInput.of(None, dim, cmvn_opts).write(folder)
    for beside in [tree_dir / name for name in BESIDE] if tree_dir is not None else []:
        if beside.is_file():
            shutil.copyfile(beside, folder / beside.name)
    _tell(configuration, folder)


def export_checkpoint(model: str, checkpoint: Path) -> None:
    """Writes ``checkpoint`` and conf.1.json beside it, of a model that was imported, or trained on from one.

    Raises:
        KaldiError: the model is none of these, or there is another conf.1.json.
    """
    found = read_any(model)
    if not isinstance(found, Archive):
        raise KaldiError(f"{model} is a network of nnet3: nnet_pytorch cannot have it")
    module = TorchModel.from_archive(found, model).module
    state = {name.removeprefix(NETWORK): v for name, v in module.state_dict().items() if name.startswith(NETWORK)}
    conf = getattr(getattr(getattr(module, "core", None), "module", None), "conf", None)
    if not state or not isinstance(conf, str):
        raise KaldiError(f"{model} is no network of nnet_pytorch: only those that came from there can go back")
    with within(model):
        configuration = Configuration.of(parse_json(conf, NAME))
        network = network_of(configuration, state)
    path = checkpoint.parent / NAME
    if path.exists() and parse_json(read_text(path), str(path)) != configuration.values:
        raise KaldiError(f"{path} is the configuration of another network: choose another directory")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_checkpoint(checkpoint, network.state_dict())
    write_text(path, configuration.to_json() + "\n")
    log.info(f"Wrote {checkpoint} and {path}")


def _priors(path: Path, configuration: Configuration, num_pdfs: int) -> np.ndarray | None:
    """Of the JSON list of log-priors; None where the training was not with cross-entropy."""
    if "CrossEntropy" not in str(configuration.values.get("objective")):
        return None
    if not path.is_file():
        log.warning(f"There is no {path}: the model has no priors, which decoding should divide by")
        return None
    try:
        found = np.array(json.loads(read_text(path)), np.float64)
    except (ValueError, TypeError, RecursionError):
        found = np.array(np.nan)
    if found.shape != (num_pdfs,) or not np.isfinite(found).all() or found.max() > 0:
        raise KaldiError(f"{path} must be a list of {num_pdfs} logarithms of priors")
    return np.exp(found)


def _tell(configuration: Configuration, folder: Path) -> None:
    width = width_of(configuration)
    if width != configuration.chunk_width:
        log.warning(
            f"Chunks of {configuration.chunk_width} frames are no multiple of the {configuration.factor} frames of an "
            f"output: in nnet_pytorch later outputs come too late, here chunks have {width} frames"
        )
    if configuration.norm_vars:
        log.warning(
            "Features were divided by the root of their mean square, not by their standard deviation: give decode.sh "
            "data whose cmvn.scp nnet-pytorch-second-moment-cmvn made"
            + ("" if configuration.norm_means else " with --norm-means=false")
        )
    log.info(f"Wrote {folder}, which computes chunks of {width} frames")


def _word(value: bool) -> str:
    return "true" if value else "false"
