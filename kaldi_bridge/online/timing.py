"""How far decoding lags behind speech that comes in at its own pace (online2/online-timing.cc)."""

from __future__ import annotations

import time

from kaldi_bridge import log


class OnlineTimer:
    """Of one utterance: time that passes, and time that would be spent waiting for the speaker."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self.waited = self.length = 0.0

    def wait_until(self, seconds: float) -> None:
        """So much of the utterance is needed now; nothing sleeps."""
        self.waited += max(0.0, seconds - self.elapsed())
        self.length = seconds

    def elapsed(self) -> float:
        """Seconds since the utterance began, for someone who listens."""
        return time.monotonic() - self._start + self.waited


class TimingStatistics:
    """Sums over utterances, and the report."""

    def __init__(self) -> None:
        self._count = 0
        self._audio = self._taken = self._waited = self._longest = 0.0
        self._slowest = ""

    def add(self, utterance: str, timer: OnlineTimer) -> None:
        """To be called when the utterance's result is there."""
        taken = timer.elapsed()
        delay = taken - timer.length
        log.vlog(2, f"Latency {delay:g} seconds out of {timer.length:g}, for utterance {utterance}")
        self._count += 1
        self._audio += timer.length
        self._taken += taken
        self._waited += timer.waited
        if delay > self._longest:
            self._longest, self._slowest = delay, utterance

    def report(self, online: bool) -> None:
        """Kaldi's lines."""
        if not self._audio:
            return
        if not online:
            busy = self._taken - self._waited
            log.info(
                f"Timing stats: real-time factor for offline decoding was {busy / self._audio:g} = {busy:g} seconds  / "
                f"{self._audio:g} seconds."
            )
            return
        log.info(
            f"Timing stats: real-time factor was {self._taken / self._audio:g} (note: this cannot be less than one.)"
        )
        log.info(f"Average delay was {(self._taken - self._audio) / self._count:g} seconds.")
        if self._waited:
            log.info(f"Percentage of time spent idling was {100 * self._waited / self._audio:g}")
        log.info(f"Longest delay was {self._longest:g} seconds for utterance '{self._slowest}'")
