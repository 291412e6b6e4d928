"""Where pictures come from, how they are packed once, and how they reach the device."""
