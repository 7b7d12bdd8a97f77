"""Options of alignment, apart from what loads torch."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError


@dataclass
class AlignerOptions:
    """Where pronunciations are from, and how times are searched for."""

    lang: str = option("", "Lang directory of the model; without it, words are those of the model's graph")
    tree: str = option("", "With --lang: the model's tree, where its folder has none")
    lexicon: str = option("", "With --lang: file of more pronunciations, lines of a word and its phones (lexicon.txt)")
    unknown_word: str = option("", "Word that stands for those without a pronunciation (the lang directory's, <unk>)")
    graph: str = option("", "Directory of the graph, for a directory of Kaldi's that has none inside, or several")
    beam: float = option(20.0, "Beam of the search")
    retry_beam: float = option(80.0, "Beam of a second try, where the end is not reached with the first; 0: none")
    frames_per_chunk: int = option(60, "Frames (of input) of which the outputs are computed together")
    batch_size: int = option(8, "Utterances that go through the network together")

    def check(self) -> None:
        """Raises KaldiError for values that make no sense, or not together."""
        for name in ("tree", "lexicon"):
            if getattr(self, name) and not self.lang:
                raise KaldiError(f"--{name} needs --lang: a graph has no place for other pronunciations")
        if self.lang and self.graph:
            raise KaldiError("--graph and --lang exclude each other: both say which words there are")
        if not self.beam > 0 or self.retry_beam < 0:
            raise KaldiError("--beam must be positive, --retry-beam not negative")
        if self.frames_per_chunk < 1 or self.batch_size < 1:
            raise KaldiError("--frames-per-chunk and --batch-size must be positive")


@dataclass
class SegmentationOptions(AlignerOptions):
    """How long recordings are cut into segments whose texts are right."""

    min_words: int = option(3, "Words that must be heard as they are written, one after the other")
    min_pause: float = option(0.03, "Seconds of silence at which a segment may begin or end")
    max_pause: float = option(1.0, "Seconds of silence that no segment has inside")
    max_length: float = option(15.0, "Seconds from which on a segment is divided where it has a pause")
    padding: float = option(0.2, "Seconds of silence around segments, of those that are there")

    def check(self) -> None:
        """Raises KaldiError for values that make no sense, or not together."""
        super().check()
        if self.min_words < 1 or self.padding < 0 or not 0 < self.min_pause <= self.max_pause or self.max_length <= 0:
            raise KaldiError(
                "--min-words, --min-pause and --max-length must be positive, --max-pause no less than --min-pause, and "
                "--padding not negative"
            )
