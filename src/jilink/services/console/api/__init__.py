"""The same for programs: one router a noun."""
