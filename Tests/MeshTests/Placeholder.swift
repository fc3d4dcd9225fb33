// Tests of Mesh.
