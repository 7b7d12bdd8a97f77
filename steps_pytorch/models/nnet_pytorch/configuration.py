"""conf.<job>.json of a model directory of nnet_pytorch: the options that its train.py ran with."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.io.json_text import parse_json
from kaldi_bridge.io.text import shown, strip
from kaldi_bridge.io.text_files import read_text

NAME = "conf.1.json"
CHAIN = "Chain"
MODELS = ("TDNN", "Resnet", "WideResnet", "BLSTM")
LARGEST, MOST_LAYERS, MOST_FRAMES = 1 << 20, 1000, 1 << 15


@dataclass(frozen=True)
class Configuration:
    """Attributes:
    model: one of MODELS.
    chain: whether the network has a second branch, for the cross-entropy regularizer.
    factor: input frames per output frame (``--subsample``).
    chunk_width: frames of the chunks that utterances are cut into, without context.
    left_context, right_context: frames around them.
    minibatch_size: chunks that are computed at once.
    norm_means: whether the mean of a speaker's features is subtracted.
    norm_vars: whether they are divided by the root of their mean square (not by their standard deviation).
    values: all that the file says.
    """

    model: str
    chain: bool
    factor: int
    chunk_width: int
    left_context: int
    right_context: int
    minibatch_size: int
    norm_means: bool
    norm_vars: bool
    values: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Configuration:
        """Raises KaldiError where the file cannot be read, or is not what train.py writes."""
        values = parse_json(read_text(path), str(path))
        with within(str(path)):
            return cls.of(values)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Configuration:
        """Of the file's content. Raises KaldiError naming what is missing or wrong."""
        name = values.get("model")
        model = str(name).removeprefix(CHAIN)
        if model not in MODELS:
            raise KaldiError(
                f"its model is {shown(str(name))}; known are {', '.join(MODELS)}, also with {CHAIN} before"
            )
        data = _first_data_set(values.get("datasets"))
        chunk_width = whole_number(data, "chunk_width", most=MOST_FRAMES)
        if "fp16" in values:  # later versions train on chunks of random widths, and decode with their mean
            chunk_width = (chunk_width + whole_number(data, "min_chunk_width", default=1, most=MOST_FRAMES)) // 2
        means, variances = bool(data.get("mean_norm", True)), data.get("var_norm", True)
        return cls(
            model,
            model != name,
            whole_number(values, "subsample", default=1, most=MOST_FRAMES),
            chunk_width,
            whole_number(data, "left_context", least=0, most=MOST_FRAMES),
            whole_number(data, "right_context", least=0, most=MOST_FRAMES),
            whole_number(data, "batchsize"),
            means,
            bool(variances) and (means or variances != "none"),  # "none" is true there where means are subtracted
            values,
        )

    def to_json(self) -> str:
        """What the file said, in a form that ``of`` takes."""
        return json.dumps(self.values, indent=4)


def whole_number(
    values: dict[str, Any], name: str, least: int = 1, default: int | None = None, most: int = LARGEST
) -> int:
    """One of the values. Raises KaldiError where it is missing, no whole number, too small or absurdly large."""
    value = values.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise KaldiError(f"{name} must be a whole number from {least} to {most}, and is {shown(str(value))}")
    return value


def share(values: dict[str, Any], name: str) -> float:
    """One of the values, from 0 to 1. Raises KaldiError for anything else."""
    value = values.get(name)
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise KaldiError(f"{name} must be a number from 0 to 1, and is {shown(str(value))}")
    return float(value)


def literal(value: Any, name: str) -> Any:
    """A list that train.py was given as text. Raises KaldiError for what is none; nothing in it is executed."""
    if isinstance(value, list):
        return value
    try:
        return ast.literal_eval(strip(value))
    except (ValueError, SyntaxError, TypeError, AttributeError, MemoryError, RecursionError):
        raise KaldiError(f"{name} is no list of numbers or dictionaries: {shown(str(value))}") from None


def _first_data_set(value: Any) -> dict[str, Any]:
    """The one whose chunks are also those of decoding."""
    found = literal(value, "datasets")
    if not isinstance(found, list) or not found or not isinstance(found[0], dict):
        raise KaldiError(f"datasets is no list of dictionaries: {shown(str(value))}")
    return found[0]
