import FoundationEssentials
import HTTPX
import Mesh
import XMPP

extension Node {
  /// Asks a device; one that was here within a day and cannot be reached is tried again, until it answers or `patience`
  /// is over. Nothing of the request was read or sent in the tries that failed.
  ///
  /// - Throws: as `send` does; the last try's `MeshError`.
  func send(
    _ request: HTTPXRequest, to device: JID, patience: Duration, receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    let deadline = ContinuousClock.now + patience
    while true {
      do {
        return try await send(request, to: device, receive: receive)
      } catch let error as MeshError where error.mayPass(now: .now) && ContinuousClock.now < deadline {
        try await wait(for: device, until: min(deadline, .now + FrontLimits.retry))
      }
    }
  }

  /// Returns when the device is on the network, or at `time`.
  private func wait(for device: JID, until time: ContinuousClock.Instant) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await known in self.deviceChanges() where known.jid == device && known.isReachable { return }
      }
      group.addTask { try await Task.sleep(until: time, clock: .continuous) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}

extension MeshError {
  /// The device was here lately, and nothing has reached it.
  func mayPass(now: Date) -> Bool {
    guard code == .away || code == .refused, let lastSeen else { return false }
    return now.timeIntervalSince(lastSeen) < FrontLimits.recently
  }
}

extension Device {
  fileprivate var isReachable: Bool { state == .online && !endpoints.isEmpty }
}
