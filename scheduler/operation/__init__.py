"""What an operator does with a whole desk: load it, copy it, back it up, keep it tidy, watch it."""
