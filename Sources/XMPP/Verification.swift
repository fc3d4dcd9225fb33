import Codecs

extension DiscoInfo {
  /// The verification string, `ver` (XEP-0115 §5.1): SHA-1 in base64, always 28 characters.
  package func verification() -> String {
    Base64.encode(SHA1.digest(parts.map { $0 + "<" }.joined().utf8))
  }

  /// What is hashed, in the order it is hashed, without the `<` behind each.
  var parts: [String] {
    let identities = identities.map { identity in
      [identity.category, identity.type, identity.language ?? "", identity.name ?? ""]
    }
    return identities.sorted { $0.lexicographicallyPrecedes($1, by: Self.octets) }.map { $0.joined(separator: "/") }
      + features.sorted(by: Self.octets)
      + forms.sorted { Self.octets($0.type, $1.type) }.flatMap(Self.parts)
  }

  private static func parts(_ form: Form) -> [String] {
    let fields = form.fields.sorted { octets($0.name, $1.name) }
    return [form.type] + fields.flatMap { [$0.name] + $0.values.sorted(by: octets) }
  }

  /// The collation `i;octet` (RFC 4790 §9.3); Swift's own order of strings is another.
  private static func octets(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}
