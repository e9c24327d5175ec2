"""Which pictures show the same frame: candidates by hash and landmarks, then proof on pixels. numpy and OpenCV; no torch."""
