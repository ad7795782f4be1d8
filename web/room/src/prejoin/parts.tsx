/** What the device check before a meeting and the line check share: picture, meter, loudspeaker, troubles. */
import { useEffect, useRef, useState } from "react";
import { Action } from "../design/controls";
import { AlertIcon, CameraOffIcon, CheckIcon, SpeakerIcon } from "../design/icons";
import { t } from "../i18n/language";
import { failureKey, type Device, type Failure } from "../media/failures";
import { measure, type Measurement } from "../media/level";
import { playTone } from "../media/tone";
import { DeviceMenu } from "./DeviceMenu";

export function OwnPicture(props: { stream: MediaStream | null; failure: Failure | null; isAsking: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = props.stream;
  }, [props.stream]);
  if (props.stream) return <video ref={video} className="mirrored" autoPlay playsInline muted />;
  return (
    <div className="no-picture">
      <CameraOffIcon size={40} />
      <p>{props.isAsking ? t("askingDevices") : props.failure ? t("noPicture") : t("cameraIsOff")}</p>
    </div>
  );
}

/** Meter position of speech near the microphone, above the noise of a room (−45 dBFS). */
const HEARD_FROM = 0.25;

interface MeterProps {
  stream: MediaStream | null;
  /** Told once for each microphone in which something was heard. */
  onHeard?: () => void;
}

export function MicrophoneMeter({ stream, onHeard }: MeterProps) {
  const [level, setLevel] = useState<Measurement>({ position: 0, isSilent: false });
  const [wasHeard, setHeard] = useState(false);
  const heard = useRef(onHeard);
  heard.current = onHeard;
  useEffect(() => {
    setLevel({ position: 0, isSilent: false });
    setHeard(false);
    if (!stream) return;
    return measure(stream, (measured) => {
      setLevel(measured);
      if (measured.position > HEARD_FROM) setHeard(true);
    });
  }, [stream]);
  useEffect(() => {
    if (wasHeard) heard.current?.();
  }, [wasHeard]);
  if (!stream) return null;
  return (
    <>
      <div
        className="meter"
        role="meter"
        aria-label={t("microphoneLevel")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(level.position * 100)}
      >
        {Array.from({ length: 20 }, (_, index) => (
          <span key={index} className={level.position * 20 > index ? "lit" : ""} />
        ))}
      </div>
      {level.isSilent ? (
        <p className="trouble" role="status">
          <AlertIcon size={20} />
          <span>{t("microphoneSilent")}</span>
        </p>
      ) : (
        <p className={wasHeard ? "fine" : "hint"}>
          {wasHeard && <CheckIcon size={20} />}
          <span>{wasHeard ? t("microphoneWorks") : t("sayAFewWords")}</span>
        </p>
      )}
    </>
  );
}

export function SpeakerTest(props: {
  devices: MediaDeviceInfo[];
  chosen: string | null;
  onChoose: (id: string | null) => void;
  onPlayed?: () => void;
}) {
  const [isPlaying, setPlaying] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  const play = async () => {
    setPlaying(true);
    setFailed(false);
    try {
      await playTone(props.chosen);
      props.onPlayed?.();
    } catch {
      setFailed(true);
    } finally {
      setPlaying(false);
    }
  };
  return (
    <div className="device">
      <p className="device-title">{t("speaker")}</p>
      <div className="device-row">
        {props.devices.length > 0 && (
          <DeviceMenu label={t("speaker")} devices={props.devices} chosen={props.chosen} onChoose={props.onChoose} />
        )}
        <Action icon={SpeakerIcon} isBusy={isPlaying} onPress={() => void play()}>
          {t("testSpeaker")}
        </Action>
      </div>
      {hasFailed && (
        <p className="trouble" role="status">
          <AlertIcon size={20} />
          <span>{t("speakerFailed")}</span>
        </p>
      )}
    </div>
  );
}

export function Trouble(props: { device: Device; failure: Failure | null; onRetry: () => void }) {
  const [isExplained, setExplained] = useState(false);
  if (!props.failure) return null;
  const canBeAllowed = props.failure === "refused" || props.failure === "system";
  return (
    <div className="trouble" role="status">
      <AlertIcon size={20} />
      <div>
        <p>{t(failureKey(props.device, props.failure))}</p>
        {canBeAllowed && isExplained && <p>{t(props.failure === "refused" ? "howToAllow" : "howToAllowSystem")}</p>}
        {props.failure !== "insecure" && (
          <p className="trouble-actions">
            {canBeAllowed && !isExplained && <Action onPress={() => setExplained(true)}>{t("showHow")}</Action>}
            <Action onPress={props.onRetry}>{t("tryAgain")}</Action>
          </p>
        )}
      </div>
    </div>
  );
}
