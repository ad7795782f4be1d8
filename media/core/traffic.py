"""What went through the node, counted: plain numbers that only grow, for the metrics."""

from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Counters of all connections of a node, ended ones included."""

    packets_in: int = 0
    """RTP packets that came in, authentic and well formed."""

    octets_in: int = 0
    nacked_in: int = 0
    """Packets that subscribers asked for again."""

    nacked_out: int = 0
    """Packets that publishers were asked for again."""

    resent: int = 0
    keyframes_asked_in: int = 0
    """PLI and FIR of subscribers."""

    keyframes_asked_out: int = 0
    """PLI to publishers, after throttling."""

    layer_switches: int = 0
    """A subscriber that got one layer gets another."""

    data_refused: int = 0
    """Data packets dropped because their sender sent too many."""

    flooded: int = 0
    """Media packets dropped for the same reason, before they were decrypted."""

    def figures(self) -> dict[str, float]:
        """By the names of the metrics."""
        return {
            "packets_received_total": self.packets_in,
            "bytes_received_total": self.octets_in,
            "nack_received_total": self.nacked_in,
            "nack_sent_total": self.nacked_out,
            "packets_resent_total": self.resent,
            "pli_received_total": self.keyframes_asked_in,
            "pli_sent_total": self.keyframes_asked_out,
            "layer_switches_total": self.layer_switches,
            "data_packets_refused_total": self.data_refused,
            "packets_flooded_total": self.flooded,
        }
