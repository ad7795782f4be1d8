/** How components reach the conduct: its state, its commands, and the server's clock. */
import { createContext, useCallback, useContext, useEffect, useState, useSyncExternalStore } from "react";
import type { Act } from "../boot";
import { t } from "../i18n/language";
import { useNotices } from "../notices";
import type { ConductChannel } from "./channel";
import type { Conduct } from "./conduct";
import type { Ack } from "./protocol";

const ChannelContext = createContext<ConductChannel | null>(null);
export const ChannelProvider = ChannelContext.Provider;

export function useChannel(): ConductChannel {
  const channel = useContext(ChannelContext);
  if (!channel) throw new Error("No conduct channel around this component");
  return channel;
}

export function useConduct(): Conduct {
  const channel = useChannel();
  return useSyncExternalStore(channel.subscribe, channel.read);
}

export interface Command {
  /** True from the press to the server's answer. */
  isBusy: boolean;
  /** Sends it once; a second press while busy does nothing. Failures are shown as notices. */
  send: (payload?: object) => Promise<Ack<Record<string, unknown>> | null>;
}

/** One button's command: busy until acknowledged, refused in the server's own words. */
export function useCommand(act: Act): Command {
  const channel = useChannel();
  const notices = useNotices();
  const [isBusy, setBusy] = useState(false);
  const send = useCallback(
    async (payload: object = {}) => {
      if (isBusy) return null;
      setBusy(true);
      try {
        const answer = await channel.command<Record<string, unknown>>(act, payload);
        if (!answer.ok) notices.show({ kind: "error", text: refusalText(answer.error) });
        return answer;
      } finally {
        setBusy(false);
      }
    },
    [act, channel, isBusy, notices],
  );
  return { isBusy, send };
}

function refusalText(error: { code: string; message: string }): string {
  if (error.code === "no_answer") return t("commandUnanswered");
  if (error.code === "not_connected") return t("conductLost");
  return error.message || t("commandFailed");
}

/** The server's time in milliseconds, ticking once a second. */
export function useServerNow(): number {
  const { clockOffsetMs } = useConduct();
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  return nowMs + clockOffsetMs;
}
