"""nnet-pytorch-phones-to-prons: twin of phones-to-prons."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.io.text import is_number
from kaldi_bridge.lang.word_pronunciations import PronunciationFinder
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR, INT32_VECTOR_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Find the phones of each word, from phones and words of utterances: lists of a word and its phones,
where word 0 has phones between words, as optional silence.
Usage: nnet-pytorch-phones-to-prons [options] <L_align.fst> <word-start-sym> <word-end-sym> <phones-rspecifier> \\
    <words-rspecifier> <prons-wspecifier>
e.g.: nnet-pytorch-ali-to-phones 1.mdl ark:1.ali ark:- |
  nnet-pytorch-phones-to-prons L_align.fst 46 47 ark:- ark:1.tra ark:1.prons
The lexicon must have the word-start and word-end symbols in it."""


def _symbol(text: str, what: str) -> int:
    if not is_number(text) or not 0 < int(text) < 1 << 31:
        raise KaldiError(f"Invalid word {what} symbol (expecting integer > 0): {text}")
    return int(text)


def phones_to_prons(
    lexicon_in: str,
    word_start_symbol: str,
    word_end_symbol: str,
    phones_rspecifier: str,
    words_rspecifier: str,
    prons_wspecifier: str,
) -> int:
    start, end = _symbol(word_start_symbol, "start"), _symbol(word_end_symbol, "end")
    if start == end:
        raise KaldiError(f"Invalid word end symbol (expecting one different from word start symbol): {end}")
    finder = PronunciationFinder(read_fst(lexicon_in), start, end)
    loop = TableLoop(phones_rspecifier)
    with (
        SequentialReader(phones_rspecifier, INT32_VECTOR) as reader,
        RandomAccessReader(words_rspecifier, INT32_VECTOR) as words,
        TableWriter(prons_wspecifier, INT32_VECTOR_VECTOR) as writer,
    ):
        for key, phones in reader:
            if key not in words:
                loop.fail(f"Not processing utterance {key} because no word transcription found.")
                continue
            with loop.entry(key, f"No pronunciations for utterance {key}"):
                writer.write(key, finder.find(phones.tolist(), words[key].tolist()))
    log.info(f"Done {loop.done} utterances; {loop.failed} had errors.")
    return 0


main = command(phones_to_prons, usage=USAGE)

if __name__ == "__main__":
    main()
