"""What clients are told of each other from time to time: who speaks, how good lines are.

Every client hears of those it is subscribed to and of itself, and only what it has not been told
yet. Hidden participants are in nobody's subscriptions, so nothing of them is said.
"""

from collections.abc import Callable, Mapping
from typing import Final

from livekit.protocol import models, rtc

from media.core.ids import ParticipantSid
from media.core.quality import Verdict
from media.core.room import ACTIVE
from media.core.speakers import SpeakerChange, SpeakerDetector
from media.signalling.session import Session

MAX_SIMULATED_S: Final = 60.0


class Reports:
    """Speakers, qualities and stream states of the ``sessions`` of one room."""

    def __init__(
        self, sessions: Mapping[ParticipantSid, Session], now_s: Callable[[], float]
    ) -> None:
        self._sessions = sessions
        self._now_s = now_s
        self._verdicts: dict[str, Verdict] = {}
        self._simulated: dict[str, float] = {}  # sid: until when it pretends to speak
        self.speakers = SpeakerDetector()

    # Speakers

    def tell_speakers(self, now_s: float) -> None:
        """Tell everybody the changes since the previous call, at most every 400 ms."""
        changes = self.speakers.poll(now_s)
        changes += self._end_simulations(now_s)
        if not changes:
            return
        for session in self._sessions.values():
            self._send_speakers(session, changes)

    def greet(self, session: Session) -> None:
        """Tell a newcomer who is speaking already."""
        changes = [
            SpeakerChange(sid, level, is_active=True)
            for sid, level in self.speakers.speaking().items()
        ]
        self._send_speakers(session, changes)

    def simulate_speaker(self, session: Session, seconds: float) -> None:
        """Pretend for a while that a participant speaks (SimulateScenario)."""
        sid = session.participant.sid
        self._simulated[sid] = self._now_s() + max(0.0, min(seconds, MAX_SIMULATED_S))
        change = SpeakerChange(sid, 0.9, is_active=True)
        for other in self._sessions.values():
            self._send_speakers(other, [change])

    def _end_simulations(self, now_s: float) -> list[SpeakerChange]:
        over = [sid for sid, until_s in self._simulated.items() if now_s >= until_s]
        for sid in over:
            del self._simulated[sid]
        return [SpeakerChange(sid, 0.0, is_active=False) for sid in over]

    def _send_speakers(self, session: Session, changes: list[SpeakerChange]) -> None:
        news = session.speaker_news.select(changes, session.audible())
        if news:
            speakers = [
                models.SpeakerInfo(sid=change.key, level=change.level, active=change.is_active)
                for change in news
            ]
            changed = rtc.SpeakersChanged(speakers=speakers)
            session.send(rtc.SignalResponse(speakers_changed=changed))

    # Connection quality

    def sample(self) -> None:
        """Every second: look at the layers that go through."""
        for session in self._sessions.values():
            session.meter.sample(session.subscribing.subscriptions.values())

    def tell_quality(self, now_s: float) -> None:
        """Every five seconds: judge everybody, and tell what changed to whom it concerns."""
        self._verdicts = {
            sid: session.meter.close_window(
                session.publishing.by_mid.values(),
                session.subscribing.subscriptions,
                unheard_s=session.unheard_s,
                now_s=now_s,
            )
            for sid, session in self._sessions.items()
            if session.participant.state == ACTIVE
        }
        for session in self._sessions.values():
            self._send_quality(session)

    def _send_quality(self, session: Session) -> None:
        own = session.participant.sid
        told = session.told_quality
        updates = []
        for sid in sorted(session.audible()):
            verdict = self._verdicts.get(sid)
            if verdict is None or told.get(sid) == verdict.quality:
                continue
            if verdict.is_lost and sid == own:
                continue  # a client told so gives up what may still recover
            told[sid] = verdict.quality
            updates.append(
                rtc.ConnectionQualityInfo(
                    participant_sid=sid, quality=verdict.quality, score=verdict.score
                )
            )
        for sid in [sid for sid in told if sid not in self._sessions]:
            del told[sid]
        if updates:
            update = rtc.ConnectionQualityUpdate(updates=updates)
            session.send(rtc.SignalResponse(connection_quality=update))
