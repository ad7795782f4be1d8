/** The parts of the room beside the pictures, and which of them fit where. */
import { useRef, type ReactNode } from "react";
import type { AgendaItem } from "../boot";
import { ChatPanel } from "../chat/ChatPanel";
import { useConduct } from "../conduct/context";
import { Programme } from "../console/Programme";
import { Queue } from "../console/Queue";
import { RosterPanel } from "../console/RosterPanel";
import { CloseIcon } from "../design/icons";
import { t } from "../i18n/language";

export type Panel = "chat" | "roster";
export type ConsoleTab = "pictures" | "queue" | "roster" | "programme" | "chat";

interface Tab<T extends string> {
  id: T;
  label: string;
  count?: number;
  countLabel?: string;
}

interface TabsProps<T extends string> {
  label: string;
  tabs: Tab<T>[];
  chosen: T;
  onChoose: (tab: T) => void;
}

/** A row of tabs; arrows move between them (WAI-ARIA tabs pattern). */
export function Tabs<T extends string>({ label, tabs, chosen, onChoose }: TabsProps<T>) {
  const list = useRef<HTMLDivElement>(null);
  const move = (step: number) => {
    const index = tabs.findIndex((tab) => tab.id === chosen);
    const next = tabs[(index + step + tabs.length) % tabs.length];
    if (!next) return;
    onChoose(next.id);
    list.current?.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
  };
  return (
    <div
      className="tabs"
      role="tablist"
      aria-label={label}
      ref={list}
      onKeyDown={(event) => {
        if (event.key === "ArrowRight") move(1);
        if (event.key === "ArrowLeft") move(-1);
      }}
    >
      {tabs.map((tab) => (
        <button
          key={tab.id}
          id={`tab-${tab.id}`}
          type="button"
          role="tab"
          className="tab"
          aria-selected={tab.id === chosen}
          aria-controls={`panel-${tab.id}`}
          tabIndex={tab.id === chosen ? 0 : -1}
          onClick={() => onChoose(tab.id)}
        >
          {tab.label}
          {Boolean(tab.count) && (
            <span className="tab-count num" aria-label={tab.countLabel}>
              {tab.count}
            </span>
          )}
        </button>
      ))}
    </div>
  );
}

export function TabPanel({ id, children }: { id: string; children: ReactNode }) {
  return (
    <div id={`panel-${id}`} className="tab-panel" role="tabpanel" aria-labelledby={`tab-${id}`}>
      {children}
    </div>
  );
}

/** A delegate's panel beside the pictures; on a phone it covers them. */
export function SidePanel({ panel, onClose }: { panel: Panel; onClose: () => void }) {
  return (
    <aside className="side-panel" aria-label={t(panel === "chat" ? "chat" : "sites")}>
      <header className="side-head">
        <h2>{t(panel === "chat" ? "chat" : "sites")}</h2>
        <button type="button" className="button button-icon" aria-label={t("close")} onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      {panel === "chat" ? <ChatPanel /> : <RosterPanel />}
    </aside>
  );
}

/** The chair's right column: the queue always in sight, below it sites or chat. */
export function ConsoleSide(props: { tab: Panel; unread: number; onTab: (tab: Panel) => void }) {
  return (
    <aside className="console-side" aria-label={t("console")}>
      <Queue />
      <Tabs
        label={t("console")}
        tabs={[
          { id: "roster", label: t("sites") },
          {
            id: "chat",
            label: t("chat"),
            count: props.unread,
            countLabel: t("unreadMessages", { count: props.unread }),
          },
        ]}
        chosen={props.tab}
        onChoose={props.onTab}
      />
      <TabPanel id={props.tab}>{props.tab === "chat" ? <ChatPanel /> : <RosterPanel />}</TabPanel>
    </aside>
  );
}

/** The console's tabs where three columns do not fit. */
export function ConsoleTabs(props: { tab: ConsoleTab; unread: number; onTab: (tab: ConsoleTab) => void }) {
  const { floor } = useConduct();
  return (
    <Tabs
      label={t("console")}
      tabs={[
        { id: "pictures", label: t("pictures") },
        { id: "queue", label: t("queue"), count: floor.queue.length },
        { id: "roster", label: t("sites") },
        { id: "programme", label: t("programme") },
        { id: "chat", label: t("chat"), count: props.unread, countLabel: t("unreadMessages", { count: props.unread }) },
      ]}
      chosen={props.tab}
      onChoose={props.onTab}
    />
  );
}

export function ConsolePanel({ tab, items }: { tab: Exclude<ConsoleTab, "pictures">; items: AgendaItem[] }) {
  return (
    <TabPanel id={tab}>
      {tab === "queue" && <Queue />}
      {tab === "roster" && <RosterPanel />}
      {tab === "programme" && <Programme items={items} />}
      {tab === "chat" && <ChatPanel />}
    </TabPanel>
  );
}
