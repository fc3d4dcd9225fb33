import HTTPTypes

/// Names that HTTPTypes does not have, beside those of the front. All are tokens.
extension HTTPField.Name {
  static let crossOriginOpenerPolicy = Self("Cross-Origin-Opener-Policy")!
  static let crossOriginResourcePolicy = Self("Cross-Origin-Resource-Policy")!
  static let forwarded = Self("Forwarded")!
  static let forwardedFor = Self("X-Forwarded-For")!
  static let hearthPeerTrust = Self("Hearth-Peer-Trust")!
}
