"""Knowledge: bilingual articles with versions and review dates, found by any part of a word."""
