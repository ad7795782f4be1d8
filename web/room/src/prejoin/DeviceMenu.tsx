/** A list of devices of one kind; the first entry is the system's own choice. */
import { useId } from "react";
import { t } from "../i18n/language";

interface Props {
  label: string;
  devices: MediaDeviceInfo[];
  chosen: string | null;
  onChoose: (id: string | null) => void;
}

export function DeviceMenu({ label, devices, chosen, onChoose }: Props) {
  const id = useId();
  const isKnown = devices.some((device) => device.deviceId === chosen);
  const own = devices.filter((device) => device.deviceId !== "default");
  return (
    <div className="device-menu">
      <label htmlFor={id} className="unseen">
        {t("chooseDevice", { device: label })}
      </label>
      <select
        id={id}
        value={isKnown && chosen !== "default" ? (chosen ?? "") : ""}
        disabled={own.length === 0}
        onChange={(event) => onChoose(event.target.value || null)}
      >
        <option value="">{own.length === 0 ? t("noDevice") : t("systemDevice", { device: label })}</option>
        {own.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || t("numberedDevice", { device: label, number: index + 1 })}
          </option>
        ))}
      </select>
    </div>
  );
}
