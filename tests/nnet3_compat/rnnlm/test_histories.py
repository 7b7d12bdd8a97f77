"""Log-probabilities of words with a TDNN-LSTM, against Kaldi's rnnlm-sentence-probs (--bos-symbol=8 --eos-symbol=9).

tiny/final.raw is of local/rnnlm/tuning/run_tdnn_lstm_1a.sh in small (its second LSTM has a delay of 2), with random
parameters; normalized and unnormalized are what Kaldi's program wrote for tiny/sentences.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from nnet3_compat.rnnlm.histories import NOTHING, Histories
from nnet3_compat.rnnlm.model import Rnnlm, read_rnnlm

TINY = Path(__file__).parent / "tiny"
BOS, EOS = 8, 9
SENTENCES = [[int(word) for word in words(line)[1:]] for line in (TINY / "sentences").read_text().splitlines()]


@pytest.fixture(scope="module")
def rnnlm() -> Rnnlm:
    return read_rnnlm(str(TINY / "final.raw"), str(TINY / "word_embedding.mat"))


def kaldis(name: str) -> list[list[float]]:
    return [[float(number) for number in words(line)[1:]] for line in (TINY / name).read_text().splitlines()]


@pytest.mark.parametrize("name", ["normalized", "unnormalized"])
def test_one_sentence_after_the_other(rnnlm: Rnnlm, name: str) -> None:
    histories = Histories(rnnlm, normalize=name == "normalized")
    for sentence, expected in zip(SENTENCES, kaldis(name), strict=True):
        found, last = [], NOTHING
        for word, following in zip([BOS, *sentence], [*sentence, EOS], strict=True):
            predicted = histories.extend(np.array([last]), np.array([word]))
            last = len(histories) - 1
            found.append(float(histories.log_prob_of_each(predicted, np.array([following]))[0]))
        np.testing.assert_allclose(found, expected, atol=1e-4)
    histories.clear()
    assert len(histories) == 0


def test_sentences_together(rnnlm: Rnnlm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories of all lengths in one call, computed in pieces: all that are known are made longer at once."""
    monkeypatch.setattr("nnet3_compat.rnnlm.histories.MOST_AT_ONCE", 3)
    monkeypatch.setattr("nnet3_compat.rnnlm.histories.MOST_PROBABILITIES", 20)
    histories, expected = Histories(rnnlm, normalize=True), kaldis("normalized")
    found: list[list[float]] = [[] for _ in SENTENCES]
    waiting = [(NOTHING, s, 0) for s in range(len(SENTENCES))]
    while waiting:
        # every other sentence is one word behind
        now = [w for w in waiting if (w[1] + len(histories)) % 2 or len(waiting) == 1] or waiting
        read = np.array([[BOS, *SENTENCES[s]][n] for _, s, n in now])
        first = len(histories)
        predicted = histories.extend(np.array([h for h, _, _ in now]), read)
        probs = histories.log_probs(predicted, histories.embeddings(np.arange(10)))
        waiting = [w for w in waiting if w not in now]
        for k, (_, s, n) in enumerate(now):
            found[s].append(float(probs[k, [*SENTENCES[s], EOS][n]]))
            if n < len(SENTENCES[s]):
                waiting.append((first + k, s, n + 1))
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_a_word_without_an_embedding(rnnlm: Rnnlm) -> None:
    for word in (0, 10, -1):
        with pytest.raises(KaldiError, match=f"word {word}: the words of the language model are 1 to 9"):
            Histories(rnnlm).extend(np.array([NOTHING]), np.array([word]))


def test_what_fits_no_language_model(rnnlm: Rnnlm) -> None:
    with pytest.raises(KaldiError, match="dimension 7 do not fit a network whose input has dimension 8"):
        replace(rnnlm, embedding=rnnlm.embedding[:, :7])
    with pytest.raises(KaldiError, match="--bos-symbol=10: the words of the model are 1 to 9"):
        rnnlm.check_word(10, "--bos-symbol")


def test_places_are_used_again(rnnlm: Rnnlm) -> None:
    """Histories that are kept beside others do not disturb these, nor those that come after them."""
    model = Histories(rnnlm)
    ours, theirs = model.beside(), model.beside()
    for _ in range(3):
        begin, words = np.array([NOTHING]), np.array([BOS])
        model.extend_together([(ours, begin, words), (theirs, begin, words)])
        for n, (mine, other) in enumerate(zip([1, 2, 3, 4, 5, 6], [6, 6, 1, 1, 2, 2], strict=True)):
            last = np.array([n])
            made = model.extend_together([(ours, last, np.array([mine])), (theirs, last, np.array([other]))])
        alone = Histories(rnnlm)
        alone.extend(begin, words)
        for n, other in enumerate([6, 6, 1, 1, 2, 2]):
            expected = alone.extend(np.array([n]), np.array([other]))
        np.testing.assert_allclose(made[1].numpy(), expected.numpy(), atol=1e-5)
        ours.clear()
        theirs.clear()
