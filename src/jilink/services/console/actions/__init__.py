"""The only writers of what the console itself keeps."""
