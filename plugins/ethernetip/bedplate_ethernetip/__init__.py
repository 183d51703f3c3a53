"""EtherNet/IP connector for Bedplate."""

from bedplate_ethernetip.connector import EthernetIp

__all__ = ["EthernetIp"]
