/** The bottom bar: one's own devices first, then the meeting, then the way out. */
import { conducts } from "../boot";
import { hasFloor, isOpen, ownPlace } from "../conduct/conduct";
import { useConduct, type Command } from "../conduct/context";
import { BarButton } from "../design/controls";
import {
  CameraIcon,
  CameraOffIcon,
  ChatIcon,
  HandDownIcon,
  HandIcon,
  KeyboardIcon,
  LeaveIcon,
  MicrophoneIcon,
  MicrophoneLockedIcon,
  MicrophoneOffIcon,
  NextIcon,
  RecordIcon,
  RecordStopIcon,
  SavingIcon,
  ScreenIcon,
  ScreenStopIcon,
  SettingsIcon,
  SitesIcon,
} from "../design/icons";
import { useMediaQuery } from "../design/media-query";
import { t } from "../i18n/language";
import { useMedia, useMediaSession } from "../media/context";
import type { OwnDevices } from "../media/own";
import { Menu, type MenuItem } from "./Menu";
import type { Panel } from "./panels";

/** What pressing a key or a button of the bar does; made once in the room. */
export interface Acts {
  toggleMicrophone: () => void;
  toggleCamera: () => void;
  toggleScreen: () => void;
  toggleFloor: () => void;
  togglePanel: (panel: Panel) => void;
  callNext: () => void;
  muteAll: () => void;
  toggleRecording: () => void;
  showDevices: () => void;
  toggleSaving: () => void;
  showKeys: () => void;
  leave: () => void;
}

interface Props {
  acts: Acts;
  own: OwnDevices;
  commands: Record<"request" | "withdraw" | "give" | "muteAll" | "record" | "stopRecording", Command>;
  panel: Panel | null;
  unread: number;
}

export function Bar(props: Props) {
  const { me } = useConduct();
  return (
    <nav className="bar" aria-label={t("controls")}>
      <OwnButtons {...props} />
      {conducts(me) ? <ChairButtons {...props} /> : <DelegateButtons {...props} />}
      <BarButton
        icon={LeaveIcon}
        label={t("leaveMeeting")}
        tone="danger"
        className="bar-leave"
        onPress={props.acts.leave}
      />
    </nav>
  );
}

function OwnButtons({ acts, own }: Props) {
  const { microphone, camera } = own;
  const isLocked = !microphone.isAllowed;
  return (
    <>
      <BarButton
        icon={isLocked ? MicrophoneLockedIcon : microphone.isOn ? MicrophoneIcon : MicrophoneOffIcon}
        label={t("microphoneShort")}
        detail={t(isLocked ? "openedByChair" : microphone.isOn ? "isOn" : "isOff")}
        isPressed={microphone.isOn}
        isBusy={microphone.isBusy}
        isLocked={isLocked}
        tone={microphone.isOn ? "on" : "off"}
        shortcut="Alt+M"
        onPress={acts.toggleMicrophone}
      />
      <BarButton
        icon={camera.isOn ? CameraIcon : CameraOffIcon}
        label={t("camera")}
        detail={t(camera.isOn ? "isOn" : "isOff")}
        isPressed={camera.isOn}
        isBusy={camera.isBusy}
        isLocked={!camera.isAllowed}
        tone={camera.isOn ? "on" : "off"}
        shortcut="Alt+C"
        onPress={acts.toggleCamera}
      />
    </>
  );
}

/** Smaller pictures both ways, for a site on a thin line. */
function useSavingItem(acts: Acts): MenuItem {
  useMedia(); // draws anew when the session changes
  const { isSaving } = useMediaSession();
  return {
    icon: SavingIcon,
    label: t("saveBandwidth"),
    detail: isSaving ? t("isOnNow") : undefined,
    run: acts.toggleSaving,
  };
}

function ScreenButton({ acts, own }: Props) {
  const { screen } = own;
  return (
    <BarButton
      icon={screen.isOn ? ScreenStopIcon : ScreenIcon}
      label={t(screen.isOn ? "stopPresenting" : "present")}
      detail={screen.isAllowed ? undefined : t("withFloorOnly")}
      isPressed={screen.isOn}
      isBusy={screen.isBusy}
      isLocked={!screen.isAllowed}
      tone={screen.isOn ? "on" : "plain"}
      onPress={acts.toggleScreen}
    />
  );
}

