/** One stay in a meeting: opens both channels and decides which screen is shown. */
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { conducts, type Admission } from "./boot";
import { ConductChannel } from "./conduct/channel";
import { ChannelProvider } from "./conduct/context";
import { isOpen, type Conduct } from "./conduct/conduct";
import type { Choices } from "./media/choices";
import { SessionProvider } from "./media/context";
import { publishWanted, useDeviceReport, wantedFrom } from "./media/own";
import { MediaSession, type MediaState } from "./media/session";
import { Lobby } from "./prejoin/Lobby";
import type { Ending } from "./prejoin/Outside";
import { RoomScreen } from "./room/RoomScreen";

/** Without an answer from the conduct channel the token's answer decides about entering. */
const SNAPSHOT_PATIENCE_MS = 3000;

interface Props {
  boot: Admission;
  choices: Choices;
  onOver: (ending: Ending, message: string) => void;
}

export function Meeting({ boot, choices, onOver }: Props) {
  const report = useDeviceReport();
  const over = useRef(onOver);
  over.current = onOver;
  const [wanted] = useState(() => wantedFrom(choices));
  const [channel] = useState(() => new ConductChannel(boot));
  const [session] = useState(
    () =>
      new MediaSession(boot.token_url, boot.me.identity, choices, (room) => void publishWanted(room, wanted, report)),
  );
  const conduct = useSyncExternalStore(channel.subscribe, channel.read);
  const media = useSyncExternalStore(session.subscribe, session.read);

  useEffect(() => {
    channel.open();
    const timer = window.setTimeout(() => {
      if (!channel.read().hasSnapshot) session.start();
    }, SNAPSHOT_PATIENCE_MS);
    return () => {
      window.clearTimeout(timer);
      channel.close();
      session.stop();
    };
  }, [channel, session]);

  const mayEnter = conduct.hasSnapshot && (isOpen(conduct) || conducts(conduct.me));
  useEffect(() => {
    if (mayEnter) session.start();
  }, [mayEnter, session]);

  const [ending, message] = endingOf(conduct, media);
  useEffect(() => {
    if (ending) over.current(ending, message);
  }, [ending, message]);

  if (ending) return null;
  const isInside = media.phase !== "idle" && media.phase !== "waiting";
  if (!isInside && !conducts(conduct.me)) {
    return <Lobby boot={boot} message={media.message} onLeave={() => over.current("left", "")} />;
  }
  return (
    <ChannelProvider value={channel}>
      <SessionProvider value={session}>
        <RoomScreen boot={boot} wanted={wanted} onLeave={() => over.current("left", "")} />
      </SessionProvider>
    </ChannelProvider>
  );
}

/** Why the stay is over, if it is. The meeting's own end outweighs what the media node said of it. */
function endingOf(conduct: Conduct, media: MediaState): [Ending | null, string] {
  if (conduct.departure) return [conduct.departure, ""];
  if (media.phase === "over" && media.ending) return [media.ending, media.message];
  if (conduct.link === "refused" && media.phase !== "connected") {
    return ["refused", conduct.refusal?.message ?? ""];
  }
  return [null, ""];
}
