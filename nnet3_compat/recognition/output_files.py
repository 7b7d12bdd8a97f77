"""Where results in one of the formats go: onto the standard output, or into a file for each recording."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kaldi_bridge.command import write_stdout
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text_files import write_text
from nnet3_compat.recognition.formats import DOCUMENTS, PHONE_CTM, SEGMENTS

_SUFFIXES = {"text": "txt", "textgrid": "TextGrid", PHONE_CTM: "phones.ctm"}


def check_output(output: str) -> None:
    """Raises KaldiError for a format that there is not."""
    if output not in SEGMENTS and output not in DOCUMENTS:
        raise KaldiError(f"--output={output}: should be one of {', '.join([*SEGMENTS, *DOCUMENTS])}")


def write_parts(output_dir: str, name: str, output: str, parts: Iterable[str]) -> None:
    """Writes to the standard output, part by part; to a file named as the recording where there is a directory."""
    if not output_dir:
        for part in parts:
            write_stdout(part)
        return
    file = Path(output_dir, f"{name}.{_SUFFIXES.get(output, output)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KaldiError(f"{output_dir}: {error.strerror}") from error
    write_text(file, "".join(parts))
