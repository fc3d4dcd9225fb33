import FoundationEssentials
import Mesh
import Trust
import XMPP

/// What the forms of the dashboard's pages do, and where the outcome shows.
struct OwnerForms: Sendable {
  let owner: OwnerActions
  let declined: DeclinedRequests

  init(of node: any LocalNode, declined: DeclinedRequests) {
    owner = OwnerActions(of: node, requiringNames: true)
    self.declined = declined
  }

  /// - Throws: as `OwnerActions` does.
  func perform(_ route: DashboardRoute, _ form: FormFields) async throws -> DashboardRoute {
    switch route {
    case .list: break
    case .ask(let jid):
      try await ask(jid, form)
      return route
    case .befriend(let jid):
      try await owner.befriend(jid, appearing: .shown(id: form["node"]), petname: form["petname"])
    case .accept(let id): _ = try await owner.accept(id.description, petname: form["petname"])
    case .reject(let id): try await owner.reject(id.description)
    case .confirmPairing:
      try await owner.confirmPairing(digits: form["digits"] ?? "", petname: form["petname"])
    case .cancelPairing: await owner.cancelPairing()
    case .closePermit: await owner.closePermit()
    }
    return .list
  }

  private func ask(_ jid: JID, _ form: FormFields) async throws {
    let outcome = try await owner.ask(
      jid, appearing: .shown(id: form["node"]), petname: form["petname"], patience: DashboardLimits.answer)
    if case .declined = outcome { declined.note(jid, at: .now) } else { declined.forget(jid) }
  }
}
