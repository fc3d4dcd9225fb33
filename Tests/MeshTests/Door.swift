import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import Synchronization
import TLS
import TestKit
import Testing
import Trust
import XMPP

/// A service with the rules of its owner.
struct Door: Sendable {
  enum Access {
    case friends, `public`
    case names([String])
  }

  let service: HostedService

  init(
    _ name: String, _ access: Access, methods: [String]? = nil, paths: [String]? = nil, plaintext: Bool = false,
    respond: @escaping TestHandler.Respond = { request, _, send in
      try await send(HTTPXResponse(HTTPResponse(status: .ok), body: request.body))
    }
  ) throws {
    let access: AccessPolicy.Access =
      switch access {
      case .friends: .friends
      case .public: .public
      case .names(let names): .names(Set(try names.map { try Petname($0) }))
      }
    service = HostedService(
      name: name, target: "test",
      policy: try AccessPolicy(access: access, methods: methods, paths: paths, plaintext: plaintext),
      handler: TestHandler(respond))
  }

  /// One that notes who comes in.
  static func noting(
    _ callers: Callers, _ name: String, _ access: Access, plaintext: Bool = false
  ) throws -> Door {
    try Door(name, access, plaintext: plaintext) { request, caller, send in
      callers.append(caller)
      try await send(HTTPXResponse(HTTPResponse(status: .ok), body: request.body))
    }
  }
}

/// Whom a service was shown, in order.
final class Callers: Sendable {
  private let list = Mutex<[Caller]>([])

  var all: [Caller] { list.withLock { $0 } }

  func append(_ caller: Caller) { list.withLock { $0.append(caller) } }
}

extension Node {
  /// Somebody comes in with this key, or in plaintext, says what `body` says, and hangs up.
  ///
  /// - Parameter isEncrypted: whether one without a key takes TLS.
  func visited(
    by identity: Identity?, isEncrypted: Bool = false, from jid: String? = "mallory@cellar", to device: String,
    _ body: (ScriptedPeer) async throws -> Void
  ) async throws {
    let peer = try await ScriptedPeer.connect(to: status().port)
    do {
      if let identity {
        try await peer.secure(as: identity, from: jid, to: device)
      } else {
        try await peer.greet(from: jid, to: device)
        if isEncrypted {
          try await peer.startTLS(.upstream(host: "pi", trust: .insecure))
          let features = try await peer.greet(from: jid, to: device)
          #expect(!features.contains("mechanism") && !features.contains("starttls"), "\(features)")
        }
      }
      try await body(peer)
    } catch {
      peer.disappear()
      throw error
    }
    peer.disappear()
  }

  /// Serves them, and waits until they are announced.
  func serve(_ doors: Door...) async throws {
    for door in doors {
      serve(door.service)
      let standing = try #require(await standing(of: door.service.name, within: .seconds(10)))
      #expect(standing.jid != nil)
    }
  }

  /// Those of the pi's services that answer this node, the others being forbidden to it.
  func opened(_ names: String...) async -> [String] {
    var opened: [String] = []
    for name in names {
      do {
        _ = try await fetch(JID("\(name)@pi")!)
        opened.append(name)
      } catch {
        #expect((error as? MeshError)?.code == .forbidden, "\(name): \(error)")
      }
    }
    return opened
  }
}
