/** The room: pictures in the middle, the meeting around them, the bar below. */
import { RoomAudioRenderer, RoomContext } from "@livekit/components-react";
import { useState } from "react";
import { conducts, type Admission } from "../boot";
import { useUnread } from "../chat/unread";
import { isOpen, ownPlace } from "../conduct/conduct";
import { useCommand, useConduct } from "../conduct/context";
import { nextItem, Programme } from "../console/Programme";
import { useMediaQuery } from "../design/media-query";
import { useWakeLock } from "../design/wake-lock";
import { t } from "../i18n/language";
import { keepChoices, readChoices } from "../media/choices";
import { useMedia, useMediaSession } from "../media/context";
import { useOwnDevices, type Wanted } from "../media/own";
import { useSilentMicrophone } from "../media/silence";
import { useUnplugged } from "../media/unplugged";
import { useNotices } from "../notices";
import { Stage } from "../stage/Stage";
import { VoteCard } from "../votes/VoteCard";
import { useAnnouncements } from "./announcements";
import { Banners } from "./Banners";
import { Bar, type Acts } from "./Bar";
import { CallPrompt } from "./CallPrompt";
import { DevicesDialog, KeysDialog } from "./Dialogs";
import { ConsolePanel, ConsoleSide, ConsoleTabs, SidePanel, type ConsoleTab, type Panel } from "./panels";
import { useShortcuts, type Shortcut } from "./shortcuts";
import { SpeakerLine } from "./SpeakerLine";
import { TopBar } from "./TopBar";

interface Props {
  boot: Admission;
  wanted: Wanted;
  onLeave: () => void;
}

export function RoomScreen(props: Props) {
  const { room } = useMedia();
  return (
    <RoomContext.Provider value={room}>
      <RoomAudioRenderer />
      <RoomBody {...props} />
    </RoomContext.Provider>
  );
}

function useCommands() {
  return {
    request: useCommand("floor.request"),
    withdraw: useCommand("floor.withdraw"),
    give: useCommand("floor.give"),
    muteAll: useCommand("microphones.mute_all"),
    record: useCommand("recording.start"),
    stopRecording: useCommand("recording.stop"),
    select: useCommand("agenda.select"),
    warn: useCommand("floor.warn"),
  };
}

