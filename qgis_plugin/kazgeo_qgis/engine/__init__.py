"""The engine: KazGeo in a process and a Python of its own."""

#: What this plugin speaks; an engine that speaks another protocol is refused with a sentence.
PROTOCOL = 1
