/**
 * Ways to the media node, tried one by one. A connection is held to one way by
 * leaving out what would lead it elsewhere: candidates of the other transport in
 * what the node says, TURN servers in the configuration, or everything but TURN
 * (`iceTransportPolicy`). Works with any node that speaks LiveKit's protocol.
 */

export type Route = "udp" | "tcp" | "turn";
export const ROUTES: readonly Route[] = ["udp", "tcp", "turn"];

/** Whether an ICE candidate line (RFC 8839 §5.1) leads by `route`. TURN may reach either kind. */
export function leadsBy(candidate: string, route: Route): boolean {
  const transport = candidate.replace(/^(a=)?candidate:/, "").split(" ")[2]?.toLowerCase();
  if (route === "turn") return transport === "udp";
  return transport === route;
}

/** `sdp` without the candidates that do not lead by `route`; how many of those that do remain. */
export function keepCandidates(sdp: string, route: Route): { sdp: string; kept: number } {
  let kept = 0;
  const lines = sdp.split("\r\n").filter((line) => {
    if (!line.startsWith("a=candidate:")) return true;
    const leads = leadsBy(line, route);
    if (leads) kept += 1;
    return leads;
  });
  return { sdp: lines.join("\r\n"), kept };
}

function urlsOf(server: RTCIceServer): string[] {
  return typeof server.urls === "string" ? [server.urls] : server.urls;
}

export function hasTurn(servers: readonly RTCIceServer[] | undefined): boolean {
  return (servers ?? []).some((server) => urlsOf(server).some((url) => /^turns?:/i.test(url)));
}

/** The configuration that holds a connection to `route`. */
export function held(config: RTCConfiguration, route: Route): RTCConfiguration {
  if (route === "turn") return { ...config, iceTransportPolicy: "relay" };
  return { ...config, iceServers: [], iceTransportPolicy: "all" };
}

/** What is known of the connections made while a way was tried. */
export interface Trace {
  /** Candidates of the node that lead by this way. */
  offered: number;
  /** Whether the node named TURN servers. */
  namesTurn: boolean;
  connections: RTCPeerConnection[];
}

/**
 * Makes every RTCPeerConnection of this page go by `route` until the returned
 * function is called. The client library makes them; the page has no others.
 */
export function hold(route: Route): { trace: Trace; release: () => void } {
  const Original = window.RTCPeerConnection;
  const trace: Trace = { offered: 0, namesTurn: false, connections: [] };
  class HeldConnection extends Original {
    constructor(config: RTCConfiguration = {}) {
      trace.namesTurn ||= hasTurn(config.iceServers);
      super(held(config, route));
      trace.connections.push(this);
    }

    override setConfiguration(config: RTCConfiguration): void {
      trace.namesTurn ||= hasTurn(config.iceServers);
      super.setConfiguration(held(config, route));
    }

    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const { sdp, kept } = keepCandidates(description.sdp ?? "", route);
      trace.offered += kept;
      return super.setRemoteDescription({ type: description.type, sdp });
    }

    override addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
      const line = candidate?.candidate ?? "";
      if (line && !leadsBy(line, route)) return Promise.resolve();
      if (line) trace.offered += 1;
      return super.addIceCandidate(candidate ?? undefined);
    }
  }
  window.RTCPeerConnection = HeldConnection;
  return {
    trace,
    release: () => {
      window.RTCPeerConnection = Original;
    },
  };
}
