/** The agenda and the acts that open and end the meeting. */
import { useState } from "react";
import type { AgendaItem } from "../boot";
import { elapsed } from "../conduct/clock";
import { isOpen } from "../conduct/conduct";
import { useCommand, useConduct, useServerNow } from "../conduct/context";
import { Action, Confirm } from "../design/controls";
import { CheckIcon, NextIcon, StopIcon } from "../design/icons";
import { t } from "../i18n/language";
import { VoteDesk } from "./VoteDesk";

/** The item after the selected one; the first when none is selected; null at the end. */
export function nextItem(items: AgendaItem[], selectedId: number | null): AgendaItem | null {
  const index = items.findIndex((item) => item.id === selectedId);
  return items[index + 1] ?? null;
}

export function Programme({ items }: { items: AgendaItem[] }) {
  const conduct = useConduct();
  const { agenda, link } = conduct;
  const select = useCommand("agenda.select");
  const selected = items.findIndex((item) => item.id === agenda.item_id);
  const next = nextItem(items, agenda.item_id);
  const canSelect = link === "connected" && isOpen(conduct);
  return (
    <section className="programme" aria-labelledby="programme-title">
      <h2 id="programme-title" className="panel-title">
        {t("programme")}
      </h2>
      {items.length === 0 ? (
        <p className="empty">{t("noAgenda")}</p>
      ) : (
        <ol className="programme-list">
          {items.map((item, index) => (
            <li key={item.id}>
              <button
                type="button"
                className="programme-item"
                aria-current={index === selected ? "step" : undefined}
                disabled={!canSelect || select.isBusy}
                onClick={() => void select.send({ item_id: item.id })}
              >
                <span className="programme-rank num">
                  {index < selected ? <CheckIcon size={18} /> : index === selected ? <NextIcon size={18} /> : index + 1}
                </span>
                <span className="programme-text">
                  <span>{item.title}</span>
                  {item.presenter && <span className="programme-facts">{item.presenter}</span>}
                  <ItemTime item={item} isCurrent={index === selected} />
                </span>
              </button>
            </li>
          ))}
        </ol>
      )}
      {items.length > 0 && (
        <Action
          icon={NextIcon}
          isBusy={select.isBusy}
          isDisabled={!canSelect || !next}
          shortcut="Alt+A"
          onPress={() => next && void select.send({ item_id: next.id })}
        >
          {t("nextItem")}
        </Action>
      )}
      <VoteDesk items={items} />
      <EndForAll />
    </section>
  );
}

function ItemTime({ item, isCurrent }: { item: AgendaItem; isCurrent: boolean }) {
  const { agenda } = useConduct();
  const nowMs = useServerNow();
  const planned = item.minutes ? t("minutes", { count: item.minutes }) : "";
  if (!isCurrent || !agenda.since) return planned ? <span className="programme-facts num">{planned}</span> : null;
  const spent = elapsed(Date.parse(agenda.since), nowMs);
  const isOver = Boolean(item.minutes) && nowMs - Date.parse(agenda.since) > (item.minutes ?? 0) * 60_000;
  return (
    <span className={`programme-facts num ${isOver ? "is-over" : ""}`}>
      {planned ? `${spent} / ${planned}` : spent}
      {isOver && ` · ${t("overTime")}`}
    </span>
  );
}

function EndForAll() {
  const conduct = useConduct();
  const end = useCommand("meeting.end");
  const [isAsking, setAsking] = useState(false);
  if (!isOpen(conduct)) return null;
  return (
    <>
      <Action
        tone="danger"
        icon={StopIcon}
        className="end-for-all"
        isDisabled={conduct.link !== "connected"}
        onPress={() => setAsking(true)}
      >
        {t("endForAll")}
      </Action>
      {isAsking && (
        <Confirm
          title={t("endForAllQuestion")}
          effect={t("endForAllEffect", { count: conduct.roster.present_count })}
          verb={t("endMeeting")}
          isBusy={end.isBusy}
          onCancel={() => setAsking(false)}
          onConfirm={() => void end.send().then((answer) => !answer?.ok && setAsking(false))}
        />
      )}
    </>
  );
}
