/**
 * This participant's own microphone, camera and screen in the room. Pressing a
 * button asks the browser and then publishes; a locked source says why instead.
 */
import { useLocalParticipant, useRoomContext } from "@livekit/components-react";
import { ParticipantEvent, ScreenSharePresets, type Room } from "livekit-client";
import { useCallback, useEffect, useState } from "react";
import { t } from "../i18n/language";
import { useNotices } from "../notices";
import type { Choices } from "./choices";
import { classify, failureKey, type Device } from "./failures";
import { mayPublish, type Source } from "./permission";

/** What somebody wants switched on; survives a new Room after an interruption. */
export interface Wanted {
  camera: boolean;
  microphone: boolean;
}

export function wantedFrom(choices: Choices): Wanted {
  return { camera: choices.isCameraOn, microphone: choices.isMicrophoneOn };
}

/** How long a press waits for the engine's permission, which follows the chair's call. */
const PERMISSION_LIMIT_MS = 5000;

/** Publishes what is wanted and allowed in a newly connected room. */
export async function publishWanted(
  room: Room,
  wanted: Wanted,
  report: (device: Device, error: unknown) => void,
): Promise<void> {
  const own = room.localParticipant;
  if (wanted.camera && mayPublish(own.permissions, "camera")) {
    await own.setCameraEnabled(true).catch((error: unknown) => report("camera", error));
  }
  if (wanted.microphone && mayPublish(own.permissions, "microphone")) {
    await own.setMicrophoneEnabled(true).catch((error: unknown) => report("microphone", error));
  }
}

export interface OwnSource {
  isOn: boolean;
  isAllowed: boolean;
  isBusy: boolean;
  /** Resolves to whether it is on afterwards. */
  set: (isOn: boolean) => Promise<boolean>;
}

export interface OwnDevices {
  microphone: OwnSource;
  camera: OwnSource;
  screen: OwnSource;
}

export function useOwnDevices(wanted: Wanted): OwnDevices {
  const room = useRoomContext();
  const { localParticipant, isMicrophoneEnabled, isCameraEnabled, isScreenShareEnabled } = useLocalParticipant();
  const permission = usePermission();
  const [busy, setBusy] = useState<Source | null>(null);
  const report = useDeviceReport();

  const switchTo = useCallback(
    async (source: Source, device: Device, isOn: boolean): Promise<boolean> => {
      if (source !== "screen") wanted[source] = isOn;
      setBusy(source);
      try {
        if (isOn && !(await permitted(room, source))) return false;
        await publish(room, source, isOn);
        return isOn;
      } catch (error) {
        report(device, error);
        return false;
      } finally {
        setBusy(null);
      }
    },
    [report, room, wanted],
  );

  const mayspeak = mayPublish(permission, "microphone");
  useEffect(() => {
    // The lock is the server's; closing the device too puts its light out.
    if (!mayspeak && localParticipant.isMicrophoneEnabled) void localParticipant.setMicrophoneEnabled(false);
    if (!mayspeak) wanted.microphone = false;
  }, [mayspeak, localParticipant, wanted]);

  const source = (name: Source, device: Device, isOn: boolean): OwnSource => ({
    isOn,
    isAllowed: mayPublish(permission, name),
    isBusy: busy === name,
    set: (next) => switchTo(name, device, next),
  });
  return {
    microphone: source("microphone", "microphone", isMicrophoneEnabled && mayspeak),
    camera: source("camera", "camera", isCameraEnabled),
    screen: source("screen", "screen", isScreenShareEnabled),
  };
}

async function publish(room: Room, source: Source, isOn: boolean): Promise<void> {
  const own = room.localParticipant;
  if (source === "microphone") await own.setMicrophoneEnabled(isOn);
  else if (source === "camera") await own.setCameraEnabled(isOn);
  else {
    await own.setScreenShareEnabled(isOn, {
      audio: true,
      contentHint: "detail",
      resolution: ScreenSharePresets.h1080fps15.resolution,
      selfBrowserSurface: "exclude",
    });
  }
}

/** Waits until the engine allows `source`; false when it does not within the limit. */
function permitted(room: Room, source: Source): Promise<boolean> {
  const own = room.localParticipant;
  if (mayPublish(own.permissions, source)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const finish = (isAllowed: boolean) => {
      window.clearTimeout(timer);
      own.off(ParticipantEvent.ParticipantPermissionsChanged, check);
      resolve(isAllowed);
    };
    const check = () => {
      if (mayPublish(own.permissions, source)) finish(true);
    };
    const timer = window.setTimeout(() => finish(false), PERMISSION_LIMIT_MS);
    own.on(ParticipantEvent.ParticipantPermissionsChanged, check);
  });
}

/** The engine's permission, read again whenever it changes. */
function usePermission() {
  const { localParticipant } = useLocalParticipant();
  const [permission, setPermission] = useState(localParticipant.permissions);
  useEffect(() => {
    const read = () => setPermission(localParticipant.permissions);
    read();
    localParticipant.on(ParticipantEvent.ParticipantPermissionsChanged, read);
    return () => {
      localParticipant.off(ParticipantEvent.ParticipantPermissionsChanged, read);
    };
  }, [localParticipant]);
  return permission;
}

/** Says in words why a device could not be opened. */
export function useDeviceReport(): (device: Device, error: unknown) => void {
  const notices = useNotices();
  return useCallback(
    (device, error) => {
      const failure = classify(error, window.isSecureContext);
      // Closing the browser's own picker is a choice, not a failure.
      if (device === "screen" && failure === "refused") return;
      notices.show({ kind: "error", key: `device-${device}`, text: t(failureKey(device, failure)) });
    },
    [notices],
  );
}
