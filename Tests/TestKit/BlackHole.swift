import Glibc

/// A port of this machine at which packets get lost: whoever connects hears nothing, neither yes nor no.
package final class BlackHole: Sendable {
  private let sockets: [Int32]

  /// At 127.0.0.1; nil where that cannot be had.
  package init?(port: Int) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let filling = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    sockets = [listening, filling]
    var yes: Int32 = 1
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    let isFull = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // A queue of one, which nobody takes anything from (tcp_conn_request of the kernel).
        return bind(listening, address, length) == 0 && listen(listening, 0) == 0
          && connect(filling, address, length) == 0
      }
    }
    guard isFull else { return nil }
  }

  deinit { for socket in sockets { close(socket) } }
}
