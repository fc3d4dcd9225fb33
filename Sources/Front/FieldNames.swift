import HTTPTypes

/// Names that HTTPTypes does not have. All are tokens.
extension HTTPField.Name {
  static let altSvc = Self("Alt-Svc")!
  static let clearSiteData = Self("Clear-Site-Data")!
  static let crossOriginOpenerPolicy = Self("Cross-Origin-Opener-Policy")!
  static let crossOriginResourcePolicy = Self("Cross-Origin-Resource-Policy")!
  static let forwarded = Self("Forwarded")!
  static let forwardedFor = Self("X-Forwarded-For")!
  static let hearthPeerTrust = Self("Hearth-Peer-Trust")!
  static let referrerPolicy = Self("Referrer-Policy")!
  static let refresh = Self("Refresh")!
  static let secFetchDest = Self("Sec-Fetch-Dest")!
  static let secFetchMode = Self("Sec-Fetch-Mode")!
  static let secFetchSite = Self("Sec-Fetch-Site")!
  static let xFrameOptions = Self("X-Frame-Options")!
}
