"""How well phones were pronounced: goodness of pronunciation, and features of it (bin/compute-gop.cc).

W. Hu et al., "Improved mispronunciation detection with deep neural network trained acoustic models and transfer
learning based logistic regression classifiers", Speech Communication, 2015. A phone's log-posterior (LPP) is the mean
over its frames of the log of the sum of the posteriors of its pdfs; goodness is that of the phone that was meant less
the largest of all phones'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel

IGNORED = -10.0  # the log-posterior of phones that do not count


class Pronunciation(NamedTuple):
    """``phone``; ``goodness``: at most 0; ``features``: float32 [1 + 2 phones], phone, LPPs, LPP of it less each."""

    phone: int
    goodness: float
    features: np.ndarray


class PronunciationScorer:
    """Scores the phones of utterances.

    Args:
        phone_map: to the phones that are told apart (without stress and position, say); None: all are.
        skipped: phones that neither compete nor are scored.

    Raises:
        KaldiError: the map lacks a phone of the model, or a skipped phone is none.
    """

    def __init__(
        self, model: TransitionModel, phone_map: Mapping[int, int] | None = None, skipped: Collection[int] = ()
    ) -> None:
        self._map = {phone: phone for phone in model.phones} if phone_map is None else phone_map
        self._lacking = "the model does not have phone" if phone_map is None else "the phone map has no line for phone"
        pairs = np.unique(np.stack([model.id_to_pdf[1:], model.id_to_phone[1:]], 1), axis=0)
        mapped = np.array([self._mapped(phone) for phone in pairs[:, 1].tolist()])
        self._is_of = np.zeros((model.num_pdfs, int(mapped.max()) + 1), np.float32)
        self._is_of[pairs[:, 0], mapped] = 1.0
        self._skipped = sorted(skipped)
        if self._skipped and not 0 <= self._skipped[0] <= self._skipped[-1] < self.num_phones:
            raise KaldiError(f"skipped phones {self._skipped} are not all among the {self.num_phones} phones")

    @property
    def num_phones(self) -> int:
        """One more than the largest phone after mapping."""
        return self._is_of.shape[1]

    def _mapped(self, phone: int) -> int:
        if phone not in self._map:
            raise KaldiError(f"{self._lacking} {phone}")
        return self._map[phone]

    def __call__(self, posteriors: np.ndarray, phones: np.ndarray, lengths: np.ndarray) -> list[Pronunciation]:
        """``posteriors``: float32 [frames, pdfs], no logs; ``phones`` with their ``lengths`` in frames, as of
        phone_sequence.phones_of, the last one possibly cut.

        Raises:
            KaldiError: posteriors of another number of pdfs, or a phone that is not mapped.
        """
        if posteriors.shape[1] != len(self._is_of):
            raise KaldiError(f"probabilities of {posteriors.shape[1]} pdfs, but the model has {len(self._is_of)}")
        with np.errstate(divide="ignore"):
            log_posteriors = np.log(posteriors @ self._is_of)
        log_posteriors[:, self._skipped] = IGNORED
        scored, begin = [], 0
        for phone, length in zip(map(self._mapped, phones.tolist()), lengths.tolist(), strict=True):
            mean = log_posteriors[begin : begin + length].sum(0) * np.float32(1.0 / length)
            begin += length
            if phone not in self._skipped:
                with np.errstate(invalid="ignore"):  # Kaldi's nan, of phones that no pdf is of
                    ratios = mean[phone] - mean
                features = np.concatenate([np.array([phone], np.float32), mean, ratios])
                scored.append(Pronunciation(phone, float(mean[phone] - mean.max()), features))
        return scored
