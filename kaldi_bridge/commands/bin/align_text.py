"""nnet-pytorch-align-text: twin of align-text."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.word_error_rate import aligned
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import TOKEN_VECTOR

USAGE = """Align the words of two texts, utterance by utterance, with the least edit distance.
Usage: nnet-pytorch-align-text [options] <text1-rspecifier> <text2-rspecifier> <alignment-wspecifier>
e.g.: nnet-pytorch-align-text ark:text1.txt ark:text2.txt ark,t:alignment.txt
Output: key1 a a ; b <eps> ; c c"""


@dataclass
class Options:
    """Options of align-text."""

    special_symbol: str = option("<eps>", "Stands for the word that is missing; must not be in the texts")
    separator: str = option(";", "Stands between pairs")


def align_text(options: Options, text1_rspecifier: str, text2_rspecifier: str, alignment_wspecifier: str) -> int:
    done = failed = 0
    with (
        SequentialReader(text1_rspecifier, TOKEN_VECTOR) as firsts,
        RandomAccessReader(text2_rspecifier, TOKEN_VECTOR) as seconds,
        TableWriter(alignment_wspecifier, TOKEN_VECTOR) as writer,
    ):
        for key, first in firsts:
            if key not in seconds:
                log.warning(f"Key {key} is in {text1_rspecifier}, but not in {text2_rspecifier}")
                failed += 1
                continue
            second = seconds[key]
            for name, text in (("text1", first), ("text2", second)):
                if options.special_symbol in text:
                    raise KaldiError(
                        f"In {name}, the utterance {key} contains the special symbol "
                        f"'{options.special_symbol}'. This is not allowed."
                    )
            words = [
                word for pair in aligned(first, second, options.special_symbol) for word in (*pair, options.separator)
            ]
            writer.write(key, words[:-1])
            done += 1
    log.info(f"Done {done} sentences, failed for {failed}")
    return 0 if done else 1


main = command(align_text, usage=USAGE)

if __name__ == "__main__":
    main()
