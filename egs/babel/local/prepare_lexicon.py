#!/usr/bin/env python3
"""Makes a dictionary directory of a lexicon of the BABEL program, as Kaldi's prepare_lexicon.pl does.

    prepare_lexicon.py [--romanized] [--oov WORD] [--phonemap "p1=q1 q2;p2=q3"] [--words-of FOLDER [--list FILE]]
                       <lexicon> <dict-dir>

A line of <lexicon>: a word, with --romanized its romanized form, and its pronunciations, with tabs between them. Phones
are X-SAMPA; "." and "#" end a syllable, whose tags (_1, stress " and %, a tone within a phone: a_F) go to all of its
phones, and into extra questions. With --words-of, only words that are in these transcripts (of the recordings that FILE
lists) are taken, and the silence, noise and OOV words.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import encode, words
from kaldi_bridge.io.text_files import read_lines, read_text, write_text

SILENCE, OPTIONAL = {"<v-noise>": "<vns>", "<noise>": "<sss>", "<silence>": "SIL"}, "SIL"


class Syllables:
    """Phones with the tags of their syllables, and what there was of both."""

    def __init__(self, phone_map: dict[str, list[str]]) -> None:
        self._map = phone_map
        self.tags: set[str] = set()
        self.compound_tags: set[str] = set()
        self.phones: dict[str, set[str]] = {}  # with tags, by the phone without

    def pronunciation(self, text: str) -> str:
        """Raises ValueError for one without phones."""
        made = [self._syllable(words(syllable)) for syllable in re.split(r"[.#]", text) if words(syllable)]
        if not any(made):
            raise ValueError("no phones")
        return " ".join(phone for syllable in made for phone in syllable)

    def _syllable(self, written: list[str]) -> list[str]:
        phones, tag = [], ""
        for phone in (new for old in written for new in self._map.get(old, [old])):
            own, base = "", phone
            if re.match(r"_\S", phone):
                own, base = phone, ""
            elif tone := re.search(r"_[FR]", phone):
                own, base = tone[0], phone.replace(tone[0], "", 1)
            elif phone in ('"', "%"):
                own, base = f"_{phone}", ""
            if own:
                self.tags.add(own)
                tag += own
            if base:
                phones.append(base.replace("_", ""))  # which begins a tag
        self.compound_tags.add(tag)
        for phone in phones:
            self.phones.setdefault(phone, set()).add(phone + tag)
        return [phone + tag for phone in phones]


def questions(found: Syllables, silence: list[str]) -> list[str]:
    """Of each tag and of each combination of tags, none too, the phones that have it; and those of silence."""
    every = sorted((phone for those in found.phones.values() for phone in those), key=encode)
    tags = [*sorted(found.tags), *sorted(found.compound_tags - found.tags)]
    lines = {" ".join(phone for phone in every if tag in phone) for tag in tags}
    return [*sorted(lines - {""}, key=encode), " ".join(silence)]


def transcribed(folder: Path, listed: Path | None) -> set[str]:
    """All words of transcripts."""
    chosen = {key for key, _ in read_lines(listed)} if listed else None
    found: set[str] = set()
    for path in folder.glob("*.txt"):
        if chosen is None or path.stem in chosen:
            found.update(words(read_text(path)))
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--romanized", action="store_true")
    parser.add_argument("--oov", default="<unk>")
    parser.add_argument("--phonemap", default="")
    parser.add_argument("--words-of", type=Path)
    parser.add_argument("--list", type=Path)
    parser.add_argument("lexicon", type=Path)
    parser.add_argument("dict", type=Path)
    options = parser.parse_args(arguments)
    if options.words_of and not options.words_of.is_dir():
        return fail(f"there is no folder {options.words_of}")
    wanted = transcribed(options.words_of, options.list) if options.words_of else None
    pairs = (item.partition("=") for item in options.phonemap.split(";") if item.strip())
    found = Syllables({old.strip(): words(new) for old, _, new in pairs})
    special = SILENCE | {options.oov: "<oov>"}
    entries = set(special.items())
    for number, line in enumerate(read_text(options.lexicon).split("\n"), 1):
        word, *columns = [" ".join(words(column)) for column in line.split("\t")]
        said = [column for column in columns[options.romanized :] if column]
        if not word or word in special or (wanted is not None and word not in wanted):
            continue
        try:
            if not said:
                raise ValueError("no pronunciation")
            entries.update((word, found.pronunciation(column)) for column in said)
        except ValueError as error:
            print(f"prepare_lexicon.py: {options.lexicon}:{number}: {error}; left out", file=sys.stderr)
    if not found.phones:
        return fail(f"{options.lexicon} has no words" + (f" of {options.words_of}" if wanted is not None else ""))
    options.dict.mkdir(parents=True, exist_ok=True)
    silence = sorted(set(special.values()))
    for name, lines in (
        ("lexicon.txt", sorted((f"{word} {said}" for word, said in entries), key=encode)),
        ("nonsilence_phones.txt", sorted((" ".join(sorted(p, key=encode)) for p in found.phones.values()), key=encode)),
        ("silence_phones.txt", silence),
        ("optional_silence.txt", [OPTIONAL]),
        ("extra_questions.txt", questions(found, silence)),
    ):
        write_text(options.dict / name, "".join(f"{line}\n" for line in lines))
    return 0


def fail(message: str) -> int:
    print(f"prepare_lexicon.py: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KaldiError as error:
        sys.exit(fail(str(error)))
