/**
 * How loud a microphone is. The measuring is WebAudio's; what counts as silence
 * is decided here, on plain numbers.
 */

/** Below this root mean square (full scale = 1) a microphone gives nothing but its own noise floor. */
export const SILENCE_RMS = 0.0008;
/** So long may an open microphone be silent before somebody is told. */
export const SILENT_AFTER_MS = 8000;

/** Root mean square of one block of samples in −1…1. */
export function rootMeanSquare(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}

/** Where on the meter (0…1) a level stands: −60 dBFS is empty, 0 dBFS is full. */
export function meterPosition(rms: number): number {
  if (rms <= 0) return 0;
  const decibel = 20 * Math.log10(rms);
  return Math.min(1, Math.max(0, (decibel + 60) / 60));
}

/** Tells when an open microphone has been silent for too long. */
export class SilenceWatch {
  private heardAtMs: number;

  constructor(startedAtMs: number) {
    this.heardAtMs = startedAtMs;
  }

  /** True when nothing above the noise floor was heard for SILENT_AFTER_MS. */
  isSilent(rms: number, nowMs: number): boolean {
    if (rms > SILENCE_RMS) this.heardAtMs = nowMs;
    return nowMs - this.heardAtMs >= SILENT_AFTER_MS;
  }
}

export interface Measurement {
  /** Meter position 0…1. */
  position: number;
  isSilent: boolean;
}

/** Measures `stream` about 15 times a second until the returned function is called. */
export function measure(stream: MediaStream, report: (measurement: Measurement) => void): () => void {
  const context = new AudioContext();
  const source = context.createMediaStreamSource(stream);
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let watch: SilenceWatch | null = null;
  // Some browsers hold the context back until the first press.
  const resume = () => void context.resume();
  document.addEventListener("pointerdown", resume);
  document.addEventListener("keydown", resume);
  const timer = window.setInterval(() => {
    if (context.state !== "running") return;
    watch ??= new SilenceWatch(performance.now());
    analyser.getFloatTimeDomainData(samples);
    const rms = rootMeanSquare(samples);
    report({ position: meterPosition(rms), isSilent: watch.isSilent(rms, performance.now()) });
  }, 66);
  return () => {
    window.clearInterval(timer);
    document.removeEventListener("pointerdown", resume);
    document.removeEventListener("keydown", resume);
    void context.close();
  };
}
