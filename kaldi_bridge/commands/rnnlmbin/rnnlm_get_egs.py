"""nnet-pytorch-rnnlm-get-egs: twin of rnnlm-get-egs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.rnnlm.example_sampling import ExampleSampler
from kaldi_bridge.rnnlm.examples import RNNLM_EXAMPLE
from kaldi_bridge.rnnlm.minibatches import ChunkOptions, MinibatchMaker
from kaldi_bridge.rnnlm.sampling_lm import read_arpa_sampling_lm, read_sampling_lm
from kaldi_bridge.rnnlm.sentences import weighted_sentences
from kaldi_bridge.tables import TableWriter

USAGE = """Make examples for RNNLM training of lines of text, each a weight and the numbers of words, such as
  1.0 67 5689 21 8940 6723
Sentences are cut and put together to chunks of one length, and with a language model words are sampled, over which
the objective is summed. With --num-threads=0 the same --srand gives what Kaldi's program gives then.
Usage: nnet-pytorch-rnnlm-get-egs [options] <sentences-rxfilename> <rnnlm-egs-wspecifier>
 or:   nnet-pytorch-rnnlm-get-egs [options] <LM-rxfilename> <sentences-rxfilename> <rnnlm-egs-wspecifier>
 or:   nnet-pytorch-rnnlm-get-egs [options] <symbol-table> <ARPA-rxfilename> <sentences-rxfilename> \\
         <rnnlm-egs-wspecifier>
e.g.: nnet-pytorch-rnnlm-get-egs --vocab-size=20002 - ark:- | nnet-pytorch-rnnlm-train ...
      nnet-pytorch-rnnlm-get-egs sampling.lm - ark:- | nnet-pytorch-rnnlm-train ..."""

MORE_THREADS = 20  # that wait, where --num-threads-total is not given


@dataclass
class Options:
    """Options of rnnlm-get-egs."""

    vocab_size: int = option(-1, "Size of the vocabulary: the largest number of a word, plus one")
    chunk_length: int = option(32, "Length of the sequences to train on, of which and into which sentences are made")
    num_chunks_per_minibatch: int = option(128, "Number of distinct sequences/chunks per minibatch.")
    min_split_context: int = option(3, "Words of context, at least, before a piece of a sentence that was cut")
    sample_group_size: int = option(2, "Number of time-steps for which words are sampled once; divides --chunk-length")
    num_samples: int = option(
        512,
        "Number of words in a sample, at least --num-chunks-per-minibatch times --sample-group-size; with 0, or if "
        "fewer words have a probability, nothing is sampled",
    )
    chunk_buffer_size: int = option(20000, "Number of pieces of sentences that wait, to be taken in random order")
    bos_symbol: int = option(1, "Number of the beginning-of-sentence symbol <s>")
    eos_symbol: int = option(2, "Number of the end-of-sentence symbol </s>")
    brk_symbol: int = option(3, "Number of the symbol <brk>, which tells that what stands before is not all there")
    special_symbol_prob: float = option(1.0e-05, "Probability with which <s> and <brk> are sampled")
    uniform_prob_mass: float = option(0.05, "How much of the unigrams' probability is shared out among all words")
    num_threads: int = option(1, "Number of threads that sample; 0: none, which is reproducible in Kaldi too")
    num_threads_total: int = option(0, "Number of minibatches in the making at most; <= 0: --num-threads plus 20")
    srand: int = option(0, "Seed for random number generator")


def get_egs(options: Options, first: str, second: str, third: str | None = None, fourth: str | None = None) -> None:
    names = [name for name in (first, second, third, fourth) if name is not None]
    *model_files, sentences, wspecifier = names
    if options.num_threads < 0 or 0 < options.num_threads_total < options.num_threads:
        raise KaldiError("num-threads-total, if specified, must be >= num-threads")
    chunk_options = ChunkOptions(
        **{field.name: getattr(options, field.name) for field in dataclasses.fields(ChunkOptions)}
    )
    random = CRandom(options.srand)
    with TableWriter(wspecifier, RNNLM_EXAMPLE) as writer:
        sampler = None
        if model_files:
            model = read_arpa_sampling_lm(*model_files) if len(model_files) == 2 else read_sampling_lm(*model_files)
            if options.vocab_size <= 0:
                chunk_options = dataclasses.replace(chunk_options, vocab_size=len(model.unigrams))
            sampler = ExampleSampler(model, chunk_options, options.special_symbol_prob, options.uniform_prob_mass)
        maker = MinibatchMaker(chunk_options, random)
        examples = maker.examples(weighted_sentences(sentences))
        if sampler is not None:
            waiting = max(options.num_threads_total, 0) or options.num_threads + MORE_THREADS
            examples = sampler.sample_all(examples, random, options.num_threads, waiting)
        for number, example in enumerate(examples):
            writer.write(f"minibatch-{number}", example)
    maker.report()


main = command(get_egs, usage=USAGE)

if __name__ == "__main__":
    main()
