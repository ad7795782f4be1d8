// What the conformance tests ask of livekit-client in a page; see chromium.py.
const { Room, RoomEvent, Track } = LivekitClient;
let room;
const events = [];
const said = [];          // data packets: sender and text
const frames = {};        // per publisher: count, longest pause in ms, sizes with their time

function remotePublications(identity) {
  const person = room.remoteParticipants.get(identity);
  return person ? [...person.trackPublications.values()] : [];
}

async function inbound(identity, kind) {
  for (const publication of remotePublications(identity)) {
    if (publication.kind !== kind || !publication.track) continue;
    const report = await publication.track.getRTCStatsReport();
    for (const entry of report?.values() ?? []) if (entry.type === 'inbound-rtp') return entry;
  }
  return null;
}

// Counts what is really shown, frame by frame, with the pauses between.
function watch(track, identity) {
  const element = document.createElement('video');
  element.muted = true;
  element.autoplay = true;
  document.body.append(element);
  track.attach(element);
  const seen = { count: 0, last: 0, longest: 0, sizes: [] };
  frames[identity] = seen;
  const step = (now, data) => {
    if (seen.last) seen.longest = Math.max(seen.longest, now - seen.last);
    seen.last = now;
    seen.count += 1;
    if (seen.sizes.at(-1)?.width !== data.width)
      seen.sizes.push({ width: data.width, at: now });
    element.requestVideoFrameCallback(step);
  };
  element.requestVideoFrameCallback(step);
}

const probe = {
  async join(url, token, options = {}) {
    const { connect, words, ...roomOptions } = options;
    if (words) {
      const keyProvider = new LivekitClient.ExternalE2EEKeyProvider();
      await keyProvider.setKey(words);
      const worker = new Worker('livekit-client.e2ee.worker.js');
      roomOptions.encryption = { keyProvider, worker };
    }
    room = new Room({ singlePeerConnection: true, dynacast: true, ...roomOptions });
    if (words) await room.setE2EEEnabled(true);
    room.on(RoomEvent.DataReceived, (payload, person) =>
      said.push([person?.identity ?? '', new TextDecoder().decode(payload)]));
    for (const name of Object.values(RoomEvent))
      room.on(name, (...given) => events.push([name, describe(given)]));
    room.on(RoomEvent.TrackSubscribed, (track, _publication, person) => {
      if (track.kind === 'video') watch(track, person.identity);
      else track.attach();
    });
    await room.connect(url, token, connect ?? {});
    return room.localParticipant.sid;
  },
  async leave() { await room.disconnect(); },
  state: () => room.state,
  sid: () => room.localParticipant.sid,
  events: (name) => events.filter((entry) => entry[0] === name).map((entry) => entry[1]),
  others: () => [...room.remoteParticipants.keys()],
  tracksOf: (identity) => remotePublications(identity).map((publication) => ({
    sid: publication.trackSid, kind: publication.kind, source: publication.source,
    muted: publication.isMuted, subscribed: publication.isSubscribed,
    features: publication.audioTrack ? publication.trackInfo?.audioFeatures ?? [] : [],
  })),
  async camera(width = 1280, height = 720) {
    const publication = await room.localParticipant.setCameraEnabled(true, {
      resolution: { width, height, frameRate: 30 },
    });
    return publication.trackSid;
  },
  async microphone(on = true) {
    const publication = await room.localParticipant.setMicrophoneEnabled(on);
    return publication?.trackSid ?? '';
  },
  async unpublish(source) {
    const publication = room.localParticipant.getTrackPublication(source);
    await room.localParticipant.unpublishTrack(publication.track);
  },
  ownTracks: () => [...room.localParticipant.trackPublications.values()].map((p) => p.trackSid),
  quality: (identity, quality) => {
    for (const publication of remotePublications(identity))
      if (publication.kind === 'video') publication.setVideoQuality(quality);
    return performance.now();
  },
  dimensions: (identity, width, height) => {
    for (const publication of remotePublications(identity))
      if (publication.kind === 'video') publication.setVideoDimensions({ width, height });
  },
  enabled: (identity, enabled) => {
    for (const publication of remotePublications(identity))
      if (publication.kind === 'video') publication.setEnabled(enabled);
  },
  subscribed: (identity, wanted) => {
    for (const publication of remotePublications(identity)) publication.setSubscribed(wanted);
  },
  permit: (all, list) => room.localParticipant.setTrackSubscriptionPermissions(all, list),
  frames: (identity) => frames[identity] ?? { count: 0, last: 0, longest: 0, sizes: [] },
  resetPauses: (identity) => { if (frames[identity]) frames[identity].longest = 0; },
  async received(identity, kind = 'video') {
    const entry = await inbound(identity, kind);
    return entry && {
      frames: entry.framesDecoded ?? 0, width: entry.frameWidth ?? 0,
      freezes: entry.freezeCount ?? 0, packets: entry.packetsReceived ?? 0,
      energy: entry.totalAudioEnergy ?? 0,
    };
  },
  async sending() {
    const layers = {};
    for (const publication of room.localParticipant.videoTrackPublications.values())
      for (const entry of (await publication.track.sender.getStats()).values())
        if (entry.type === 'outbound-rtp')
          layers[entry.rid ?? ''] = { active: entry.active, frames: entry.framesSent ?? 0 };
    return layers;
  },
  async say(text, options = { reliable: true }) {
    await room.localParticipant.publishData(new TextEncoder().encode(text), options);
  },
  said: () => said,
  simulate: (name, argument) => room.simulateScenario(name, argument),
  async metadata(text) { await room.localParticipant.setMetadata(text); },
  // Pictures from a canvas: a browser without a camera can publish them.
  async canvas(width = 640, height = 360) {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    const pen = canvas.getContext('2d');
    let turn = 0;
    setInterval(() => {
      pen.fillStyle = `hsl(${(turn += 7) % 360} 80% 50%)`;
      pen.fillRect(0, 0, width, height);
    }, 40);
    const [track] = canvas.captureStream(25).getVideoTracks();
    const publication = await room.localParticipant.publishTrack(track, { name: 'canvas' });
    return publication.trackSid;
  },
};

function describe(given) {
  return given.map((value) => {
    if (value === null || typeof value !== 'object') return value ?? null;
    return value.identity ?? value.trackSid ?? value.sid ?? value.constructor.name;
  });
}
window.probe = probe;
