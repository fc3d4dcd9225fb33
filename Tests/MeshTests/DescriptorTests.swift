import Mesh
import TestKit
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite(.timeLimit(.minutes(1))) struct DescriptorTests {
  /// Out of descriptors the port for peers rests, and serves who waits once there are some.
  @Test func withoutDescriptorsThePortForPeersRests() async throws {
    try await Nodes.run(["pi"]) { nodes in
      OutOfDescriptors.whileWaiting(nodes[0].status().port) { client in
        let header =
          "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
          + "from='laptop@laptop' to='pi@pi' version='1.0'>"
        #expect(send(client, header, header.utf8.count, 0) == header.utf8.count)
        return "<?xml"
      }
    }
  }
}
