"""A message was deleted that had a file: the last one takes the bytes along."""

from __future__ import annotations

from shared.ports.files import Files, Objects


def release(file_id: str, *, files: Files, objects: Objects) -> bool:
    """Delete the file's bytes, if no message has it any more. Can be repeated, and completes what was cut off.

    False, and nothing is deleted, where a message has it: a forward, or the same file sent twice.
    """
    if not files.retire(file_id):
        return False
    objects.delete(file_id)
    return True
