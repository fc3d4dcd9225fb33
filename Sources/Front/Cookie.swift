import Codecs

/// `Set-Cookie` (RFC 6265 §4.1).
package enum Cookie {
  /// The cookie for this very host: the domain that a device names is not the one that the browser knows it by.
  package static func withoutDomain(_ value: String) -> String {
    let parts = value.split(separator: ";", omittingEmptySubsequences: false)
    let kept = parts.prefix(1) + parts.dropFirst().filter { !isDomain($0) }
    return kept.count == parts.count ? value : kept.joined(separator: ";")
  }

  private static func isDomain(_ attribute: Substring) -> Bool {
    attribute.prefix { $0 != "=" }.trimmingSpace.lowercased() == "domain"
  }
}
