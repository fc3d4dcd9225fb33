// Tests of HTTPEdge.
