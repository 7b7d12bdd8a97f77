"""The one exception that means "tell the person at the terminal"."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class KaldiError(Exception):
    """A problem with what the user handed us: names the file, key or option, and what to do about it.

    Commands print the message as Kaldi's programs do and exit with a non-zero status; a library user catches it.
    """


class EntryError(KaldiError):
    """A problem of one entry of a table alone, in the words of Kaldi's warning.

    Programs that loop over the table leave the entry out, warn, count and go on; any other KaldiError ends them.
    """


@contextlib.contextmanager
def within(place: str) -> Iterator[None]:
    """Puts the place, an utterance or file, before what a KaldiError from inside says."""
    try:
        yield
    except KaldiError as error:
        raise KaldiError(f"{place}: {error}").with_traceback(error.__traceback__) from error
