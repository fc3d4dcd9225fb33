import Codecs
import FoundationEssentials
import HTTPTypes
import NIOCore

/// Friends. Every method throws `ControlError`, or `CancellationError`.
///
/// `who` is a petname, a node id, the first group of one, or a device's address.
extension ControlClient {
  package func identity() async throws -> IdentityResource {
    try await ask(.get, "/v1/identity", for: IdentityResource.self)
  }

  /// Makes a new key, which friends learn of.
  package func rotateKey() async throws -> RotationResource {
    try await ask(.post, "/v1/rotation", for: RotationResource.self)
  }

  package func friends() async throws -> FriendList {
    try await ask(.get, "/v1/friends", for: FriendList.self)
  }

  package func rename(_ who: String, to petname: String) async throws {
    try await tell(.patch, "/v1/friends/\(try Self.segment(who))", TrustRequest(petname: petname))
  }

  package func remove(_ who: String) async throws {
    try await tell(.delete, "/v1/friends/\(try Self.segment(who))")
  }

  package func block(_ who: String) async throws {
    try await tell(.put, "/v1/blocked/\(try Self.segment(who))")
  }

  package func unblock(_ who: String) async throws {
    try await tell(.delete, "/v1/blocked/\(try Self.segment(who))")
  }

  package func requests() async throws -> RequestList {
    try await ask(.get, "/v1/requests", for: RequestList.self)
  }

  package func accept(_ who: String, petname: String?) async throws -> FriendResource {
    try await ask(
      .post, "/v1/requests/\(try Self.segment(who))/accept", TrustRequest(petname: petname), for: FriendResource.self)
  }

  package func reject(_ who: String) async throws {
    try await tell(.post, "/v1/requests/\(try Self.segment(who))/reject")
  }

  /// Takes back what this node asked.
  package func withdraw(_ who: String) async throws {
    try await tell(.delete, "/v1/requests/\(try Self.segment(who))")
  }

  /// Asks the owner of a device, in one line of their words if they like.
  package func request(device: String, petname: String?, greeting: String?) async throws -> AskResource {
    try await ask(
      .post, "/v1/requests", TrustRequest(petname: petname, device: device, greeting: greeting), for: AskResource.self)
  }

  package func invite(petname: String?) async throws -> InviteResource {
    try await ask(.post, "/v1/invites", TrustRequest(petname: petname), for: InviteResource.self)
  }

  package func join(_ line: String, petname: String?) async throws -> FriendResource {
    try await ask(.post, "/v1/join", TrustRequest(petname: petname, line: line), for: FriendResource.self)
  }

  package func pairing() async throws -> PairingResource {
    try await ask(.get, "/v1/pairing", for: PairingResource.self)
  }

  /// The digits come as an event.
  package func beginPairing(device: String, petname: String?) async throws -> PairingResource {
    try await ask(
      .post, "/v1/pairing", TrustRequest(petname: petname, device: device), for: PairingResource.self)
  }

  /// Says that the other side shows `digits`, too. It takes both sides' word to make friends.
  package func confirmPairing(digits: String, petname: String?) async throws {
    _ = try await ask(
      .post, "/v1/pairing/confirm", TrustRequest(petname: petname, digits: digits), for: PairingResource.self)
  }

  package func cancelPairing() async throws {
    try await tell(.delete, "/v1/pairing")
  }

  package func permit() async throws -> PermitResource {
    try await ask(.get, "/v1/permit", for: PermitResource.self)
  }

  package func permit(seconds: Int) async throws -> PermitResource {
    try await ask(.put, "/v1/permit", TrustRequest(seconds: Double(seconds)), for: PermitResource.self)
  }

  package func closePermit() async throws {
    try await tell(.delete, "/v1/permit")
  }

  /// What waits for the owner now, and every decision from now on, until the daemon ends or `receive` throws.
  ///
  /// `ready` is called first: what it sets off is not missed.
  package func watchEvents(
    ready: () async throws -> Void = {}, receive: (EventResource) async throws -> Void
  ) async throws {
    try await exchange(Self.request(.get, "/v1/events"), body: nil) { response, body in
      guard response.status == .ok else { throw try await Self.failure(response, body) }
      try await ready()
      try await Self.lines(body, of: EventResource.self, receive: receive)
    }
  }

  static func segment(_ who: String) throws(ControlError) -> String {
    guard !who.isEmpty else { throw ControlError(.invalid, "Name a friend, a node id or a device's address.") }
    return PercentEncoding.encode(who, except: .authority)
  }

  private func ask<Value: Decodable>(
    _ method: HTTPRequest.Method, _ path: String, _ wish: TrustRequest, for type: Value.Type
  ) async throws -> Value {
    try await ask(method, path, body: ByteBuffer(bytes: try ControlJSON.encode(wish)), for: type)
  }

  private func tell(_ method: HTTPRequest.Method, _ path: String, _ wish: TrustRequest) async throws {
    try await tell(method, path, body: ByteBuffer(bytes: try ControlJSON.encode(wish)))
  }
}
