"""Makes outputs.json: what Kaldi's own programs (f40076610) make of the small inputs below.

    python tests/kaldi_bridge/commands/featbin/make_outputs.py FOLDER-OF-KALDIS-PROGRAMS

OUT is the output: in text where the line has ark,t: or --binary=false, else its bytes are kept.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX

OUTPUTS = Path(__file__).with_name("outputs.json")
RATE = 8000

MFCC = "compute-mfcc-feats --sample-frequency=8000 --dither=0"
PITCH = "compute-kaldi-pitch-feats --sample-frequency=8000"
DUMP = "online2-wav-dump-features"
BOTH = "compute-and-process-kaldi-pitch-feats --sample-frequency=8000"
COMMANDS = (
    f"""
paste-feats ark:feats.ark ark:others.ark ark,t:OUT
paste-feats --length-tolerance=2 ark:feats.ark ark:others.ark ark:feats.ark ark,t:OUT
paste-feats --length-tolerance=1 --binary=false a.mat b.mat OUT
paste-feats --binary=false a.mat c.mat OUT
paste-feats ark:others.ark OUT
select-feats 3,0-1,2-0 ark:feats.ark ark,t:OUT
select-feats 4 ark:feats.ark ark,t:OUT
select-feats 0 ark:/dev/null ark,t:OUT
concat-feats --binary=false a.mat b.mat a.mat OUT
append-vector-to-feats ark:feats.ark ark:vectors.ark ark,t:OUT
append-vector-to-feats --binary=false a.mat one.vec OUT
shift-feats --shift=2 ark:feats.ark ark,t:OUT
shift-feats --shift=-9 ark:feats.ark ark,t:OUT
shift-feats --shift=-1 --binary=false a.mat OUT
apply-cmvn-sliding --cmn-window=3 ark:feats.ark ark,t:OUT
apply-cmvn-sliding --cmn-window=4 --min-cmn-window=2 --norm-vars=true ark:feats.ark ark,t:OUT
apply-cmvn-sliding --cmn-window=4 --min-cmn-window=2 --center=true --norm-vars=true ark:feats.ark ark,t:OUT
apply-cmvn-sliding --cmn-window=5 --min-cmn-window=2 --center=true ark:feats.ark ark,t:OUT
apply-cmvn-sliding ark:feats.ark ark,t:OUT
modify-cmvn-stats 0:2 ark:stats.ark ark,t:OUT
modify-cmvn-stats --convert-to-mean-and-var=true ark:stats.ark ark,t:OUT
modify-cmvn-stats --convert-to-mean-and-var=true 1 ark:stats.ark ark,t:OUT
compute-cmvn-stats-two-channel sides ark:feats.ark ark,t:OUT
compute-cmvn-stats-two-channel --quieter-channel-weight=0.25 sides ark:feats.ark ark,t:OUT
compare-feats ark:feats.ark ark:feats.ark
compare-feats --threshold=0.5 ark:feats.ark ark:longer.ark
compare-feats ark:others.ark ark:feats.ark
{MFCC} --output-format=htk scp:wav.scp ark:OUT
{MFCC} --output-format=htk --use-energy=false scp:wav.scp ark:OUT
compute-fbank-feats --sample-frequency=8000 --dither=0 --output-format=htk --num-mel-bins=4 scp:wav.scp ark:OUT
{MFCC} --num-ceps=4 --vtln-map=ark:warps --utt2spk=ark:utt2spk scp:wav.scp ark,t:OUT
{MFCC} --num-ceps=5 --vtln-map=ark:warps scp:wav.scp ark,t:OUT
{MFCC} --utt2spk=ark:utt2spk scp:wav.scp ark,t:OUT
compute-mfcc-feats --output-format=mine scp:wav.scp ark,t:OUT
copy-feats --htk-in=true ark:feats.htk ark,t:OUT
copy-feats --htk-in=true --binary=false a.htk OUT
copy-feats --sphinx-in=true ark:sphinx.ark ark,t:OUT
copy-feats-to-htk --output-dir=. --output-ext=fea --sample-kind=6 --sample-period=125000 ark:only.ark
copy-feats-to-sphinx --output-dir=. --output-ext=mfc ark:only.ark
{PITCH} scp:wav.scp ark,t:OUT
{PITCH} --snip-edges=false --min-f0=70 --max-f0=300 --delta-pitch=0.02 scp:wav.scp ark,t:OUT
{PITCH} --frames-per-chunk=10 --simulate-first-pass-online=true --max-frames-latency=5 scp:wav.scp ark,t:OUT
{PITCH} --frames-per-chunk=7 --recompute-frame=30 --nccf-ballast=500 --penalty-factor=0.4 scp:wav.scp ark,t:OUT
{PITCH} --nccf-ballast-online=true --preemphasis-coefficient=0.5 --soft-min-f0=30 scp:wav.scp ark,t:OUT
{PITCH} --lowpass-cutoff=900 --lowpass-filter-width=2 --resample-frequency=3000 scp:wav.scp ark,t:OUT
process-kaldi-pitch-feats ark:pitch.ark ark,t:OUT
process-kaldi-pitch-feats --add-raw-log-pitch=true --delay=3 --srand=7 --pov-offset=0.5 ark:pitch.ark ark,t:OUT
process-kaldi-pitch-feats --normalization-left-context=3 --normalization-right-context=1 ark:pitch.ark ark,t:OUT
process-kaldi-pitch-feats --add-delta-pitch=false --pov-scale=1 --pitch-scale=3 ark:pitch.ark ark,t:OUT
process-kaldi-pitch-feats --add-pov-feature=false --delta-window=4 --delta-pitch-scale=5 ark:pitch.ark ark,t:OUT
{BOTH} scp:wav.scp ark,t:OUT
{BOTH} --frames-per-chunk=10 --simulate-first-pass-online=true --normalization-right-context=9 scp:wav.scp ark,t:OUT
{BOTH} --frames-per-chunk=10 --delay=2 --add-raw-log-pitch=true scp:wav.scp ark,t:OUT
interpolate-pitch ark:gaps.ark ark,t:OUT
interpolate-pitch --pitch-interval=2 --interpolator-factor=1e-3 --max-voicing-prob=0.8 ark:gaps.ark ark,t:OUT
interpolate-pitch --linear-interpolation=true ark:gaps.ark ark,t:OUT
interpolate-pitch --pitch-interval=30 ark:gaps.ark ark,t:OUT
process-pitch-feats ark:voiced.ark ark,t:OUT
process-pitch-feats --normalization-window-size=7 --average-window-size=3 ark:voiced.ark ark,t:OUT
process-pitch-feats --normalization-window-size=41 --average-window-size=1 ark:voiced.ark ark,t:OUT
process-pitch-feats --average-window-size=4 ark:voiced.ark ark,t:OUT
process-pitch-feats ark:gaps.ark ark,t:OUT
process-pitch-feats ark:feats.ark ark,t:OUT
{DUMP} --mfcc-config=mfcc.conf --add-pitch=true --online-pitch-config=pitch.conf ark:spk2utt scp:wav.scp ark,t:OUT
{DUMP} --feature-type=plp --plp-config=plp.conf --chunk-length=0.18 --cmvn-config=cmvn.conf \
--global-cmvn-stats=global.stats ark:spk2utt scp:wav.scp ark,t:OUT
{DUMP} --add-pitch=true --online-pitch-config=bad.conf ark:spk2utt scp:wav.scp ark,t:OUT
{DUMP} --feature-type=other ark:spk2utt scp:wav.scp ark,t:OUT
wav-reverberate speech.wav OUT
wav-reverberate --impulse-response=room.wav speech.wav OUT
wav-reverberate --impulse-response=room.wav --rir-channel=1 --shift-output=false speech.wav OUT
wav-reverberate --impulse-response=room.wav --multi-channel-output=true --duration=0.2 speech.wav OUT
wav-reverberate --additive-signals=noise.wav,noise.wav --snrs=10,-3 --start-times=0,0.05 --volume=0.5 speech.wav OUT
wav-reverberate --impulse-response=room.wav --additive-signals=noise.wav --snrs=5 --start-times=0.1 speech.wav OUT
wav-reverberate --normalize-output=false --duration=0.05 --impulse-response=room.wav speech.wav OUT
wav-reverberate --additive-signals=noise.wav --snrs=5 speech.wav OUT
extend-wav-with-silence --extra-silence-length=0.1 --silence-search-length=0.06 scp:speech.scp ark:OUT
extend-wav-with-silence --silence-extract-length=0.011 --silence-search-length=0.05 --extra-silence-length=0.05 \
speech.wav OUT
""".replace("\\\n", "")
    .strip()
    .split("\n")
)
WRITTEN = {"copy-feats-to-htk": "only.fea", "copy-feats-to-sphinx": "only.mfc"}  # where there is no OUT


def matrix(frames: int, dim: int, shift: float) -> np.ndarray:
    i, j = np.meshgrid(np.arange(frames), np.arange(dim), indexing="ij")
    return np.round(3 * np.sin(1.3 * i + 0.7 * j * j + shift) + 0.1 * i * j, 3).astype(np.float32)


def speech() -> np.ndarray:
    """0.9 s whose pitch rises and falls, with silence and noise between."""
    random, time = np.random.default_rng(1), np.arange(int(0.9 * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(140 + 60 * np.sin(5 * time)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 15)) * np.clip(4 * np.sin(9 * time) + 1, 0, 2)
    return (1500 * voice + 30 * random.normal(size=len(time))).round().astype(np.float32)


def make_inputs(folder: Path) -> None:
    """Writes all that the commands read."""
    tables = {
        "feats.ark": {"a": matrix(6, 4, 0), "b": matrix(5, 4, 1), "c": matrix(7, 4, 2), "d": matrix(6, 4, 3)},
        "others.ark": {"a": matrix(6, 2, 4), "b": matrix(4, 2, 5), "c": matrix(7, 2, 6)},
        "longer.ark": {key: matrix(n, 4, s) for key, n, s in (("a", 6, 0.3), ("b", 5, 1.2), ("c", 7, 2), ("d", 6, 3))},
        "only.ark": {"only": matrix(3, 13, 0)},
        "pitch.ark": {
            key: np.column_stack([np.sin(np.arange(n) / 5), 150 + 9 * np.sin(np.arange(n) / 7)]).astype(np.float32)
            for key, n in (("a", 40), ("b", 3))
        },
    }
    gaps = [np.round(np.abs(tables["pitch.ark"][key]), 3) for key in ("a", "b")]
    for t in (0, 3, 4, 5, 9, 20, 21, 22, 23, 39):
        gaps[0][t] = 0.1, 0
    gaps[1][1:] = 0.2, 0
    tables["gaps.ark"] = {"a": gaps[0], "b": gaps[1], "c": np.array([[0.5, 0], [0.1, 0]], np.float32)}
    tables["voiced.ark"] = {key: np.abs(pitch) for key, pitch in tables["pitch.ark"].items()}
    for name, entries in tables.items():
        with TableWriter(f"ark:{folder}/{name}", FLOAT_MATRIX) as writer:
            for key, value in entries.items():
                writer.write(key, value)
    for name, value in (("a.mat", matrix(6, 4, 0)), ("b.mat", matrix(5, 4, 7)), ("c.mat", matrix(3, 1, 8))):
        with open_output(f"{folder}/{name}") as stream:
            FLOAT_MATRIX.write(stream, True, value)
    texts = {
        "vectors.ark": "a  [ 1 2 ]\nc  [ 0.5 -1 ]\nd  [ 3 3 ]\n",
        "one.vec": " [ 1 -2 0.5 ]\n",
        "stats.ark": "s  [\n  12 -3 4.5 6 \n  40 20 30 0 ]\nt  [\n  1 2 3 0 \n  1 2 3 0 ]\n",
        "sides": "a call1 A\nd call1 B\nb call2 A\nc call2 B\nmissing call3 A\na call4 A\n"
        "d call0 1\nb call0 2\nc call0 3\n",
        "wav.scp": "one voice.wav\ntwo cat short.wav |\n",
        "speech.scp": "one short.wav\n",
        "mfcc.conf": "--sample-frequency=8000\n--dither=0\n--num-ceps=2\n",
        "plp.conf": "--sample-frequency=8000\n--dither=0\n--num-ceps=3\n",
        "pitch.conf": "--sample-frequency=8000\n--normalization-right-context=4\n--max-frames-latency=5\n",
        "bad.conf": "--sample-frequency=8000\n--min-f0=many\n",
        "cmvn.conf": "--cmn-window=50\n--speaker-frames=40\n--global-frames=20\n",
        "global.stats": " [\n  200 10 -20 100 \n  900 400 500 0 ]\n",
        "spk2utt": "s one missing two\n",
        "warps": "speaker 0.9\none 1.1\n",
        "utt2spk": "one speaker\ntwo nobody\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    htk = np.array([3], ">i4").tobytes() + np.array([100000], ">i4").tobytes() + np.array([16, 6], ">i2").tobytes()
    htk += matrix(3, 4, 0).astype(">f4").tobytes()
    (folder / "a.htk").write_bytes(htk)
    (folder / "feats.htk").write_bytes(b"a " + htk + b"b " + htk)
    (folder / "sphinx.ark").write_bytes(
        b"a " + np.array([26], ">i4").tobytes() + matrix(2, 13, 0).astype(">f4").tobytes()
    )
    time = np.arange(400)
    room = np.stack([np.exp(-time / 60) * np.cos(time), np.exp(-time / 90) * np.sin(2 * time) + 1e-3 * time]) * 9000
    random = np.random.default_rng(2)
    for name, samples in {
        "voice.wav": speech()[None],
        "speech.wav": speech()[None, 800:2000],
        "short.wav": speech()[None, 1000:1900],
        "room.wav": room,
        "noise.wav": 800 * random.normal(size=(1, 700)),
    }.items():
        with open_output(f"{folder}/{name}") as stream:
            write_wave(stream, Wave(RATE, np.asarray(samples, np.float32)))


def run_all(programs: Path) -> dict[str, dict[str, object]]:
    """By command line: exit status, text on standard output, what was written."""
    made = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_inputs(folder)
        for line in COMMANDS:
            program, *words = line.split()
            environment = {**os.environ, "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run([programs / program, *words], cwd=folder, capture_output=True, env=environment)
            made[line] = {"status": done.returncode, **written(folder, line)}
    return made


def written(folder: Path, line: str) -> dict[str, str]:
    """What a command wrote, which is removed."""
    path = folder / WRITTEN.get(line.split()[0], "OUT")
    if not path.exists():
        return {}
    data = path.read_bytes()
    path.unlink()
    text = "ark,t:" in line or "--binary=false" in line
    return {"text": data.decode()} if text else {"bytes": base64.b64encode(data).decode()}


if __name__ == "__main__":
    OUTPUTS.write_text(json.dumps(run_all(Path(sys.argv[1])), indent=0) + "\n")
