/** Who has the floor and since when; the chair and the speaker can end it. */
import { conducts } from "../boot";
import { elapsed, minutesOf } from "../conduct/clock";
import { hasFloor, ownPlace } from "../conduct/conduct";
import { useCommand, useConduct, useServerNow } from "../conduct/context";
import { label } from "../conduct/roster";
import { Action } from "../design/controls";
import { HandIcon, SpeakerIcon } from "../design/icons";
import { t } from "../i18n/language";
import { useNotices } from "../notices";

export function SpeakerLine() {
  const conduct = useConduct();
  const nowMs = useServerNow();
  const end = useCommand("floor.end");
  const { speaker } = conduct.floor;
  const place = ownPlace(conduct);
  if (!speaker && place === null && !conducts(conduct.me)) return null;
  const listed = conduct.roster.sites.find((site) => site.identity === speaker?.identity);
  const mayEnd = conducts(conduct.me) || hasFloor(conduct);
  return (
    <section className="speaker-line" aria-label={t("speakerSection")} data-testid="speaker">
      {speaker ? (
        <>
          <SpeakerIcon />
          <p className="speaker-who">
            <span className="speaker-word">{t("speakingWord")}</span>
            <span className="speaker-name">{listed ? label(listed) : speaker.name}</span>
          </p>
          <SpeechTimer sinceMs={Date.parse(speaker.since)} limitS={speaker.limit_s} nowMs={nowMs} />
          {conducts(conduct.me) && <TimeActs />}
          {mayEnd && (
            <Action
              isBusy={end.isBusy}
              isDisabled={conduct.link !== "connected"}
              onPress={() => void end.send({ identity: speaker.identity })}
            >
              {t("endSpeech")}
            </Action>
          )}
        </>
      ) : place === null ? (
        <p className="speaker-nobody">{t("nobodySpeaks")}</p>
      ) : null}
      {place !== null && (
        <p className="speaker-place num">
          <HandIcon size={20} />
          {t("queuedAt", { place })}
        </p>
      )}
    </section>
  );
}

/** Time spoken of the time given, and how long it is over; nothing is cut. */
function SpeechTimer({ sinceMs, limitS, nowMs }: { sinceMs: number; limitS: number; nowMs: number }) {
  const endMs = sinceMs + limitS * 1000;
  const isOver = nowMs >= endMs;
  const isNear = !isOver && endMs - nowMs <= 60_000;
  const share = Math.min(100, Math.max(0, ((nowMs - sinceMs) / (limitS * 10)) | 0));
  return (
    <div className={`speaker-time ${isOver ? "is-over" : isNear ? "is-near" : ""}`}>
      <p className="speaker-timer num" aria-label={t("speakingTime")} role="timer">
        {elapsed(sinceMs, nowMs)}
        <span className="speaker-limit">/{minutesOf(limitS)}</span>
      </p>
      <progress className="speaker-share" max={100} value={share} aria-hidden="true" />
      {isOver && <p className="speaker-over num">{t("overBy", { time: elapsed(endMs, nowMs) })}</p>}
      {isNear && <p className="speaker-over">{t("lastMinute")}</p>}
    </div>
  );
}

/** The chair gives a minute more or reminds the speaker. */
function TimeActs() {
  const { link } = useConduct();
  const extend = useCommand("floor.extend");
  const warn = useCommand("floor.warn");
  const notices = useNotices();
  const isDisabled = link !== "connected";
  return (
    <>
      <Action isBusy={extend.isBusy} isDisabled={isDisabled} onPress={() => void extend.send()}>
        {t("oneMinuteMore")}
      </Action>
      <Action
        isBusy={warn.isBusy}
        isDisabled={isDisabled}
        shortcut="Alt+W"
        onPress={() =>
          void warn.send().then((answer) => answer?.ok && notices.show({ kind: "ok", key: "warned", text: t("wasWarned") }))
        }
      >
        {t("warnSpeaker")}
      </Action>
    </>
  );
}
