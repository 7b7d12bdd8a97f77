"""nnet-pytorch-wav-copy: twin of wav-copy."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import WAVE

USAGE = """Copy a table of recordings, such as one whose script file has commands in it.
Usage: nnet-pytorch-wav-copy [options] <wav-rspecifier> <wav-wspecifier>
e.g.: nnet-pytorch-wav-copy scp:wav.scp ark:-"""


def wav_copy(source: str, target: str) -> int:
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
