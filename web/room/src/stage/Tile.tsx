/** One picture with its name; without a picture, the name alone. */
import { useConnectionQualityIndicator, useIsSpeaking, VideoTrack } from "@livekit/components-react";
import { ConnectionQuality, Track, type Participant } from "livekit-client";
import { CameraOffIcon, DisconnectedIcon, MicrophoneIcon, MicrophoneOffIcon, ScreenIcon } from "../design/icons";
import { t } from "../i18n/language";
import { useIsHeldBack } from "./held-back";

interface Props {
  participant: Participant;
  source: "camera" | "screen";
  name: string;
  isChair: boolean;
  hasFloor: boolean;
  isLarge?: boolean;
}

const SOURCES = { camera: Track.Source.Camera, screen: Track.Source.ScreenShare };

export function Tile({ participant, source, name, isChair, hasFloor, isLarge }: Props) {
  const isSpeaking = useIsSpeaking(participant);
  const { quality } = useConnectionQualityIndicator({ participant });
  const publication = participant.getTrackPublication(SOURCES[source]);
  const isHeldBack = useIsHeldBack(participant, publication);
  const isOwnScreen = participant.isLocal && source === "screen";
  const hasPicture = Boolean(publication?.track) && !publication?.isMuted && !isOwnScreen;
  const isWeak = quality === ConnectionQuality.Poor || quality === ConnectionQuality.Lost;
  const marks = [
    ...(isChair ? [t("chairMark")] : []),
    ...(participant.isLocal && source === "camera" ? [t("you")] : []),
  ];
  const classes = ["tile", `tile-${source}`, isLarge ? "tile-large" : "", isSpeaking ? "is-speaking" : ""];
  return (
    <figure
      className={classes.join(" ")}
      data-testid="tile"
      data-identity={participant.identity}
      data-source={source}
      data-speaking={isSpeaking || undefined}
    >
      {hasPicture && publication ? (
        <>
          <VideoTrack
            trackRef={{ participant, publication, source: SOURCES[source] }}
            className={participant.isLocal && source === "camera" ? "mirrored" : ""}
            aria-hidden="true"
          />
          {isHeldBack && (
            <div className="no-picture held-back">
              <DisconnectedIcon size={isLarge ? 48 : 28} />
              <p>{t("heldBack")}</p>
            </div>
          )}
        </>
      ) : (
        <div className="no-picture">
          {isOwnScreen ? <ScreenIcon size={isLarge ? 48 : 28} /> : <CameraOffIcon size={isLarge ? 48 : 28} />}
          {(isOwnScreen || isLarge) && <p>{isOwnScreen ? t("youArePresenting") : t("noPicture")}</p>}
        </div>
      )}
      <figcaption className="tile-label">
        {source === "camera" && <MicrophoneState isOn={participant.isMicrophoneEnabled} isSpeaking={isSpeaking} />}
        <span className="tile-words">
          <span className="tile-name">{source === "screen" ? t("screenOf", { name }) : name}</span>
          {marks.length > 0 && <span className="tile-mark">{marks.join(" · ")}</span>}
          {hasFloor && source === "camera" && <span className="tile-mark mark-floor">{t("hasFloor")}</span>}
        </span>
        {isWeak && (
          <span className="tile-mark mark-weak">
            <DisconnectedIcon size={16} />
            {t("weakNetwork")}
          </span>
        )}
      </figcaption>
    </figure>
  );
}

function MicrophoneState({ isOn, isSpeaking }: { isOn: boolean; isSpeaking: boolean }) {
  return (
    <span className={`tile-mic ${isOn ? "mic-on" : ""}`}>
      {isOn ? <MicrophoneIcon size={18} /> : <MicrophoneOffIcon size={18} />}
      <span className="unseen">{t(isSpeaking ? "isSpeaking" : isOn ? "microphoneOn" : "microphoneOff")}</span>
    </span>
  );
}
