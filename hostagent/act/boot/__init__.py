"""What pacing does to guests: suspends, resumes, starts and slows them, and remembers on disk which."""
