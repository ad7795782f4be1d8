/**
 * “Kiểm tra thiết bị”: own picture, microphone level, devices, loudspeaker test.
 * Nothing here keeps anybody out: joining is always possible, with whatever works.
 */
import { useEffect, useRef, useState } from "react";
import type { Admission } from "../boot";
import { spanOf } from "../conduct/clock";
import { label } from "../conduct/roster";
import { Action } from "../design/controls";
import { AlertIcon, CameraOffIcon, CheckIcon, InfoIcon, SpeakerIcon } from "../design/icons";
import { t } from "../i18n/language";
import { keepChoices, readChoices, type Choices } from "../media/choices";
import { useDeviceLists } from "../media/devices";
import { failureKey, type Device, type Failure } from "../media/failures";
import { measure, type Measurement } from "../media/level";
import { usePreview } from "../media/preview";
import { playTone } from "../media/tone";
import { DeviceMenu } from "./DeviceMenu";

interface Props {
  boot: Admission;
  onJoin: (choices: Choices) => void;
}

export function PreJoin({ boot, onJoin }: Props) {
  const [choices, setChoices] = useState<Choices>(() => readChoices(window.localStorage));
  const change = (part: Partial<Choices>) => setChoices((before) => ({ ...before, ...part }));
  const preview = usePreview({
    cameraId: choices.cameraId,
    microphoneId: choices.microphoneId,
    wantsCamera: choices.isCameraOn,
  });
  const lists = useDeviceLists(preview);

  const join = (joined: Choices) => {
    keepChoices(window.localStorage, choices);
    onJoin(joined);
  };

  return (
    <main className="prejoin">
      <header className="prejoin-head">
        <p className="prejoin-step">{t("deviceCheck")}</p>
        <h1>{boot.meeting.title}</h1>
        <p className="prejoin-facts">
          <span className="num">{spanOf(boot.meeting.starts_at, boot.meeting.ends_at)}</span>
          {boot.meeting.chair && <span>{t("chairedBy", { name: boot.meeting.chair })}</span>}
        </p>
      </header>

      <section className="prejoin-picture" aria-label={t("ownPicture")}>
        <OwnPicture stream={preview.camera} failure={preview.cameraFailure} isAsking={preview.isAsking} />
        <p className="prejoin-name">{label(boot.me)}</p>
      </section>

      <section className="prejoin-devices" aria-label={t("devices")}>
        <div className="device">
          <label className="switch">
            <input
              type="checkbox"
              checked={choices.isCameraOn}
              onChange={(event) => change({ isCameraOn: event.target.checked })}
            />
            <span>{t("joinWithCamera")}</span>
          </label>
          <DeviceMenu
            label={t("camera")}
            devices={lists.cameras}
            chosen={choices.cameraId}
            onChoose={(cameraId) => change({ cameraId })}
          />
          <Trouble device="camera" failure={preview.cameraFailure} onRetry={preview.again} />
        </div>

        <div className="device">
          <label className="switch">
            <input
              type="checkbox"
              checked={choices.isMicrophoneOn}
              onChange={(event) => change({ isMicrophoneOn: event.target.checked })}
            />
            <span>{t("joinWithMicrophone")}</span>
          </label>
          <DeviceMenu
            label={t("microphone")}
            devices={lists.microphones}
            chosen={choices.microphoneId}
            onChoose={(microphoneId) => change({ microphoneId })}
          />
          <MicrophoneMeter stream={preview.microphone} />
          <Trouble device="microphone" failure={preview.microphoneFailure} onRetry={preview.again} />
        </div>

        <SpeakerTest
          devices={lists.speakers}
          chosen={choices.speakerId}
          onChoose={(speakerId) => change({ speakerId })}
        />

        <div className="device">
          <label className="switch">
            <input
              type="checkbox"
              checked={choices.isSaving}
              aria-describedby="saving-hint"
              onChange={(event) => change({ isSaving: event.target.checked })}
            />
            <span>{t("saveBandwidth")}</span>
          </label>
          <p id="saving-hint" className="device-hint">
            {t("saveBandwidthHint")}
          </p>
        </div>
      </section>

      <footer className="prejoin-join">
        <p className="caution">
          <InfoIcon />
          <span>{t("recordingCaution")}</span>
        </p>
        <div className="prejoin-buttons">
          <Action tone="primary" className="button-large" onPress={() => join(choices)}>
            {t("joinMeeting")}
          </Action>
          <Action
            className="button-large"
            onPress={() => join({ ...choices, isCameraOn: false, isMicrophoneOn: false })}
          >
            {t("joinListening")}
          </Action>
        </div>
        {boot.hotline && <p className="hotline num">{t("helpLine", { number: boot.hotline })}</p>}
      </footer>
    </main>
  );
}

function OwnPicture(props: { stream: MediaStream | null; failure: Failure | null; isAsking: boolean }) {
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

function MicrophoneMeter({ stream }: { stream: MediaStream | null }) {
  const [level, setLevel] = useState<Measurement>({ position: 0, isSilent: false });
  const [wasHeard, setHeard] = useState(false);
  useEffect(() => {
    setLevel({ position: 0, isSilent: false });
    setHeard(false);
    if (!stream) return;
    return measure(stream, (measured) => {
      setLevel(measured);
      if (measured.position > 0.25) setHeard(true);
    });
  }, [stream]);
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

function SpeakerTest(props: {
  devices: MediaDeviceInfo[];
  chosen: string | null;
  onChoose: (id: string | null) => void;
}) {
  const [isPlaying, setPlaying] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  const play = async () => {
    setPlaying(true);
    setFailed(false);
    try {
      await playTone(props.chosen);
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

function Trouble(props: { device: Device; failure: Failure | null; onRetry: () => void }) {
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