function RoomBody({ boot, wanted, onLeave }: Props) {
  const conduct = useConduct();
  const session = useMediaSession();
  const notices = useNotices();
  const isConsole = conducts(conduct.me);
  const isWide = useMediaQuery("(min-width: 1024px)");
  const [panel, setPanel] = useState<Panel | null>(null);
  const [sideTab, setSideTab] = useState<Panel>("roster");
  const [tab, setTab] = useState<ConsoleTab>("pictures");
  const [dialog, setDialog] = useState<"devices" | "keys" | null>(null);
  const own = useOwnDevices(wanted);
  const commands = useCommands();
  useAnnouncements();
  useUnplugged();
  useSilentMicrophone();
  useWakeLock();

  const isChatOpen = isConsole ? (isWide ? sideTab === "chat" : tab === "chat") : panel === "chat";
  const unread = useUnread(isChatOpen);

  const openPanel = (wantedPanel: Panel) => {
    if (!isConsole) setPanel((before) => (before === wantedPanel ? null : wantedPanel));
    else if (isWide) setSideTab((before) => (before === wantedPanel && before === "chat" ? "roster" : wantedPanel));
    else setTab((before) => (before === wantedPanel ? "pictures" : wantedPanel));
  };
  const locked = (): boolean => {
    if (conduct.link !== "connected") {
      notices.show({ kind: "info", key: "locked", text: t("conductLost") });
      return true;
    }
    return false;
  };

  const acts: Acts = {
    toggleMicrophone: () => {
      if (own.microphone.isAllowed) void own.microphone.set(!own.microphone.isOn);
      else notices.show({ kind: "info", key: "locked-microphone", text: t("microphoneLocked") });
    },
    toggleCamera: () => {
      if (own.camera.isAllowed) void own.camera.set(!own.camera.isOn);
    },
    toggleScreen: () => {
      if (own.screen.isAllowed) void own.screen.set(!own.screen.isOn);
      else notices.show({ kind: "info", key: "locked-screen", text: t("presentLocked") });
    },
    toggleFloor: () => {
      if (locked() || isConsole) return;
      if (ownPlace(conduct) === null) void commands.request.send();
      else void commands.withdraw.send();
    },
    togglePanel: openPanel,
    callNext: () => {
      const first = conduct.floor.queue[0];
      if (!isConsole || locked() || !first) return;
      void commands.give.send({ identity: first.identity });
    },
    muteAll: () => {
      if (!isConsole || locked() || !isOpen(conduct)) return;
      void commands.muteAll.send().then((answer) => {
        if (answer?.ok)
          notices.show({ kind: "ok", key: "mute-all", text: t("mutedCount", { count: Number(answer.count ?? 0) }) });
      });
    },
    toggleRecording: () => {
      if (!isConsole || locked() || !isOpen(conduct)) return;
      const isWanted = ["recording", "starting", "interrupted"].includes(conduct.recording.state);
      void (isWanted ? commands.stopRecording : commands.record).send();
    },
    showDevices: () => setDialog("devices"),
    toggleSaving: () => {
      const isSaving = !session.isSaving;
      keepChoices(window.localStorage, { ...readChoices(window.localStorage), isSaving });
      notices.show({ kind: "info", key: "saving", text: t(isSaving ? "savingBandwidth" : "notSavingBandwidth") });
      session.changeSaving(isSaving);
    },
    showKeys: () => setDialog("keys"),
    leave: onLeave,
  };

  const shortcuts: Shortcut[] = [
    { letter: "M", name: "keyMicrophone", run: acts.toggleMicrophone },
    { letter: "C", name: "keyCamera", run: acts.toggleCamera },
    ...(isConsole ? [] : [{ letter: "P", name: "keyFloor", run: acts.toggleFloor } as const]),
    { letter: "T", name: "keyChat", run: () => openPanel("chat") },
    { letter: "N", name: "keySites", run: () => openPanel("roster") },
    { letter: "B", name: "keyVote", run: goToVote },
    ...(isConsole
      ? ([
          { letter: "S", name: "keyCallNext", run: acts.callNext },
          { letter: "X", name: "keyMuteAll", run: acts.muteAll },
          {
            letter: "A",
            name: "keyNextItem",
            run: () => {
              const next = nextItem(boot.meeting.agenda, conduct.agenda.item_id);
              if (next && !locked() && isOpen(conduct)) void commands.select.send({ item_id: next.id });
            },
          },
          {
            letter: "W",
            name: "keyWarn",
            run: () => {
              if (!locked() && conduct.floor.speaker) void commands.warn.send();
            },
          },
          { letter: "R", name: "keyRecord", run: acts.toggleRecording },
        ] as const)
      : []),
    { letter: "K", name: "keyList", run: () => setDialog((before) => (before === "keys" ? null : "keys")) },
  ];
  const keys = useShortcuts(shortcuts);

  const pictures = (
    <div className="room-middle">
      <Stage chairName={boot.meeting.chair} />
      <VoteCard />
      <SpeakerLine />
    </div>
  );
  return (
    <div className={`room-screen ${isConsole ? "room-console" : "room-delegate"} ${panel ? "has-panel" : ""}`}>
      <TopBar boot={boot} />
      <Banners boot={boot} />
      <main className="room-main">
        {isConsole && !isWide && <ConsoleTabs tab={tab} unread={unread} onTab={setTab} />}
        <div className="room-body">
          {isConsole && isWide && <Programme items={boot.meeting.agenda} />}
          {isConsole && !isWide && tab !== "pictures" ? (
            <ConsolePanel tab={tab} items={boot.meeting.agenda} />
          ) : (
            pictures
          )}
          {isConsole && isWide && <ConsoleSide tab={sideTab} unread={unread} onTab={setSideTab} />}
          {!isConsole && panel && <SidePanel panel={panel} onClose={() => setPanel(null)} />}
        </div>
      </main>
      <CallPrompt microphone={own.microphone} />
      <Bar acts={acts} own={own} commands={commands} panel={panel} unread={unread} />
      {dialog === "devices" && <DevicesDialog onClose={() => setDialog(null)} />}
      {dialog === "keys" && (
        <KeysDialog shortcuts={shortcuts} areOn={keys.areOn} onSwitch={keys.setOn} onClose={() => setDialog(null)} />
      )}
    </div>
  );
}

/** To the ballot if one is being cast, else to the console's vote. */
function goToVote(): void {
  const ballot = document.querySelector<HTMLElement>(".vote-card input:checked, .vote-card input");
  (ballot ?? document.querySelector<HTMLElement>(".vote-desk button"))?.focus();
}
