import LinkLocal

/// What may be the user or the machine part of a device's address (RFC 7622 §3.3.1).
enum DeviceName {
  static let tooLong = "is too long; name@machine must fit in \(InstanceName.maximumLength) bytes"
  private static let excluded: Set<Character> = ["\"", "&", "'", "/", ":", "<", ">", "@", " "]

  /// Why this can be no such part, and what is allowed; nil where it can.
  static func problem(with name: String) -> String? {
    if name.isEmpty { return "is empty; a name needs at least one letter or digit" }
    if let bad = name.first(where: { excluded.contains($0) || $0.isNewline }) {
      return "“\(name)” holds “\(bad)”; use letters, digits, hyphens, dots and underscores, as in \"living-room\""
    }
    if InstanceName(name) == nil || name.utf8.count > InstanceName.maximumLength - 2 { return tooLong }
    return nil
  }
}
