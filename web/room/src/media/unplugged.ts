/** Says when a device in use was pulled out and which one took its place. */
import { useRoomContext } from "@livekit/components-react";
import { useEffect, useRef } from "react";
import { t } from "../i18n/language";
import { useNotices } from "../notices";
import { replacement, useDeviceLists } from "./devices";

const KINDS = { microphones: "audioinput", cameras: "videoinput", speakers: "audiooutput" } as const;

export function useUnplugged(): void {
  const room = useRoomContext();
  const notices = useNotices();
  const lists = useDeviceLists(room);
  const before = useRef(lists);
  const active = useRef<Record<string, string | undefined>>({});
  useEffect(() => {
    for (const name of ["microphones", "cameras", "speakers"] as const) {
      const gone = replacement(active.current[name] ?? null, before.current[name], lists[name]);
      if (gone) {
        const text = gone.next
          ? t("deviceReplaced", { lost: gone.lost.label, next: gone.next.label })
          : t("deviceUnplugged", { lost: gone.lost.label });
        notices.show({ kind: "info", key: `unplugged-${name}`, text });
        if (gone.next) void room.switchActiveDevice(KINDS[name], gone.next.deviceId).catch(() => undefined);
      }
      active.current[name] = room.getActiveDevice(KINDS[name]);
    }
    before.current = lists;
  }, [lists, notices, room]);
}
