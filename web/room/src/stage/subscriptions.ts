/**
 * Which cameras are received. Up to KEEP_ALL of them come by themselves, so that a
 * face appears without waiting; in larger meetings only those seen are received,
 * because a hall's line and PC cannot carry a hundred pictures nobody looks at.
 * Sound and presentations are always received.
 */
import { RemoteParticipant, Track, type Participant } from "livekit-client";
import { useEffect } from "react";

/** Two stages full of pictures: small meetings never wait for a subscription. */
export const KEEP_ALL = 18;

/** Identities whose cameras are received. */
export function receivedCameras(cameras: readonly string[], seen: ReadonlySet<string>): Set<string> {
  return new Set(cameras.length <= KEEP_ALL ? cameras : cameras.filter((identity) => seen.has(identity)));
}

export function useSubscriptions(participants: Participant[], seen: ReadonlySet<string>): void {
  useEffect(() => {
    const remote = participants.filter((one) => one instanceof RemoteParticipant);
    const publications = remote.flatMap((participant) => {
      const publication = participant.getTrackPublication(Track.Source.Camera);
      return publication ? [{ identity: participant.identity, publication }] : [];
    });
    const received = receivedCameras(
      publications.map((one) => one.identity),
      seen,
    );
    for (const { identity, publication } of publications) {
      const isReceived = received.has(identity);
      if (publication.isDesired !== isReceived) publication.setSubscribed(isReceived);
    }
  });
}
