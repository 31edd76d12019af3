"""What every script prints and writes."""
