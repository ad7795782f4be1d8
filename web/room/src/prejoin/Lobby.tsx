/** Waiting until the chair opens the room. */
import type { Admission } from "../boot";
import { spanOf } from "../conduct/clock";
import { label } from "../conduct/roster";
import { Action } from "../design/controls";
import { WaitIcon } from "../design/icons";
import { t } from "../i18n/language";

export function Lobby({ boot, message, onLeave }: { boot: Admission; message: string; onLeave: () => void }) {
  return (
    <main className="page-card">
      <WaitIcon size={40} />
      <h1>{boot.meeting.title}</h1>
      <p className="num">{spanOf(boot.meeting.starts_at, boot.meeting.ends_at)}</p>
      <p className="page-sentence" role="status">
        {t("waitingForChair")}
      </p>
      {message && <p>{message}</p>}
      <p className="page-aside">{t("entersByItself")}</p>
      <p className="page-aside">{t("joiningAs", { name: label(boot.me) })}</p>
      <div className="page-actions">
        <Action onPress={onLeave}>{t("leaveMeeting")}</Action>
      </div>
      {boot.hotline && <p className="hotline num">{t("helpLine", { number: boot.hotline })}</p>}
    </main>
  );
}
