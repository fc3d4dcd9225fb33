import LinkLocal
import Trust
import XMPP

/// What is known of one device, of which its route is made.
struct DeviceFacts: Sendable {
  var discovered: DiscoveredDevice
  /// What it said of itself over a stream, where its hash does not tell (XEP-0115).
  var http: Bool?
  /// The key that it showed when it was dialled, and as what it was announced then. One that is announced anew is another
  /// matter.
  var shown: (key: NodeID?, hint: String?)?
  /// Whether the last stream was encrypted that was opened to it, or came from it by its own account.
  var isEncrypted: Bool?
  /// What its node said last of the app behind it, where that gave no answer.
  var appFailure: Device.AppFailure?
  let lastSign: LastSign

  init(_ discovered: DiscoveredDevice) {
    self.discovered = discovered
    lastSign = LastSign(discovered.seen)
  }

  func route(_ capabilities: Capabilities, _ trustService: TrustService) -> Route {
    let (jid, hint) = (discovered.jid, discovered.record.id)
    let shown = self.shown.flatMap { $0.hint == hint ? Route.Shown(key: $0.key) : nil }
    let device = Device(
      jid: jid, name: discovered.record.nick ?? discovered.name.user, state: .init(discovered.state),
      isLocal: discovered.isLocal,
      http: http ?? announcedHTTP(capabilities), status: discovered.record.status ?? "",
      message: discovered.record.message, endpoints: discovered.endpoints,
      server: discovered.server, seen: discovered.seen,
      standing: standing(shown, hint, trustService),
      node: discovered.isLocal ? trustService.id : hint.flatMap { try? NodeID($0) },
      isEncrypted: isEncrypted, appFailure: appFailure)
    return Route(
      to: device, announcing: hint, expecting: trustService.expectedKey(of: jid, hint: hint), shown: shown,
      lastSign: lastSign)
  }

  /// What it is to this node depends on who is a friend by now.
  private func standing(_ shown: Route.Shown?, _ hint: String?, _ trustService: TrustService) -> Standing {
    if discovered.isLocal { return .self }
    return shown.map { trustService.verdict(jid: discovered.jid, id: $0.key, hint: hint) }
      ?? trustService.appearance(jid: discovered.jid, hint: hint)
  }

  /// By the hash of its capabilities, in the one algorithm that is in use; nil where that is not known.
  private func announcedHTTP(_ capabilities: Capabilities) -> Bool? {
    guard let verification = discovered.record.verification, verification.hash == "sha-1" else { return nil }
    return capabilities.info(of: verification.ver).map { $0.features.contains(Namespace.http) }
  }
}

extension Device.State {
  fileprivate init(_ state: DiscoveredDevice.State) {
    switch state {
    case .online: self = .online
    case .away: self = .away
    case .gone: self = .gone
    }
  }
}
