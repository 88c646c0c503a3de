"""What every door for programs has in common: sign-in, problems, pages, keys, marks and limits."""
