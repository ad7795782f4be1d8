/** Tells screen readers what changed; the important things at once, totals at most every 30 s. */
import { useEffect, useRef } from "react";
import { ownPlace } from "../conduct/conduct";
import { useConduct } from "../conduct/context";
import { label } from "../conduct/roster";
import { t } from "../i18n/language";
import { useMedia } from "../media/context";
import { useNotices } from "../notices";

const TOTALS_EVERY_MS = 30_000;

/** Calls `told` with each new value, not with the first. */
function useChange<T>(value: T, told: (now: T, before: T) => void): void {
  const before = useRef(value);
  const tell = useRef(told);
  tell.current = told;
  useEffect(() => {
    if (Object.is(before.current, value)) return;
    const last = before.current;
    before.current = value;
    tell.current(value, last);
  }, [value]);
}

export function useAnnouncements(): void {
  const conduct = useConduct();
  const { phase } = useMedia();
  const { announce, show } = useNotices();

  useChange(conduct.muteCount, () => show({ kind: "info", key: "muted", text: t("mutedByChair") }));
  useChange(conduct.warnCount, () => show({ kind: "info", key: "warned", text: t("warnedByChair") }));
  useChange(conduct.vote?.id ?? null, (id) => {
    if (id !== null && conduct.vote) announce(t("voteOpened", { question: conduct.vote.question }), "assertive");
  });
  useChange(conduct.vote?.published_at ?? null, (at) => {
    if (at) announce(t("votePublished"));
  });
  useChange(conduct.link, (link) => {
    if (link === "lost") announce(t("conductLostBanner"), "assertive");
    if (link === "connected") announce(t("conductBack"));
  });
  useChange(phase, (now, before) => {
    if (now === "connected" && before !== "connecting") announce(t("mediaBack"), "assertive");
  });
  useChange(conduct.recording.state, (state, before) => {
    if (state === "recording") announce(t("recordingStarted"));
    else if (before === "recording") announce(t("recordingEnded"));
  });
  useChange(ownPlace(conduct), (place) => {
    if (place !== null) announce(t("queuedAt", { place }));
  });
  const listed = conduct.roster.sites.find((site) => site.identity === conduct.floor.speaker?.identity);
  const speaker = conduct.floor.speaker;
  const speakerName = speaker ? (listed ? label(listed) : speaker.name) : null;
  useChange(speaker?.identity ?? null, () => {
    if (speakerName) announce(t("speakingNow", { name: speakerName }));
  });
  useTotals(conduct.roster.present_count, conduct.roster.invited_count, announce);
}

function useTotals(present: number, invited: number, announce: (text: string) => void): void {
  const told = useRef({ present, atMs: 0 });
  useEffect(() => {
    if (told.current.present === present) return;
    const waitMs = Math.max(0, told.current.atMs + TOTALS_EVERY_MS - Date.now());
    const timer = window.setTimeout(() => {
      told.current = { present, atMs: Date.now() };
      announce(t("presentOf", { present, invited }));
    }, waitMs);
    return () => window.clearTimeout(timer);
  }, [present, invited, announce]);
}
