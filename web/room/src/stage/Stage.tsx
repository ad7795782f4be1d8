/** The pictures of the meeting, laid out by `arrange`. */
import { useParticipants, useSpeakingParticipants } from "@livekit/components-react";
import type { Participant } from "livekit-client";
import { useEffect, useMemo, useRef, useState, type RefObject } from "react";
import { useConduct } from "../conduct/context";
import { chairIdentity, isShown, label } from "../conduct/roster";
import { useMediaQuery } from "../design/media-query";
import { SpeakerIcon } from "../design/icons";
import { t } from "../i18n/language";
import { arrange, DESKTOP_LIMIT, gridColumns, PHONE_LIMIT, type Candidate } from "./layout";
import { useSubscriptions } from "./subscriptions";
import { Tile } from "./Tile";

export function Stage({ chairName }: { chairName: string | null }) {
  const conduct = useConduct();
  const isPhone = useMediaQuery("(max-width: 639px)");
  const participants = useParticipants().filter((one) => one.isLocal || isShown(one.identity));
  const names = useNames();
  const chair = chairIdentity(conduct.roster, chairName);
  const seenBefore = useRef<string[]>([]);
  const stage = useRef<HTMLElement>(null);
  const ratio = useRatio(stage);

  const layout = arrange(
    {
      candidates: participants.map(candidate),
      chair,
      speaker: conduct.floor.speaker?.identity ?? null,
      spotlight: conduct.floor.spotlight,
      preset: conduct.floor.preset,
      limit: isPhone ? PHONE_LIMIT : DESKTOP_LIMIT,
    },
    seenBefore.current,
  );
  const seen = layout.others.join(" ");
  useEffect(() => {
    seenBefore.current = seen ? seen.split(" ") : [];
  }, [seen]);

  useSubscriptions(participants, new Set([...layout.others, layout.main?.identity ?? ""]));

  const tile = (identity: string, source: "camera" | "screen", isLarge = false) => {
    const participant = participants.find((one) => one.identity === identity);
    if (!participant) return null;
    return (
      <Tile
        key={`${identity}/${source}`}
        participant={participant}
        source={source}
        name={names(participant, isLarge)}
        isChair={identity === chair}
        hasFloor={identity === conduct.floor.speaker?.identity}
        isLarge={isLarge}
      />
    );
  };

  return (
    <section ref={stage} className={`stage stage-${layout.mode}`} aria-label={t("stage")} data-testid="stage">
      {layout.main && <div className="stage-main">{tile(layout.main.identity, layout.main.source, true)}</div>}
      {layout.others.length > 0 && (
        <div className={`stage-others columns-${gridColumns(layout.others.length, ratio)}`}>
          {layout.others.map((identity) => tile(identity, "camera", layout.mode === "grid"))}
          {layout.unseenCount > 0 && <p className="stage-more">{t("andOthers", { count: layout.unseenCount })}</p>}
        </div>
      )}
      <SpeakingElsewhere names={names} seen={[layout.main?.identity ?? "", ...layout.others]} />
    </section>
  );
}

/** How many times as wide as high an element is. */
function useRatio(element: RefObject<HTMLElement | null>): number {
  const [ratio, setRatio] = useState(16 / 9);
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => {
      const { width = 0, height = 0 } = entry?.contentRect ?? {};
      if (width > 0 && height > 0) setRatio(width / height);
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return ratio;
}

/** Names whoever is heard but not seen; the pictures stay where they are. */
function SpeakingElsewhere(props: { names: (participant: Participant) => string; seen: string[] }) {
  const speaking = useSpeakingParticipants().filter(
    (one) => isShown(one.identity) && !props.seen.includes(one.identity),
  );
  const first = speaking[0];
  if (!first) return null;
  return (
    <p className="stage-heard">
      <SpeakerIcon size={18} />
      {t("speakingNow", { name: props.names(first) })}
    </p>
  );
}

function candidate(participant: Participant): Candidate {
  return {
    identity: participant.identity,
    isLocal: participant.isLocal,
    hasCamera: participant.isCameraEnabled,
    hasScreen: participant.isScreenShareEnabled,
  };
}

/** Names by the roster, short for small pictures; whoever is not on it keeps the name of the token. */
function useNames(): (participant: Participant, isFull?: boolean) => string {
  const { roster, me } = useConduct();
  const listed = useMemo(() => new Map(roster.sites.map((entry) => [entry.identity, entry])), [roster]);
  return (participant, isFull = true) => {
    const entry = listed.get(participant.identity) ?? (participant.isLocal ? me : null);
    if (!entry) return participant.name || participant.identity;
    return isFull ? label(entry) : entry.name;
  };
}
