/// When a device that had to take another name asks for its own again, which anyone on the link can take with one packet.
///
/// A name that it had is asked for after `ownName`, another one, which may be a neighbour's that is restarting, after
/// `foreignName`; and after twice the time whenever it was taken or lost again, up to `longestNameWait`. Where it was held for
/// so long, all begins anew. A value; `now` is told.
package struct NameReclaim: Sendable {
  /// When to ask next; nil while the device has its own name, or asks for it.
  package private(set) var due: ContinuousClock.Instant?
  private var wait: Duration?
  private var heldSince: ContinuousClock.Instant?

  package init() {}

  /// The device stands on the link under its own name.
  package mutating func held(now: ContinuousClock.Instant) {
    due = nil
    heldSince = heldSince ?? now
  }

  /// Its own name is somebody else's, again or still.
  package mutating func lost(now: ContinuousClock.Instant) {
    if let heldSince, now - heldSince >= LinkLocalLimits.longestNameWait { wait = nil }
    let first = heldSince == nil ? LinkLocalLimits.foreignName : LinkLocalLimits.ownName
    let next = wait.map { min($0 * 2, LinkLocalLimits.longestNameWait) } ?? first
    (wait, heldSince, due) = (next, nil, now + next)
  }
}
