/**
 * How the room publishes and receives. VP8 with two simulcast layers, so that a
 * commune on a thin line gets the small one; sound first: echo cancellation on
 * for halls with loudspeakers.
 */
import { AudioPresets, VideoPresets, type AudioCaptureOptions, type RoomOptions } from "livekit-client";
import type { Choices } from "./choices";

/** With sound and headers about 200 kbit/s. */
const SMALL_PICTURE = { maxBitrate: 130_000, maxFramerate: 15 };
/** Wideband speech in Opus; with headers 45 kbit/s, which a line of 64 carries. */
const SPARING_SOUND = { maxBitrate: 16_000 };

export function roomOptions(choices: Choices): RoomOptions {
  return {
    adaptiveStream: true,
    dynacast: true,
    disconnectOnPageLeave: true,
    stopLocalTrackOnUnpublish: true,
    audioCaptureDefaults: microphoneConstraints(choices.microphoneId),
    videoCaptureDefaults: {
      ...(choices.cameraId ? { deviceId: choices.cameraId } : {}),
      resolution: (choices.isSaving ? VideoPresets.h180 : VideoPresets.h720).resolution,
    },
    ...(choices.speakerId ? { audioOutput: { deviceId: choices.speakerId } } : {}),
    publishDefaults: {
      videoCodec: "vp8",
      backupCodec: false,
      simulcast: !choices.isSaving,
      ...(choices.isSaving ? { videoEncoding: SMALL_PICTURE } : {}),
      videoSimulcastLayers: [VideoPresets.h180, VideoPresets.h360],
      audioPreset: choices.isSaving ? SPARING_SOUND : AudioPresets.speech,
      dtx: true,
      red: false,
    },
  };
}

export function microphoneConstraints(deviceId: string | null) {
  return {
    ...(deviceId ? { deviceId } : {}),
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
  } satisfies AudioCaptureOptions & MediaTrackConstraints;
}
