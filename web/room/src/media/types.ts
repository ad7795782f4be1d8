/** The part of LiveKit's permission document that the room reads. */
export interface ParticipantPermission {
  canPublish: boolean;
  canPublishSources: number[];
}
