"""Whatever is uploaded: checked, re-encoded, stripped, and kept under its digest."""
