"""Loops over tables: which errors leave an entry out, and which end the program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, within


class TableLoop:
    """Counts the entries of a table that something was made of, and those that were left out with a warning.

        loop = TableLoop()
        for key, feats in reader:
            with loop.entry(key):
                writer.write(key, changed(feats))
        log.info(f"Done {loop.done} utterances, failed for {loop.failed}")
        return loop.status

    An EntryError leaves out the entry; any other KaldiError goes on, with ``table`` and the key before it.
    """

    def __init__(self, table: str = "") -> None:
        self.done = self.failed = 0
        self._table = f"{table}: " if table else ""

    @contextmanager
    def entry(self, key: str, what: str = "") -> Iterator[None]:
        """What is done for one entry; ``what`` failed comes before the reason in the warning."""
        with within(f"{self._table}utterance {key}"):
            try:
                yield
            except EntryError as error:
                self.fail(f"{what}: {error}" if what else str(error))
            else:
                self.done += 1

    def fail(self, message: str) -> None:
        """Leaves an entry out, with a warning."""
        log.warning(message)
        self.failed += 1

    @property
    def status(self) -> int:
        """The exit status of most of Kaldi's programs: 1 where nothing was made."""
        return 0 if self.done else 1
