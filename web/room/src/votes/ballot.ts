/** Casting a ballot: sent until the server has it, so that a short break loses no vote. */
import { useEffect, useRef, useState } from "react";
import { useChannel, useConduct } from "../conduct/context";
import type { Choice, OwnBallot } from "../conduct/protocol";
import { useNotices } from "../notices";

const AGAIN_MS = 2000;
/** Answers after which sending the same ballot again may help. */
const WORTH_ANOTHER_TRY = ["no_answer", "not_connected", "unavailable", "too_fast", "internal"];

export interface Casting {
  /** What is on its way. */
  pending: Choice | null;
  /** True once a try has failed and another follows. */
  isRetrying: boolean;
  cast: (choice: Choice) => void;
}

export function useCasting(voteId: number): Casting {
  const channel = useChannel();
  const { link } = useConduct();
  const notices = useNotices();
  const [pending, setPending] = useState<Choice | null>(null);
  const [tries, setTries] = useState(0);
  const isSending = useRef(false);

  useEffect(() => {
    if (pending === null || isSending.current) return;
    isSending.current = true;
    let timer = 0;
    void channel.command<{ own_ballot: OwnBallot }>("vote.cast", { vote_id: voteId, choice: pending }).then((answer) => {
      isSending.current = false;
      if (answer.ok) {
        channel.counted(voteId, answer.own_ballot);
        setPending(null);
        setTries(0);
      } else if (WORTH_ANOTHER_TRY.includes(answer.error.code)) {
        timer = window.setTimeout(() => setTries((before) => before + 1), AGAIN_MS);
      } else {
        notices.show({ kind: "error", text: answer.error.message });
        setPending(null);
        setTries(0);
      }
    });
    return () => window.clearTimeout(timer);
  }, [channel, link, notices, pending, tries, voteId]);

  return { pending, isRetrying: tries > 0, cast: setPending };
}
