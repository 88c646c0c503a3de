"""What happened in the console itself: nothing yet that anybody else has to know."""