function DelegateButtons(props: Props) {
  const { acts, own, commands, panel, unread } = props;
  const conduct = useConduct();
  const isPhone = useMediaQuery("(max-width: 639px)");
  const place = ownPlace(conduct);
  const isLocked = conduct.link !== "connected";
  const saving = useSavingItem(acts);
  const more: MenuItem[] = [
    ...(isPhone
      ? [
          {
            icon: own.screen.isOn ? ScreenStopIcon : ScreenIcon,
            label: t(own.screen.isOn ? "stopPresenting" : "present"),
            detail: own.screen.isAllowed ? undefined : t("withFloorOnly"),
            run: acts.toggleScreen,
          },
          {
            icon: ChatIcon,
            label: t("chat"),
            detail: unread ? String(unread) : undefined,
            run: () => acts.togglePanel("chat"),
          },
          { icon: SitesIcon, label: t("sites"), run: () => acts.togglePanel("roster") },
        ]
      : []),
    { icon: SettingsIcon, label: t("devices"), run: acts.showDevices },
    saving,
    { icon: KeyboardIcon, label: t("shortcuts"), run: acts.showKeys },
  ];
  return (
    <>
      {!hasFloor(conduct) && (
        <BarButton
          icon={place === null ? HandIcon : HandDownIcon}
          label={t(place === null ? "requestFloor" : "withdrawRequest")}
          detail={place === null ? undefined : t("placeShort", { place })}
          isBusy={commands.request.isBusy || commands.withdraw.isBusy}
          isLocked={isLocked}
          tone={place === null ? "plain" : "floor"}
          shortcut="Alt+P"
          onPress={acts.toggleFloor}
        />
      )}
      {!isPhone && (
        <>
          <ScreenButton {...props} />
          <PanelButtons acts={acts} panel={panel} unread={unread} />
        </>
      )}
      <Menu items={more} count={isPhone ? unread : 0} countLabel={t("unreadMessages", { count: unread })} />
    </>
  );
}

function PanelButtons({ acts, panel, unread }: Pick<Props, "acts" | "panel" | "unread">) {
  return (
    <>
      <BarButton
        icon={ChatIcon}
        label={t("chat")}
        isPressed={panel === "chat"}
        count={unread}
        countLabel={t("unreadMessages", { count: unread })}
        shortcut="Alt+T"
        onPress={() => acts.togglePanel("chat")}
      />
      <BarButton
        icon={SitesIcon}
        label={t("sites")}
        isPressed={panel === "roster"}
        shortcut="Alt+N"
        onPress={() => acts.togglePanel("roster")}
      />
    </>
  );
}

function ChairButtons(props: Props) {
  const { acts, commands, own } = props;
  const conduct = useConduct();
  const isPhone = useMediaQuery("(max-width: 639px)");
  const isLocked = conduct.link !== "connected" || !isOpen(conduct);
  const { state } = conduct.recording;
  const isRecordingWanted = state === "recording" || state === "starting" || state === "interrupted";
  const isRecordBusy = commands.record.isBusy || commands.stopRecording.isBusy || state === "stopping";
  const recordIcon = isRecordingWanted ? RecordStopIcon : RecordIcon;
  const recordLabel = t(isRecordingWanted ? "stopRecording" : "startRecording");
  const saving = useSavingItem(acts);
  const more: MenuItem[] = [
    ...(isPhone
      ? [
          { icon: recordIcon, label: recordLabel, run: acts.toggleRecording },
          {
            icon: own.screen.isOn ? ScreenStopIcon : ScreenIcon,
            label: t(own.screen.isOn ? "stopPresenting" : "present"),
            run: acts.toggleScreen,
          },
        ]
      : []),
    { icon: SettingsIcon, label: t("devices"), run: acts.showDevices },
    saving,
    { icon: KeyboardIcon, label: t("shortcuts"), run: acts.showKeys },
  ];
  return (
    <>
      {!isPhone && <ScreenButton {...props} />}
      <BarButton
        icon={MicrophoneOffIcon}
        label={t("muteAll")}
        isBusy={commands.muteAll.isBusy}
        isLocked={isLocked}
        shortcut="Alt+X"
        onPress={acts.muteAll}
      />
      <BarButton
        icon={NextIcon}
        label={t("callNext")}
        isBusy={commands.give.isBusy}
        isLocked={isLocked || conduct.floor.queue.length === 0}
        tone={conduct.floor.queue.length > 0 ? "floor" : "plain"}
        shortcut="Alt+S"
        onPress={acts.callNext}
      />
      {!isPhone && (
        <BarButton
          icon={recordIcon}
          label={recordLabel}
          isBusy={isRecordBusy}
          isLocked={isLocked}
          shortcut="Alt+R"
          onPress={acts.toggleRecording}
        />
      )}
      <Menu items={more} />
    </>
  );
}
