"""Features of recordings: our programs beside Kaldi's, where those are on the PATH; and resampling alone.

    python bench/features.py [--seconds=20] [--recordings=20]

First PLP, pitch and programs on features, start-up included. Then compute-mfcc-feats from recordings at several rates
to an archive, on one thread: seconds of processors' time, start-up included, and what a second of sound takes (the
difference between all recordings and the first one). Then resampling alone, beside soxr, which augmentation uses.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soxr
from beside_kaldi import compare

from kaldi_bridge.features.resampling import resampled
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave

WANTED = 16000
RATES = (16000, 8000, 11025, 22050, 44100, 48000)
PROGRAMS = ("nnet-pytorch-compute-mfcc-feats", "compute-mfcc-feats")


def make_recordings(folder: Path, rate: int, seconds: float, count: int) -> None:
    random = np.random.default_rng(rate)
    lines = []
    for i in range(count):
        samples = np.round(random.normal(size=int(rate * seconds)) * 1000)
        with open_output(f"{folder}/{rate}-{i}.wav") as stream:
            write_wave(stream, Wave(float(rate), samples[np.newaxis]))
        lines.append(f"{rate}-{i} {folder}/{rate}-{i}.wav\n")
    (folder / f"{rate}.scp").write_text("".join(lines))
    (folder / f"{rate}-one.scp").write_text(lines[0])


def used(program: str, script: Path, out: Path) -> float:
    """Seconds of processors' time, the least of three runs."""
    options = ["--dither=0", "--allow-upsample=true", "--allow-downsample=true", f"--sample-frequency={WANTED}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    found = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [program, *options, f"scp:{script}", f"ark:{out}"]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def others(folder: Path) -> dict[str, str]:
    """Command lines on the recordings that need no resampling."""
    waves, feats = f"scp:{folder}/{WANTED}.scp", f"ark:{folder}/feats.ark"
    spectra = "--dither=0 --use-energy=false"
    speech, room = f"{folder}/{WANTED}-0.wav", f"--impulse-response={folder}/room.wav"
    pitch = f"{{0}}compute-kaldi-pitch-feats {waves} ark:{folder}/pitch.ark"
    return {
        "MFCC": f"{{0}}compute-mfcc-feats {spectra} {waves} {feats}",
        "MFCC, vocal tract warped": f"{{0}}compute-mfcc-feats {spectra} --vtln-warp=0.9 {waves} {feats}",
        "PLP": f"{{0}}compute-plp-feats {spectra} {waves} {feats}",
        "spectrogram": f"{{0}}compute-spectrogram-feats --dither=0 {waves} ark:/dev/null",
        "pitch": pitch,
        "pitch, 10 frames at a time": f"{pitch.replace('feats ', 'feats --frames-per-chunk=10 ', 1)}",
        "pitch as features": f"{{0}}process-kaldi-pitch-feats ark:{folder}/pitch.ark ark:{folder}/processed.ark",
        "both, first pass": f"{{0}}compute-and-process-kaldi-pitch-feats --frames-per-chunk=10 "
        f"--simulate-first-pass-online=true {waves} ark:/dev/null",
        "paste-feats": f"{{0}}paste-feats --length-tolerance=2 {feats} ark:{folder}/processed.ark ark:/dev/null",
        "apply-cmvn-sliding": f"{{0}}apply-cmvn-sliding --norm-vars=true --center=true {feats} ark:/dev/null",
        "wav-reverberate": f"{{0}}wav-reverberate {room} {speech} /dev/null",
    }


def make_room(folder: Path) -> None:
    """Half a second of an impulse response."""
    response = np.random.default_rng(0).normal(size=WANTED // 2) * np.exp(-np.arange(WANTED // 2) / 1000)
    with open_output(f"{folder}/room.wav") as stream:
        write_wave(stream, Wave(float(WANTED), 8000 * response[np.newaxis]))


def milliseconds(work: Callable[[], object], seconds: float) -> float:
    """Of processors' time, for a second of sound; the least of five runs."""
    found = []
    for _ in range(5):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return 1000 * min(found) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each recording")
    parser.add_argument("--recordings", type=int, default=20, help="at each rate")
    arguments = parser.parse_args()
    seconds, count = arguments.seconds, arguments.recordings
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_recordings(folder, WANTED, seconds, count)
        make_room(folder)
        compare(f"{count} recordings of {seconds:g} s", others(folder), "compute-kaldi-pitch-feats")
        print()
        print(f"{f'MFCC at {WANTED} Hz':<34} {'rate':>6} {'start-up, one':>14} {'all':>7} {'ms a second':>12}")
        for rate in RATES:
            make_recordings(folder, rate, seconds, count)
            for program in PROGRAMS:
                if shutil.which(program) is None:
                    print(f"{program:<34} {'not on the PATH':>21}")
                    continue
                one, total = (used(program, folder / f"{rate}{part}.scp", folder / "out") for part in ("-one", ""))
                each = 1000 * (total - one) / (seconds * (count - 1))
                print(f"{program:<34} {rate:>6} {one:>12.2f} s {total:>5.2f} s {each:>12.2f}")
    print()
    print(f"{'resampling alone, ms a second':<34} {'rate':>6} {'ours':>7} {'soxr':>7}")
    for rate in RATES[1:]:
        samples = (np.random.default_rng(0).normal(size=int(rate * seconds)) * 1000).astype(np.float32)
        ours = milliseconds(lambda: resampled(samples, rate, WANTED), seconds)  # noqa: B023
        theirs = milliseconds(lambda: soxr.resample(samples, rate, WANTED, quality="HQ"), seconds)  # noqa: B023
        print(f"{'':<34} {rate:>6} {ours:>7.3f} {theirs:>7.3f}")


if __name__ == "__main__":
    main()
