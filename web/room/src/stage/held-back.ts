/**
 * A picture that the server has stopped because the line to this site does not carry it.
 * It comes back by itself; until then the last picture would look like a live one.
 */
import { ParticipantEvent, Track, type Participant, type TrackPublication } from "livekit-client";
import { useEffect, useReducer } from "react";

export function isHeldBack(publication: TrackPublication | undefined): boolean {
  return publication?.track?.streamState === Track.StreamState.Paused;
}

/** `isHeldBack`, and again whenever it changes. */
export function useIsHeldBack(participant: Participant, publication: TrackPublication | undefined): boolean {
  const [, look] = useReducer((looks: number) => looks + 1, 0);
  useEffect(() => {
    participant.on(ParticipantEvent.TrackStreamStateChanged, look);
    return () => {
      participant.off(ParticipantEvent.TrackStreamStateChanged, look);
    };
  }, [participant]);
  return isHeldBack(publication);
}
