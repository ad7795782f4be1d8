/** The line above the pictures: recording, title, item, sites, connection, clock. */
import { conducts, type Admission } from "../boot";
import { elapsed, timeOfDay } from "../conduct/clock";
import { useConduct, useServerNow } from "../conduct/context";
import { AlertIcon, ConnectedIcon, DisconnectedIcon, RecordIcon, SitesIcon } from "../design/icons";
import { t } from "../i18n/language";
import { useMedia } from "../media/context";

export function TopBar({ boot }: { boot: Admission }) {
  const conduct = useConduct();
  const nowMs = useServerNow();
  const items = boot.meeting.agenda;
  const index = items.findIndex((item) => item.id === conduct.agenda.item_id);
  const item = items[index];
  return (
    <header className="top-bar">
      <RecordingLight />
      <div className="top-title">
        <h1>{boot.meeting.title}</h1>
        {item && (
          <p className="top-item">{t("itemOf", { index: index + 1, count: items.length, title: item.title })}</p>
        )}
      </div>
      <p className="top-fact num" title={t("sites")}>
        <SitesIcon size={20} />
        <span>
          {conduct.roster.present_count}/{conduct.roster.invited_count}
          <span className="top-word"> {t("sitesWord")}</span>
        </span>
      </p>
      <ConnectionState />
      <p className="top-clock num">
        <span className="unseen">{t("clock")} </span>
        {timeOfDay(nowMs)}
      </p>
    </header>
  );
}

/** Lit only while bytes are being written; a fault is the chair's to know. */
function RecordingLight() {
  const { me, recording } = useConduct();
  const nowMs = useServerNow();
  switch (recording.state) {
    case "recording":
      return (
        <p className="rec rec-on" data-testid="recording">
          <RecordIcon size={20} />
          <span>{t("isRecording")}</span>
          {recording.since && <span className="num">{elapsed(Date.parse(recording.since), nowMs)}</span>}
        </p>
      );
    case "starting":
    case "stopping":
      return (
        <p className="rec" data-testid="recording">
          <RecordIcon size={20} />
          <span>{t(recording.state === "starting" ? "recordingStarts" : "recordingStops")}</span>
        </p>
      );
    case "interrupted":
    case "failed":
      if (!conducts(me)) return null;
      return (
        <p className="rec rec-fault" data-testid="recording">
          <AlertIcon size={20} />
          <span>{t("notRecording")}</span>
        </p>
      );
    case "off":
      return null;
  }
}

function ConnectionState() {
  const { link } = useConduct();
  const { phase } = useMedia();
  const isFine = phase === "connected" && link === "connected";
  const word =
    phase === "connected"
      ? t(link === "connected" ? "connected" : "conductReconnecting")
      : t(phase === "connecting" || phase === "idle" ? "connecting" : "reconnecting");
  return (
    <p className={`top-fact ${isFine ? "" : "is-weak"}`} data-testid="connection">
      {isFine ? <ConnectedIcon size={20} /> : <DisconnectedIcon size={20} />}
      <span className={isFine ? "top-word" : ""}>{word}</span>
    </p>
  );
}
