/** What somebody chose in the device check; kept on this machine for the next meeting. */

export interface Choices {
  cameraId: string | null;
  microphoneId: string | null;
  speakerId: string | null;
  isCameraOn: boolean;
  isMicrophoneOn: boolean;
  /** Less than 1 Mbit/s in both directions together. */
  isSaving: boolean;
}

/** Nobody enters a meeting of a hundred halls with an open microphone unless they asked to. */
export const FIRST_CHOICES: Choices = {
  cameraId: null,
  microphoneId: null,
  speakerId: null,
  isCameraOn: true,
  isMicrophoneOn: false,
  isSaving: false,
};

const STORED_AS = "diemcau.devices";

export function readChoices(storage: Pick<Storage, "getItem">): Choices {
  try {
    const stored = JSON.parse(storage.getItem(STORED_AS) ?? "{}") as Record<string, unknown>;
    const id = (value: unknown) => (typeof value === "string" && value ? value : null);
    const flag = (value: unknown, otherwise: boolean) => (typeof value === "boolean" ? value : otherwise);
    return {
      cameraId: id(stored.cameraId),
      microphoneId: id(stored.microphoneId),
      speakerId: id(stored.speakerId),
      isCameraOn: flag(stored.isCameraOn, FIRST_CHOICES.isCameraOn),
      isMicrophoneOn: flag(stored.isMicrophoneOn, FIRST_CHOICES.isMicrophoneOn),
      isSaving: flag(stored.isSaving, FIRST_CHOICES.isSaving),
    };
  } catch {
    return FIRST_CHOICES;
  }
}

/** Private windows may refuse storage; the choice then lasts as long as the page. */
export function keepChoices(storage: Pick<Storage, "setItem">, choices: Choices): void {
  try {
    storage.setItem(STORED_AS, JSON.stringify(choices));
  } catch {
    return;
  }
}
