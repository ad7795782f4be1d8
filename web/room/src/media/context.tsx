/** How components reach the media session. */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { MediaSession, MediaState } from "./session";

const SessionContext = createContext<MediaSession | null>(null);
export const SessionProvider = SessionContext.Provider;

export function useMediaSession(): MediaSession {
  const session = useContext(SessionContext);
  if (!session) throw new Error("No media session around this component");
  return session;
}

export function useMedia(): MediaState {
  const session = useMediaSession();
  return useSyncExternalStore(session.subscribe, session.read);
}
