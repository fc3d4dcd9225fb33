import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import HTTPEdge

/// Which program listens on a port, by the kernel's word.
struct PortHolderTests {
  private static func line(_ local: String, _ state: String) -> String {
    "   7: \(local) 00000000:0000 \(state) 00000000:00000000 00:00000000 00000000 1000 0 4711 1 00000000be 100 0 0 10 0"
  }

  @Test func aListeningSocketHasAnInode() {
    #expect(PortHolder.inode(in: Self.line("0100007F:18A6", "0A"), 6310) == "4711")
    #expect(PortHolder.inode(in: Self.line("00000000000000000000000001000000:18A6", "0A"), 6310) == "4711")
    for (local, state) in [("0100007F:18A6", "01"), ("0100007F:18A7", "0A"), ("x", "0A"), ("", "")] {
      #expect(PortHolder.inode(in: Self.line(local, state), 6310) == nil)
    }
    #expect(PortHolder.inode(in: "", 6310) == nil)
  }

  @Test(arguments: ["127.0.0.1", "::1"]) func thisProcessIsFound(_ ip: String) async throws {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: ip, port: 0).get()
    let port = try #require(channel.localAddress?.port)
    #expect(PortHolder.name(ofPort: port)?.hasSuffix(" (process \(getpid()))") == true)
    if let free = PortHolder.free(from: port, count: 100) { #expect(free > port) }
    try await channel.close()
  }
}
