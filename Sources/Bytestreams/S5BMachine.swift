package import NIOCore

/// Which connection carries a body that goes beside the stream, at either side (XEP-0260 §2.3, §2.4).
///
/// The initiator has the body. Both offer addresses; the responder connects at once, the initiator only where that takes long, or
/// fails: so there is one connection where both can be reached. Its candidates have the higher priority, so the responder's
/// connection counts as soon as the responder says that it stands: until then it may give it up for the initiator's, or for lack of
/// time. The initiator's counts once the responder has given up its own. `offered` until the
/// other side has told its candidates, `trying` while a connection is sought, `settled` once one is found or the transport is
/// given up; whoever asks for more is told nothing.
package struct S5BMachine: Sendable {
  package enum Role: Sendable { case initiator, responder }

  /// What became of this side's own attempt.
  private enum Attempt { case due, connecting, connected, failed }
  private enum State { case offered, trying, settled }

  package enum Action: Sendable, Equatable {
    /// Connect to the other side's candidates.
    case connect
    /// What this side connects, or has connected, is of no use.
    case stop
    /// Tell that this side's connection stands.
    case sendUsed
    /// Tell that this side has, or will have, no connection.
    case sendError
    /// The body goes over the connection that this side made, or the other.
    case use(isOwn: Bool)
    /// No connection came about: the body goes in-band.
    case fallBack
  }

  package let role: Role
  private var state = State.offered
  private var own = Attempt.due
  private var connectsAt = NIODeadline.distantFuture
  private var endsAt = NIODeadline.distantFuture
  /// The other side has connected.
  private var isReached = false
  private var hasOtherFailed = false
  private var hasOtherNominated = false

  package init(_ role: Role) { self.role = role }

  package var isSettled: Bool { state == .settled }

  /// When something is due by itself.
  package var deadline: NIODeadline? {
    guard state == .trying else { return nil }
    // The responder has nothing more to do once it has told that it failed.
    if role == .responder, own == .failed { return nil }
    return own == .due ? min(connectsAt, endsAt) : endsAt
  }

  /// The other side's candidates are known: with the offer, at the responder, and with its acceptance, at the initiator.
  ///
  /// - Parameter isPossible: there are some that may be tried, and this side may be reached.
  package mutating func begin(isPossible: Bool, now: NIODeadline) -> [Action] {
    guard state == .offered else { return [] }
    state = .trying
    endsAt = now + BytestreamLimits.connecting
    connectsAt = role == .initiator ? now + BytestreamLimits.otherSideFirst : now
    guard isPossible else { return fail() }
    guard role == .responder else { return [] }
    own = .connecting
    return [.connect]
  }

  /// This side's connection stands.
  package mutating func connected() -> [Action] {
    guard state == .trying, own == .connecting else { return [.stop] }
    own = .connected
    if role == .responder || hasOtherFailed { return [.sendUsed] + settle(isOwn: true) }
    return [.sendUsed]
  }

  /// None of the candidates could be reached.
  package mutating func failed() -> [Action] {
    guard state == .trying, own == .connecting else { return [] }
    return fail()
  }

  private mutating func fail() -> [Action] {
    own = .failed
    if hasOtherFailed, role == .initiator { return [.sendError] + giveUp() }
    return [.sendError] + nominated()
  }

  /// The other side's connection stands, and it has shown its key.
  package mutating func reached() -> [Action] {
    guard state != .settled else { return [] }
    isReached = true
    return nominated()
  }

  /// The other side tells that its connection stands.
  package mutating func otherUsed() -> [Action] {
    guard state == .trying else { return [] }
    hasOtherNominated = true
    guard role == .responder, own == .connecting else { return nominated() }
    own = .failed
    return [.stop, .sendError] + nominated()
  }

  /// Whether the other side's connection is the one: at the responder only where it has none itself.
  private mutating func nominated() -> [Action] {
    guard state == .trying, role == .initiator || own == .failed, isReached, hasOtherNominated else { return [] }
    return settle(isOwn: false)
  }

  /// The other side tells that it has, and will have, none.
  package mutating func otherFailed() -> [Action] {
    guard state == .trying, !hasOtherFailed else { return [] }
    hasOtherFailed = true
    guard role == .initiator else { return [] }
    switch own {
    case .due:
      own = .connecting
      return [.connect]
    case .connecting: return []
    case .connected: return settle(isOwn: true)
    case .failed: return giveUp()
    }
  }

  /// The other side, the initiator, wants to go on in-band: whatever was found by then is not used.
  package mutating func replaced() {
    state = .settled
  }

  package mutating func expire(now: NIODeadline) -> [Action] {
    guard let deadline, deadline <= now else { return [] }
    guard endsAt > now else { return role == .initiator ? [.sendError] + giveUp() : [.stop] + fail() }
    own = .connecting
    return [.connect]
  }

  private mutating func settle(isOwn: Bool) -> [Action] {
    state = .settled
    return isOwn ? [.use(isOwn: true)] : (own == .due || own == .failed ? [] : [.stop]) + [.use(isOwn: false)]
  }

  private mutating func giveUp() -> [Action] {
    state = .settled
    return [.stop, .fallBack]
  }
}
