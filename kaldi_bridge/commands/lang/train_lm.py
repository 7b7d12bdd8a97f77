"""nnet-pytorch-train-lm: a back-off n-gram model of transcripts, in ARPA form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.text import encode, keys_and_rests, words
from kaldi_bridge.io.text_files import read_lines
from kaldi_bridge.lang.ngram_estimation import estimate

USAGE = """Estimate an interpolated modified Kneser-Ney language model.
Usage: nnet-pytorch-train-lm [options] <text-rxfilename> <arpa-wxfilename>
e.g.: nnet-pytorch-train-lm --order=3 --vocabulary=data/lang/words.txt data/train/text "|gzip -c >lm.arpa.gz" """


@dataclass
class Options:
    """Options of this program."""

    order: int = option(3, "Length of the longest n-grams")
    has_keys: bool = option(True, "The first word of a line is the utterance, as in a data directory's text")
    vocabulary: str = option("", "File whose lines begin with the words that the model shall know, e.g. words.txt")
    oov: str = option("", "Word that stands for words that are not in the vocabulary; else those are words too")


def train_lm(options: Options, text: str, arpa: str) -> int:
    if options.oov and not options.vocabulary:
        raise KaldiError("--oov needs --vocabulary: no word is out of a vocabulary that is not given")
    known = {word for word, _ in read_lines(options.vocabulary)} if options.vocabulary else set()
    known = {word for word in known if word not in ("<eps>", "<s>", "</s>") and not word.startswith("#")}
    unknown = 0

    def sentences() -> Iterator[list[str]]:
        nonlocal unknown
        with open_input(text) as stream:
            for first, rest in keys_and_rests(stream.lines()):
                sentence = words(rest) if options.has_keys else [first, *words(rest)]
                unknown += sum(word not in known for word in sentence) if known else 0
                yield [word if not options.oov or word in known else options.oov for word in sentence]

    model = estimate(sentences(), options.order, known)
    with open_output(arpa) as out:
        for line in model.arpa_lines():
            out.write(encode(line) + b"\n")
    log.info(f"Wrote {', '.join(f'{len(p)} {n}-grams' for n, p in enumerate(model.probabilities, 1))}")
    if unknown:
        log.warning(f"{unknown} words of {text} are not in {options.vocabulary}")
    return 0


main = command(train_lm, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
