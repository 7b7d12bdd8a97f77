"""Makes outputs.json: what Kaldi's programs for tables of FSTs write for the small inputs below.

python tests/kaldi_bridge/commands/kwsbin/make_outputs.py    # with these programs, and OpenFst's, on the PATH
"""

import json
import subprocess
import tempfile
from pathlib import Path

OUTPUTS = Path(__file__).with_name("outputs.json")

TABLES = {
    "words": "a 1 2 3\nb 2\nc\nd 3 3\n",
    "costs": "a 0.5\nd 2.25\n",
    "cost_of_none": "c 1\n",
    "bad": "a 1 x\n",
    "none": "",
    "acceptors": "a \n0 1 1 1 0.5\n1 2 2 2\n2 0.25\n\na \n0 1 1 1 1\n1 2 3 3\n2\n\nb \n0 1 4 4\n1\n\n"
    "c \n0 1 1 1\n1 0.5\n\nc \n0 1 0 0\n1 2 1 1 2\n2\n\nc \n0 1 2 2\n0 0 1 1 1\n1\n\na \n0 1 2 2\n1\n\n",
    "transducers": "a \n0 1 1 4 0.5\n0 2 2 5 0.25\n1 3 0 6 0.5\n2 3 3 0 1\n3 0.5\n\nb \n0 0.5\n\nc \n\n"
    "d \n0 1 1 2\n\ne \n0 1 1 7\n0 1 2 8\n1 1 3 3 1\n1\n\n",
}
# Of words to words; both are sorted for what they are composed with.
FSTS = {
    "left": "0 1 7 1 0.5\n0 0 6 2 1\n0 0 5 3 0.25\n1 0 0 2\n1 0 8 3 0.75\n0 0.125\n1\n",
    "right": "0 0 1 4 0.5\n0 1 2 5\n0 1 2 6 0.25\n1 0 3 0 1\n0\n1 1\n",
}
COMMANDS = """
transcripts-to-fsts ark:words
transcripts-to-fsts ark:words ark:costs
transcripts-to-fsts ark:none
transcripts-to-fsts ark:bad
transcripts-to-fsts ark:missing
transcripts-to-fsts --left-compose=left ark:words
transcripts-to-fsts --left-compose=left --right-compose=right ark:words ark:costs
transcripts-to-fsts --right-compose=right --project-input=true ark:words
transcripts-to-fsts --right-compose=right --project-output=true ark:words
transcripts-to-fsts --left-compose=missing ark:words
fsts-to-transcripts ark:transducers
fsts-to-transcripts --output-side=false ark:transducers
fsts-to-transcripts ark:acceptors
fsts-to-transcripts ark:none
fsts-project ark:transducers
fsts-project --project-output=true ark:transducers
fsts-project ark:none
fsts-project
fsts-union ark:acceptors
fsts-union ark:none
fsts-union ark:bad
"""


def call(words: list[str], folder: Path) -> tuple[int, str]:
    """What a program that writes a table last makes; what it wrote before an error does not count."""
    done = subprocess.run([*words, "ark,t:-"], cwd=folder, capture_output=True, text=True)
    return done.returncode, "" if done.returncode else done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, text in TABLES.items():
            (folder / name).write_text(text)
        for name, text in FSTS.items():
            subprocess.run(["fstcompile", "-", name], cwd=folder, input=text, text=True, check=True)
        outputs = {command: call(command.split(), folder) for command in COMMANDS.strip().split("\n")}
    OUTPUTS.write_text(json.dumps(outputs, indent=0) + "\n")


if __name__ == "__main__":
    main()
