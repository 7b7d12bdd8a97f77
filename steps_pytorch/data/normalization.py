"""Cepstral mean and variance normalization of chunks, with statistics per speaker or for all."""

from __future__ import annotations

import shlex

import numpy as np

from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import DOUBLE_MATRIX
from kaldi_bridge.transforms.cmvn import apply_cmvn


class Normalizer:
    """Normalizes features of utterances.

    Args:
        statistics: [2, dim + 1] by speaker (kaldi_bridge/transforms/cmvn.py), or for all under "".
        utt2spk: the speaker of each utterance; empty for global statistics.
        norm_vars: variances too, not only means.
    """

    def __init__(self, statistics: dict[str, np.ndarray], utt2spk: dict[str, str], norm_vars: bool) -> None:
        self._statistics, self._utt2spk, self._norm_vars = statistics, utt2spk, norm_vars

    @classmethod
    def per_speaker(cls, directory: str, norm_vars: bool = False) -> Normalizer:
        """With utt2spk and cmvn.scp of a data directory."""
        data = DataDir.read(directory, ("utt2spk", "cmvn.scp"))
        data.table("cmvn.scp")
        with SequentialReader(f"scp:{data.path / 'cmvn.scp'}", DOUBLE_MATRIX) as reader:
            return cls(dict(reader), data.utt2spk, norm_vars)

    @classmethod
    def of_options(cls, cmvn_opts: str, directory: str) -> Normalizer | None:
        """By a model's ``cmvn_opts``, "--norm-means=true --norm-vars=false" say; None where nothing is normalized."""
        options = {"norm-means": True, "norm-vars": False}
        for word in shlex.split(cmvn_opts):
            name, _, value = word.removeprefix("--").replace("_", "-").partition("=")
            if name not in options or value not in ("true", "false", ""):
                raise KaldiError(f"cmvn options {cmvn_opts!r}: only --norm-means and --norm-vars are possible")
            options[name] = value != "false"
        if not options["norm-means"]:
            if options["norm-vars"]:
                raise KaldiError("You cannot normalize the variance but not the mean.")
            return None
        return cls.per_speaker(directory, options["norm-vars"])

    def problem(self, utterance: str) -> str:
        """What is missing for an utterance; "" if nothing is."""
        if not self._utt2spk:
            return ""
        if utterance not in self._utt2spk:
            return "no speaker (utt2spk)"
        speaker = self._utt2spk[utterance]
        return "" if speaker in self._statistics else f"no statistics (cmvn.scp) of its speaker {speaker}"

    def __call__(self, utterance: str, features: np.ndarray) -> np.ndarray:
        """Features [frames, dim], normalized."""
        return apply_cmvn(self._statistics[self._speaker(utterance)], features, self._norm_vars)

    def undo(self, utterance: str, features: np.ndarray) -> np.ndarray:
        """Features as they were before they were normalized."""
        return apply_cmvn(self._statistics[self._speaker(utterance)], features, self._norm_vars, reverse=True)

    def average(self) -> Normalizer:
        """The same for all: with the statistics of all speakers together."""
        total = np.sum(list(self._statistics.values()), axis=0)
        return Normalizer({"": total}, {}, self._norm_vars)

    def _speaker(self, utterance: str) -> str:
        return self._utt2spk[utterance] if self._utt2spk else ""
