/** The loudspeaker test: three rising notes made on the spot, so no sound file is needed. */

const NOTES_HZ = [523.25, 659.25, 783.99];
const NOTE_S = 0.28;

/** Plays on the chosen loudspeaker where the browser can choose; resolves when it is over. */
export async function playTone(speakerId: string | null): Promise<void> {
  const context = new AudioContext();
  try {
    const sink = context as AudioContext & { setSinkId?: (id: string) => Promise<void> };
    if (speakerId && sink.setSinkId) await sink.setSinkId(speakerId);
    await context.resume();
    const startS = context.currentTime + 0.05;
    NOTES_HZ.forEach((frequency, index) => note(context, frequency, startS + index * NOTE_S));
    await new Promise((done) => window.setTimeout(done, (NOTES_HZ.length + 1) * NOTE_S * 1000));
  } finally {
    await context.close();
  }
}

function note(context: AudioContext, frequencyHz: number, startS: number): void {
  const oscillator = context.createOscillator();
  const volume = context.createGain();
  oscillator.frequency.value = frequencyHz;
  volume.gain.setValueAtTime(0, startS);
  volume.gain.linearRampToValueAtTime(0.25, startS + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, startS + NOTE_S);
  oscillator.connect(volume).connect(context.destination);
  oscillator.start(startS);
  oscillator.stop(startS + NOTE_S);
}
