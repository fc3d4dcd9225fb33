#if canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// IP addresses as they are written.
package enum IPAddress {
  /// 4 or 16 bytes in network order; an IPv4 address that is written as an IPv6 one (RFC 4291 §2.5.5) is what it stands for. nil for
  /// what is no address, or has a scope.
  package static func bytes(_ text: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
    guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
    let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    return isMapped ? Array(bytes.suffix(4)) : bytes
  }
}
