"""Which utterances are validated on."""

from pathlib import Path

from steps_pytorch.training.data_sets import choose_valid

SPEEDS = ("", "sp0.9-", "sp1.1-")


def test_a_tenth_of_the_utterances_with_their_copies(tmp_path: Path) -> None:
    originals = [f"u{n:02}" for n in range(20)]
    utterances = [speed + u for speed in SPEEDS for u in originals]
    (tmp_path / "utt2uniq").write_text("".join(f"{speed}{u} {u}\n" for speed in SPEEDS for u in originals))
    chosen = choose_valid(utterances, 300, str(tmp_path), seed=0)
    assert len(chosen) == 6
    assert chosen == {speed + u for speed in SPEEDS for u in originals if u in chosen}
    assert len(choose_valid(utterances, 1, str(tmp_path), seed=0)) == 3


def test_at_least_one(tmp_path: Path) -> None:
    assert len(choose_valid(["a", "b"], 300, str(tmp_path), seed=0)) == 1
