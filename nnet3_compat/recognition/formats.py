"""Results as text: what programs for captions, for scoring and for phonetics read.

Of text, JSON and CTM each segment is written as it comes; subtitles and Praat's TextGrid are one document for each
recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nnet3_compat.recognition.results import Result, text_of, vosk_json, words_of

WORDS_PER_LINE = 7  # of subtitles, as of Vosk's

Interval = tuple[float, float, str]


def text_line(name: str, result: Result) -> str:
    """The text, behind the recording's name if it is given; nothing where nothing was said."""
    text = text_of(result)
    return f"{name} {text}\n".lstrip(" ") if text else ""


def json_lines(name: str, result: Result) -> str:
    """As Vosk prints it; the recording's name, if it is given, as one more member."""
    return vosk_json({**result, "recording": name} if name else result) + "\n"


def ctm_lines(name: str, result: Result) -> str:
    """Lines of recording, channel, start, duration, word and confidence (none for alternatives)."""
    lines = []
    for word in words_of(result):
        confidence = f" {word['conf']:.2f}" if "conf" in word else ""
        lines.append(f"{name} 1 {word['start']:.2f} {word['end'] - word['start']:.2f} {word['word']}{confidence}\n")
    return "".join(lines)


def phone_ctm_lines(name: str, result: Result) -> str:
    """The same of phones, without confidences."""
    return "".join(
        f"{name} 1 {phone['start']:.2f} {phone['end'] - phone['start']:.2f} {phone['phone']}\n"
        for phone in result.get("phones", [])
    )


def srt(results: Sequence[Result], seconds: float) -> str:
    """SubRip."""
    lines = enumerate(_subtitles(results), 1)
    return "".join(f"{n}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n\n" for n, (start, end, text) in lines)


def vtt(results: Sequence[Result], seconds: float) -> str:
    """WebVTT."""
    lines = _subtitles(results)
    return "WEBVTT\n\n" + "".join(
        f"{_clock(b, '.')} --> {_clock(e, '.')}\n{_escaped(text)}\n\n" for b, e, text in lines
    )


def textgrid(results: Sequence[Result], seconds: float) -> str:
    """Praat's, with a tier of words, and one of phones where the results have some. ``seconds``: of the recording."""
    tiers = {"words": [(w["start"], w["end"], w["word"]) for result in results for w in words_of(result)]}
    phones = [(p["start"], p["end"], p["phone"]) for result in results for p in result.get("phones", [])]
    if phones:
        tiers["phones"] = phones
    end = max([seconds, *(interval[1] for tier in tiers.values() for interval in tier)])
    head = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = {end:.6f}\ntiers? <exists>\n'
    return (
        head
        + f"size = {len(tiers)}\nitem []:\n"
        + "".join(
            _tier(number, name, list(_without_gaps(tier, end)), end)
            for number, (name, tier) in enumerate(tiers.items(), 1)
        )
    )


PHONE_CTM = "phone-ctm"
SEGMENTS: dict[str, Callable[[str, Result], str]] = {
    "text": text_line, "json": json_lines, "ctm": ctm_lines, PHONE_CTM: phone_ctm_lines,
}  # fmt: skip
NAMED = ("ctm", PHONE_CTM)
"""Those whose lines begin with the recording's name in any case."""
DOCUMENTS: dict[str, Callable[[Sequence[Result], float], str]] = {"srt": srt, "vtt": vtt, "textgrid": textgrid}


def _subtitles(results: Sequence[Result]) -> Iterator[Interval]:
    for result in results:
        words = words_of(result)
        for begin in range(0, len(words), WORDS_PER_LINE):
            line = words[begin : begin + WORDS_PER_LINE]
            yield line[0]["start"], line[-1]["end"], " ".join(word["word"] for word in line)


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{mark}{rest % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _without_gaps(tier: list[Interval], end: float) -> Iterator[Interval]:
    """Praat wants intervals from the beginning to the end; where words overlap, the earlier one ends."""
    reached = 0.0
    for number, (start, stop, text) in enumerate(tier):
        start = max(start, reached)
        following = tier[number + 1][0] if number + 1 < len(tier) else end
        stop = min(stop, max(following, start))
        if stop <= start:
            continue
        if start > reached:
            yield reached, start, ""
        yield start, stop, text
        reached = stop
    if reached < end or not tier:
        yield reached, end, ""


def _tier(number: int, name: str, intervals: list[Interval], end: float) -> str:
    head = f'    item [{number}]:\n        class = "IntervalTier"\n        name = "{name}"\n        xmin = 0\n'
    lines = [f"        xmax = {end:.6f}\n        intervals: size = {len(intervals)}\n"]
    for n, (start, stop, text) in enumerate(intervals, 1):
        quoted = text.replace('"', '""')
        lines.append(
            f"        intervals [{n}]:\n            xmin = {start:.6f}\n            xmax = {stop:.6f}\n"
            f'            text = "{quoted}"\n'
        )
    return head + "".join(lines)
