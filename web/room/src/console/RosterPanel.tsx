/** Everybody invited: who is here, who may be called, muted or asked to leave. */
import { useParticipants } from "@livekit/components-react";
import { useMemo, useState } from "react";
import { conducts } from "../boot";
import { useCommand, useConduct } from "../conduct/context";
import type { RosterEntry } from "../conduct/protocol";
import { label, search } from "../conduct/roster";
import { Action, Confirm } from "../design/controls";
import {
  CheckIcon,
  HandIcon,
  MicrophoneIcon,
  MicrophoneOffIcon,
  MoreIcon,
  PinIcon,
  PinOffIcon,
  RemoveIcon,
  SearchIcon,
} from "../design/icons";
import { t } from "../i18n/language";
import { useNotices } from "../notices";

export function RosterPanel() {
  const { roster, me, floor } = useConduct();
  const [query, setQuery] = useState("");
  const [openedIdentity, setOpened] = useState<string | null>(null);
  const found = useMemo(() => presentFirst(search(roster.sites, query)), [roster, query]);
  const openMicrophones = useOpenMicrophones();
  const waiting = new Set(floor.queue.map((entry) => entry.identity));
  return (
    <div className="roster">
      <p className="roster-count num">
        {t("presentOf", { present: roster.present_count, invited: roster.invited_count })}
      </p>
      <div className="search">
        <SearchIcon size={20} />
        <label className="unseen" htmlFor="roster-search">
          {t("findSite")}
        </label>
        <input
          id="roster-search"
          type="search"
          placeholder={t("findSite")}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
      </div>
      {me.role === "site" && <DelegatesReport />}
      {found.length === 0 ? (
        <p className="empty">{query ? t("nothingFound", { query }) : t("nobodyInvited")}</p>
      ) : (
        <ul className="roster-list" aria-label={t("sites")} tabIndex={0}>
          {found.map((entry) => (
            <RosterRow
              key={entry.identity}
              entry={entry}
              isMicrophoneOpen={openMicrophones.has(entry.identity)}
              isWaiting={waiting.has(entry.identity)}
              isOpened={openedIdentity === entry.identity}
              onToggle={() => setOpened((before) => (before === entry.identity ? null : entry.identity))}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

function presentFirst(entries: RosterEntry[]): RosterEntry[] {
  return [...entries.filter((entry) => entry.is_present), ...entries.filter((entry) => !entry.is_present)];
}

function useOpenMicrophones(): Set<string> {
  const participants = useParticipants();
  return new Set(participants.filter((one) => one.isMicrophoneEnabled).map((one) => one.identity));
}

interface RowProps {
  entry: RosterEntry;
  isMicrophoneOpen: boolean;
  isWaiting: boolean;
  isOpened: boolean;
  onToggle: () => void;
}

function RosterRow({ entry, isMicrophoneOpen, isWaiting, isOpened, onToggle }: RowProps) {
  const { me, floor, link } = useConduct();
  const name = label(entry);
  const isMe = entry.identity === me.identity;
  const isSpeaking = floor.speaker?.identity === entry.identity;
  return (
    <li className={`roster-row ${entry.is_present ? "" : "is-absent"}`} data-identity={entry.identity}>
      <div className="roster-line">
        <span className="roster-state">
          {entry.is_present ? isMicrophoneOpen ? <MicrophoneIcon size={20} /> : <MicrophoneOffIcon size={20} /> : null}
        </span>
        <span className="roster-name">
          {name}
          <span className="roster-facts">
            {t(entry.is_present ? (isMicrophoneOpen ? "microphoneOn" : "isPresent") : "isAbsent")}
            {isMe && ` · ${t("you")}`}
            {entry.role === "chair" && ` · ${t("chairMark")}`}
            {isSpeaking && ` · ${t("hasFloor")}`}
            {floor.spotlight === entry.identity && ` · ${t("isPinned")}`}
            {entry.delegates_count !== null && entry.delegates_count > 0 && (
              <span className="num"> · {t("peopleCount", { count: entry.delegates_count })}</span>
            )}
          </span>
        </span>
        {isWaiting && (
          <span className="roster-hand" title={t("hasRequested")}>
            <HandIcon size={20} />
            <span className="unseen">{t("hasRequested")}</span>
          </span>
        )}
        {conducts(me) && entry.is_present && !isSpeaking && (
          <GiveFloor identity={entry.identity} name={name} isDisabled={link !== "connected"} />
        )}
        {conducts(me) && entry.is_present && !isMe && (
          <button
            type="button"
            className="button button-icon"
            aria-expanded={isOpened}
            aria-label={t("moreActsFor", { name })}
            onClick={onToggle}
          >
            <MoreIcon size={20} />
          </button>
        )}
      </div>
      {isOpened && conducts(me) && entry.is_present && (
        <div className="roster-acts">
          <Spotlight identity={entry.identity} name={name} isDisabled={link !== "connected"} />
          <MuteOne identity={entry.identity} name={name} isDisabled={link !== "connected" || !isMicrophoneOpen} />
          <RemoveOne identity={entry.identity} name={name} isDisabled={link !== "connected"} />
        </div>
      )}
    </li>
  );
}

interface ActProps {
  identity: string;
  name: string;
  isDisabled: boolean;
}

function GiveFloor({ identity, name, isDisabled }: ActProps) {
  const give = useCommand("floor.give");
  return (
    <Action
      isBusy={give.isBusy}
      isDisabled={isDisabled}
      name={t("giveFloorTo", { name })}
      onPress={() => void give.send({ identity })}
    >
      {t("giveFloor")}
    </Action>
  );
}

function Spotlight({ identity, name, isDisabled }: ActProps) {
  const { floor } = useConduct();
  const spotlight = useCommand("spotlight.set");
  const isSet = floor.spotlight === identity;
  return (
    <Action
      icon={isSet ? PinOffIcon : PinIcon}
      isBusy={spotlight.isBusy}
      isDisabled={isDisabled}
      name={t(isSet ? "unpinOne" : "pinOne", { name })}
      onPress={() => void spotlight.send({ identity: isSet ? "" : identity })}
    >
      {t(isSet ? "unpin" : "pin")}
    </Action>
  );
}

function MuteOne({ identity, name, isDisabled }: ActProps) {
  const mute = useCommand("microphones.mute");
  return (
    <Action
      icon={MicrophoneOffIcon}
      isBusy={mute.isBusy}
      isDisabled={isDisabled}
      name={t("muteOne", { name })}
      onPress={() => void mute.send({ identity })}
    >
      {t("mute")}
    </Action>
  );
}

function RemoveOne({ identity, name, isDisabled }: ActProps) {
  const remove = useCommand("participant.remove");
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Action icon={RemoveIcon} isDisabled={isDisabled} name={t("removeOne", { name })} onPress={() => setAsking(true)}>
        {t("remove")}
      </Action>
      {isAsking && (
        <Confirm
          title={t("removeQuestion", { name })}
          effect={t("removeEffect")}
          verb={t("remove")}
          isBusy={remove.isBusy}
          onCancel={() => setAsking(false)}
          onConfirm={() => void remove.send({ identity }).then(() => setAsking(false))}
        />
      )}
    </>
  );
}

/** A site says how many people sit in its hall. */
function DelegatesReport() {
  const { roster, me, link } = useConduct();
  const reported = roster.sites.find((entry) => entry.identity === me.identity)?.delegates_count ?? null;
  const [text, setText] = useState<string | null>(null);
  const report = useCommand("delegates.report");
  const notices = useNotices();
  const shown = text ?? (reported === null ? "" : String(reported));
  const count = Number.parseInt(shown, 10);
  const isValid = /^\d{1,4}$/.test(shown);
  const submit = async () => {
    const answer = await report.send({ count });
    if (answer?.ok) {
      setText(null);
      notices.show({ kind: "ok", text: t("delegatesReported", { count }) });
    }
  };
  return (
    <form
      className="delegates"
      onSubmit={(event) => {
        event.preventDefault();
        if (isValid) void submit();
      }}
    >
      <label htmlFor="delegates">{t("delegatesHere")}</label>
      <input
        id="delegates"
        className="num"
        inputMode="numeric"
        value={shown}
        onChange={(event) => setText(event.target.value.replace(/\D/g, "").slice(0, 4))}
      />
      <Action
        icon={CheckIcon}
        isBusy={report.isBusy}
        isDisabled={!isValid || link !== "connected"}
        onPress={() => void submit()}
      >
        {t("reportDelegates")}
      </Action>
    </form>
  );
}
