/** What the engine lets this participant publish (LiveKit `ParticipantPermission`). */
import type { ParticipantPermission } from "./types";

/** Numbers of `TrackSource` in LiveKit's protocol. */
const SOURCES = { camera: 1, microphone: 2, screen: 3 } as const;

export type Source = keyof typeof SOURCES;

/** An empty list of sources means all of them. No permission yet means nothing is refused yet. */
export function mayPublish(permission: ParticipantPermission | undefined, source: Source): boolean {
  if (!permission) return true;
  if (!permission.canPublish) return false;
  const allowed = permission.canPublishSources;
  return allowed.length === 0 || allowed.includes(SOURCES[source]);
}
