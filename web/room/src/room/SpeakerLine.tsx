/** Who has the floor and since when; the chair and the speaker can end it. */
import { conducts } from "../boot";
import { elapsed } from "../conduct/clock";
import { hasFloor, ownPlace } from "../conduct/conduct";
import { useCommand, useConduct, useServerNow } from "../conduct/context";
import { label } from "../conduct/roster";
import { Action } from "../design/controls";
import { HandIcon, SpeakerIcon } from "../design/icons";
import { t } from "../i18n/language";

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
          <p className="speaker-timer num" aria-label={t("speakingTime")} role="timer">
            {elapsed(Date.parse(speaker.since), nowMs)}
          </p>
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
