"""nnet-pytorch-count-prons: what get_prons.sh makes of the lists of all jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text_files import write_text
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.pronunciation_counts import PronunciationCounts, without_positions

USAGE = """Count pronunciations, and silence around them, in lists of get-prons.
Usage: nnet-pytorch-count-prons <lang-dir> <prons-rxfilename> <dir>
e.g.: nnet-pytorch-count-prons data/lang "gunzip -c exp/tri3/prons.*.gz |" exp/tri3
Writes pron_counts.int, pron_counts.txt, pron_perutt_nowb.txt, pron_bigram_counts_nowb.txt and sil_counts_nowb.txt, and
pron_counts_nowb.txt where phones know their places in words."""


def count_prons(lang_dir: str, prons: str, directory: str) -> None:
    lang, out = Lang(lang_dir), Path(directory)
    with open_input(prons) as stream:
        found = PronunciationCounts(iter(stream.readline, b""), lang)
    counts = found.counts()
    _write(out / "pron_counts.int", ((n, *numbers) for numbers, n in found.numbers.items()))
    _write(out / "pron_counts.txt", ((n, *pron) for n, pron in counts))
    if (lang.path / "phones/word_boundary.int").exists():
        _write(out / "pron_counts_nowb.txt", ((n, *without_positions(pron)) for n, pron in counts))
    perutt = ([utterance, "<s>", *map(" ".join, spoken), "</s>"] for utterance, spoken in found.utterances)
    _write(out / "pron_perutt_nowb.txt", perutt, "\t")
    pairs = ((n, " ".join(first), " ".join(second)) for (first, second), n in found.word_pairs().items())
    _write(out / "pron_bigram_counts_nowb.txt", pairs, "\t")
    _write(out / "sil_counts_nowb.txt", ((*around, *pron) for pron, around in found.silences().items()))
    log.info(f"Counted {len(counts)} pronunciations in {len(found.utterances)} utterances.")


def _write(path: Path, rows: Iterable[Sequence[object]], separator: str = " ") -> None:
    write_text(path, "".join(separator.join(map(str, row)) + "\n" for row in rows))


main = command(count_prons, usage=USAGE)

if __name__ == "__main__":
    main()
