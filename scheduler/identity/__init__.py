"""Who somebody is: the mailed codes and passwords that prove it."""
