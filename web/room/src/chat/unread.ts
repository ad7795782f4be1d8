/** How many messages of others arrived since the chat was last open. */
import { useEffect, useState } from "react";
import { useConduct } from "../conduct/context";

export function useUnread(isChatOpen: boolean): number {
  const { chat, me, hasSnapshot } = useConduct();
  const [seenId, setSeenId] = useState<string | number | null>(null);
  const [hasStarted, setStarted] = useState(false);
  const lastId = chat.at(-1)?.id ?? null;
  useEffect(() => {
    // What was written before joining is history, not news.
    if (isChatOpen || (hasSnapshot && !hasStarted)) setSeenId(lastId);
    if (hasSnapshot) setStarted(true);
  }, [isChatOpen, lastId, hasSnapshot, hasStarted]);
  if (isChatOpen || !hasStarted) return 0;
  const seenIndex = chat.findIndex((message) => message.id === seenId);
  return chat.slice(seenIndex + 1).filter((message) => message.identity !== me.identity).length;
}
