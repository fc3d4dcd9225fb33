import LinkLocal

func announcement(_ name: String, port: Int = 5298, message: String? = nil) -> Announcement {
  Announcement(
    id: name, name: InstanceName(user: name, machine: "h1")!, port: port,
    record: TXTRecord(port: port, nick: name, node: "urn:test", ver: "abc=", message: message, id: "KEY"))
}

extension Recorder {
  func name(of id: String, after mark: Int = 0) async throws -> InstanceName {
    try await first(after: mark) { if case .announced(id, let name) = $0 { name } else { nil } }
  }

  func sighting(
    _ instance: String, on interface: String, _ family: Sighting.Family, after mark: Int = 0,
    where isWanted: @escaping @Sendable (Sighting) -> Bool = { _ in true }
  ) async throws -> Sighting {
    try await first(after: mark) { event in
      guard case .found(let found) = event, found.key.instance == InstanceName(instance), isWanted(found),
        found.key.interface.name == interface, found.key.family == family
      else { return nil }
      return found
    }
  }

  func loss(_ instance: String) async throws {
    _ = try await first { $0.isLoss(of: instance) ? true : nil }
  }

  func unavailability(after mark: Int = 0) async throws -> String {
    try await first(after: mark, \.problem)
  }
}

extension DiscoveryEvent {
  func isLoss(of instance: String) -> Bool {
    if case .lost(let key) = self { key.instance == InstanceName(instance) } else { false }
  }

  var problem: String? {
    if case .unavailable(let reason) = self { reason } else { nil }
  }
}
