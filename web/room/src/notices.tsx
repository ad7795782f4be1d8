/**
 * Short messages at the top of the room, and the announcer for what is said to
 * screen readers without being shown. Messages leave after 6 s (10 s with an action), wait while pointed at
 * or focused, and errors stay until closed.
 */
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { AlertIcon, CheckIcon, CloseIcon, InfoIcon } from "./design/icons";
import { t } from "./i18n/language";

export interface Notice {
  kind: "info" | "ok" | "error";
  text: string;
  action?: { label: string; run: () => void };
  /** A later notice with the same key takes the place of the earlier. */
  key?: string;
}

interface Shown extends Notice {
  id: number;
}

export interface Notices {
  show: (notice: Notice) => void;
  dismiss: (key: string) => void;
  /** Reads `text` to screen readers without showing it. */
  announce: (text: string, urgency?: "polite" | "assertive") => void;
}

const NoticesContext = createContext<Notices>({ show: () => {}, dismiss: () => {}, announce: () => {} });

export function useNotices(): Notices {
  return useContext(NoticesContext);
}

const STAYS_MS = 6000;
const STAYS_WITH_ACTION_MS = 10_000;
const SHOWN_AT_ONCE = 3;

export function NoticesProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Shown[]>([]);
  const [polite, setPolite] = useState("");
  const [assertive, setAssertive] = useState("");
  const nextId = useRef(1);

  const notices = useMemo<Notices>(() => {
    const announce: Notices["announce"] = (text, urgency = "polite") => {
      // A trailing no-break space makes a repeated sentence count as new.
      const set = urgency === "assertive" ? setAssertive : setPolite;
      set((before) => (before === text ? `${text}\u00a0` : text));
    };
    return {
      announce,
      show: (notice) => {
        const id = nextId.current++;
        setShown((before) => {
          const others = before.filter((one) => (notice.key ? one.key !== notice.key : one.text !== notice.text));
          return [...others, { ...notice, id }].slice(-SHOWN_AT_ONCE);
        });
      },
      dismiss: (key) => setShown((before) => before.filter((one) => one.key !== key)),
    };
  }, []);

  return (
    <NoticesContext.Provider value={notices}>
      {children}
      <section className="notices" aria-label={t("notices")} aria-live="polite" aria-relevant="additions">
        {shown.map((notice) => (
          <NoticeCard
            key={notice.id}
            notice={notice}
            onClose={() => setShown((before) => before.filter((one) => one.id !== notice.id))}
          />
        ))}
      </section>
      <div className="unseen" aria-live="polite" data-testid="announcer">
        {polite}
      </div>
      <div className="unseen" aria-live="assertive">
        {assertive}
      </div>
    </NoticesContext.Provider>
  );
}

const NOTICE_ICONS = { info: InfoIcon, ok: CheckIcon, error: AlertIcon };

function NoticeCard({ notice, onClose }: { notice: Shown; onClose: () => void }) {
  const [isHeld, setHeld] = useState(false);
  const close = useRef(onClose);
  close.current = onClose;
  const isSticky = notice.kind === "error";
  const staysMs = notice.action ? STAYS_WITH_ACTION_MS : STAYS_MS;
  useEffect(() => {
    if (isHeld || isSticky) return;
    const timer = window.setTimeout(() => close.current(), staysMs);
    return () => window.clearTimeout(timer);
  }, [isHeld, isSticky, staysMs]);
  const Icon = NOTICE_ICONS[notice.kind];
  return (
    <div
      className={`notice notice-${notice.kind}`}
      role={notice.kind === "error" ? "alert" : undefined}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <Icon />
      <p>{notice.text}</p>
      {notice.action && (
        <button
          type="button"
          className="button"
          onClick={() => {
            notice.action?.run();
            onClose();
          }}
        >
          {notice.action.label}
        </button>
      )}
      <button type="button" className="button button-icon" aria-label={t("closeNotice")} onClick={onClose}>
        <CloseIcon />
      </button>
    </div>
  );
}
