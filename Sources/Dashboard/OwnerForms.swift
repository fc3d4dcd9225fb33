import FoundationEssentials
import Mesh
import Trust
import XMPP

/// What the forms of the dashboard's pages do, and where the outcome shows.
struct OwnerForms: Sendable {
  let owner: OwnerActions
  let services: any OwnedServices
  let declined: DeclinedRequests
  let invites: IssuedInvites

  init(of node: any LocalNode, services: any OwnedServices, declined: DeclinedRequests, invites: IssuedInvites) {
    owner = OwnerActions(of: node, requiringNames: true)
    (self.services, self.declined, self.invites) = (services, declined, invites)
  }

  /// - Throws: as `OwnerActions` does; `ServingError`.
  func perform(_ route: DashboardRoute, _ form: FormFields) async throws -> DashboardRoute {
    switch route {
    case .list, .script, .live, .icon, .open: break
    case .ask(let jid):
      try await ask(jid, form)
      return route
    case .befriend(let jid):
      try await owner.befriend(jid, appearing: .shown(id: form["node"]), petname: form["petname"])
    case .accept(let id): _ = try await owner.accept(id.description, petname: form["petname"])
    case .reject(let id): try await owner.reject(id.description)
    case .withdraw(let id): try await owner.withdraw(id.description)
    case .confirmPairing:
      try await owner.confirmPairing(digits: form["digits"] ?? "", petname: form["petname"])
    case .cancelPairing: await owner.cancelPairing()
    case .closePermit: await owner.closePermit()
    case .invite: try await invite(form)
    case .join: _ = try await owner.join(form["line"] ?? "", petname: form["petname"])
    case .rename(let id): try await owner.rename(id.description, to: form["petname"] ?? "")
    case .remove(let id): try await owner.remove(id.description)
    case .block(let id): try await owner.block(id.description)
    case .unblock(let id): try await owner.unblock(id.description)
    case .serve: try await serve(form)
    case .stop(let name): try await services.stop(name)
    }
    return .list
  }

  private func ask(_ jid: JID, _ form: FormFields) async throws {
    let outcome = try await owner.ask(
      jid, appearing: .shown(id: form["node"]), petname: form["petname"], patience: DashboardLimits.answer)
    if case .declined = outcome { declined.note(jid, at: .now) } else { declined.forget(jid) }
  }

  private func invite(_ form: FormFields) async throws {
    let (line, expires) = try await owner.invite(petname: form["petname"])
    invites.note(IssuedInvites.Invite(line: line, petname: form["petname"] ?? "", expires: expires))
  }

  private func serve(_ form: FormFields) async throws {
    guard let name = form["name"], let target = form["target"] else {
      throw ServingError("A service needs a name, and the app or the folder that answers for it.")
    }
    try await services.serve(
      name, target: TargetText.spelledOut(target), title: form["title"], access: try access(form["access"]))
  }

  /// Nothing is open that nobody opened.
  private func access(_ word: String?) throws -> AccessPolicy.Access {
    switch word {
    case "friends": return .friends
    case "public": return .public
    case let word? where word.hasPrefix("only "): return .names([try Petname(String(word.dropFirst("only ".count)))])
    default: throw ServingError("Say who may use it.")
    }
  }
}
