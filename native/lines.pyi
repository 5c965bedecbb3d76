from native.lines_reference import read_submit as read_submit
