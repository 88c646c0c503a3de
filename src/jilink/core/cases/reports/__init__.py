"""Reports over cases: what each counts as, sums by day that reactions keep, and the rates of city management."""
