/// How requests reach one app, where what suits nearly all apps does not suit it.
package struct AppOptions: Sendable, Hashable {
  /// What the app gets as `Host`.
  package enum Host: String, Sendable {
    /// Its own authority, as the target has it; what names the device in other fields names the app then.
    case app
    /// What the browser used, in all fields; the app's own for a program that is no browser.
    case browser
  }

  package let host: Host
  /// Whether it gets `X-Forwarded-For`: the IP address of the peer's machine, never a name (RFC 7239 §6).
  package let forwardedFor: Bool
  /// Whether it has room for few fields, as the servers of microcontrollers do: nothing is added, and what browsers send for
  /// large sites is left out.
  package let gadget: Bool
  /// Seconds that it has to begin its answer; nil: as `HTTPClientLimits` has it.
  package let timeout: Int?
  /// Whether its XML documents go to peers as XML, where they survive that, instead of as text.
  package let xml: Bool

  package init(
    host: Host = .app, forwardedFor: Bool = false, gadget: Bool = false, timeout: Int? = nil, xml: Bool = false
  ) {
    self.xml = xml
    self.host = host
    self.forwardedFor = forwardedFor
    self.gadget = gadget
    self.timeout = timeout
  }

  /// Throws where they contradict each other.
  func check() throws(TargetError) {
    guard !gadget || host == .app && !forwardedFor else {
      throw TargetError(
        message: "gadget = true adds nothing to requests: leave \(forwardedFor ? "forwarded_for" : "host") out.",
        option: "gadget")
    }
    guard timeout.map(OriginLimits.timeouts.contains) ?? true else {
      throw TargetError(message: "timeout must be within 1 and 86400 seconds.", option: "timeout")
    }
  }

  /// The first that is set, as its owner writes it; nil where none is.
  var firstSet: String? {
    if host != .app { return "host" }
    if forwardedFor { return "forwarded_for" }
    if gadget { return "gadget" }
    if timeout != nil { return "timeout" }
    return xml ? "xml" : nil
  }
}
