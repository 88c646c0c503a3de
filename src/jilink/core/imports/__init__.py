"""Much at once: files of rows, sent piece by piece and taken in row by row behind everything else."""
