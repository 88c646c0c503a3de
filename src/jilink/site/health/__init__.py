"""What `jilink doctor` looks at."""
