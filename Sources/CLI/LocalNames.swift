import Front
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The names under `localhost`, which browsers and curl take for this machine by themselves (RFC 6761 §6.3), as other
/// programs see them: by the system's resolver.
enum LocalNames {
  /// Whether it has them; false also where it takes longer to answer than `CLILimits.resolving`.
  static func areResolved() async -> Bool {
    let (answers, answer) = AsyncStream.makeStream(of: Bool.self)
    // It may wait for a DNS server, and cannot be called off.
    NIOThreadPool.singleton.submit { _ in answer.yield(isLoopback("any." + FrontAddress.zone)) }
    return await Deadline.run(CLILimits.resolving) { await answers.first { _ in true } ?? false } ?? false
  }

  /// What to do where they are not, as one line.
  static func advice(_ front: FrontAddress) -> String {
    "only browsers and curl resolve *.\(FrontAddress.zone) here; for other programs: apt-get install libnss-myhostname, "
      + "or http_proxy=http://127.0.0.1:\(front.port), or hearth forward"
  }

  /// Whether the resolver knows the name, and says that it is this machine.
  static func isLoopback(_ name: String) -> Bool {
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(name, nil, nil, &list) == 0 else { return false }
    defer { freeaddrinfo(list) }
    let addresses = sequence(first: list) { $0?.pointee.ai_next }.prefix { $0 != nil }.compactMap {
      $0?.pointee.ai_addr
    }
    return !addresses.isEmpty && addresses.allSatisfy(isLoopback)
  }

  private static func isLoopback(_ address: UnsafeMutablePointer<sockaddr>) -> Bool {
    // 127.0.0.0/8, and ::1.
    guard let bytes = addressBytes(address) else { return false }
    return bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
  }
}
