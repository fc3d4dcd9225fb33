import Glibc
import TestKit
import Testing

@testable import Daemon

struct ServiceNotifierTests {
  @Test(arguments: [false, true]) func theServiceManagerIsTold(abstract: Bool) async throws {
    try TemporaryFolder.with { folder in
      let path = "\(folder)/notify"
      let manager = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
      defer { close(manager) }
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      let size = socklen_t(MemoryLayout<sa_family_t>.size + path.utf8.count + (abstract ? 1 : 0))
      withUnsafeMutableBytes(of: &name.sun_path) { bytes in
        bytes.copyBytes(from: "\(abstract ? "\0" : "")\(path)".utf8)
      }
      let bound = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(manager, $0, size) }
      }
      try #require(bound == 0)
      let notifier = ServiceNotifier(address: abstract ? "@\(path)" : path)
      notifier.ready("up")
      notifier.stopping()
      #expect(Self.receive(manager) == "READY=1\nSTATUS=up")
      #expect(Self.receive(manager) == "STOPPING=1")
    }
  }

  @Test(arguments: [nil, "", "relative", "/nowhere/at/all"]) func silentWithoutAManager(_ address: String?) {
    ServiceNotifier(address: address).ready("up")
  }

  private static func receive(_ socket: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
