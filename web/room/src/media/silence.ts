/** Tells somebody whose microphone is open in the room but gives no sound. */
import { useLocalParticipant } from "@livekit/components-react";
import { Track } from "livekit-client";
import { useEffect } from "react";
import { t } from "../i18n/language";
import { useNotices } from "../notices";
import { measure } from "./level";

const NOTICE = "microphone-silent";

export function useSilentMicrophone(): void {
  const { localParticipant, isMicrophoneEnabled } = useLocalParticipant();
  const notices = useNotices();
  useEffect(() => {
    const track = localParticipant.getTrackPublication(Track.Source.Microphone)?.track?.mediaStreamTrack;
    if (!isMicrophoneEnabled || !track) return;
    let wasSilent = false;
    const stop = measure(new MediaStream([track]), ({ isSilent }) => {
      if (isSilent === wasSilent) return;
      wasSilent = isSilent;
      if (isSilent) notices.show({ kind: "error", key: NOTICE, text: t("microphoneSilent") });
      else notices.dismiss(NOTICE);
    });
    return () => {
      stop();
      notices.dismiss(NOTICE);
    };
  }, [isMicrophoneEnabled, localParticipant, notices]);
}
