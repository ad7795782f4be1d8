"""A page that is nothing but ``livekit-client``, taken from the room app's packages."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).parents[2] / "web/room/node_modules/livekit-client/dist"
NAME = "livekit-client.umd.js"
PAGE = f'<!doctype html><script src="{NAME}"></script><video autoplay muted></video>'

JOIN = """async ([url, token, options]) => {
  const { Room } = LivekitClient;
  window.room = new Room({ singlePeerConnection: options.single ?? true, dynacast: true });
  window.streamStates = [];
  room.on('trackStreamStateChanged', (_, state) => streamStates.push(state));
  room.on('trackSubscribed', (track) => {
    if (track.kind === 'video') track.attach(document.querySelector('video'));
    else track.attach();
  });
  await room.connect(url, token, options.rtc ? { rtcConfig: options.rtc } : {});
  if (options.sound) await room.localParticipant.setMicrophoneEnabled(true);
  if (options.camera)
    await room.localParticipant.setCameraEnabled(true, {
      resolution: { width: 1280, height: 720, frameRate: 30 },
    });
}"""

RECEIVED = """async () => {
  const sum = { frames: 0, width: 0, freezes: 0, frozenS: 0, concealed: 0, samples: 0, silent: 0 };
  for (const person of room.remoteParticipants.values())
    for (const publication of person.trackPublications.values()) {
      const report = await publication.track?.getRTCStatsReport();
      for (const entry of report?.values() ?? []) {
        if (entry.type !== 'inbound-rtp') continue;
        sum.frames += entry.framesDecoded ?? 0;
        sum.width = Math.max(sum.width, entry.frameWidth ?? 0);
        sum.freezes += entry.freezeCount ?? 0;
        sum.frozenS += entry.totalFreezesDuration ?? 0;
        sum.concealed += entry.concealedSamples ?? 0;
        sum.silent += entry.silentConcealedSamples ?? 0;
        sum.samples += entry.totalSamplesReceived ?? 0;
      }
    }
  return sum;
}"""

PATHS = """async () => {
  const paths = [];
  const { publisher, subscriber } = room.engine.pcManager;
  for (const transport of [publisher, subscriber]) {
    const report = await transport?.getStats();
    for (const entry of report?.values() ?? []) {
      if (entry.type !== 'transport' || !entry.selectedCandidatePairId) continue;
      const local = report.get(report.get(entry.selectedCandidatePairId).localCandidateId);
      paths.push([local.candidateType, local.protocol, local.relayProtocol ?? '']);
    }
  }
  return paths;
}"""
"""Kind, protocol and relay protocol of the path of each connection."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Address of the page for the length of the block."""
    (folder / "index.html").write_text(PAGE)
    (folder / NAME).write_bytes((LIBRARY / NAME).read_bytes())

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
