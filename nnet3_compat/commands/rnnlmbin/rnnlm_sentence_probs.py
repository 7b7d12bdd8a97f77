"""nnet-pytorch-rnnlm-sentence-probs: twin of rnnlm-sentence-probs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from kaldi_bridge.command import command, without_effect, write_stdout
from kaldi_bridge.io.matrix_files import read_matrix_file
from nnet3_compat.examples.programs import TestModeOptions, read_in_test_mode
from nnet3_compat.rnnlm.histories import Histories
from nnet3_compat.rnnlm.model import Rnnlm
from nnet3_compat.rnnlm.rescoring import RnnlmOptions
from nnet3_compat.rnnlm.sentences import read_sentences, sentence_log_probs

USAGE = """Print the log-probabilities of the words of sentences, and of the end of each, by a recurrent language model.
Each line of the text is a name and the numbers of words.
Usage: nnet-pytorch-rnnlm-sentence-probs [options] <rnnlm> <word-embedding-matrix> <input-text-file>
e.g.: nnet-pytorch-rnnlm-sentence-probs --bos-symbol=1 --eos-symbol=2 final.raw word_embedding.mat dev.txt > logprobs"""

SENTENCES_AT_ONCE = 256


@dataclass
class Options(TestModeOptions, RnnlmOptions):
    """Options of rnnlm-sentence-probs."""

    use_gpu: str = without_effect("no", "Words follow one another: this is computed on the CPU")


def sentence_probs(options: Options, nnet_in: str, embedding_in: str, text: str) -> None:
    options.check_symbols()
    rnnlm = Rnnlm(read_in_test_mode(nnet_in, options), read_matrix_file(embedding_in))
    rnnlm.check_word(options.bos_symbol, "--bos-symbol")
    rnnlm.check_word(options.eos_symbol, "--eos-symbol")
    histories = Histories(rnnlm, options.normalize_probs)
    lines = read_sentences(text, rnnlm.num_words)
    while several := list(islice(lines, SENTENCES_AT_ONCE)):
        sentences = [words for _, words in several]
        found = sentence_log_probs(histories, sentences, options.bos_symbol, options.eos_symbol)
        for (name, _), values in zip(several, found, strict=True):
            write_stdout(" ".join([name, *(f"{value:.6g}" for value in values.tolist())]) + "\n")


main = command(sentence_probs, usage=USAGE)

if __name__ == "__main__":
    main()
