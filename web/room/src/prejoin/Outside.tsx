/** Pages for those who cannot be, or are no longer, in the room. */
import { useEffect, type ReactNode } from "react";
import type { Boot } from "../boot";
import { dayOf, timeOfDay } from "../conduct/clock";
import { Action } from "../design/controls";
import { AlertIcon, CheckIcon, InfoIcon } from "../design/icons";
import { t } from "../i18n/language";

function Card(props: { tone: "info" | "alert" | "done"; title: string; children: ReactNode; boot: Boot }) {
  const Picture = props.tone === "alert" ? AlertIcon : props.tone === "done" ? CheckIcon : InfoIcon;
  return (
    <main className={`page-card page-${props.tone}`}>
      <Picture size={40} />
      <h1>{props.title}</h1>
      {props.children}
      {props.boot.hotline && <p className="hotline num">{t("helpLine", { number: props.boot.hotline })}</p>}
    </main>
  );
}

/** Longest wait before the page asks again; clocks differ and meetings move. */
const ASK_AGAIN_MS = 60_000;

/** Too early: loads the page again when the room opens, and once a minute until then. */
function useOpening(isEarly: boolean, opensAt: string | null): void {
  useEffect(() => {
    if (!isEarly) return;
    const untilMs = opensAt ? Date.parse(opensAt) - Date.now() : ASK_AGAIN_MS;
    const waitMs = Math.min(ASK_AGAIN_MS, Math.max(2000, untilMs));
    const timer = window.setTimeout(() => window.location.reload(), waitMs);
    return () => window.clearTimeout(timer);
  }, [isEarly, opensAt]);
}

/** The boot document names a problem: cancelled, postponed, ended, unknown code … */
export function ProblemPage({ boot }: { boot: Boot }) {
  const problem = boot.problem;
  const next = problem?.next_meeting;
  useOpening(problem?.code === "too_early", boot.meeting?.opens_at ?? null);
  return (
    <Card tone="alert" title={boot.meeting?.title ?? t("cannotJoin")} boot={boot}>
      <p className="page-sentence">{problem?.message || t("codeExpired")}</p>
      {next && (
        <section className="next-meeting" aria-label={t("nextMeeting")}>
          <h2>{t("nextMeeting")}</h2>
          <p>{next.url ? <a href={next.url}>{next.title}</a> : next.title}</p>
          <p className="num">
            {timeOfDay(Date.parse(next.starts_at))}, {dayOf(Date.parse(next.starts_at))}
          </p>
        </section>
      )}
      <div className="page-actions">
        <a className="button" href={boot.leave_url}>
          {t("toStartPage")}
        </a>
      </div>
    </Card>
  );
}

export type Ending = "left" | "ended" | "removed" | "elsewhere" | "refused";

interface EndingProps {
  boot: Boot;
  ending: Ending;
  message: string;
  onReturn: () => void;
}

const SENTENCES = {
  left: "youLeft",
  ended: "meetingEnded",
  removed: "youWereRemoved",
  elsewhere: "joinedElsewhere",
  refused: "cannotJoin",
} as const;

/** Why the stay in the room is over, and whether there is a way back. */
export function EndingPage({ boot, ending, message, onReturn }: EndingProps) {
  const canReturn = ending === "left" || ending === "elsewhere" || ending === "refused";
  const returnWord = ending === "elsewhere" ? t("useThisDevice") : t("joinAgain");
  const tone = ending === "left" || ending === "ended" ? "done" : ending === "elsewhere" ? "info" : "alert";
  return (
    <Card tone={tone} title={boot.meeting?.title ?? t("meeting")} boot={boot}>
      <p className="page-sentence" role="status">
        {t(SENTENCES[ending])}
      </p>
      {message && <p>{message}</p>}
      <div className="page-actions">
        {canReturn && (
          <Action tone="primary" onPress={onReturn}>
            {returnWord}
          </Action>
        )}
        <a className="button" href={boot.leave_url}>
          {t("toStartPage")}
        </a>
      </div>
    </Card>
  );
}
