"""Boot storms: how many guests may boot at once, which is next, and when one has settled. All pure."""
