"""What people and programs read: plans, drift and status as text and as JSON, from the same values."""
