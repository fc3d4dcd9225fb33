import NIOCore
import XMPP

/// When something is due on a stream: one timer, set to the next moment.
extension PeerStream {
  var loop: NIOIsolatedEventLoop { eventLoop.assumeIsolated() }

  /// Something is under way that a silent peer would leave hanging.
  private var isBusy: Bool { answering > 0 || queries.count > 0 || !incoming.isEmpty || !outgoing.isEmpty }

  /// Silent for so long that the peer may be gone, or at an address that is no longer one of its own.
  func isDoubtful(_ addresses: [SocketAddress]) -> Bool {
    lastReceived + Timeouts.doubt <= eventLoop.now || !addresses.contains { $0.host == handler.remoteAddress }
  }

  func touch() {
    lastUsed = eventLoop.now
  }

  /// Sets the timer to the next moment at which something may be due.
  func rescheduleTimer() {
    guard isOpen, peer != nil else { return }
    let next =
      [nextQuietDeadline, queries.nextDeadline(), nextTransferDeadline].compactMap { $0 }.min() ?? .distantFuture
    if let timer, timer.time <= next { return }
    timer?.task.cancel()
    timer = (next, loop.scheduleTask(deadline: next) { [weak self] in self?.assumeIsolated { $0.tick() } })
  }

  /// When a silent peer is to be asked whether it is there, or an idle stream to be closed.
  private var nextQuietDeadline: NIODeadline? {
    let quiet = max(lastReceived, lastUsed)
    guard isBusy else { return quiet + Timeouts.idle }
    // Asking again while an answer is due would tell nothing more.
    return isProbing ? nil : quiet + Timeouts.silence
  }

  private func tick() {
    timer = nil
    let now = eventLoop.now
    for query in queries.expired(now) { resolve(query, .failure(.timedOut)) }
    tickTransfers(now: now)
    if let deadline = nextQuietDeadline, deadline <= now {
      if isBusy { probe() } else { close() }
    }
    rescheduleTimer()
  }
}
