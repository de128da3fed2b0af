"""What refusals and fields are called and said to be, for every reader; one table for each subject."""
