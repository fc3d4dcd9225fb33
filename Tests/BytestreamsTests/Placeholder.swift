// Tests of Bytestreams.
