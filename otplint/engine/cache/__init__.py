"""What a scan leaves for the next one: it costs or saves time, and never changes a finding."""
