import Glibc
import NIOCore

/// The kernel's own list of this machine's TCP connections.
enum Sockets {
  /// Ends of connections to or from these ports that are established, of both families (proc_net_tcp(5)), as both addresses: two for a connection on loopback.
  static func established(at ports: [Int]) throws -> Set<String> {
    let suffixes = ports.map { port in
      let digits = String(port, radix: 16, uppercase: true)
      return ":" + String(repeating: "0", count: 4 - digits.count) + digits
    }
    var found: Set<String> = []
    for table in ["tcp", "tcp6"] {
      let text = String(decoding: try read("/proc/self/net/\(table)"), as: UTF8.self)
      for words in text.split(separator: "\n").map({ $0.split(separator: " ") }) where words.count > 3 {
        let isMeant = suffixes.contains { words[1].hasSuffix($0) || words[2].hasSuffix($0) }
        guard words[3] == "01", isMeant else { continue }
        found.insert("\(words[1]) \(words[2])")
      }
    }
    return found
  }

  /// To its end, piece by piece: the kernel does not say how long it is.
  private static func read(_ path: String) throws -> [UInt8] {
    struct Unreadable: Error {}
    guard let file = fopen(path, "r") else { throw Unreadable() }
    defer { fclose(file) }
    var (all, piece) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
    while case let count = fread(&piece, 1, piece.count, file), count > 0 { all += piece[..<count] }
    return all
  }
}

/// A body without end.
struct EndlessBody: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  typealias Failure = any Error

  struct AsyncIterator: AsyncIteratorProtocol {
    func next() async throws -> ByteBuffer? {
      try Task.checkCancellation()
      return ByteBuffer(repeating: 7, count: 65_536)
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
}
