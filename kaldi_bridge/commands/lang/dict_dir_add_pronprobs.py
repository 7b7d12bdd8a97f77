"""nnet-pytorch-dict-dir-add-pronprobs: twin of utils/dict_dir_add_pronprobs.sh."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.io.text_files import write_text
from kaldi_bridge.lang.dictionary import Dictionary
from kaldi_bridge.lang.pronunciation_counts import Pron
from kaldi_bridge.lang.pronunciation_probabilities import (
    pronunciation_probabilities,
    read_counts,
    read_pair_counts,
    read_silence_counts,
    silence_probabilities,
)

USAGE = """Make a dictionary directory with probabilities of pronunciations, and of silence around words, from counts.
Usage: nnet-pytorch-dict-dir-add-pronprobs [options] <dict-dir> <pron-counts> [<sil-counts> <bigram-counts>]
 <new-dict-dir>
e.g.: utils/dict_dir_add_pronprobs.sh --max-normalize true data/local/dict exp/tri3/pron_counts_nowb.txt \\
        exp/tri3/sil_counts_nowb.txt exp/tri3/pron_bigram_counts_nowb.txt data/local/dict_prons
The counts are those of get_prons.sh; only with all three has the lexicon probabilities of silence."""
_COPIED = ("silence_phones.txt", "nonsilence_phones.txt", "optional_silence.txt", "extra_questions.txt")


@dataclass
class Options:
    """Options of dict_dir_add_pronprobs.sh."""

    max_normalize: bool = option(True, "Divide by the probability of the most likely pronunciation of the word")


def dict_dir_add_pronprobs(options: Options, dict_dir: str, pron_counts: str, *others: str) -> int:
    if len(others) not in (1, 3):
        log.error("Wrong number of arguments: expected counts of pronunciations, or these, of silence and of pairs")
        return 1
    new = Path(others[-1])
    dictionary = Dictionary.read(dict_dir)
    prons = [(entry.word, *entry.phones) for entry in dictionary.lexicon]
    probabilities = pronunciation_probabilities(prons, read_counts(pron_counts), options.max_normalize)
    lexicons = {"lexicon.txt": "", "lexiconp.txt": ""}
    for pron, probability in probabilities:
        lexicons["lexicon.txt"] += _line(pron)
        lexicons["lexiconp.txt"] += _line(pron, probability)
    if len(others) == 3:
        ordered = [pron for pron, _ in probabilities]
        silences = silence_probabilities(ordered, read_silence_counts(others[0]), read_pair_counts(others[1]))
        lines = (_line(pron, probability, *silences.around[pron]) for pron, probability in probabilities)
        lexicons["lexiconp_silprob.txt"] = "".join(lines)
        lexicons["silprob.txt"] = "".join(f"{name} {value}\n" for name, value in silences.ends.items())
    new.mkdir(parents=True, exist_ok=True)
    for old in ("lexiconp_silprob.txt", "silprob.txt"):
        (new / old).unlink(missing_ok=True)
    for name, text in lexicons.items():
        write_text(new / name, text)
    for name in _COPIED:
        if (Path(dict_dir) / name).exists():
            shutil.copyfile(Path(dict_dir) / name, new / name)
    Dictionary.read(new)
    log.info(f"Wrote {new}, with probabilities of {len(probabilities)} pronunciations")
    return 0


def _line(pron: Pron, *numbers: str) -> str:
    return " ".join([pron[0], *numbers, *pron[1:]]) + "\n"


main = command(dict_dir_add_pronprobs, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
