"""Speed and quality, measured beside what one would use instead; each module is a command."""
