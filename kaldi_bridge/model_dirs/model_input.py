"""What a model was trained on, in its directory: input.json.

    {"features": "mfcc",                  mfcc, fbank or plp; "" where the training data did not tell
     "options": {"num-ceps": 40, ...},    of the features, Kaldi's defaults included; the sampling rate is one of them
     "dim": 40,                           of a frame
     "cmvn_opts": "--norm-vars=true",     what the file cmvn_opts says
     "online_cmvn": false,                whether there is the file online_cmvn
     "ivector_dim": 0}                    0: the model takes no i-vectors

Without it a model that was copied without its cmvn_opts, or meets features that were made otherwise, decodes nonsense
and nothing tells.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kaldi_bridge.data_dirs.feature_options import FeatureOptions, differences
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import strip, words
from kaldi_bridge.io.text_files import read_text, write_text
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

NAME = "input.json"
_TYPES = {"features": str, "options": dict, "dim": int, "cmvn_opts": str, "online_cmvn": bool, "ivector_dim": int}


@dataclass
class ModelInput:
    """The content of input.json."""

    features: str
    options: dict[str, Any]
    dim: int
    cmvn_opts: str = ""
    online_cmvn: bool = False
    ivector_dim: int = 0

    @classmethod
    def of(cls, made: FeatureOptions | None, dim: int, cmvn_opts: str, **others: Any) -> ModelInput:
        """``made``: how the features of the training data were made, None where that is not told."""
        kind, options = (made.kind, made.values()) if made is not None else ("", {})
        return cls(kind, options, dim, cmvn_opts, **others)

    @classmethod
    def read(cls, model_dir: Path) -> ModelInput | None:
        """None where a model directory, Kaldi's say, has no such file. Raises KaldiError for one that is malformed."""
        path = model_dir / NAME
        if not path.is_file():
            return None
        try:
            found = cls(**json.loads(read_text(path)))
            if all(isinstance(getattr(found, name), kind) for name, kind in _TYPES.items()):
                return found
        except (ValueError, TypeError) as error:
            raise KaldiError(f"{path} does not describe the input of a model ({error})") from error
        raise KaldiError(f"{path} does not describe the input of a model")

    def write(self, model_dir: Path) -> None:
        write_text(model_dir / NAME, json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")


@dataclass
class Findings:
    """``problems``: with them the model does not work. ``warnings``: what cannot be known."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass
class Offer:
    """What a model is to be given. ``made``: how features were made; ``name``: of what tells that, for messages.

    ``dim`` 0: not known. ``ivector_dim`` None: not known.
    """

    name: str
    made: FeatureOptions | None
    dim: int = 0
    ivector_dim: int | None = None

    @classmethod
    def of_data(cls, data: Path, ivectors: Path | None = None) -> Offer:
        """A data directory's features, and i-vectors of another."""
        ivector_dim = _dim(ivectors / "ivector_online.scp") if ivectors is not None else 0
        return cls(str(data), FeatureOptions.of_directory(data), _dim(data / "feats.scp"), ivector_dim)


def _dim(scp: Path) -> int:
    """Columns of the first matrix. Raises KaldiError where there is none."""
    with SequentialReader(f"scp,p:{scp}", FLOAT_MATRIX) as reader:
        for _, matrix in reader:
            return int(matrix.shape[1])
    raise KaldiError(f"no features can be read from {scp}")


def check_input(model_dir: Path, offer: Offer) -> Findings:
    """Compares with what a model directory says; where it says nothing, nothing is found.

    Raises KaldiError where a file cannot be read.
    """
    findings = Findings()
    model = ModelInput.read(model_dir)
    if model is None:
        return findings
    _check_normalization(model, model_dir, findings)
    _check_features(model, model_dir, offer, findings)
    if offer.ivector_dim is not None and offer.ivector_dim != model.ivector_dim:
        findings.problems.append(
            f"{model_dir} was trained with i-vectors of dimension {model.ivector_dim}, now it is {offer.ivector_dim} "
            "(0: none)"
        )
    return findings


def _check_normalization(model: ModelInput, model_dir: Path, findings: Findings) -> None:
    file = model_dir / "cmvn_opts"
    if not file.is_file():
        findings.problems.append(
            f"no such file {file}, and {model_dir / NAME} says that features were normalized by {model.cmvn_opts!r}: "
            "copy it with the model"
        )
    elif words(read_text(file)) != words(model.cmvn_opts):
        findings.problems.append(
            f"{file} says {strip(read_text(file))!r}, but the model was trained with {model.cmvn_opts!r} ({NAME})"
        )
    if (model_dir / "online_cmvn").is_file() != model.online_cmvn:
        findings.problems.append(
            f"the features were {'' if model.online_cmvn else 'not '}normalized online ({model_dir / NAME}), but "
            f"a file {model_dir / 'online_cmvn'} is {'not ' if model.online_cmvn else ''}there"
        )


def _check_features(model: ModelInput, model_dir: Path, offer: Offer, findings: Findings) -> None:
    if offer.dim and offer.dim != model.dim:
        findings.problems.append(
            f"{model_dir} was trained on features of dimension {model.dim}, those of {offer.name} have {offer.dim}"
        )
    if not model.features or offer.made is None:
        silent = offer.name if offer.made is None else model_dir / NAME
        findings.warnings.append(f"{silent} does not tell how features were made: they cannot be compared")
        return
    trained = {"kind": model.features, **model.options}
    if found := differences(trained, {"kind": offer.made.kind, **offer.made.values()}):
        findings.problems.append(
            f"the features of {offer.name} are made otherwise than those that {model_dir} was trained on: "
            + ", ".join(found)
        )
