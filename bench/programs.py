"""The programs of a recipe beside Kaldi's, one by one: which are the slowest?

    PYTHONPATH=. python bench/programs.py RECIPE [PROGRAM...] [--rounds=3]

RECIPE is a folder of mini_librispeech that has run through run.sh and run_ivector_common.sh, as bench/recipes.py leaves
one; Kaldi's programs are looked for on the PATH. Its training utterances are joined to some of ten seconds each, some
times over; of them our programs make what the commands read (programs_inputs.sh). Each of programs_commands.sh then
runs in turns with our programs, from a fork server as recipes have them, and with Kaldi's. In seconds of processors'
time, the server's part included, the least of some rounds; those that are slowest beside Kaldi's come first. PROGRAMs:
only these.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from beside_kaldi import ROUNDS, fork_server, kaldi_has, seconds

from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import WAVE

COPIES, SECONDS = 6, 10.0
TICK = 0.01  # seconds: what the kernel tells of processes that still run
READY = "ready"
FOLDER = Path(__file__).resolve().parent


def by_utterance(path: Path) -> dict[str, str]:
    """The lines of a file of a data directory, by their first words."""
    return dict(line.split(maxsplit=1) for line in path.read_text().splitlines())


def joined_utterances(recipe: Path) -> Iterator[tuple[str, Wave, list[str]]]:
    """Speaker, recording and words, as numbers, of some training utterances of each speaker, one after the other."""
    data = recipe / "data/train_clean_5"
    speakers, texts = by_utterance(data / "utt2spk"), by_utterance(data / "text")
    numbers = by_utterance(recipe / "data/lang/words.txt")
    os.chdir(recipe)  # where the commands of wav.scp find their files
    with SequentialReader(f"scp:{data}/wav.scp", WAVE) as reader:
        for speaker, entries in groupby(reader, key=lambda entry: speakers[entry[0]]):
            samples: list[np.ndarray] = []
            words: list[str] = []
            for key, wave in entries:
                samples.append(wave.data)
                words += [numbers[word] for word in texts[key].split()]
                if sum(part.shape[1] for part in samples) >= SECONDS * wave.sample_frequency:
                    yield speaker, Wave(wave.sample_frequency, np.concatenate(samples, axis=1)), words
                    samples, words = [], []


def write_data(recipe: Path, folder: Path) -> None:
    """wav.scp, text.int, utt2spk, spk2utt and segments, with each utterance several times, and recordings."""
    (folder / "wav").mkdir(exist_ok=True)
    lines: dict[str, list[str]] = {name: [] for name in ("wav.scp", "text.int", "utt2spk", "segments")}
    spk2utt: dict[str, list[str]] = {}
    for number, (speaker, wave, words) in enumerate(joined_utterances(recipe)):
        path = folder / f"wav/{number:04}.wav"
        with open_output(str(path)) as stream:
            write_wave(stream, wave)
        for copy in range(COPIES):
            name = f"{copy}-{speaker}"
            key = f"{name}-{number:04}"
            spk2utt.setdefault(name, []).append(key)
            lines["wav.scp"].append(f"{key} {path}")
            lines["text.int"].append(f"{key} {' '.join(words)}")
            lines["utt2spk"].append(f"{key} {name}")
            lines["segments"].append(f"{key} {key} 1 5")
    lines["spk2utt"] = [f"{name} {' '.join(keys)}" for name, keys in spk2utt.items()]
    (folder / "splice.conf").write_text("--left-context=3\n--right-context=3\n")
    for name, rows in lines.items():
        (folder / name).write_text("".join(f"{row}\n" for row in sorted(rows)))


def names_in(recipe: Path) -> dict[str, str]:
    """What the commands call its files, and options."""
    extractor = f"{recipe}/exp/nnet3/extractor"
    return {
        "R": str(recipe),
        "L": f"{recipe}/data/lang",
        "M": f"{recipe}/exp/tri3b",
        "G": f"{recipe}/exp/tri3b/graph_tgsmall/HCLG.fst",
        "X": extractor,
        "SMALL": f"{recipe}/data/lang_test_tgsmall/G.fst",
        "LARGE": f"{recipe}/data/lang_test_tglarge/G.carpa",
        "SIL": (recipe / "data/lang/phones/silence.csl").read_text().strip(),
        "ALIGN": "--transition-scale=1 --acoustic-scale=0.1 --self-loop-scale=0.1 --beam=10 --retry-beam=40",
        "DECODE": "--beam=15 --lattice-beam=10 --max-active=7000 --acoustic-scale=0.1 --allow-partial=true",
        "IVECTORS": f"--cmvn-config={recipe}/conf/online_cmvn.conf --splice-config=splice.conf "
        f"--lda-matrix={extractor}/final.mat --global-cmvn-stats={extractor}/global_cmvn.stats "
        f"--diag-ubm={extractor}/final.dubm --ivector-extractor={extractor}/final.ie --max-count=100",
    }


def commands_of(file: str) -> list[str]:
    return [line for line in (FOLDER / file).read_text().splitlines() if not line.startswith("#")]


def make_inputs(recipe: Path, folder: Path, environment: dict[str, str]) -> None:
    """By our programs, in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_data(recipe, folder)
    os.chdir(folder)
    for command in commands_of("programs_inputs.sh"):
        seconds(command, environment)
    Path(READY).touch()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe", nargs="?", type=Path)
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--work", type=Path, help="folder in which what the commands read is made, and found again")
    options = parser.parse_args()
    if options.recipe is None:
        print("needs the folder of a recipe that has run through, see bench/recipes.py")
        return
    recipe = options.recipe.resolve()
    os.environ.update(LC_ALL="C", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", **names_in(recipe))
    with tempfile.TemporaryDirectory() as temporary, fork_server() as ours:
        folder = (options.work or Path(temporary)).resolve()
        if not (folder / READY).exists():
            make_inputs(recipe, folder, ours)
        os.chdir(folder)
        rows = []
        for command in commands_of("programs_commands.sh"):
            program = command.split()[0]
            if not kaldi_has(program) or (options.programs and program not in options.programs):
                continue
            try:
                quiet = f"{command} >/dev/null"
                costs = [[seconds(quiet, programs)[1] for programs in (ours, None)] for _ in range(options.rounds)]
            except subprocess.CalledProcessError as error:
                print(f"{command}: {error}")
                continue
            rows.append((*np.min(costs, axis=0).tolist(), command))
        os.chdir("/")
    rows.sort(key=lambda row: -(row[0] + TICK) / (row[1] + TICK))
    print(f"{'ours':>7} {'Kaldi':>7} {'ratio':>6}")
    for mine, kaldis, command in rows:
        print(f"{mine:7.2f} {kaldis:7.2f} {mine / max(kaldis, TICK):6.2f}  {command}")


if __name__ == "__main__":
    main()
