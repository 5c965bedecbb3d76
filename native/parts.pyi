from native.parts_reference import add_counts as add_counts
from native.parts_reference import pack_parts as pack_parts
