#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Which program of this machine listens on a TCP port (proc(5)). Reads files of the kernel's, which may take a while.
package enum PortHolder {
  /// `cupsd (process 812)`; nil where nothing listens there, or its process is not to be looked into by this user.
  package static func name(ofPort port: Int) -> String? {
    let sockets = Set(tables.flatMap { inodes(in: $0, port) }.map { "socket:[\($0)]" })
    guard !sockets.isEmpty else { return nil }
    // Each is looked at once: it may end meanwhile.
    let holder = entries(of: "/proc").first { $0.allSatisfy(\.isNumber) && holds($0, sockets) }
    return holder.map { "\(command(of: $0)) (process \($0))" }
  }

  /// The first port from `start` on, within `count`, on which nothing listens.
  package static func free(from start: Int, count: Int) -> Int? {
    (start..<start + count).first { port in
      port <= Int(UInt16.max) && tables.allSatisfy { inodes(in: $0, port).isEmpty }
    }
  }

  private static let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
  /// `TCP_LISTEN` (linux/tcp_states.h).
  private static let listening: UInt8 = 10

  private static func inodes(in table: String, _ port: Int) -> [String] {
    var inodes: [String] = []
    _ = SocketTable.first(in: table) { line -> Never? in
      if let inode = inode(in: line, port) { inodes.append(inode) }
      return nil
    }
    return inodes
  }

  /// Of the socket that listens on this port, where the line is such a one's.
  static func inode(in line: String, _ port: Int) -> String? {
    let columns = line.split(separator: " ", maxSplits: 10)
    guard columns.count > 9, UInt8(columns[3], radix: 16) == listening,
      columns[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) }) == port
    else { return nil }
    return String(columns[9])
  }

  private static func holds(_ process: String, _ sockets: Set<String>) -> Bool {
    entries(of: "/proc/\(process)/fd").contains { file in
      link(at: "/proc/\(process)/fd/\(file)").map(sockets.contains) ?? false
    }
  }

  private static func command(of process: String) -> String {
    SocketTable.first(in: "/proc/\(process)/comm") { $0 } ?? "a program"
  }

  private static func entries(of folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: Int(entry.pointee.d_reclen)) { String(cString: $0) }
        })
    }
    return names
  }

  private static func link(at path: String) -> String? {
    // A socket's is short: its word and a number.
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = buffer.withUnsafeMutableBytes { bytes in
      readlink(path, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }
}
