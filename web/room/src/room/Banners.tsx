/** Lasting messages between the top bar and the pictures: what is broken and what waits. */
import { useAudioPlayback, useRoomContext } from "@livekit/components-react";
import type { ReactNode } from "react";
import { conducts, type Admission } from "../boot";
import { isOpen } from "../conduct/conduct";
import { useCommand, useConduct } from "../conduct/context";
import { Action } from "../design/controls";
import { AlertIcon, DisconnectedIcon, DoorIcon, SpeakerIcon, type Icon } from "../design/icons";
import { t } from "../i18n/language";
import { useMedia } from "../media/context";

export function Banners({ boot }: { boot: Admission }) {
  return (
    <div className="banners">
      <MediaBanner hotline={boot.hotline} />
      <ConductBanner />
      <RecordingAlarm />
      <OpenRoom />
      <SoundBanner />
    </div>
  );
}

function Banner(props: { icon: Icon; tone: "warn" | "danger" | "info"; children: ReactNode; isAlert?: boolean }) {
  const Picture = props.icon;
  return (
    <div className={`banner banner-${props.tone}`} role={props.isAlert ? "alert" : "status"}>
      <Picture />
      {props.children}
    </div>
  );
}

function MediaBanner({ hotline }: { hotline: string | null }) {
  const { phase, attempt, message } = useMedia();
  if (phase === "waiting") {
    return message ? (
      <Banner icon={AlertIcon} tone="info">
        <p>{message}</p>
      </Banner>
    ) : null;
  }
  if (phase !== "reconnecting" && phase !== "retrying") return null;
  return (
    <Banner icon={DisconnectedIcon} tone="warn" isAlert>
      <p>
        {t("mediaReconnecting", { attempt: Math.max(1, attempt) })}
        {phase === "retrying" && hotline && <span className="num"> {t("callHotline", { number: hotline })}</span>}
      </p>
    </Banner>
  );
}

function ConductBanner() {
  const { link } = useConduct();
  if (link !== "lost") return null;
  return (
    <Banner icon={DisconnectedIcon} tone="warn">
      <p>{t("conductLostBanner")}</p>
    </Banner>
  );
}

function RecordingAlarm() {
  const { me, recording } = useConduct();
  const hasFault = recording.state === "interrupted" || recording.state === "failed";
  if (!hasFault || !conducts(me)) return null;
  return (
    <Banner icon={AlertIcon} tone="danger" isAlert>
      <p>
        <strong>{t("notRecording")}</strong> {recording.message}
      </p>
    </Banner>
  );
}

function OpenRoom() {
  const conduct = useConduct();
  const open = useCommand("meeting.open");
  if (!conducts(conduct.me) || isOpen(conduct) || !conduct.hasSnapshot || conduct.departure) return null;
  return (
    <Banner icon={DoorIcon} tone="info">
      <p>{t("roomNotOpen")}</p>
      <Action
        tone="primary"
        isBusy={open.isBusy}
        isDisabled={conduct.link !== "connected"}
        onPress={() => void open.send()}
      >
        {t("openRoom")}
      </Action>
    </Banner>
  );
}

/** Browsers keep quiet until somebody presses something. */
function SoundBanner() {
  const room = useRoomContext();
  const { canPlayAudio, startAudio } = useAudioPlayback(room);
  if (canPlayAudio) return null;
  return (
    <Banner icon={SpeakerIcon} tone="info">
      <Action tone="primary" onPress={() => void startAudio()}>
        {t("pressToHear")}
      </Action>
    </Banner>
  );
}
