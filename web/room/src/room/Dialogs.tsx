/** Devices and keys, opened from “Thêm”. */
import { useMediaDeviceSelect, useRoomContext } from "@livekit/components-react";
import { Dialog } from "../design/controls";
import { t } from "../i18n/language";
import { keepChoices, readChoices, type Choices } from "../media/choices";
import { DeviceMenu } from "../prejoin/DeviceMenu";
import type { Shortcut } from "./shortcuts";

export function DevicesDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t("devices")} onClose={onClose}>
      <RoomDevice kind="audioinput" label={t("microphone")} choice="microphoneId" />
      <RoomDevice kind="videoinput" label={t("camera")} choice="cameraId" />
      <RoomDevice kind="audiooutput" label={t("speaker")} choice="speakerId" />
    </Dialog>
  );
}

interface RoomDeviceProps {
  kind: MediaDeviceKind;
  label: string;
  choice: "microphoneId" | "cameraId" | "speakerId";
}

function RoomDevice({ kind, label, choice }: RoomDeviceProps) {
  const room = useRoomContext();
  const { devices, activeDeviceId, setActiveMediaDevice } = useMediaDeviceSelect({ kind, room });
  const usable = devices.filter((device) => device.deviceId);
  const choose = async (id: string | null) => {
    const change: Partial<Choices> = { [choice]: id };
    keepChoices(window.localStorage, { ...readChoices(window.localStorage), ...change });
    await setActiveMediaDevice(id ?? "default").catch(() => undefined);
  };
  return (
    <div className="device">
      <p className="device-title">{label}</p>
      <DeviceMenu label={label} devices={usable} chosen={activeDeviceId} onChoose={(id) => void choose(id)} />
    </div>
  );
}

interface KeysProps {
  shortcuts: Shortcut[];
  areOn: boolean;
  onSwitch: (areOn: boolean) => void;
  onClose: () => void;
}

export function KeysDialog({ shortcuts, areOn, onSwitch, onClose }: KeysProps) {
  return (
    <Dialog title={t("shortcuts")} onClose={onClose}>
      <label className="switch">
        <input type="checkbox" checked={areOn} onChange={(event) => onSwitch(event.target.checked)} />
        <span>{t("useShortcuts")}</span>
      </label>
      <dl className="keys">
        {shortcuts.map((shortcut) => (
          <div key={shortcut.letter}>
            <dt>
              <kbd>Alt</kbd> + <kbd>{shortcut.letter}</kbd>
            </dt>
            <dd>{t(shortcut.name)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
