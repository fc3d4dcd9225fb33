import Account
import Control
import Front
import HTTPEdge
import HTTPX
import Mesh
import TLS
import Trust
import XMPP

/// What answers the control socket: the node's devices, the services and forwards of the books, and the mesh through the gateway.
struct RunningDaemon: ControlledDaemon {
  let services: BookedServices
  let forwardBook: ForwardBook
  let accountBook: AccountBook
  let component: ServerComponent?
  let keys: IdentityStore
  let gateway: Gateway

  var node: any LocalNode { localNode }
  private var localNode: Node { services.node }

  func serve(_ name: String, _ service: ServiceResource) async throws -> ServedResource {
    try await services.serve(name, service)
  }

  func unserve(_ name: String) async throws { try await services.book.remove(name) }

  func forwards() async -> [ForwardResource] { await forwardBook.list }

  func openForward(_ request: ForwardRequest) async throws -> OpenedForwardResource {
    guard let uri = try? HTTPXURI("\(HTTPXURI.scheme)://\(request.device)"), uri.path == "/" else {
      throw ControlError(.invalid, "“\(request.device)” is no device: write its address, like printer@pi.")
    }
    let forward = try await forwardBook.add(uri.jid, at: request.port)
    return OpenedForwardResource(forward, warnings: warnings(about: uri.jid))
  }

  private func warnings(about device: JID) -> [String] {
    switch localNode.device(device) {
    case nil: ["“\(device)” is not discovered yet, and is found as soon as it is"]
    case let found? where found.state != .online: ["“\(device)” is away at the moment"]
    case let found? where found.http == false: ["“\(device)” serves no HTTP"]
    default: []
    }
  }

  func closeForward(_ port: Int) async throws { try await forwardBook.remove(port) }

  func account() async -> AccountResource {
    await accountBook.resource(services.node.officeReport())
  }

  func componentStatus() -> ComponentResource? {
    guard let status = component?.status else { return nil }
    return ComponentResource(domain: status.domain.text, online: status.isOnline, problem: status.problem?.message)
  }

  func logIn(_ login: AccountLogin) async throws -> AccountResource { try await accountBook.logIn(login) }
  func logOut() async throws { try await accountBook.logOut() }
  func answer(_ contact: String, accepting isAccepted: Bool) async throws {
    try await accountBook.answer(contact, accepting: isAccepted)
  }

  func rotateKey() async throws -> NodeID {
    do {
      let new = try keys.rotate(node.trustService.identity, name: node.status().jid.text)
      return try NodeID(key: new)
    } catch RotationError.pending {
      throw ControlError(.conflict, "A new key is waiting already: restart the daemon first.")
    } catch {
      throw ControlError(.failed, "The key was not changed: \(error).")
    }
  }

  func forward(_ request: Request, _ writer: ResponseWriter) async throws {
    try await gateway.forward(request, writer)
  }
}

extension NodeID {
  /// Throws `TrustError` where SHA-256 gives no 32 bytes, which it does.
  init(key identity: Identity) throws(TrustError) {
    guard let id = NodeID(digest: Digest.sha256(identity.spki)) else {
      throw TrustError(.nodeID, "SHA-256 gave no 32 bytes")
    }
    self = id
  }
}
