package import HTTPTypes

/// Names that HTTPTypes does not have. All are tokens.
extension HTTPField.Name {
  static let altSvc = Self("Alt-Svc")!
  static let clearSiteData = Self("Clear-Site-Data")!
  package static let referrerPolicy = Self("Referrer-Policy")!
  package static let forwardedHost = Self("X-Forwarded-Host")!
  package static let hearthRequestID = Self("Hearth-Request-Id")!
  package static let forwardedProto = Self("X-Forwarded-Proto")!
  package static let refresh = Self("Refresh")!
  static let secFetchDest = Self("Sec-Fetch-Dest")!
  static let secFetchMode = Self("Sec-Fetch-Mode")!
  static let secFetchSite = Self("Sec-Fetch-Site")!
  package static let xFrameOptions = Self("X-Frame-Options")!
}
