package import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Which user of this machine is at the other end of a TCP connection over loopback.
///
/// The kernel's table of sockets has it (proc(5), `/proc/net/tcp`): the client's socket is the row whose ends are ours,
/// the other way round. It is the user who made the socket, as `SO_PEERCRED` says it of unix sockets.
package enum ClientUser {
  /// nil where it cannot be told, or the client is gone.
  package static func of(_ channel: any Channel) async -> UInt32? {
    guard let server = channel.localAddress, let client = channel.remoteAddress else { return nil }
    let rows = SocketRow.all(from: client, to: server)
    // A table that changes while it is read may lack a row.
    for _ in 1...2 {
      let user = try? await NIOThreadPool.singleton.runIfActive { SocketTable.user(ofAny: rows) }
      if let user = user ?? nil {
        // Had the client gone meanwhile, the row could be that of another one with the same port.
        return await isEstablished(channel) ? user : nil
      }
    }
    return nil
  }

  private static func isEstablished(_ channel: any Channel) async -> Bool {
    let state = try? await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
        // The first byte of `struct tcp_info` (linux/tcp.h).
        var state: UInt8 = 0
        var size = socklen_t(1)
        return getsockopt(socket, CInt(IPPROTO_TCP), TCP_INFO, &state, &size) == 0 ? state : nil
      } ?? nil
    }.get()
    return state == SocketRow.established
  }
}

/// A row of the kernel's table, as it is to be found.
struct SocketRow: Sendable, Hashable {
  /// `TCP_ESTABLISHED` (linux/tcp_states.h).
  static let established: UInt8 = 1

  let table: String
  /// `0100007F:9CB4`, as the kernel writes it.
  let local: String
  let remote: String

  /// Where the socket may stand that is bound to `client` and connected to `server`: one of IPv6 may speak IPv4.
  static func all(from client: SocketAddress, to server: SocketAddress) -> [SocketRow] {
    guard let local = text(client), let remote = text(server) else { return [] }
    switch (client, server) {
    case (.v4, .v4):
      return [("/proc/self/net/tcp", ""), ("/proc/self/net/tcp6", mapped)].map { table, prefix in
        SocketRow(table: table, local: prefix + local, remote: prefix + remote)
      }
    case (.v6, .v6): return [SocketRow(table: "/proc/self/net/tcp6", local: local, remote: remote)]
    default: return []
    }
  }

  /// The user of a line that is this row's, established, and held by a process.
  ///
  /// Sockets that were closed have no inode any more, and then older kernels call their user 0, which is root.
  func user(in line: some StringProtocol) -> UInt32? {
    let columns = line.split(separator: " ", maxSplits: 10)
    guard columns.count > 9, columns[1] == local, columns[2] == remote,
      UInt8(columns[3], radix: 16) == Self.established, columns[9] != "0"
    else { return nil }
    return UInt32(columns[7])
  }

  /// Before an IPv4 address in IPv6 (RFC 4291 §2.5.5.2).
  private static let mapped = String(repeating: "0", count: 16) + hex(UInt32(0xFFFF).bigEndian)

  private static func text(_ address: SocketAddress) -> String? {
    guard let ip = address.ipAddress, let port = address.port.flatMap(UInt16.init(exactly:)) else { return nil }
    let family = address.protocol == .inet6 ? AF_INET6 : AF_INET
    var words = [UInt32](repeating: 0, count: family == AF_INET6 ? 4 : 1)
    guard inet_pton(family, ip, &words) == 1 else { return nil }
    return "\(words.map(hex).joined()):\(hex(port))"
  }

  /// Addresses are words in this machine's order.
  private static func hex(_ value: some FixedWidthInteger) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: value.bitWidth / 4 - digits.count) + digits
  }
}

/// The kernel's tables of TCP sockets.
enum SocketTable {
  /// Whose the socket of this row is; nil where there is none, or no such table.
  static func user(of row: SocketRow) -> UInt32? { first(in: row.table, row.user) }

  /// Whose the first of these is that is there. Each is looked for once, for it may be gone at a second look: what is lazy, and has
  /// a first element, looks twice.
  static func user(ofAny rows: [SocketRow]) -> UInt32? {
    for row in rows {
      if let user = user(of: row) { return user }
    }
    return nil
  }

  /// What is found in the first line of a table that has it; nil where none has, or there is no such table.
  static func first<Found>(in table: String, _ find: (String) -> Found?) -> Found? {
    let file = open(table, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: PartSize.receive)
    var (rest, left) = ([UInt8](), SocketTableLimits.bytes)
    while left > 0 {
      let count = read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      left -= count
      rest += buffer[..<count]
      var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      let incomplete = lines.popLast() ?? []
      for line in lines {
        if let found = find(String(decoding: line, as: UTF8.self)) { return found }
      }
      rest = Array(incomplete)
    }
    return nil
  }
}
