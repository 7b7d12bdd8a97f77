"""A folder for Vosk and recordings for it, of the digits that Kaldi was trained on."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import numpy as np

from kaldi_bridge.command import run
from kaldi_bridge.fsts.fst import read_fst, write_fst
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from tests.helpers.places import ROOT
from tests.helpers.twins import twin

TINY = ROOT / "egs/tiny"
DIGITS = {
    "zero": "Z IY R OW", "one": "W AH N", "two": "T UW", "three": "TH R IY", "four": "F AO R", "five": "F AY V",
    "six": "S IH K S", "seven": "S EH V AH N", "eight": "EY T", "nine": "N AY N",
}  # fmt: skip


def without_dither(original: Path, folder: Path) -> Path:
    """Links to a folder for Vosk, with features that are the same each time."""
    (folder / "conf").mkdir(parents=True)
    for part in original.iterdir():
        if part.name != "conf":
            (folder / part.name).symlink_to(part)
    (folder / "conf/model.conf").symlink_to(original / "conf/model.conf")
    (folder / "conf/mfcc.conf").write_text((original / "conf/mfcc.conf").read_text() + "--dither=0\n")
    return folder


def tiny_folder(folder: Path) -> Path:
    """The model of egs/tiny as a folder for Vosk; files of its own, which may be changed."""
    for source, name in (
        (TINY / "model/final.mdl", "am/final.mdl"),
        (TINY / "graph/HCLG.fst", "graph/HCLG.fst"),
        (TINY / "graph/words.txt", "graph/words.txt"),
        (ROOT / "egs/fsdd/conf/mfcc_hires.conf", "conf/mfcc.conf"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, folder / name)
    options = ["frame-subsampling-factor=3", "acoustic-scale=1.0", "endpoint.silence-phones=1:2:3:4:5"]
    (folder / "conf/model.conf").write_text("".join(f"--{option}\n" for option in options))
    return folder


def with_pronunciations(folder: Path) -> Path:
    """``tiny_folder`` with names of its phones, and what they are in its words."""
    shutil.copy(TINY / "graph/phones.txt", folder / "graph/phones.txt")
    phones, words = (
        dict(line.split() for line in (folder / f"graph/{name}.txt").read_text().splitlines())
        for name in ("phones", "words")
    )
    (folder / "graph/phones").mkdir()
    lines = [" ".join([words[word]] * 2 + [phones[phone] for phone in said.split()]) for word, said in DIGITS.items()]
    (folder / "graph/phones/align_lexicon.int").write_text("\n".join([f"0 0 {phones['SIL']}", *lines]) + "\n")
    return folder


def flat(original: Path, folder: Path) -> Path:
    """The same in the flat layout, whose options are Vosk's own."""
    folder.mkdir()
    for name in ("am/final.mdl", "conf/mfcc.conf", "graph/HCLG.fst", "graph/words.txt", "ivector"):
        (folder / Path(name).name).symlink_to((original / name).resolve())
    (folder / "word_boundary.int").symlink_to((original / "graph/phones/word_boundary.int").resolve())
    return folder


def with_lookahead(original: Path, graph: Path, folder: Path) -> Path:
    """The same with HCLr.fst and Gr.fst, of Kaldi's directory ``graph``, in the place of HCLG.fst.

    In Vosk's folders words have the numbers of HCLr.fst, which Kaldi's Gr.fst has on its input side.
    """
    (folder / "graph").mkdir(parents=True)
    for part in ("am", "conf", "ivector"):
        (folder / part).symlink_to((original / part).resolve())
    (folder / "graph/phones").symlink_to((original / "graph/phones").resolve())
    for name in ("HCLr.fst", "disambig_tid.int"):
        (folder / "graph" / name).symlink_to(graph.resolve() / name)
    grammar = read_fst(str(graph / "Gr.fst"))
    arcs = grammar.arcs.copy()
    numbers = dict(zip(arcs["olabel"].tolist(), arcs["ilabel"].tolist(), strict=True))
    words = dict(line.split() for line in (original / "graph/words.txt").read_text().splitlines())
    kept = {word: numbers[int(number)] for word, number in words.items() if int(number) in numbers} | {"<eps>": 0}
    (folder / "graph/words.txt").write_text("".join(f"{word} {number}\n" for word, number in kept.items()))
    arcs["olabel"] = arcs["ilabel"]
    write_fst(str(folder / "graph/Gr.fst"), grammar.changed(arcs=arcs))
    return folder


def with_rescoring(original: Path, grammar: Path, arpa: Path, folder: Path) -> Path:
    """The same with a larger language model, whose words are numbers; ``grammar``: that of the graph."""
    (folder / "rescore").mkdir(parents=True)
    for part in original.iterdir():
        (folder / part.name).symlink_to(part.resolve())
    (folder / "rescore/G.fst").symlink_to(grammar)
    symbols = ["--bos-symbol=14", "--eos-symbol=15", "--unk-symbol=2"]
    assert run(twin("arpa-to-const-arpa"), [*symbols, str(arpa), str(folder / "rescore/G.carpa")]) == 0
    return folder


def with_rnnlm(original: Path, network: Path, others: Path, folder: Path) -> Path:
    """The same with a recurrent language model on top; ``others``: the folder of its files but for the network."""
    (folder / "rnnlm").mkdir(parents=True)
    for part in original.iterdir():
        (folder / part.name).symlink_to(part.resolve())
    for file in (network, *others.iterdir()):
        (folder / "rnnlm" / file.name).symlink_to(file.resolve())
    return folder


def samples_of(path: Path) -> np.ndarray:
    """int16 [samples] of a wave file with one channel."""
    with wave.open(str(path)) as f:
        return np.frombuffer(f.readframes(f.getnframes()), "<i2")


def with_pauses(recordings: list[Path], seconds: float, path: Path) -> Path:
    """One recording of several, each followed by a pause in which there is nearly nothing."""
    pause = np.random.default_rng(0).integers(-30, 31, int(8000 * seconds)).astype("<i2")
    parts = [part for recording in recordings for part in (samples_of(recording), pause)]
    with open_output(str(path)) as stream:
        write_wave(stream, Wave(8000.0, np.concatenate(parts)[np.newaxis]))
    return path
