"""nnet-pytorch-wav-copy: twin of wav-copy."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.wave import read_wave, write_wave
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier, is_wspecifier
from kaldi_bridge.tables.holders import WAVE

USAGE = """Copy recordings: a table, such as one whose script file has commands in it, or a single one.
Usage: nnet-pytorch-wav-copy [options] <wav-rspecifier> <wav-wspecifier>
  or:  nnet-pytorch-wav-copy [options] <wav-rxfilename> <wav-wxfilename>
e.g.: nnet-pytorch-wav-copy scp:wav.scp ark:-"""


def wav_copy(source: str, target: str) -> int:
    if is_rspecifier(source) != is_wspecifier(target):
        raise KaldiError("Cannot mix archives with regular files")
    if not is_rspecifier(source):
        with open_input(source) as stream:
            recording = read_wave(stream)
        with open_output(target) as out:
            write_wave(out, recording)
        return 0
    done = 0
    with SequentialReader(source, WAVE) as reader, TableWriter(target, WAVE) as writer:
        for key, wave in reader:
            writer.write(key, wave)
            done += 1
    log.info(f"Copied {done} wave files")
    return 0 if done else 1


main = command(wav_copy, usage=USAGE)

if __name__ == "__main__":
    main()
