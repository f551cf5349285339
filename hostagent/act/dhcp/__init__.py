"""Probes of DHCP renewals: packets, ports in guests' networks, and what came back."""
