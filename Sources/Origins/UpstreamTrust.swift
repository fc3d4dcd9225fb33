import Codecs
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
      throw TargetError(
        message: "fingerprint and insecure = true contradict each other: leave one of them out.",
        option: "fingerprint")
    }
    guard let digest = Self.digest(fingerprint) else {
      throw TargetError(
        message: "fingerprint “\(fingerprint)” is no SHA-256 of a certificate: it has 64 hexadecimal digits, as "
          + "`openssl x509 -noout -fingerprint -sha256` prints them.", option: "fingerprint")
    }
    self = .fingerprint(digest)
  }

  /// 32 bytes; colons stand between all of them or nowhere.
  private static func digest(_ text: String) -> [UInt8]? {
    let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
    guard pairs.count == 1 || pairs.allSatisfy({ $0.utf8.count == 2 }), let bytes = Hexadecimal.decode(pairs.joined())
    else { return nil }
    return bytes.count == 32 ? bytes : nil
  }
}
