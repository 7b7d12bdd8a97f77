"""Examples of chunks of utterances, each with its speaker, for x-vectors (nnet3bin/nnet3-xvector-get-egs.cc)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.examples.cutting import frame_indexes
from kaldi_bridge.examples.frame_examples import NnetExample, NnetIo
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.sparse import SparseMatrix
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import is_number, shown, words


@dataclass(frozen=True)
class SpeakerChunk:
    """A line of a ranges file: so many frames of an utterance from this one on, for the archive of this number."""

    utterance: str
    archive: int
    first_frame: int
    num_frames: int
    speaker: int

    @property
    def key(self) -> str:
        """Of its example."""
        return f"{self.utterance}-{self.first_frame}-{self.num_frames}-{self.speaker}"

    def example(self, feats: np.ndarray, num_speakers: int, compress: bool) -> NnetExample:
        """Of the features [frames, dim] of the utterance; a chunk that ends after them begins earlier.

        Raises EntryError for an utterance that is shorter than the chunk.
        """
        if len(feats) < self.num_frames:
            raise EntryError(
                f"Unable to create examples for utterance {self.utterance}. Requested chunk size of {self.num_frames} "
                f"but utterance has only {len(feats)} frames."
            )
        if not 0 <= self.speaker < num_speakers:
            raise KaldiError(f"speaker {self.speaker} of {self.utterance} is not one of --num-pdfs={num_speakers}")
        first = min(self.first_frame, len(feats) - self.num_frames)
        chunk = feats[first : first + self.num_frames]
        label = SparseMatrix.from_rows([(np.array([self.speaker], np.int32), np.ones(1, np.float32))], num_speakers)
        return NnetExample(
            [
                NnetIo("input", frame_indexes(0, len(chunk)), CompressedMatrix.compress(chunk) if compress else chunk),
                NnetIo("output", frame_indexes(0, 1), label),
            ]
        )


def read_ranges(rxfilename: str, num_archives: int) -> dict[str, list[SpeakerChunk]]:
    """The chunks of each utterance. Raises KaldiError, which names the line."""
    chunks: dict[str, list[SpeakerChunk]] = defaultdict(list)
    with open_input(rxfilename) as stream:
        for number, line in enumerate(stream.lines(), 1):
            fields = words(line)
            where = f"{rxfilename}: line {number}"
            if len(fields) != 6:
                raise KaldiError(f"{where}: Expected 6 fields in line of range file, got {len(fields)} instead.")
            utterance, *numbers = fields
            if not all(map(is_number, numbers)):
                raise KaldiError(f"{where}: Expected integer for output archive in range file: {shown(line)}")
            archive, _, first, frames, speaker = map(int, numbers)
            if archive >= num_archives:
                raise KaldiError(f"{where}: Requested output index exceeds number of specified output files.")
            if not frames:
                raise KaldiError(f"{where}: a chunk of no frames")
            chunks[utterance].append(SpeakerChunk(utterance, archive, first, frames, speaker))
    return chunks
