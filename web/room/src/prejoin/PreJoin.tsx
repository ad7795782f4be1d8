/**
 * “Kiểm tra thiết bị”: own picture, microphone level, devices, loudspeaker test.
 * Nothing here keeps anybody out: joining is always possible, with whatever works.
 */
import { useState } from "react";
import type { Admission } from "../boot";
import { spanOf } from "../conduct/clock";
import { label } from "../conduct/roster";
import { Action } from "../design/controls";
import { InfoIcon } from "../design/icons";
import { t } from "../i18n/language";
import { keepChoices, readChoices, type Choices } from "../media/choices";
import { useDeviceLists } from "../media/devices";
import { usePreview } from "../media/preview";
import { DeviceMenu } from "./DeviceMenu";
import { MicrophoneMeter, OwnPicture, SpeakerTest, Trouble } from "./parts";

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
