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

  /// 127.0.0.0/8, or ::1.
  package static func isLoopback(_ bytes: [UInt8]) -> Bool {
    bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
  }

  /// 169.254.0.0/16, or fe80::/10: means nothing on another link.
  package static func isLinkLocal(_ bytes: [UInt8]) -> Bool {
    bytes.count == 4 ? bytes[0] == 169 && bytes[1] == 254 : bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
  }

  /// Of one host: not unspecified, of a group, or reserved (RFC 1122 §3.2.1.3, RFC 4291 §2).
  package static func isUnicast(_ bytes: [UInt8]) -> Bool {
    bytes.count == 4 ? (1..<224).contains(bytes[0]) : bytes[0] != 0xFF && bytes.contains { $0 != 0 }
  }
}
