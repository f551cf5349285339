"""Paces boots beside the loop: holds, orders and releases guests' starts."""
