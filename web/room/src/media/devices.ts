/** Which cameras, microphones and loudspeakers this machine has. */
import { useEffect, useState } from "react";

export interface DeviceLists {
  cameras: MediaDeviceInfo[];
  microphones: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

const NONE: DeviceLists = { cameras: [], microphones: [], speakers: [] };

/** Devices with a usable id; before permission is given browsers list nameless ones. */
export function sorted(devices: MediaDeviceInfo[]): DeviceLists {
  const of = (kind: MediaDeviceKind) => devices.filter((one) => one.kind === kind && one.deviceId);
  return { cameras: of("videoinput"), microphones: of("audioinput"), speakers: of("audiooutput") };
}

/** The device that took the place of `lostId`, or null when it is still there. */
export function replacement(
  lostId: string | null,
  before: MediaDeviceInfo[],
  after: MediaDeviceInfo[],
): { lost: MediaDeviceInfo; next: MediaDeviceInfo | null } | null {
  const lost = before.find((one) => one.deviceId === lostId);
  if (!lost || after.some((one) => one.deviceId === lostId)) return null;
  return { lost, next: after[0] ?? null };
}

/** The lists, read again when `refreshKey` changes and whenever something is plugged in or out. */
export function useDeviceLists(refreshKey: unknown): DeviceLists {
  const [lists, setLists] = useState<DeviceLists>(NONE);
  useEffect(() => {
    const media = navigator.mediaDevices as MediaDevices | undefined;
    if (!media?.enumerateDevices) return;
    let isCurrent = true;
    const read = async () => {
      const found = sorted(await media.enumerateDevices().catch(() => []));
      if (isCurrent) setLists(found);
    };
    void read();
    media.addEventListener("devicechange", read);
    return () => {
      isCurrent = false;
      media.removeEventListener("devicechange", read);
    };
  }, [refreshKey]);
  return lists;
}
