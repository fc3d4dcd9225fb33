package import TLS

package typealias UpstreamTrust = TLSConfiguration.UpstreamTrust

extension UpstreamTrust {
  /// Of what an owner wrote, see `Target`.
  init(fingerprint: String?, insecure: Bool) throws(TargetError) {
    guard let fingerprint else {
      self = insecure ? .insecure : .systemCAs
      return
    }
    guard !insecure else {
      throw TargetError(message: "fingerprint and insecure = true contradict each other: leave one of them out.")
    }
    guard let digest = Self.digest(fingerprint) else {
      throw TargetError(
        message: "fingerprint \"\(fingerprint)\" is no SHA-256 of a certificate: it has 64 hexadecimal digits, as "
          + "`openssl x509 -noout -fingerprint -sha256` prints them.")
    }
    self = .fingerprint(digest)
  }

  /// 32 bytes; colons stand between all of them or nowhere.
  private static func digest(_ text: String) -> [UInt8]? {
    let digits = text.contains(":") ? text.split(separator: ":", omittingEmptySubsequences: false) : text.pairs
    let bytes = digits.compactMap { $0.utf8.count == 2 && $0.allSatisfy(\.isHexDigit) ? UInt8($0, radix: 16) : nil }
    return bytes.count == digits.count && bytes.count == 32 ? bytes : nil
  }
}

extension String {
  fileprivate var pairs: [Substring] {
    var rest = self[...]
    var pairs: [Substring] = []
    while !rest.isEmpty {
      pairs.append(rest.prefix(2))
      rest = rest.dropFirst(2)
    }
    return pairs
  }
}
