import CAvahi
import Glibc
import LinkLocal
import Synchronization

/// What the rest of the program wants of the Avahi thread, and what it may read of it.
final class DesiredAnnouncements: Sendable {
  private struct State {
    var announcements: [String: Announcement] = [:]
    /// To be resolved.
    var wanted: Set<InstanceName> = []
    /// Kept fresh since they were wanted.
    var fresh: Set<InstanceName> = []
    var isStopped = false
    /// Some event found no place.
    var hasLostEvents = false
    var hostName: String?
  }
  private let state = Mutex(State())
  let eventFD = EventFD()

  var announcements: [String: Announcement] { state.withLock { $0.announcements } }
  var isStopped: Bool { state.withLock { $0.isStopped } }
  var hostName: String? { state.withLock { $0.hostName } }

  func announce(_ announcement: Announcement) {
    state.withLock { $0.announcements[announcement.id] = announcement }
    eventFD.signal()
  }

  func withdraw(id: String) {
    state.withLock { $0.announcements[id] = nil }
    eventFD.signal()
  }

  /// Beyond `AvahiLimits.wanted` it is not taken; who waits has waited long enough by then.
  ///
  /// - Returns: whether its records are kept fresh already, so that there is nothing to wait for.
  func resolve(_ name: InstanceName) -> Bool {
    defer { eventFD.signal() }
    return state.withLock { state in
      if state.wanted.count < AvahiLimits.wanted { state.wanted.insert(name) }
      return state.fresh.contains(name)
    }
  }

  func keepsFresh(_ names: Set<InstanceName>) {
    state.withLock { $0.fresh = names }
  }

  func takeWanted() -> Set<InstanceName> {
    state.withLock { state in
      defer { state.wanted = [] }
      return state.wanted
    }
  }

  func lostEvents() {
    state.withLock { $0.hasLostEvents = true }
    eventFD.signal()
  }

  /// Whether events were lost since this was last asked.
  func takeLoss() -> Bool {
    state.withLock { state in
      defer { state.hasLostEvents = false }
      return state.hasLostEvents
    }
  }

  func stop() {
    state.withLock { $0.isStopped = true }
    eventFD.signal()
  }

  func reached(host: String) {
    state.withLock { $0.hostName = host }
  }
}

/// Wakes the Avahi thread: a file descriptor that becomes readable (eventfd(2)).
final class EventFD: Sendable {
  let descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))

  deinit { close(descriptor) }

  func signal() {
    var one: UInt64 = 1
    // It fails only where the eventFD is ringing already.
    _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
  }
}
