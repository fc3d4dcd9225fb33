import FoundationEssentials
import HTTPEdge
import HTTPTypes
import Mesh
import NIOCore
import Trust
import XMPP

/// The resources of the control socket that are about friends, version 1.
struct TrustRoutes: Sendable {
  private let daemon: any ControlledDaemon
  private let owner: OwnerActions

  init(of daemon: any ControlledDaemon) {
    self.daemon = daemon
    owner = OwnerActions(of: daemon.node, requiringNames: false)
  }

  private var node: any LocalNode { daemon.node }
  private var trustService: TrustService { node.trustService }

  func add(to router: inout Router) {
    router.on(.get, "/v1/identity") { _ in
      let id = trustService.id
      return try .json(IdentityResource(jid: node.status().jid.text, id: id.description, short: id.short))
    }
    router.on(.post, "/v1/rotation") { _ in
      let id = try await daemon.rotateKey()
      return try .json(RotationResource(id: id.description, short: id.short, restart: true))
    }
    router.on(.get, "/v1/events") { _ in events() }
    addFriends(to: &router)
    addRequests(to: &router)
    addInvites(to: &router)
    addPairing(to: &router)
    addPermit(to: &router)
  }

  private func addFriends(to router: inout Router) {
    router.on(.get, "/v1/friends") { _ in
      try .json(FriendList(owner.book, devices: node.devices()))
    }
    router.on(.patch, "/v1/friends/:who") { request in
      let change = try await request.json(like: #"{"petname": "anna"}"#, empty: TrustRequest())
      guard let petname = change.petname else { throw Self.missing("petname", #"{"petname": "anna"}"#) }
      try await owner.rename(try Self.who(request), to: petname)
      return .noContent
    }
    router.on(.delete, "/v1/friends/:who") { request in
      try await owner.remove(try Self.who(request))
      return .noContent
    }
    router.on(.put, "/v1/blocked/:who") { request in
      try await owner.block(try Self.who(request))
      return .noContent
    }
    router.on(.delete, "/v1/blocked/:who") { request in
      try await owner.unblock(try Self.who(request))
      return .noContent
    }
  }

  private func addRequests(to router: inout Router) {
    router.on(.get, "/v1/requests") { _ in
      try .json(RequestList(owner.book, contacts: await daemon.account().asking, now: Date()))
    }
    router.on(.post, "/v1/requests") { request in
      let wish = try await request.json(like: #"{"device": "thermostat@pi"}"#, empty: TrustRequest())
      return try .json(
        AskResource(
          try await owner.ask(try Self.device(wish), petname: wish.petname, greeting: wish.greeting), node.devices()))
    }
    router.on(.post, "/v1/requests/:who/accept") { request in
      let (who, wish) = (
        try Self.who(request), try await request.json(like: #"{"petname": "anna"}"#, empty: TrustRequest())
      )
      let friend = try await owner.accept(who, petname: wish.petname)
      return try .json(FriendResource(friend, devices: node.devices()))
    }
    router.on(.delete, "/v1/requests/:who") { request in
      try await owner.withdraw(try Self.who(request))
      return .noContent
    }
    router.on(.post, "/v1/requests/:who/reject") { request in
      try await owner.reject(try Self.who(request))
      return .noContent
    }
  }

  private func addInvites(to router: inout Router) {
    router.on(.post, "/v1/invites") { request in
      let wish = try await request.json(like: #"{"petname": "anna"}"#, empty: TrustRequest())
      let (line, expires) = try await owner.invite(petname: wish.petname)
      return try .json(InviteResource(line: line.description, expires: expires))
    }
    router.on(.post, "/v1/join") { request in
      let wish = try await request.json(like: #"{"line": "httpx://…/invite/…"}"#, empty: TrustRequest())
      let friend = try await owner.join(wish.line ?? "", petname: wish.petname)
      return try .json(FriendResource(friend, devices: node.devices()))
    }
  }

  private func addPairing(to router: inout Router) {
    router.on(.get, "/v1/pairing") { _ in
      try .json(PairingResource(owner.book))
    }
    router.on(.post, "/v1/pairing") { request in
      let wish = try await request.json(like: #"{"device": "thermostat@pi"}"#, empty: TrustRequest())
      try await owner.befriend(try Self.device(wish), petname: wish.petname)
      return try .json(PairingResource(owner.book))
    }
    router.on(.post, "/v1/pairing/confirm") { request in
      let example = #"{"digits": "123456"}"#
      let wish = try await request.json(like: example, empty: TrustRequest())
      guard let digits = wish.digits else { throw Self.missing("digits", example) }
      try await owner.confirmPairing(digits: digits, petname: wish.petname)
      return try .json(PairingResource(owner.book))
    }
    router.on(.delete, "/v1/pairing") { _ in
      await owner.cancelPairing()
      return .noContent
    }
  }

  private func addPermit(to router: inout Router) {
    @Sendable func state() throws -> RoutedResponse {
      let now = Date()
      return try .json(PermitResource(owner.book.permit(now: now), now: now))
    }
    router.on(.get, "/v1/permit") { _ in try state() }
    router.on(.put, "/v1/permit") { request in
      let wish = try await request.json(like: #"{"seconds": 120}"#, empty: TrustRequest())
      try await owner.permit(seconds: wish.seconds ?? 0)
      return try state()
    }
    router.on(.delete, "/v1/permit") { _ in
      await owner.closePermit()
      return .noContent
    }
  }

  /// First what waits for the owner now, then every decision, one a line, until either side ends.
  private func events() -> RoutedResponse {
    // Before the head is sent, so that whoever has read that misses nothing.
    let events = trustService.events()
    return .lines { writer in
      let (book, now) = (trustService.current, Date())
      for event in [EventResource(permitOf: book, at: now), EventResource(digitsOf: book, at: now)] {
        if let event { try await writer.write(try .line(event)) }
      }
      for await event in events {
        let now = Date()
        let line = event.map { EventResource($0, at: now) } ?? EventResource(digitsOf: trustService.current, at: now)
        if let line { try await writer.write(try .line(line)) }
      }
    }
  }

  private static func who(_ request: RoutedRequest) throws(ControlError) -> String {
    try request.parameter("who", called: "The name")
  }

  private static func device(_ wish: TrustRequest) throws(ControlError) -> JID {
    guard let text = wish.device, let jid = JID(bare: text), jid.localpart != nil else {
      throw ControlError(.invalid, #"Name a device, like {"device": "thermostat@pi"}."#)
    }
    return jid
  }

  private static func missing(_ key: String, _ example: String) -> ControlError {
    ControlError(.invalid, "\(key) is missing: the body must be JSON like \(example).")
  }
}

extension AskResource {
  fileprivate init(_ outcome: AskOutcome, _ devices: [Device]) {
    switch outcome {
    case .friends(let friend):
      self.init(outcome: .friends, friend: FriendResource(friend, devices: devices))
    case .waiting: self.init(outcome: .waiting, friend: nil)
    case .declined: self.init(outcome: .declined, friend: nil)
    }
  }
}
