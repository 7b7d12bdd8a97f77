"""nnet-pytorch-get-prons: the words of alignments or lattices with the phones they were said with, for get_prons.sh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode, words
from kaldi_bridge.io.text_files import read_rows
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import CompactLattice, to_compact
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.linear import linear_lattice
from kaldi_bridge.lattices.paths import best_path_lattice
from kaldi_bridge.lattices.pronounced_words import aligned_words, pron_lines, word_aligner
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """List words with their phones: lines of utterance, first frame, number of frames, word, phones.
Usage: nnet-pytorch-get-prons [options] <lang-dir> <model> (<alignments-rspecifier>|<lattice-rspecifier>)
 <prons-wxfilename>
e.g.: nnet-pytorch-get-prons --text=data/train/text data/lang final.mdl "ark:gunzip -c ali.1.gz|" 1.prons
Does in one process what linear-to-nbest (of lattices: lattice-1best), lattice-align-words and nbest-to-prons do in
three."""


@dataclass
class Options:
    """Options of this program."""

    text: str = option("", "Transcripts of alignments, a file; without it the table is one of lattices")
    lmwt: float = option(10.0, "Of lattices: the scale of language-model costs by which their best path is found")


def get_prons(options: Options, lang_dir: str, model_in: str, rspecifier: str, output: str) -> int:
    if options.lmwt == 0.0:
        raise KaldiError("--lmwt must not be zero")
    lang, model = Lang(lang_dir), read_transition_model(model_in)
    aligner = word_aligner(lang, model)
    loop = TableLoop(rspecifier)
    paths = _alignments(rspecifier, lang, options.text) if options.text else _best_paths(rspecifier, options.lmwt)
    with open_output(output) as stream:
        for utterance, path in paths:
            with loop.entry(utterance, f"No words of utterance {utterance}"):
                if path is None:
                    raise EntryError("it has no transcript, or its lattice is empty")
                stream.write(encode(pron_lines(model, utterance, aligned_words(aligner, path))))
    log.info(f"Printed prons for {loop.done} utterances; {loop.failed} had errors.")
    return loop.status


def _alignments(rspecifier: str, lang: Lang, text: str) -> Iterator[tuple[str, CompactLattice | None]]:
    transcripts = read_rows(text)
    with SequentialReader(rspecifier, INT32_VECTOR) as alignments:
        for utterance, alignment in alignments:
            if utterance in transcripts:
                numbers = lang.word_numbers(words(transcripts[utterance]))
                yield utterance, to_compact(linear_lattice(alignment, numbers, 0.0, 0.0))
            else:
                yield utterance, None


def _best_paths(rspecifier: str, lm_weight: float) -> Iterator[tuple[str, CompactLattice | None]]:
    with SequentialReader(rspecifier, COMPACT_LATTICE) as lattices:
        for utterance, lattice in lattices:
            yield utterance, best_path_lattice(scale(lattice, graph=lm_weight))


main = command(get_prons, usage=USAGE)

if __name__ == "__main__":
    main()
