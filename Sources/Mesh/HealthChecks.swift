import HTTPX
import Logging

/// Looks at what answers for each service: as soon as it is served, and again from time to time.
struct HealthChecks: Sendable {
  let table: ServiceTable
  let logger: Logger

  /// Until it is cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await repeating() }
      for await service in table.inserted { group.addTask { await check(service) } }
    }
  }

  private func repeating() async {
    while (try? await Task.sleep(for: MeshLimits.healthInterval)) != nil {
      await withDiscardingTaskGroup { group in
        for service in table.all { group.addTask { await check(service) } }
      }
    }
  }

  private func check(_ service: HostedService) async {
    let change: HealthReport?
    do throws(OriginFailure) {
      try await service.handler.check()
      change = service.health.reached()
    } catch {
      // A look that was cut short has seen nothing.
      guard !Task.isCancelled else { return }
      change = service.health.failed(error)
    }
    guard let change else { return }
    logger.report(change, of: service)
    table.healthChanged(service.name)
  }
}

extension Logger {
  func report(_ change: HealthReport, of service: HostedService) {
    switch change.health {
    case .ok: notice("the app answers again", metadata: ["service": "\(service.name)"])
    case .down(let reason):
      notice("the app does not answer", metadata: ["service": "\(service.name)", "why": "\(reason)"])
    case .unknown: break
    }
  }
}
