/** Who waits for the floor, in order; the chair calls, moves and dismisses. */
import { timeOfDay } from "../conduct/clock";
import { useCommand, useConduct } from "../conduct/context";
import type { QueueEntry } from "../conduct/protocol";
import { label } from "../conduct/roster";
import { Action } from "../design/controls";
import { CloseIcon, DownIcon, UpIcon } from "../design/icons";
import { t } from "../i18n/language";

export function Queue() {
  const { floor } = useConduct();
  return (
    <section className="queue" aria-labelledby="queue-title">
      <h2 id="queue-title" className="panel-title">
        {t("queue")} <span className="num">({floor.queue.length})</span>
      </h2>
      {floor.queue.length === 0 ? (
        <p className="empty">{t("queueEmpty")}</p>
      ) : (
        <ol className="queue-list">
          {floor.queue.map((entry, index) => (
            <QueueRow key={entry.identity} entry={entry} index={index} isLast={index === floor.queue.length - 1} />
          ))}
        </ol>
      )}
    </section>
  );
}

function QueueRow({ entry, index, isLast }: { entry: QueueEntry; index: number; isLast: boolean }) {
  const { link, roster } = useConduct();
  const give = useCommand("floor.give");
  const move = useCommand("floor.move");
  const dismiss = useCommand("floor.dismiss");
  const isLocked = link !== "connected";
  const listed = roster.sites.find((site) => site.identity === entry.identity);
  const name = listed ? label(listed) : entry.name;
  const { identity } = entry;
  return (
    <li className="queue-row">
      <p className="queue-who">
        <span className="queue-rank num">{index + 1}</span>
        <span className="queue-name">{name}</span>
      </p>
      <p className="queue-facts num">
        {t("requestedAt", { time: timeOfDay(Date.parse(entry.requested_at)) })}
        {" · "}
        {t("timesSpoken", { count: entry.times_spoken })}
      </p>
      <div className="queue-actions">
        <Action
          tone="floor"
          isBusy={give.isBusy}
          isDisabled={isLocked}
          name={t("giveFloorTo", { name })}
          onPress={() => void give.send({ identity })}
        >
          {t("giveFloor")}
        </Action>
        <Action
          isWordless
          icon={UpIcon}
          isBusy={move.isBusy}
          isDisabled={isLocked || index === 0}
          name={t("moveUp", { name })}
          onPress={() => void move.send({ identity, position: index - 1 })}
        >
          {null}
        </Action>
        <Action
          isWordless
          icon={DownIcon}
          isBusy={move.isBusy}
          isDisabled={isLocked || isLast}
          name={t("moveDown", { name })}
          onPress={() => void move.send({ identity, position: index + 1 })}
        >
          {null}
        </Action>
        <Action
          isWordless
          icon={CloseIcon}
          isBusy={dismiss.isBusy}
          isDisabled={isLocked}
          name={t("dismissRequest", { name })}
          onPress={() => void dismiss.send({ identity })}
        >
          {null}
        </Action>
      </div>
    </li>
  );
}
