import FoundationEssentials
import HTTPTypes
import Mesh
import Trust
import XMPP

/// What the owner does on the dashboard.
///
/// Whoever is to become a friend gets a name from the owner, who has to type it: a page that lures somebody into clicks
/// at places of its choice does not get that far.
struct OwnerActions: Sendable {
  let node: Node
  let declined: DeclinedRequests

  private var trustService: TrustService { node.trustService }

  /// Returns where the outcome shows. Throws `TrustError`, `MeshError`, `Problem`, what keeping friends throws, and
  /// `CancellationError`.
  func perform(_ route: DashboardRoute, _ form: FormFields) async throws -> DashboardRoute {
    switch route {
    case .list: break
    case .ask(let jid):
      try await ask(jid, form)
      return route
    case .befriend(let jid):
      let device = try known(jid, form)
      try await node.befriend(device.jid, expecting: device.node, petname: try petname(of: device, form))
    case .accept(let id):
      try await trustService.accept(id.description, petname: try Petname(form["petname"] ?? "").text)
    case .reject(let id): try await trustService.reject(id.description)
    case .confirmPairing: try await confirm(form)
    case .cancelPairing: await trustService.cancelPairing()
    case .closePermit: await trustService.closePermit()
    }
    return .list
  }

  private func ask(_ jid: JID, _ form: FormFields) async throws {
    let device = try known(jid, form)
    let outcome = try await outcome(ofAsking: device, petname: try petname(of: device, form))
    if case .declined = outcome { declined.note(device.jid, at: .now) } else { declined.forget(device.jid) }
  }

  /// The device, as the page showed it.
  private func known(_ jid: JID, _ form: FormFields) throws -> Device {
    guard let device = node.device(jid) else {
      throw MeshError(.notDiscovered, device: jid, message: "No device “\(jid)” is announced on this network.")
    }
    guard device.node?.description == form["node"] else {
      throw Problem(
        .conflict, error: "http_request_denied", title: "\(jid) has changed",
        message: "“\(jid)” is announced with another id than your page showed. Look again before you go on.")
    }
    return device
  }

  private func petname(of device: Device, _ form: FormFields) throws -> String? {
    switch FriendshipState(device, trustService.current) {
    case .friend: nil
    case .asked(let asked): asked.petname?.text
    default: try Petname(form["petname"] ?? "").text
    }
  }

  /// Waits for an answer, for a while once the request is on its way.
  private func outcome(ofAsking device: Device, petname: String?) async throws -> AskOutcome {
    let events = trustService.events()
    return try await withThrowingTaskGroup(of: AskOutcome.self) { group in
      group.addTask {
        try await node.ask(device.jid, expecting: device.node, petname: petname, greeting: nil)
      }
      group.addTask {
        for await event in events {
          if case .asked(let asked)? = event, asked.jid == device.jid { break }
        }
        try await Task.sleep(for: DashboardLimits.answer)
        return .waiting
      }
      defer { group.cancelAll() }
      return try await group.next() ?? .waiting
    }
  }

  private func confirm(_ form: FormFields) async throws {
    let book = trustService.current
    let isFriend = book.pairingQuestion.map { book.friend($0.peer.id) != nil } ?? false
    try await trustService.confirmPairing(
      digits: form["digits"] ?? "", petname: isFriend ? nil : try Petname(form["petname"] ?? "").text)
  }
}
