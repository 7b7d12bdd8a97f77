"""nnet-pytorch-rnnlm-get-sampling-lm: twin of rnnlm-get-sampling-lm."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.rnnlm.sampling_lm import write_sampling_lm
from kaldi_bridge.rnnlm.sampling_lm_estimation import EstimatorOptions, estimate_sampling_lm
from kaldi_bridge.rnnlm.sentences import weighted_sentences

USAGE = """Estimate a small language model, from which words are sampled when an RNNLM is trained, of lines of text,
each a weight and the numbers of words, such as
  1.0   782 1271 3841 82
A line should not be there twice: it can have more weight.
Usage: nnet-pytorch-rnnlm-get-sampling-lm [options] <input-integerized-weighted-text> <sampling-lm-out>
 or:   nnet-pytorch-rnnlm-get-sampling-lm [options] <input-integerized-weighted-text> <symbol-table> <arpa-out>
e.g.: nnet-pytorch-rnnlm-get-sampling-lm --vocab-size=10002 - sampling.lm"""


@dataclass
class Options:
    """Options of rnnlm-get-sampling-lm."""

    vocab_size: int = option(-1, "The largest number of a word plus one; where there is a symbol table, it may tell")
    ngram_order: int = option(3, "Order for the n-gram model (must be >= 1), e.g. 3 means trigram")
    discounting_constant: float = option(1.0, "For absolute discounting; smaller: a larger language model")
    unigram_factor: float = option(
        100.0, "An n-gram is kept if its word is so many times more likely, backoff left out, than by its unigram"
    )
    backoff_factor: float = option(
        2.0, "An n-gram of three or more words must be so many times more likely, too, than after the shorter history"
    )
    bos_factor: float = option(5.0, "As --unigram-factor, for words after <s>")
    unigram_power: float = option(0.8, "At the end unigrams are raised to this power, and sum to 1 again")
    bos_symbol: int = option(1, "Number of the beginning-of-sentence symbol <s>")
    eos_symbol: int = option(2, "Number of the end-of-sentence symbol </s>")
    brk_symbol: int = without_effect(-1, "<brk> is a word as others are; scripts pass this to all of these programs")
    binary: bool = option(True, "Write the model in binary form, unless it is in ARPA form")


def get_sampling_lm(options: Options, text: str, second: str, third: str | None = None) -> None:
    table = None if third is None else SymbolTable.read(second)
    vocab_size = options.vocab_size
    if table is not None and vocab_size <= 0:
        vocab_size = max(table.symbols) + 1
    given = EstimatorOptions(
        vocab_size,
        options.ngram_order,
        options.discounting_constant,
        options.unigram_factor,
        options.backoff_factor,
        options.bos_factor,
        options.unigram_power,
        options.bos_symbol,
        options.eos_symbol,
    )
    estimator = estimate_sampling_lm(given, weighted_sentences(text), for_arpa=table is not None)
    if table is None or third is None:
        write_sampling_lm(second, options.binary, estimator.model())
        return
    names = [b"", *(encode(table[word]) for word in range(1, vocab_size))]
    with open_output(third) as stream:
        stream.write(estimator.arpa(names))


main = command(get_sampling_lm, usage=USAGE)

if __name__ == "__main__":
    main()
