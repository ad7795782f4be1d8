"""Chromium with ``livekit-client`` at a site behind a poor line, and what a person there notices.

The page keeps its own record: the time and width of every decoded picture, and twice a second
what of the sound had to be made up because it had not come when it was to be played. Its
connection goes through ``tests.support.udp_proxy``: the candidates in the server's descriptions
are replaced by the proxy's address in the page, the same way for every server, and TCP candidates
are left out. The server does not know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from tests.support.poor_lines import Case

WIDTHS: Final = (320, 640, 1280)
"""Of the layers, the smallest first."""
SETTLED_S: Final = 2.0
"""After the first sound: players take that long to learn how unsteady a line is."""
WARM_UP_S: Final = 1.0
"""After the first picture."""

WATCH: Final = """async ([url, token, serverPort, proxyPort]) => {
  const shown = [], heard = [];
  window.record = { shown, heard, states: [] };
  const moved = (text) => text.split('\\r\\n').filter((line) => !/candidate.* tcp /i.test(line))
    .map((line) => line.replace(
      new RegExp(`(candidate:\\\\S+ \\\\d udp \\\\d+) \\\\S+ ${serverPort} `, 'i'),
      `$1 127.0.0.1 ${proxyPort} `)).join('\\r\\n');
  const { setRemoteDescription, addIceCandidate } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    return setRemoteDescription.call(this, { type: description.type, sdp: moved(description.sdp) });
  };
  RTCPeerConnection.prototype.addIceCandidate = function (candidate) {
    const text = candidate?.candidate && moved(candidate.candidate);
    if (candidate?.candidate && !text) return Promise.resolve();
    return addIceCandidate.call(this, candidate && { ...candidate, candidate: text });
  };
  const watch = async (track) => {
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 30 }).readable.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      shown.push([performance.now() / 1000, value.codedWidth]);
      value.close();
    }
  };
  const listen = (track) => {
    setInterval(async () => {
      for (const entry of (await track.getRTCStatsReport())?.values() ?? [])
        if (entry.type === 'inbound-rtp')
          heard.push([performance.now() / 1000, entry.totalSamplesReceived ?? 0,
            entry.concealedSamples ?? 0, entry.jitterBufferDelay ?? 0,
            entry.jitterBufferEmittedCount ?? 0]);
    }, 500);
  };
  window.room = new LivekitClient.Room({ dynacast: false, adaptiveStream: false });
  room.on('trackStreamStateChanged', (_, state) =>
    record.states.push([performance.now() / 1000, state]));
  room.on('trackSubscribed', (track) => {
    if (track.kind === 'video') watch(track.mediaStreamTrack);
    else { track.attach(); listen(track); }
  });
  await room.connect(url, token).catch(() => room.connect(url, token));
}"""
"""Join through the proxy and keep a record."""

RECORD: Final = "() => ({ now: performance.now() / 1000, ...record })"


@dataclass(frozen=True)
class Noticed:
    """What a person at the site noticed."""

    sound_in_time: float
    """Share of the sound played as it was sent, not made up by the player."""
    longest_freeze_s: float
    shown_after_s: float | None
    """Until the best layer had come to stay for a second, since the last change; None: never."""
    changes: int
    frames_per_s: float
    sound_delay_s: float
    """How long the player held sound back, on average."""


def judge(
    record: Mapping[str, Any], case: Case, *, began_s: float, changed_s: float, end_s: float
) -> Noticed:
    """Read a page's record; times are the page's own clock.

    ``began_s``: when joining began. ``changed_s``: the last change of the line, or the same.
    """
    shown = [(float(at_s), int(width)) for at_s, width in record["shown"] if at_s <= end_s]
    heard = [row for row in record["heard"] if row[0] <= end_s]
    first_s = shown[0][0] if shown else end_s
    return Noticed(
        sound_in_time=_share_played(heard),
        longest_freeze_s=_longest_gap_s(shown, min(end_s, first_s + WARM_UP_S), end_s)
        if shown
        else end_s - began_s,
        shown_after_s=_settled_s(shown, WIDTHS[case.best], changed_s),
        changes=sum(one[1] != other[1] for one, other in pairwise(shown)),
        frames_per_s=len(shown) / max(1.0, end_s - first_s),
        sound_delay_s=_delay_s(heard),
    )


def _share_played(heard: Sequence[Sequence[float]]) -> float:
    begin = _first(heard)
    if begin is None:
        return 0.0
    samples, made_up = (heard[-1][at] - begin[at] for at in (1, 2))
    return 1 - made_up / samples if samples else 0.0


def _delay_s(heard: Sequence[Sequence[float]]) -> float:
    begin = _first(heard)
    if begin is None or heard[-1][4] == begin[4]:
        return 0.0
    return (heard[-1][3] - begin[3]) / (heard[-1][4] - begin[4])


def _first(heard: Sequence[Sequence[float]]) -> Sequence[float] | None:
    """The row from which on sound counts."""
    began_s = next((row[0] for row in heard if row[1]), None)
    if began_s is None:
        return None
    return next((row for row in heard if row[0] >= began_s + SETTLED_S), None)


def _longest_gap_s(shown: Sequence[tuple[float, int]], since_s: float, end_s: float) -> float:
    times = [since_s, *(at_s for at_s, _ in shown if at_s > since_s), end_s]
    return max((later - former for former, later in pairwise(times)), default=0.0)


def _settled_s(shown: Sequence[tuple[float, int]], width: int, since_s: float) -> float | None:
    began_s: float | None = None
    for at_s, shown_width in shown:
        if at_s < since_s or shown_width != width:
            began_s = None
        elif began_s is None:
            began_s = at_s
        elif at_s - began_s >= 1.0:
            return began_s - since_s
    return None
