"""Which values and which lines of templates made each line of a rendered file. Asked for, never stored."""
