import Codecs
import FoundationEssentials
import HTTPTypes
import Hummingbird
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

  func add(to router: Router<BasicRequestContext>) {
    router.get("/v1/identity") { _, _ -> Response in
      let id = trustService.id
      return try .json(IdentityResource(schema: 1, jid: node.status().jid.text, id: id.description, short: id.short))
    }
    router.post("/v1/rotation") { _, _ -> Response in
      let id = try await daemon.rotateKey()
      return try .json(RotationResource(schema: 1, id: id.description, short: id.short, restart: true))
    }
    router.get("/v1/events") { _, _ -> Response in events() }
    addFriends(to: router)
    addRequests(to: router)
    addInvites(to: router)
    addPairing(to: router)
    addPermit(to: router)
  }

  private func addFriends(to router: Router<BasicRequestContext>) {
    router.get("/v1/friends") { _, _ -> Response in
      try .json(FriendList(owner.book, devices: node.devices()))
    }
    router.patch("/v1/friends/:who") { request, context -> Response in
      let change = try await Self.body(request, #"{"petname": "anna"}"#)
      guard let petname = change.petname else { throw Self.missing("petname", #"{"petname": "anna"}"#) }
      try await owner.rename(try Self.who(context), to: petname)
      return Response(status: .noContent)
    }
    router.delete("/v1/friends/:who") { _, context -> Response in
      try await owner.remove(try Self.who(context))
      return Response(status: .noContent)
    }
    router.put("/v1/blocked/:who") { _, context -> Response in
      try await owner.block(try Self.who(context))
      return Response(status: .noContent)
    }
    router.delete("/v1/blocked/:who") { _, context -> Response in
      try await owner.unblock(try Self.who(context))
      return Response(status: .noContent)
    }
  }

  private func addRequests(to router: Router<BasicRequestContext>) {
    router.get("/v1/requests") { _, _ -> Response in
      try .json(RequestList(owner.book, now: Date()))
    }
    router.post("/v1/requests") { request, _ -> Response in
      let wish = try await Self.body(request, #"{"device": "thermostat@pi"}"#)
      return try .json(
        AskResource(
          try await owner.ask(try Self.device(wish), petname: wish.petname, greeting: wish.greeting), node.devices()))
    }
    router.post("/v1/requests/:who/accept") { request, context -> Response in
      let (who, wish) = (try Self.who(context), try await Self.body(request, #"{"petname": "anna"}"#))
      let friend = try await owner.accept(who, petname: wish.petname)
      return try .json(FriendResource(friend, devices: node.devices()))
    }
    router.delete("/v1/requests/:who") { _, context -> Response in
      try await owner.withdraw(try Self.who(context))
      return Response(status: .noContent)
    }
    router.post("/v1/requests/:who/reject") { _, context -> Response in
      try await owner.reject(try Self.who(context))
      return Response(status: .noContent)
    }
  }

  private func addInvites(to router: Router<BasicRequestContext>) {
    router.post("/v1/invites") { request, _ -> Response in
      let wish = try await Self.body(request, #"{"petname": "anna"}"#)
      let (line, expires) = try await owner.invite(petname: wish.petname)
      return try .json(InviteResource(schema: 1, line: line.description, expires: expires))
    }
    router.post("/v1/join") { request, _ -> Response in
      let wish = try await Self.body(request, #"{"line": "httpx://…/invite/…"}"#)
      let friend = try await owner.join(wish.line ?? "", petname: wish.petname)
      return try .json(FriendResource(friend, devices: node.devices()))
    }
  }

  private func addPairing(to router: Router<BasicRequestContext>) {
    router.get("/v1/pairing") { _, _ -> Response in
      try .json(PairingResource(owner.book))
    }
    router.post("/v1/pairing") { request, _ -> Response in
      let wish = try await Self.body(request, #"{"device": "thermostat@pi"}"#)
      try await owner.befriend(try Self.device(wish), petname: wish.petname)
      return try .json(PairingResource(owner.book))
    }
    router.post("/v1/pairing/confirm") { request, _ -> Response in
      let example = #"{"digits": "123456"}"#
      let wish = try await Self.body(request, example)
      guard let digits = wish.digits else { throw Self.missing("digits", example) }
      try await owner.confirmPairing(digits: digits, petname: wish.petname)
      return try .json(PairingResource(owner.book))
    }
    router.delete("/v1/pairing") { _, _ -> Response in
      await owner.cancelPairing()
      return Response(status: .noContent)
    }
  }

  private func addPermit(to router: Router<BasicRequestContext>) {
    @Sendable func state() throws -> Response {
      let now = Date()
      return try .json(PermitResource(owner.book.permit(now: now), now: now))
    }
    router.get("/v1/permit") { _, _ -> Response in try state() }
    router.put("/v1/permit") { request, _ -> Response in
      let wish = try await Self.body(request, #"{"seconds": 120}"#)
      try await owner.permit(seconds: wish.seconds ?? 0)
      return try state()
    }
    router.delete("/v1/permit") { _, _ -> Response in
      await owner.closePermit()
      return Response(status: .noContent)
    }
  }

  /// First what waits for the owner now, then every decision, one a line, until either side ends.
  private func events() -> Response {
    // Before the head is sent, so that whoever has read that misses nothing.
    let events = trustService.events()
    let body = ResponseBody { writer in
      let (book, now) = (trustService.current, Date())
      for event in [EventResource(permitOf: book, at: now), EventResource(digitsOf: book, at: now)] {
        if let event { try await writer.write(try .line(event)) }
      }
      for await event in events {
        let now = Date()
        let line = event.map { EventResource($0, at: now) } ?? EventResource(digitsOf: trustService.current, at: now)
        if let line { try await writer.write(try .line(line)) }
      }
      try await writer.finish(nil)
    }
    return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
  }

  private static func who(_ context: BasicRequestContext) throws(ControlError) -> String {
    guard let who = context.parameters.get("who").flatMap({ PercentEncoding.decodeText($0) }) else {
      throw ControlError(.invalid, "The name is not percent-encoded UTF-8.")
    }
    return who
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

  /// No body is as good as an empty object.
  private static func body(_ request: Request, _ example: String) async throws -> TrustRequest {
    do {
      let body = try await request.body.collect(upTo: ControlLimits.requestBytes)
      guard body.readableBytes > 0 else { return TrustRequest() }
      return try ControlJSON.decode(TrustRequest.self, from: Data(body.readableBytesView))
    } catch is DecodingError {
      throw ControlError(.invalid, "The body must be JSON like \(example).")
    } catch is NIOTooManyBytesError {
      throw ControlError(.invalid, "The body is larger than \(ControlLimits.requestBytes) bytes.")
    }
  }
}

extension AskResource {
  fileprivate init(_ outcome: AskOutcome, _ devices: [Device]) {
    switch outcome {
    case .friends(let friend):
      self.init(schema: 1, outcome: .friends, friend: FriendResource(friend, devices: devices))
    case .waiting: self.init(schema: 1, outcome: .waiting, friend: nil)
    case .declined: self.init(schema: 1, outcome: .declined, friend: nil)
    }
  }
}

extension ByteBuffer {
  /// NDJSON.
  static func line(_ value: some Encodable) throws -> ByteBuffer {
    ByteBuffer(bytes: try ControlJSON.encode(value) + [0x0A])
  }
}
