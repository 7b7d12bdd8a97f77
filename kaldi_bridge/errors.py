"""The one exception that means "tell the person at the terminal"."""


class KaldiError(Exception):
    """A problem with what the user handed us: names the file, key or option, and what to do about it.

    Commands print the message as Kaldi's programs do and exit with a non-zero status; a library user catches it.
    """
