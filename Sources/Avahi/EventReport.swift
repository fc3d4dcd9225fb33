import LinkLocal

/// What happens on the link, told to one reader. Where that is slower than the link changes for so long that
/// `AvahiLimits.events` wait, what comes then is lost; the session hears of it and begins anew, which tells everything again.
struct EventReport: Sendable {
  let events: AsyncStream<DiscoveryEvent>
  private let continuation: AsyncStream<DiscoveryEvent>.Continuation
  private let lost: @Sendable () -> Void

  /// - Parameters:
  ///   - capacity: of events that wait.
  ///   - lost: called for each that was lost, from whatever thread.
  init(capacity: Int = AvahiLimits.events, lost: @escaping @Sendable () -> Void) {
    (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(capacity))
    self.lost = lost
  }

  func yield(_ event: DiscoveryEvent) {
    if case .dropped = continuation.yield(event) { lost() }
  }

  func finish() { continuation.finish() }
}
