/**
 * Why a microphone, camera or screen could not be opened. Browsers say it in
 * `DOMException.name` (Media Capture and Streams §10.2) and Chromium adds the
 * operating system's refusal in the message only.
 */
import type { Key } from "../i18n/language";

export type Device = "microphone" | "camera" | "screen";

export type Failure = "refused" | "system" | "missing" | "busy" | "insecure" | "unknown";

export function classify(error: unknown, isSecure: boolean): Failure {
  if (!isSecure) return "insecure";
  const name = (error as { name?: string } | null)?.name ?? "";
  const message = (error as { message?: string } | null)?.message ?? "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
    case "PermissionDeniedError":
      return /system/i.test(message) ? "system" : "refused";
    case "NotFoundError":
    case "DevicesNotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "TrackStartError":
    case "AbortError":
      return "busy";
    default:
      return "unknown";
  }
}

/** The sentence of §“Device failures” for this device. */
export function failureKey(device: Device, failure: Failure): Key {
  if (failure === "insecure") return "needsHttps";
  if (device === "screen") return "screenFailed";
  return device === "microphone" ? MICROPHONE[failure] : CAMERA[failure];
}

const MICROPHONE: Record<Exclude<Failure, "insecure">, Key> = {
  refused: "microphoneRefused",
  system: "microphoneSystem",
  missing: "microphoneMissing",
  busy: "microphoneBusy",
  unknown: "microphoneFailed",
};

const CAMERA: Record<Exclude<Failure, "insecure">, Key> = {
  refused: "cameraRefused",
  system: "cameraSystem",
  missing: "cameraMissing",
  busy: "cameraBusy",
  unknown: "cameraFailed",
};
