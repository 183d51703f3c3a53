"""What every connector gets for free: pace, time, type check, scale, range, deadband, staleness."""
